"""Lines over TCP: who says first who they are, what they are answered, and when it ends; over real sockets."""

import asyncio
import time

import pytest

from authz.decisions import facts as f
from authz.lookups.current import current_world
from authz.sockets.closing import RESTART
from authz.sockets.keeper import KEEPER
from tests.credentials.issuer import Server, claims, signed, trusted
from tests.people import ALICE, BOB, CHAT, EVE, INTERNS, SEARCH, SERVERS, cookie, key, key_of, live_in, world
from tests.sockets.lines import FAILED, REQUIRED, closed, here, move


@pytest.fixture(autouse=True)
def people_we_know():
    live_in(world())


# The first message


@here
async def test_a_token_opens_it_and_then_methods_are_answered(connect):
    client = await connect()
    await client.say({"jsonrpc": "2.0", "id": 1, "method": "authenticate", "params": {"token": key_of(ALICE)}})
    assert {"jsonrpc": "2.0", "id": 1, "result": {"authenticated": True}} == await client.hear()
    assert "alice@example.com" == (await client.ask("whoami"))["email"]
    assert (await client.ask("authorize", server="search"))["allowed"]
    assert -32601 == (await client.ask("authenticate", token=key_of(BOB)))["code"]
    assert {"serverInfo": {"name": "gatehouse"}} == await client.ask("initialize", protocolVersion="2025-06-18")


@here
async def test_any_good_key_opens_it_and_its_scopes_say_for_what(connect):
    client = await connect(CHAT)
    assert (await client.ask("groups.check", user_id="alice@example.com", group_id="interns"))["is_member"]
    assert "key-scope" == (await client.ask("authorize", server="search"))["code"]
    move(key(CHAT, "explain"))
    assert -32001 == (await client.ask("groups.check", user_id="alice@example.com", group_id="interns"))["code"]


@here
async def test_lines_may_come_together_or_in_pieces_and_are_answered_in_order(connect):
    client = await connect()
    hello = {"jsonrpc": "2.0", "id": 0, "method": "authenticate", "params": {"token": key_of(ALICE)}}
    await client.say(hello, *({"jsonrpc": "2.0", "id": n, "method": "whoami"} for n in range(1, 50)))
    assert [*range(50)] == [(await client.hear())["id"] for _ in range(50)]
    for piece in b'{"jsonrpc": "2.0", "id": "x", "method": "whoami"}\r\n':
        await asyncio.sleep(0)
        client.writer.write(bytes([piece]))
    assert "x" == (await client.hear())["id"]


@pytest.fixture
def issuer():
    server = Server()
    yield server
    server.stop()


@here
async def test_a_token_of_an_issuer_opens_it_while_the_issuer_is_trusted(connect, issuer):
    """Its keys are fetched first, and nobody else waits for that."""
    move(trusted(url=issuer.url))
    now = time.time()
    client = await connect()
    token = signed(claims(iat=now, exp=now + 60))
    assert {"authenticated": True} == await client.ask("authenticate", token=token)
    found = await client.ask("whoami")
    assert ("alice@example.com", "jwt", None) == (found["email"], found["credential"], found["scopes"])
    assert (await client.ask("groups.check", user_id="alice@example.com", group_id="interns"))["is_member"]
    assert -32001 == (await client.ask("groups.check", user_id="bob@example.com", group_id="interns"))["code"]
    move(f.IssuerGone(1))
    assert [closed(4001, "revoked")] == await client.rest()


BAD = {
    "an unknown key": {"token": key_of(CHAT, 9)},
    "a mistyped key": {"token": key_of(ALICE)[:-1]},
    "a suspended person's key": {"token": key_of(EVE)},
    "a session": {"token": cookie(ALICE)["Cookie"].partition("=")[2]},
    "nonsense": {"token": "\0"},
    "nothing": {"token": ""},
    "null": {"token": None},
    "a list": {"token": [key_of(ALICE)]},
    "no token": {},
    "no name": [key_of(ALICE)],
    "more": {"token": key_of(ALICE), "as": "carol@example.com"},
}


@pytest.mark.parametrize("params", BAD.values(), ids=BAD)
@here
async def test_any_other_token_ends_it(connect, params):
    client = await connect()
    await client.say({"jsonrpc": "2.0", "id": "a", "method": "authenticate", "params": params})
    await client.say({"jsonrpc": "2.0", "id": 2, "method": "whoami"})
    assert [{"jsonrpc": "2.0", "id": "a", "error": FAILED}] == await client.rest()


@here
async def test_nothing_else_is_answered_before(connect):
    client = await connect()
    for method in ("whoami", "tools/list", "", "rpc.discover"):
        assert REQUIRED == await client.ask(method)
    assert {"serverInfo": {"name": "gatehouse"}} == await client.ask("initialize")
    await client.say({"jsonrpc": "2.0", "method": "whoami"}, b"{")
    assert -32700 == (await client.hear())["error"]["code"]
    assert {"authenticated": True} == await client.ask("authenticate", token=key_of(ALICE))


