"""A request that came before, byte for byte, is answered without being read, and exactly as if it had been."""

import time
from dataclasses import asdict

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings

from authz.decisions import facts as f
from authz.edge import recording
from authz.lookups.current import CURRENT, current_world
from tests.people import (
    ALICE,
    BOB,
    MALLORY,
    SEARCH_URL,
    SECRET,
    at,
    bearer,
    cookie,
    key_of,
    live_in,
    nginx,
    world,
)
from tests.questions import NOW, PARTS, SAID, parts
from tests.run.examples import examples
from tests.spools import decisions_in
from tests.wire import Wire, lines

pytestmark = pytest.mark.usefixtures("house")
ALICE_ASKS = lines(nginx(SEARCH_URL, cookie(ALICE)))


def repeats():
    """Return how many requests this World could answer unread."""
    return len(current_world().memory.repeats)


def without_signatures(said):
    """Return an answer without the lines that are signed afresh each time."""
    return [line for line in said.split(b"\r\n") if not line.startswith(b"Location:")]


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(300))
@given(SAID, SAID, PARTS)
def test_whatever_differs_by_a_byte_or_comes_from_elsewhere_is_judged_for_itself(house, first, second, part):
    live_in(world())
    with pytest.MonkeyPatch.context() as patch, at(patch, NOW):
        for said in [first] * 3 + [first | {part: second[part]}, first] * 3:
            asked = parts(said)
            again = Wire(asked.pop("peer")).send(request := lines(**asked))
            kept = current_world()
            live_in(world())
            expected = Wire(said["peer"]).send(request)
            live_in(kept)
            assert without_signatures(expected) == without_signatures(again)


def test_a_yes_and_a_no_are_repeated_on_every_connection_of_the_proxy():
    for person, status in ((ALICE, 200), (MALLORY, 403)):
        asked = lines(nginx(SEARCH_URL, cookie(person)))
        said = [Wire().send(asked) for _ in range(4)]
        assert [status] * 4 == [each.status for each in said]
        assert 1 == len(set(said))
    assert 2 == repeats()


def test_every_repetition_is_recorded_as_the_first_was(settings, tmp_path):
    wire = Wire()
    recording.close_spool()
    settings.AUDIT_SPOOL_DIR = tmp_path
    for _ in range(5):
        wire.send(ALICE_ASKS)
    recording.close_spool()
    found = recorded(tmp_path)
    assert 5 == len(found) == len({each.pop("id") for each in found})
    moments = [each.pop("at") for each in found]
    assert sorted(moments) == moments
    assert [found[0]] * 5 == found
    assert SEARCH_URL == found[0]["url"]


def recorded(folder):
    """Return all decisions that are in the spool folder, in the order of writing."""
    return [asdict(decision) | {"at": at} for at, decision in decisions_in(folder)]


def test_what_cannot_be_recorded_is_refused(monkeypatch):
    wire = Wire()
    assert [200] * 3 == [wire.send(ALICE_ASKS).status for _ in range(3)]
    assert 1 == repeats()
    spool = recording.spool()
    monkeypatch.setattr(spool, "_limit", -1)
    monkeypatch.setattr(spool, "_check_at", 0.0)
    assert 403 == wire.send(ALICE_ASKS).status
    recording.close_spool()


def test_who_is_trusted_by_its_network_is_told_apart_from_a_stranger_who_sends_the_same_bytes():
    live_in(world(f.ProxyIs(1, "nginx", "", ("10.0.0.0/8",))))
    asked = lines({name: value for name, value in nginx(SEARCH_URL, cookie(ALICE)).items() if name != "X-Proxy-Secret"})
    for _ in range(2):
        assert [200] * 3 == [Wire("10.0.0.5").send(asked).status for _ in range(3)]
        assert [403] * 3 == [Wire("203.0.113.9").send(asked).status for _ in range(3)]
    assert [200] * 3 == [Wire("10.0.0.6").send(asked).status for _ in range(3)]


def test_a_world_grown_old_answers_nobody():
    wire = Wire()
    assert [200] * 3 == [wire.send(ALICE_ASKS).status for _ in range(3)]
    CURRENT.looked_at = time.monotonic() - 3600
    assert 403 == wire.send(ALICE_ASKS).status


UNREPEATABLE = {
    "another method": [lines(nginx(SEARCH_URL, cookie(ALICE)), method="HEAD")],
    "the last of its connection": [lines(nginx(SEARCH_URL, cookie(ALICE)) | {"Connection": "close"})],
    "two in one breath": [ALICE_ASKS + ALICE_ASKS],
    "one and a half": [ALICE_ASKS + ALICE_ASKS[:20], ALICE_ASKS[20:]],
    "in pieces": [ALICE_ASKS[:20], ALICE_ASKS[20:]],
    "somebody's sign-in": [lines(nginx(SEARCH_URL))],
    "two people's credentials": [lines(nginx(SEARCH_URL, cookie(ALICE), bearer(key_of(BOB))))],
}


@pytest.mark.parametrize("asked", UNREPEATABLE.values(), ids=UNREPEATABLE)
def test_what_did_not_come_alone_and_whole_is_not_repeated(asked):
    said = [Wire().send(*asked) for _ in range(4)]
    assert 1 == len({tuple(without_signatures(each)) for each in said})
    assert 0 == repeats()


def test_a_url_asked_once_takes_no_room():
    wire = Wire()
    for number in range(20):
        wire.send(lines(nginx(f"{SEARCH_URL}/{number}", cookie(ALICE))))
    assert 0 == repeats()


def test_a_piece_that_looks_like_a_known_request_is_read_as_the_piece_it_is():
    """A body may hold the bytes of a request; only what stands where a request begins is one."""
    wire = Wire()
    assert [200] * 3 == [wire.send(ALICE_ASKS).status for _ in range(3)]
    head = lines({"Content-Length": str(len(ALICE_ASKS))}, target="/livez", method="POST")
    said = wire.send(head, ALICE_ASKS)
    assert 1 == said.count(b'"live": true')
    assert 1 == said.count(b"HTTP/1.1")


def test_secrets_are_not_remembered():
    for shown in (cookie(ALICE), bearer(key_of(ALICE))):
        for _ in range(3):
            Wire().send(lines(nginx(SEARCH_URL, shown)))
    known = repr([*current_world().memory.repeats.items()])
    assert 2 == repeats()
    assert not any(secret in known for secret in (key_of(ALICE), cookie(ALICE)["Cookie"].partition("=")[2], SECRET))


def test_an_empty_line_before_a_request_is_ignored():
    """As RFC 9112 §2.2 recommends."""
    assert 200 == Wire().send(b"\r\n", ALICE_ASKS).status
    assert 200 == Wire().send(b"\r\n" + ALICE_ASKS).status


def test_what_follows_the_head_of_another_request_is_its_body():
    wire = Wire()
    assert [200] * 3 == [wire.send(ALICE_ASKS).status for _ in range(3)]
    head = lines({"Content-Length": str(len(ALICE_ASKS))}, target="/livez", method="POST")
    said = wire.send(lines({}, target="/livez") + head, ALICE_ASKS)
    assert 2 == said.count(b"HTTP/1.1 200")
    assert 2 == said.count(b'"live": true')
