"""Lines over TCP, with clients that send too much, too slowly, or never read: the others are not disturbed."""

import asyncio
import json
import socket
from contextlib import suppress

import pytest

from authz.sockets.keeper import KEEPER
from authz.sockets.limits import LIMITS
from authz.sockets.rpc import lines, tcp
from tests.patience import HANG
from tests.people import ALICE, BOB, key_of, live_in, session, world
from tests.sockets.lines import FULL, REQUIRED, TOO_FAST, closed, comes_true, here, move


@pytest.fixture(autouse=True)
def people_we_know():
    live_in(world())


@here
async def test_a_stranger_may_not_go_on_for_ever(connect):
    client = await connect()
    await client.say(*[{"jsonrpc": "2.0", "id": 1, "method": "whoami"}] * 50)
    got = await client.rest()
    assert (tcp.TRIES + 1, TOO_FAST) == (len(got), got[-1])


@here
async def test_a_stranger_s_line_is_short(connect):
    client = await connect()
    with suppress(ConnectionResetError):
        await client.say(b"x" * 10_000_000)
    assert [] == await client.rest()


def test_a_stranger_who_says_nothing_is_gone_soon(monkeypatch):
    monkeypatch.setattr(tcp, "SLOWEST_HANDSHAKE", 0.3)

    @here
    async def slow(connect):
        silent, dripping = await connect(), await connect()
        with suppress(ConnectionError):
            async with asyncio.timeout(HANG):
                while not dripping.reader.at_eof():  # it would drip for ever
                    dripping.writer.write(b" ")
                    await asyncio.sleep(0.05)
        assert [] == await silent.rest()

    slow()


def test_strangers_are_few(monkeypatch):
    monkeypatch.setattr(tcp, "MOST_STRANGERS_PER_ADDRESS", 2)

    @here
    async def few(connect):
        first, _second = await connect(), await connect()
        assert REQUIRED == await first.ask("whoami")
        assert [FULL] == await (await connect()).rest()
        assert {"authenticated": True} == await first.ask("authenticate", token=key_of(ALICE))
        assert REQUIRED == await (await connect()).ask("whoami")

    few()


@here
async def test_who_connects_too_often_is_told_so(connect):
    while LIMITS.handshake("127.0.0.2"):
        pass
    assert [TOO_FAST] == await (await connect(local_addr=("127.0.0.2", 0))).rest()
    await connect(ALICE)


@pytest.mark.parametrize(
    "limit", ["AUTHZ_SOCKET_MOST", "AUTHZ_SOCKET_MOST_PER_PERSON", "AUTHZ_SOCKET_MOST_PER_ADDRESS"]
)
def test_connections_are_limited_and_one_that_ends_makes_room(settings, limit):
    setattr(settings, limit, 1)

    @here
    async def limited(connect):
        first, second = await connect(ALICE), await connect()
        await second.say({"jsonrpc": "2.0", "id": 1, "method": "authenticate", "params": {"token": key_of(ALICE)}})
        assert [FULL] == await second.rest()
        move(session(BOB, number=1))
        assert "alice@example.com" == (await first.ask("whoami"))["email"]
        first.writer.close()
        await comes_true(lambda: not LIMITS._all)  # noqa: SLF001  it is no longer counted
        await connect(ALICE)

    limited()


# Hostile clients


def test_one_who_sends_too_much_is_cut_off_and_no_other(settings):
    settings.AUTHZ_SOCKET_MESSAGES_PER_SECOND = 10

    @here
    async def flooded(connect):
        alice, bob = await connect(ALICE), await connect(BOB)
        with suppress(ConnectionResetError):
            await alice.say(*[{"jsonrpc": "2.0", "id": 1, "method": "whoami"}] * 1000)
        got = await alice.rest()
        assert [TOO_FAST, closed(4008, "limit")] == got[-2:]
        assert 102 <= len(got) < 1000, "some more on a slow machine, for the bucket fills meanwhile"
        await bob.say([{"jsonrpc": "2.0", "id": 1, "method": "whoami"}] * 90)
        assert 90 == len(await bob.hear())
        await bob.say([{"jsonrpc": "2.0", "id": 1, "method": "whoami"}] * 90)
        assert [TOO_FAST, closed(4008, "limit")] == await bob.rest()

    flooded()


def test_a_line_has_a_length(settings):
    settings.AUTHZ_SOCKET_LARGEST_MESSAGE = 4096

    @here
    async def long(connect):
        for text in (b"x" * 5000, b"x" * 5000 + b"\n"):
            alice = await connect(ALICE)
            alice.writer.write(text)
            assert [closed(4008, "limit")] == await alice.rest()
        bob = await connect(BOB)
        await bob.say([{"jsonrpc": "2.0", "id": n, "method": "whoami"} for n in range(50)])
        got = await bob.hear()
        assert 50 == len(got)
        assert {-32006} == {each["error"]["code"] for each in got if "error" in each}
        assert "result" in got[0]

    long()


def test_one_who_never_reads_is_cut_off_in_seconds_and_no_other_waits(monkeypatch, settings):
    monkeypatch.setattr(lines, "PATIENCE", 0.5)
    settings.AUTHZ_SOCKET_MESSAGES_PER_SECOND = 10_000

    @here
    async def deaf(connect):
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        alice, bob = await connect(ALICE, sock=raw, limit=500), await connect(BOB)
        batch = json.dumps([{"jsonrpc": "2.0", "id": n, "method": "whoami"} for n in range(100)]).encode()
        alice.writer.write((batch + b"\n") * 100)  # some four megabytes of answers
        async with asyncio.timeout(HANG):
            while len(KEEPER.all) == 2:
                assert "bob@example.com" == (await bob.ask("whoami"))["email"]
                await asyncio.sleep(0.01)
        assert [BOB] == [held.who.person for held in KEEPER.all.values()]
        alice.writer.transport.abort()

    deaf()


@here
async def test_one_who_goes_away_is_forgotten_at_once(connect):
    alice = await connect(ALICE)
    assert 1 == len(KEEPER.all)
    alice.writer.transport.abort()
    await comes_true(lambda: not KEEPER.all)
