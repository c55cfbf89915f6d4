"""The methods of the JSON-RPC interface, asked by the people we know."""

import json
import time
from typing import Any

import pytest

from audit.chain import link
from audit.context import Actor
from audit.models import Entry
from authz.changes import groups
from authz.decisions import facts as f
from authz.edge.recording import close_spool
from authz.errors import BadCredential, BadRequest, NoSuchThing, NotAllowed, Unavailable
from authz.lookups.current import CURRENT
from authz.sockets.closing import LIFETIME
from authz.sockets.lifetime import Standing
from authz.sockets.rpc.calls import called
from authz.sockets.rpc.jsonrpc import INVALID_PARAMS, METHOD_NOT_FOUND, Wrong
from authz.sockets.rpc.methods import METHODS
from tests.people import (
    ADMIN,
    ALICE,
    BOB,
    CAROL,
    CHAT,
    EPOCH,
    INTERNS,
    PEOPLE,
    SALES,
    SERVERS,
    key,
    live_in,
    session,
    world,
)
from tests.sockets.callers import ADDRESS, Caller, last, with_key, with_session

WHOLE = ("use", "administer", "groups:check", "groups:read", "explain")
NOW = 1_760_000_000.0


@pytest.fixture(autouse=True)
def people_we_know():
    live_in(world())


# Who am I?


def test_whoami_tells_who_calls_by_what_and_when_it_will_end():
    alice = Caller(with_session(ALICE))
    alice.held.standing = Standing(NOW, LIFETIME)
    assert {
        "email": "alice@example.com",
        "id": "a" * 32,
        "name": "Alice",
        "groups": ["Interns", "engineering", "users"],
        "credential": "session",
        "scopes": None,
        "expires": pytest.approx(4e9),
        "connection": alice.held.id,
        "ends": {"at": NOW, "reason": "lifetime"},
        "revision": f"{EPOCH}.100",
    } == alice("whoami")


def test_whoami_tells_the_limits_of_a_key():
    got = Caller(with_key(CHAT))("whoami")
    assert (["explain", "groups:check", "groups:read"], "key", None) == (
        got["scopes"],
        got["credential"],
        got["expires"],
    )


def test_a_call_is_judged_by_what_is_true_when_it_is_made():
    chat, alice = Caller(with_key(CHAT)), Caller(with_session(ALICE))
    live_in(
        world(key(CHAT, "use"), f.MemberIs(ALICE, SALES, None), f.PersonIs(ALICE, "a" * 32, "a@x.com", "A", True, True))
    )
    assert ["use"] == chat("whoami")["scopes"]
    assert NotAllowed is chat.problem("groups.check", "alice@example.com", "users")
    assert ("a@x.com", ["Interns", "R&D, Sales", "engineering", "users"]) == (
        alice("whoami")["email"], alice("whoami")["groups"],
    )  # fmt: skip


ENDS = {
    "the session was ended": ((f.SessionGone(ALICE * 10),), BadCredential),
    "it ran out": ((session(ALICE, until=1.0),), BadCredential),
    "it lay idle": ((session(ALICE, idle=1.0),), None),
    "the account was suspended": ((PEOPLE[0]._replace(active=False),), NotAllowed),
    "the account was deleted": ((f.PersonGone(ALICE),), NotAllowed),
    "somebody else's session was ended": ((f.SessionGone(BOB * 10),), None),
}