@here
async def test_a_token_in_a_batch_opens_nothing(connect):
    client = await connect()
    one = {"jsonrpc": "2.0", "id": 1, "method": "authenticate", "params": {"token": key_of(ALICE)}}
    await client.say([one, one | {"method": "whoami"}])
    assert [REQUIRED, REQUIRED] == [each["error"] for each in await client.hear()]


# The end


ENDS = {
    "the key was revoked": ((f.KeyGone(ALICE * 10),), closed(4001, "revoked")),
    "the person was suspended": ((world().people[ALICE]._replace(active=False),), closed(4001, "revoked")),
    "the person is gone": ((f.PersonGone(ALICE),), closed(4001, "revoked")),
    "the key is over": ((key(ALICE, "use", until=1.0),), closed(4003, "credential-expired")),
    "somebody hung up": ((f.HangUp(ALICE, "", 10**6),), closed(4005, "disconnected")),
}


@pytest.mark.parametrize(("facts", "expected"), ENDS.values(), ids=ENDS)
@here
async def test_a_connection_ends_with_the_right_to_it_and_says_why(connect, facts, expected):
    alice, chat = await connect(ALICE), await connect(CHAT)
    move(f.MemberIs(BOB, INTERNS, None), SERVERS[SEARCH - 1]._replace(enabled=False), f.SessionGone(ALICE * 10))
    assert "alice@example.com" == (await alice.ask("whoami"))["email"]
    move(*facts)
    assert "chat@services.example.com" == (await chat.ask("whoami"))["email"]
    # It has ended before anybody is answered who asked after the change, and is not found at some later look.
    assert {CHAT} == {held.who.person for held in KEEPER.all.values() if held.ended is None}
    assert [expected] == await alice.rest()
    assert "chat@services.example.com" == (await chat.ask("whoami"))["email"]


def test_a_new_connection_does_not_wait_for_the_old_one(settings):
    settings.AUTHZ_SOCKET_MOST_PER_PERSON = 1

    @here
    async def again(connect):
        first = await connect(ALICE)  # which does not hang up itself
        move(f.HangUp(ALICE, "", current_world().revision + 1))
        assert closed(4005, "disconnected") == await first.hear()
        await connect(ALICE)

    again()


def test_a_connection_ends_with_its_key_and_says_so_before(settings):
    settings.AUTHZ_SOCKET_NOTICE = 3
    live_in(world(key(ALICE, "use", until=time.time() + 4)))

    @here
    async def over(connect):
        alice = await connect(ALICE)
        told = await alice.hear()
        assert ("connection.ending", 4003, "credential-expired") == (
            told["method"], told["params"]["code"], told["params"]["reason"],
        )  # fmt: skip
        assert 0 < told["params"]["seconds"] <= 3
        assert [closed(4003, "credential-expired")] == await alice.rest()

    over()


@here
async def test_a_restart_tells_everybody_to_come_back(connect):
    alice = await connect(ALICE)
    for held in list(KEEPER.all.values()):
        KEEPER.end(held, RESTART)
    assert [closed(1012, "restart")] == await alice.rest()


# News


@here
async def test_news_come_between_the_answers(connect):
    alice, chat = await connect(ALICE), await connect(CHAT)
    await alice.ask("subscribe", topics=["me"])
    await chat.ask("subscribe", topics=["everybody"])
    move(f.MemberGone(ALICE, INTERNS))
    got = await alice.hear()
    assert ("changed", ["users"]) == (got["method"], got["params"]["groups"])
    assert ["alice@example.com"] == (await chat.hear())["params"]["people"]
    assert not (await chat.ask("groups.check", user_id="alice@example.com", group_id="interns"))["is_member"]
    await chat.ask("unsubscribe", topics=["everybody"])
    move(f.MemberIs(ALICE, INTERNS, None))
    assert "everybody" not in (await chat.ask("whoami"))


@here
async def test_a_membership_that_ends_by_itself_is_news(connect):
    move(f.MemberIs(ALICE, INTERNS, time.time() + 3))
    alice, chat = await connect(ALICE), await connect(CHAT)
    await alice.ask("subscribe", topics=["me"])
    await chat.ask("subscribe", topics=["everybody"])
    assert ["users"] == (await alice.hear())["params"]["groups"]
    assert ["alice@example.com"] == (await chat.hear())["params"]["people"]


@here
async def test_a_batch_is_answered_together(connect):
    alice = await connect(ALICE)
    ask = [{"jsonrpc": "2.0", "id": n, "method": m} for n, m in enumerate(["whoami", "audit.tail", "foobar"])]
    await alice.say([*ask, {"jsonrpc": "2.0", "method": "whoami"}])
    assert [(0, None), (1, -32001), (2, -32601)] == [
        (each["id"], each.get("error", {}).get("code")) for each in await alice.hear()
    ]
