"""Servers with their routes and tools; what contradicts another server names it."""

import pytest

from authz.changes import grants, servers
from authz.models import Route, Server, Tool
from tests.admin.cast import BY
from tests.admin.screen import errors, kinds_since, revision, row, told


def test_a_server_is_added_with_routes_and_tools_in_one_change(screen):
    before, entries = revision(), told()
    answer = screen.send(
        "authz_server",
        "add",
        name="jira",
        mcp_path="/mcp/",
        **row("routes", 0, host="MCP.example.com", prefix="/jira/"),
        **row("tools", 0, name="get_issue", enabled="on") | row("tools", 1, name="drop", description="Deletes."),
    )

    jira = Server.objects.get(name="jira")
    assert 302 == answer.status_code
    assert ("mcp", ["mcp.example.com/jira"]) == (jira.mcp_path, [str(route) for route in jira.routes.all()])
    assert [("drop", False), ("get_issue", True)] == list(jira.tools.values_list("name", "enabled"))
    assert before + 1 == revision()
    assert ["server.created", "route.added", "tool.added", "tool.added"] == kinds_since(entries)


@pytest.mark.parametrize(
    ("sent", "field", "said"),
    [
        ({"name": "SEARCH"}, "name", "'search' has this name already"),
        ({"name": "x", "kind": "portal"}, "kind", "valid choice"),
        ({"name": "x", "mcp_path": "a/../b"}, "mcp_path", "not a path prefix"),
        ({"name": "x", "kind": "web", "mcp_path": "mcp"}, "mcp_path", "Only an MCP server"),
        ({"name": "x", **row("routes", 0, host="a b", prefix="/")}, "routes-0-host", "not a host name"),
        ({"name": "x", **row("routes", 0, host="a.example.com", prefix="x")}, "routes-0-prefix", "not a path prefix"),
        (
            {"name": "x", **row("routes", 0, host="H.example.com", prefix="/s")},
            "routes-0-prefix",
            "leads to search already",
        ),
        (
            {"name": "x", "kind": "capability", **row("routes", 0, host="h", prefix="/")},
            "routes-0-prefix",
            "has no routes",
        ),
        ({"name": "x", "kind": "web", **row("tools", 0, name="t")}, "tools-0-name", "has no tools"),
        ({"name": "x", **row("tools", 0, name="a\u0000b")}, "tools-0-name", ""),
        ({"name": "x", "upstream": "https://chat/ws"}, "upstream", "write wss:// instead"),
        ({"name": "x", "kind": "capability", "upstream": "ws://chat"}, "upstream", "Only an MCP server"),
        ({"name": "RPC", "upstream": "ws://chat"}, "name", "belongs to the portal's own interface"),
        ({"name": "a/b", "upstream": "ws://chat"}, "name", "cannot stand in the path"),
        ({"name": "x", "longest": "0"}, "longest", "from 1 second"),
        ({"name": "x", "longest": "31536001"}, "longest", "to a year"),
        ({"name": "x", "longest": "-1"}, "longest", ""),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(screen, search, sent, field, said):
    servers.add_route(search, host="h.example.com", prefix="/s", by=BY)
    before = revision()

    found = errors(screen.send("authz_server", "add", **sent))

    assert [field] == list(found)
    assert said in found[field][0]
    assert before == revision()
    assert not Server.objects.filter(name="x").exists()


def test_a_route_moves_in_one_form_and_tools_are_edited(screen, search):
    servers.add_route(search, host="h.example.com", prefix="/s", by=BY)
    servers.add_tool(search, name="find", by=BY)
    entries = told()

    screen.send(
        "authz_server",
        "change",
        search.pk,
        **{"routes-0-DELETE": "on", "tools-0-name": "look_up", "tools-0-enabled": []},
        **row("routes", 1, host="h.example.com", prefix="/s"),
    )

    assert ["route.removed", "route.added", "tool.changed"] == kinds_since(entries)
    assert ("look_up", False) == Tool.objects.values_list("name", "enabled").get()


def test_a_tool_cannot_take_the_name_of_another(screen, search):
    for name in ("find", "read"):
        servers.add_tool(search, name=name, by=BY)
    found = errors(screen.send("authz_server", "change", search.pk, **{"tools-1-name": "find"}))

    assert found
    assert {"find", "read"} == set(Tool.objects.values_list("name", flat=True))


def test_a_tool_is_removed_under_its_own_name(screen, search):
    servers.add_tool(search, name="find", by=BY)
    entries = told()
    screen.send("authz_server", "change", search.pk, **{"tools-0-name": "other", "tools-0-DELETE": "on"})

    assert (["tool.removed"], 0) == (kinds_since(entries), Tool.objects.count())


def test_switching_off_and_on_is_written_as_that(screen, search):
    entries = told()
    screen.send("authz_server", "change", search.pk, enabled=[])
    screen.send("authz_server", "change", search.pk, enabled="on")

    assert ["server.disabled", "server.enabled"] == kinds_since(entries)


def test_a_kind_that_cannot_have_what_is_there_is_refused(screen, search, engineering):
    servers.add_route(search, host="h.example.com", prefix="/s", by=BY)
    grants.give(group=engineering, server=search, tools=["find"], by=BY)

    for kind, said in (("capability", "has no routes"), ("web", "grants limited to tools")):
        assert said in str(errors(screen.send("authz_server", "change", search.pk, kind=kind)))
    assert 1 == Route.objects.count()


def test_each_kind_shows_the_tables_that_it_can_have(screen, search):
    web = servers.create(name="chat", kind="web", by=BY)
    flag = servers.create(name="upload", kind="capability", by=BY)
    portal = Server.objects.get(kind="portal")

    for server, expected in ((search, ["routes", "tools"]), (web, ["routes"]), (flag, []), (portal, [])):
        shown = screen.get("authz_server", "change", server.pk).context["inline_admin_formsets"]
        assert expected == [each.formset.prefix for each in shown]


def test_where_websockets_are_carried_to_is_saved_in_one_spelling(screen, search):
    entries = told()
    screen.send("authz_server", "add", name="chat", kind="web", upstream="WS://Chat:80/ws", longest="60", notices="on",
                any_origin="on")  # fmt: skip
    screen.send("authz_server", "change", search.pk, upstream="wss://search:443/")
    screen.send("authz_server", "change", search.pk, upstream="wss://search ")

    live = Server.objects.values_list("name", "upstream", "longest", "notices", "any_origin")
    assert [("chat", "ws://chat/ws", 60, True, True), ("search", "wss://search", None, False, False)] == list(
        live.exclude(kind="portal")
    )
    assert ["server.created", "server.changed"] == kinds_since(entries)


def test_a_server_with_an_upstream_keeps_a_kind_and_a_name_that_lead_to_it(screen, search):
    screen.send("authz_server", "change", search.pk, upstream="ws://search")
    for change, field in (({"kind": "capability"}, "upstream"), ({"name": "rpc"}, "name"), ({"name": "a?b"}, "name")):
        assert [field] == list(errors(screen.send("authz_server", "change", search.pk, **change)))
    assert 302 == screen.send("authz_server", "change", search.pk, upstream="", name="rpc").status_code
    assert ["upstream"] == list(errors(screen.send("authz_server", "change", search.pk, upstream="http://x")))
    assert ["name"] == list(errors(screen.send("authz_server", "change", search.pk, upstream="ws://x")))


def test_only_what_is_behind_the_proxy_is_asked_for_an_upstream(screen, search):
    web = servers.create(name="chat", kind="web", by=BY)
    flag = servers.create(name="upload", kind="capability", by=BY)
    portal = Server.objects.get(kind="portal")

    for server, expected in ((search, True), (web, True), (flag, False), (portal, False)):
        shown = screen.get("authz_server", "change", server.pk).content
        assert [expected] * 2 == [b"Live connections" in shown, b'name="upstream"' in shown]


def test_the_portal_stays(screen):
    portal = Server.objects.get(kind="portal")
    screen.send("authz_server", "change", portal.pk, kind="web", description="Ours.")

    portal.refresh_from_db()
    assert ("portal", "Ours.") == (portal.kind, portal.description)
    assert 403 == screen.get("authz_server", "delete", portal.pk).status_code