@pytest.mark.parametrize(("facts", "expected"), ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("method", ["whoami", "subscribe", "authorize"])
def test_nothing_is_answered_once_the_right_to_call_has_ended(facts, expected, method):
    alice = Caller(with_session(ALICE))
    live_in(world(*facts))
    needed: dict[str, dict[str, Any]] = {"subscribe": {"topics": ["me"]}, "authorize": {"server": "search"}}
    got = alice.problem(method, **needed.get(method, {}))
    assert (got is expected) if expected else isinstance(got, dict)


def test_nothing_is_answered_once_a_key_is_revoked_or_over(monkeypatch):
    for fact in (f.KeyGone(CHAT * 10), key(CHAT, "groups:check", until=1.0)):
        live_in(world())
        chat = Caller(with_key(CHAT))
        live_in(world(fact))
        assert BadCredential is chat.problem("whoami")


def test_without_a_fresh_world_nothing_is_answered():
    alice = Caller(with_session(ALICE))
    CURRENT.looked_at = float("-inf")
    assert Unavailable is alice.problem("whoami")


# Parameters


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("whoami", {"extra": 1}),
        ("whoami", [1]),
        ("authorize", {}),
        ("authorize", []),
        ("authorize", {"server": 1}),
        ("authorize", {"server": None}),
        ("authorize", {"server": "search", "tool": 1}),
        ("authorize", {"server": "search", "Tool": "find"}),
        ("authorize", ["search", None, "use", "bob@example.com"]),
        ("groups.check", {"user_id": "alice@example.com"}),
        ("groups.check", ["alice@example.com"]),
        ("groups.check", ["alice@example.com", ["users"]]),
        ("explain", ["alice@example.com", "search"]),
        ("subscribe", {"topics": "me"}),
        ("subscribe", {"topics": [1]}),
        ("subscribe", {}),
        ("audit.tail", {"after": 1.5}),
        ("audit.tail", {"after": True}),
        ("audit.tail", {"limit": None}),
        ("audit.tail", {"limit": "10"}),
    ],
)
def test_other_parameters_than_a_method_takes_are_refused(method, params):
    carol = Caller(with_session(CAROL))
    with pytest.raises(Wrong) as error:
        called(METHODS, method, params, held=carol.held, topics=carol.topics)
    assert INVALID_PARAMS == error.value.code


@pytest.mark.parametrize("name", ["", "Whoami", "rpc.discover", "__class__", "audit", "whoami "])
def test_another_method_does_not_exist(name):
    assert METHOD_NOT_FOUND == Caller(with_session(ALICE)).problem(name)


def test_every_method_says_what_it_does():
    assert all(method.run.__doc__ for method in METHODS.values())


# May I?

MAY: dict[str, tuple[int, dict[str, Any], tuple[bool, str]]] = {
    "through a group": (ALICE, {"server": "search"}, (True, "granted")),
    "in another case": (ALICE, {"server": " SEARCH"}, (True, "granted")),
    "a tool": (ALICE, {"server": "jira", "tool": "get_issue"}, (True, "granted")),
    "another tool": (ALICE, {"server": "jira", "tool": "delete_issue"}, (False, "no-grant")),
    "no tool": (ALICE, {"server": "jira", "tool": ""}, (True, "granted")),
    "no tool named": (ALICE, {"server": "jira"}, (False, "tool-unnamed")),
    "administering": (ALICE, {"server": "search", "action": "administer"}, (False, "no-grant")),
    "another's server": (ALICE, {"server": "crm"}, (False, "no-grant")),
    "a closed one": (ALICE, {"server": "closed"}, (False, "server-disabled")),
    "one that is not there": (ALICE, {"server": "nothing"}, (False, "unknown-server")),
    "no name": (ALICE, {"server": ""}, (False, "unknown-server")),
    "from its network": (BOB, {"server": "files"}, (True, "granted")),
    "an administrator": (CAROL, {"server": "portal", "action": "administer"}, (True, "granted")),
    "oneself, by name": (ALICE, {"server": "search", "user": "ALICE@example.com"}, (True, "granted")),
}


@pytest.mark.parametrize(("person", "asked", "expected"), MAY.values(), ids=MAY)
def test_somebody_asks_what_they_may_do(person, asked, expected):
    got = Caller(with_session(person))("authorize", **asked)
    assert expected == (got["allowed"], got["code"])
    assert got["reason"]
    assert f"{EPOCH}.100" == got["revision"]
    told = last()
    assert ("rpc", expected[1], f"session:{person}0", 100) == (
        told["dialect"], told["code"], told["credential"], told["revision"],
    )  # fmt: skip
    assert asked["server"].strip().lower() == told["target"].strip().lower()


def test_an_answer_names_its_end():
    assert Caller(with_session(ALICE))("authorize", server="search")["expires"] == pytest.approx(4e9)
    soon = time.time() + 600
    live_in(world(f.MemberIs(ALICE, INTERNS, soon)))
    assert Caller(with_session(ALICE))("authorize", server="search")["expires"] == pytest.approx(soon)
    assert Caller(with_session(ALICE))("authorize", server="crm")["expires"] is None


def test_a_key_never_exceeds_its_scopes():
    live_in(world(key(ALICE, "use:jira")))
    alice = Caller(with_key(ALICE))
    assert "key-scope" == alice("authorize", server="search")["code"]
    assert alice("authorize", "jira", "get_issue")["allowed"]


