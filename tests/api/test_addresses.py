"""What the JSON interface answers: groups, explanations and searches, to keys with the scope and to nobody else."""

import pytest
from django.test import Client

from authz.changes import people
from authz.decisions.scopes import WHOLE
from authz.lookups.build import revision_now
from tests.api.here import BY

EXPLAIN = {"person": "alice@example.com", "server": "search"}
PATHS = {
    "users/alice@example.com/groups": ({}, "groups:read"),
    "explain": (EXPLAIN, "explain"),
    "search/people": ({"server": "search"}, "explain"),
    "search/servers": ({"person": "alice@example.com"}, "explain"),
    "connections": ({}, "connections"),
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("scope", ["", *WHOLE])
def test_each_address_opens_to_one_scope(here, path, scope):
    """Authentik GO-2024-3085: several addresses lacked their check; so every one is tried with every scope."""
    asked, wanted = PATHS[path]
    answer = here.get(path, asked, scope=scope)
    expected = 200 if scope == wanted else 403 if scope else 401
    assert expected == answer.status_code
    assert ("error" in answer.json()) == (expected != 200)
    assert ("WWW-Authenticate" in answer) == (expected == 401)
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("path", PATHS)
def test_a_session_opens_none_of_them(here, path):
    """A browser sends it without being asked."""
    from tests.pages.cast import Cast  # noqa: PLC0415  only here

    browser = Cast.signed_in(None, here.bob)  # type: ignore[arg-type]
    assert 401 == browser.get(f"/api/v1/{path}", PATHS[path][0]).status_code


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_asking_changes_nothing(here, path, method):
    shown = {"Authorization": f"Bearer {here.keys[PATHS[path][1]]}"}
    assert 405 == getattr(Client(), method)(f"/api/v1/{path}", headers=shown).status_code


@pytest.mark.parametrize("path", PATHS)
def test_a_suspended_service_is_refused(here, path):
    people.suspend(here.chat, by=BY)
    assert 403 == here.get(path, PATHS[path][0], scope=PATHS[path][1]).status_code


def test_a_key_may_stand_in_x_api_key_too(here):
    answer = here.get("explain", EXPLAIN, **{"X-API-Key": here.keys["explain"]})
    assert 200 == answer.status_code


GROUPS = {
    "alice@example.com": ("alice@example.com", ["engineering", "interns", "users"]),
    " ALICE@example.com": ("alice@example.com", ["engineering", "interns", "users"]),
    "bob@example.com": ("bob@example.com", ["sales", "users"]),
    "eve@example.com": ("eve@example.com", []),
    "chat@example.com": ("chat@example.com", []),
    "nobody@example.com": ("nobody@example.com", []),
    "x": ("x", []),
}


@pytest.mark.parametrize(("email", "expected"), GROUPS.items(), ids=GROUPS)
def test_the_groups_of_somebody_at_any_depth(here, email, expected):
    answer = here.get(f"users/{email}/groups", scope="groups:read")
    assert {"user_id": expected[0], "groups": expected[1]} == answer.json()


def test_an_address_with_a_slash_is_an_address_too(here):
    people.create(email="a/b@example.com", by=BY)
    for path in ("users/a/b@example.com/groups", "users/a%2Fb@example.com/groups"):
        assert ["users"] == here.get(path, scope="groups:read").json()["groups"]


def test_a_yes_is_explained_with_the_way_to_it(here):
    told = here.get("explain", EXPLAIN, scope="explain").json()
    assert (True, "a_grant_opens_the_door") == (told["allowed"], told["rule"])
    assert [["interns", "engineering"]] == [way["groups"] for way in told["because"]]
    assert ["remove alice@example.com from interns"] == told["to_revoke"]


def test_a_no_is_explained_with_what_would_change_it(here):
    told = here.get("explain", {"person": "bob@example.com", "server": "search"}, scope="explain").json()
    assert (False, "no-grant", []) == (told["allowed"], told["code"], told["because"])
    assert "add bob@example.com to engineering" in told["to_allow"]


@pytest.mark.parametrize(
    ("asked", "allowed"),
    [
        ({"server": "jira", "tool": "get_issue"}, True),
        ({"server": "jira", "tool": "create_issue"}, False),
        ({"server": "jira", "tool": ""}, True),
        ({"server": "jira"}, False),
        ({"server": "JIRA", "tool": "get_issue"}, True),
        ({"server": "search", "action": "administer"}, False),
        ({"server": "search", "address": "nonsense"}, True),
    ],
)
def test_an_explanation_is_what_a_request_would_be_told(here, asked, allowed):
    told = here.get("explain", {"person": "Alice@example.com"} | asked, scope="explain").json()
    assert allowed == told["allowed"]


WRONG = {
    "no person": ("explain", {"server": "search"}, 400, "person"),
    "no server": ("explain", {"person": "alice@example.com"}, 400, "server"),
    "an empty server": ("explain", {"person": "alice@example.com", "server": ""}, 400, "server"),
    "an unknown person": ("explain", {"person": "nobody@example.com", "server": "search"}, 404, "nobody@example.com"),
    "an unknown server": ("explain", EXPLAIN | {"server": "payroll"}, 404, "payroll"),
    "an unknown action": ("explain", EXPLAIN | {"action": "own"}, 400, "own"),
    "people of no server": ("search/people", {}, 400, "server"),
    "people of an unknown server": ("search/people", {"server": "payroll"}, 404, "payroll"),
    "servers of nobody": ("search/servers", {}, 400, "person"),
    "servers of somebody unknown": ("search/servers", {"person": "nobody@example.com"}, 404, "nobody@example.com"),
}


@pytest.mark.parametrize(("path", "asked", "status", "named"), WRONG.values(), ids=WRONG)
def test_an_error_names_what_is_wrong(here, path, asked, status, named):
    answer = here.get(path, asked, scope="explain")
    assert (status, {400: "bad-request", 404: "no-such-thing"}[status]) == (answer.status_code, answer.json()["error"])
    assert named in answer.json()["detail"]


def test_who_can_reach_a_server(here):
    told = here.get("search/people", {"server": "search"}, scope="explain").json()
    assert {"server": "search", "total": 1, "people": ["alice@example.com"], "more": False} == told
    told = here.get("search/people", {"server": "jira", "tool": "create_issue"}, scope="explain").json()
    assert (0, []) == (told["total"], told["people"])


def test_what_somebody_can_reach(here):
    told = here.get("search/servers", {"person": "alice@example.com"}, scope="explain").json()
    assert [("jira", [], ["get_issue"]), ("search", ["use"], [])] == [
        (each["server"], each["actions"], each["tools"]) for each in told["servers"]
    ]
    assert 0 == here.get("search/servers", {"person": "eve@example.com"}, scope="explain").json()["total"]


def test_results_come_in_pages(here, monkeypatch):
    from authz.api import search  # noqa: PLC0415  for the size of its pages

    monkeypatch.setattr(search, "PAGE", 1)
    first = here.get("search/servers", {"person": "alice@example.com"}, scope="explain").json()
    assert (["jira"], True) == ([each["server"] for each in first["servers"]], first["more"])
    rest = here.get("search/servers", {"person": "alice@example.com", "after": "jira"}, scope="explain").json()
    assert (["search"], False, 2) == ([each["server"] for each in rest["servers"]], rest["more"], rest["total"])


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_is_dated(here, path):
    number, _, epoch = revision_now()
    asked, scope = PATHS[path]
    assert f"{epoch}.{number}" == here.get(path, asked, scope=scope)["Authz-Revision"]


def test_a_caller_may_demand_a_revision(here):
    number, _, epoch = revision_now()
    for demanded, status, code in (
        (f"{epoch}.{number}", 200, None),
        (f"{epoch}.0", 200, None),
        (f"{epoch}.{number + 1}", 503, "behind"),
        ("00000000.1", 503, "behind"),
        ("nonsense", 400, "bad-request"),
    ):
        answer = here.get("explain", EXPLAIN, scope="explain", **{"Authz-At-Least": demanded})
        assert (status, code) == (answer.status_code, answer.json().get("error"))
    assert "1" == here.get("explain", EXPLAIN, scope="explain", **{"Authz-At-Least": "00000000.1"})["Retry-After"]


def test_a_stranger_may_demand_nothing(here):
    assert 401 == here.get("explain", EXPLAIN, **{"Authz-At-Least": "00000000.1"}).status_code


@pytest.mark.parametrize("path", ["", "users", "users/x", "explain/x", "search", "search/tools", "groups"])
def test_there_is_nothing_else(here, path):
    assert 404 == here.get(path, scope="explain").status_code