def test_a_service_asks_for_others_whatever_its_own_scopes_open():
    chat = Caller(with_key(CHAT))
    assert chat("authorize", server="search", user="alice@example.com")["allowed"]
    assert ("alice@example.com", f"key:{CHAT}0") == (last()["person"], last()["credential"])
    assert not chat("authorize", server="search", user="mallory@example.com")["allowed"]
    assert "suspended" == chat("authorize", server="search", user="eve@example.com")["code"]
    assert "suspended" == chat("authorize", server="search", user="nobody@example.com")["code"]
    assert "nobody@example.com" == last()["person"]
    # Where they are is not known, and our own address is not theirs.
    assert not chat("authorize", server="files", user="bob@example.com")["allowed"]


@pytest.mark.parametrize("caller", [with_session, with_key])
@pytest.mark.parametrize("user", ["bob@example.com", "nobody@example.com", "", "*"])
def test_nobody_else_asks_for_others(caller, user):
    assert NotAllowed is Caller(caller(ALICE)).problem("authorize", server="crm", user=user)


def test_an_action_that_is_none_is_a_mistake():
    assert BadRequest is Caller(with_session(ALICE)).problem("authorize", server="search", action="delete")


def test_what_cannot_be_recorded_is_not_answered(monkeypatch, tmp_path, settings):
    close_spool()
    settings.AUDIT_SPOOL_DIR = tmp_path / "file"
    (tmp_path / "file").write_text("in the way")
    chat = Caller(with_key(CHAT))
    assert Unavailable is chat.problem("groups.check", "alice@example.com", "users")
    assert Unavailable is chat.problem("authorize", server="search", user="alice@example.com")
    close_spool()


# Who is in which group?


@pytest.mark.parametrize(
    ("user", "group", "expected"),
    [
        ("alice@example.com", "engineering", True),
        (" ALICE@example.com", "Engineering ", True),
        ("bob@example.com", "engineering", False),
        ("eve@example.com", "engineering", False),
        ("nobody@example.com", "users", False),
        ("alice@example.com", "nothing", False),
        ("\ud800", "\ud800", False),
    ],
)
def test_a_service_asks_who_is_in_which_group(user, group, expected):
    chat = Caller(with_key(CHAT))
    assert {"is_member": expected, "revision": f"{EPOCH}.100"} == chat("groups.check", user, group)
    assert chat("groups.check", user_id=user, group_id=group)["is_member"] is expected
    assert ("groups_check", "rpc", ADDRESS) == (last()["rule"], last()["dialect"], last()["address"])


def test_people_ask_about_themselves_and_about_nobody_else():
    alice = Caller(with_session(ALICE))
    assert alice("groups.check", "alice@example.com", "engineering")["is_member"]
    for user in ("bob@example.com", "nobody@example.com", ""):
        assert NotAllowed is alice.problem("groups.check", user, "users")
    for user in ("alice@example.com", "bob@example.com"):
        assert NotAllowed is Caller(with_key(ALICE)).problem("groups.check", user, "users")


# Why?


@pytest.mark.django_db
def test_explain_tells_everything_to_a_service_and_to_oneself():
    for caller in (Caller(with_key(CHAT)), Caller(with_session(ALICE)), Caller(with_key(ALICE))):
        got = caller("explain", person="alice@example.com", server="search")
        assert (True, "alice@example.com", "search") == (got["allowed"], got["person"], got["server"])
        assert ["Interns", "engineering"] == got["because"][0]["groups"]
        assert {"given_by": [], "nested_by": [[]]}.items() <= got["because"][0].items(), "the tables are empty here"
        assert NoSuchThing is caller.problem("explain", person="alice@example.com", server="nothing")


def test_explain_tells_nobody_else():
    for caller in (Caller(with_session(CAROL)), Caller(with_key(ALICE))):
        for person in ("bob@example.com", "nobody@example.com"):
            assert NotAllowed is caller.problem("explain", person=person, server="search")
    assert NoSuchThing is Caller(with_key(CHAT)).problem("explain", person="nobody@example.com", server="search")


@pytest.mark.django_db
def test_explain_knows_where_the_caller_is_and_where_nobody_else_is():
    asked = {"person": "bob@example.com", "server": "files"}
    assert Caller(with_session(BOB))("explain", **asked)["allowed"]
    assert not Caller(with_session(BOB))("explain", **asked, address="198.51.100.1")["allowed"]
    assert not Caller(with_key(CHAT))("explain", **asked)["allowed"]
    assert Caller(with_key(CHAT))("explain", **asked, address="192.0.2.1")["allowed"]


# What happened?


def written(count: int) -> None:
    for number in range(count):
        groups.create(name=f"group {number}", by=Actor.command("tests"))


@pytest.mark.django_db
@pytest.mark.parametrize("shown", [with_session, with_key])
def test_an_administrator_reads_the_book_as_it_grows(shown):
    written(3)
    live_in(world(key(CAROL, "administer")))
    carol, newest = Caller(shown(CAROL)), Entry.objects.latest("number").number

    def tail(**asked):
        got = carol("audit.tail", **asked)
        return [each["number"] for each in got["entries"]], got["last"], got["more"]

    assert ([newest - 1, newest], newest, False) == tail(limit=2)
    assert ([newest - 2], newest - 2, True) == tail(after=newest - 3, limit=1)
    assert ([newest - 1, newest], newest, False) == tail(after=newest - 2)
    assert ([], newest, False) == tail(after=newest)
    assert [*range(1, newest + 1)] == tail()[0]


@pytest.mark.django_db
@pytest.mark.parametrize("origin", ["https://console.example.com", "https://portal.example.com.evil.net", "null"])
def test_a_page_of_another_origin_does_not_read_it_for_whoever_looks(origin, settings):
    """With a key it does: whoever shows a key wrote the page, or gave it away."""
    settings.PORTAL_URL = "https://portal.example.com"
    live_in(world(key(CAROL, "administer")))
    carol, hers, by_key = (Caller(shown(CAROL)) for shown in (with_session, with_session, with_key))
    carol.held.origin, hers.held.origin, by_key.held.origin = origin, "https://PORTAL.example.com", origin
    assert NotAllowed is carol.problem("audit.tail")
    assert "entries" in hers("audit.tail")
    assert "entries" in by_key("audit.tail")


@pytest.mark.django_db
def test_the_chain_can_be_checked_on_the_way():
    written(2)
    for told in Caller(with_session(CAROL))("audit.tail")["entries"]:
        content = {name: value for name, value in told.items() if name not in {"previous_hash", "hash"}}
        assert told["hash"] == link(bytes.fromhex(told["previous_hash"]), content).hex()


@pytest.mark.django_db
def test_an_answer_about_the_book_has_a_size(settings):
    written(4)
    settings.AUTHZ_SOCKET_LARGEST_MESSAGE = 4096
    carol, seen, last_ = Caller(with_session(CAROL)), [], 0
    while (got := carol("audit.tail", after=last_))["entries"]:
        assert len(json.dumps(got)) < 4096
        seen += got["entries"]
        last_ = got["last"]
    assert [*Entry.objects.order_by("number").values_list("number", flat=True)] == [each["number"] for each in seen]
    settings.AUTHZ_SOCKET_LARGEST_MESSAGE = 10
    (only,) = carol("audit.tail", after=0)["entries"]
    assert ("", True) == (only["detail"], only["cut"])


READERS: dict[str, tuple[tuple[f.Fact, ...], Any, int]] = {
    "somebody else": ((), with_session, ALICE),
    "a service": ((key(CHAT, *WHOLE),), with_key, CHAT),
    "an administrator's key without the scope": ((key(CAROL, "use", "explain", "groups:read"),), with_key, CAROL),
    "a closed portal": ((SERVERS[0]._replace(enabled=False),), with_session, CAROL),
    "no longer an administrator": ((f.MemberGone(CAROL, ADMIN),), with_session, CAROL),
}


@pytest.mark.parametrize(("facts", "caller", "person"), READERS.values(), ids=READERS)
def test_nobody_else_reads_the_book(facts, caller, person):
    """There is no database here, so nothing can have been read."""
    live_in(world(*facts))
    assert NotAllowed is Caller(caller(person)).problem("audit.tail")


@pytest.mark.parametrize("limit", [0, -1, 501, 10**30])
def test_so_many_entries_and_no_more(limit):
    assert BadRequest is Caller(with_session(CAROL)).problem("audit.tail", limit=limit)


@pytest.mark.django_db
@pytest.mark.parametrize("after", [-(10**30), -1, 0, 10**30])
def test_any_position_is_one(after):
    written(1)
    assert (after < 1) == bool(Caller(with_session(CAROL))("audit.tail", after=after)["entries"])
