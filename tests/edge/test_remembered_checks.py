"""A service that asks the same again is answered as if it were judged again, read or unread, as long as it holds."""

import json

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from authz.credentials.usage import USAGE
from authz.decisions import facts as f
from authz.edge import recording
from authz.lookups.current import current_world
from tests.edge.test_repeated import recorded, repeats
from tests.people import ALICE, CHAT, EPOCH, INTERNS, PEOPLE, at, bearer, key, key_of, live_in, world
from tests.run.examples import examples
from tests.wire import Wire, lines

pytestmark = pytest.mark.usefixtures("house")
NOW = 1_760_000_000.0
ALICE_IN_INTERNS = {"user_id": "alice@example.com", "group_id": "interns"}
SAID = st.fixed_dictionaries(
    {
        "user": st.sampled_from(["alice@example.com", "ALICE@example.com", "bob@example.com", "nobody", "", 3]),
        "group": st.sampled_from(["interns", "engineering", "users", "R&D, Sales", "no such group", None]),
        "shown": st.sampled_from([
            bearer(key_of(CHAT)), {"X-API-Key": key_of(CHAT)}, bearer(key_of(ALICE)), {}, bearer(key_of(CHAT)[:-1]),
            bearer(key_of(CHAT)) | {"X-API-Key": key_of(ALICE)},
        ]),
        "more": st.sampled_from([{}, {"Authz-At-Least": f"{EPOCH}.1"}, {"Authz-At-Least": "x"}, {"X_API_Key": "x"}]),
        "target": st.sampled_from(["/api/v1/groups/check", "/api/check-group", "/auth/validate"]),
        "method": st.sampled_from(["POST", "GET"]),
        "batch": st.booleans(),
        "peer": st.sampled_from(["10.0.0.5", "127.0.0.1"]),
    }
)  # fmt: skip


def check(body, shown, *, target="/api/v1/groups/check", method="POST"):
    raw = json.dumps(body).encode()
    return lines(shown | {"Content-Length": str(len(raw))}, target=target, method=method) + raw


def asked(said):
    one = {"user_id": said["user"], "group_id": said["group"]}
    body = {"checks": [one, one]} if said["batch"] else one
    return check(body, said["shown"] | said["more"], target=said["target"], method=said["method"])


def answers(request, times=3):
    """Return what each time of asking brought, on one connection."""
    wire = Wire()
    return [wire.send(request) for _ in range(times)]


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(300))
@given(SAID, SAID, st.sampled_from(["user", "group", "shown", "more", "target", "method", "batch", "peer"]))
def test_whatever_differs_in_any_one_thing_is_judged_for_itself(house, first, second, part):
    live_in(world())
    with pytest.MonkeyPatch.context() as patch, at(patch, NOW):
        for said in [first] * 3 + [first | {part: second[part]}, first] * 3:
            again = Wire(said["peer"]).send(asked(said))
            kept = current_world()
            live_in(world())
            expected = Wire(said["peer"]).send(asked(said))
            live_in(kept)
            assert expected == again


def test_a_yes_and_a_no_are_answered_unread_at_the_third_time():
    for number, (group, expected) in enumerate((("interns", "true"), ("r&d, sales", "false")), 1):
        request = check(ALICE_IN_INTERNS | {"group_id": group}, bearer(key_of(CHAT)))
        first, *others = answers(request, times=4)
        assert f'"is_member": {expected}'.encode() in first
        assert [first] * 3 == others
        assert number == repeats()


def test_every_repetition_is_recorded_as_the_first_was(settings, tmp_path):
    recording.close_spool()
    settings.AUDIT_SPOOL_DIR = tmp_path
    answers(check(ALICE_IN_INTERNS, bearer(key_of(CHAT))), times=5)
    recording.close_spool()
    found = recorded(tmp_path)
    assert 5 == len({each.pop("id") for each in found})
    for each in found:
        each.pop("at")
    assert [found[0]] * 5 == found
    assert ("alice@example.com", "interns", "allow") == tuple(found[0][name] for name in ("person", "target", "effect"))


ENDING = {
    "a membership": [f.MemberIs(ALICE, INTERNS, NOW + 10)],
    "the key": [key(CHAT, "groups:check")._replace(until=NOW + 10)],
}


@pytest.mark.parametrize("facts", ENDING.values(), ids=ENDING)
def test_an_answer_ends_at_the_very_instant_at_which_its_reason_ends(facts, monkeypatch):
    live_in(world(*facts))
    request, said = check(ALICE_IN_INTERNS, bearer(key_of(CHAT))), []
    for after in (0, 1, 2, 9.99, 10, 11, 9):
        with at(monkeypatch, NOW + after):
            said.append(Wire().send(request).count(b'"is_member": true'))
    assert [1, 1, 1, 1, 0, 0, 1] == said


def test_an_answer_ends_with_its_world():
    request = check(ALICE_IN_INTERNS, bearer(key_of(CHAT)))
    assert all(b'"is_member": true' in each for each in answers(request))
    live_in(world(PEOPLE[ALICE - 1]._replace(active=False)))
    assert all(b'"is_member": false' in each for each in answers(request))
    live_in(world(PEOPLE[CHAT - 1]._replace(active=False)))
    assert [403] * 3 == [each.status for each in answers(request)]


def test_a_key_that_asks_again_is_in_use(monkeypatch):
    request = check(ALICE_IN_INTERNS, bearer(key_of(CHAT)))
    for after in (0, 10, 20, 30):
        with at(monkeypatch, NOW + after):
            Wire().send(request)
        assert NOW + after in USAGE._keys.values()  # noqa: SLF001  what is carried to the tables


UNREMEMBERED = {
    "many at once": check({"checks": [ALICE_IN_INTERNS]}, bearer(key_of(CHAT))),
    "a bad one": check({"user_id": 3}, bearer(key_of(CHAT))),
    "a stranger's": check(ALICE_IN_INTERNS, {}),
    "without the scope": check(ALICE_IN_INTERNS, bearer(key_of(ALICE))),
}


@pytest.mark.parametrize("request_", UNREMEMBERED.values(), ids=UNREMEMBERED)
def test_what_is_not_one_small_check_of_a_service_is_judged_each_time(request_):
    first, *others = answers(request_, times=4)
    assert [first] * 3 == others
    assert 0 == repeats()


def test_a_check_that_is_made_once_takes_no_room():
    wire = Wire()
    for number in range(20):
        wire.send(check(ALICE_IN_INTERNS | {"group_id": f"group {number}"}, bearer(key_of(CHAT))))
    assert 0 == repeats()


def test_a_body_in_pieces_is_no_repetition():
    request = check(ALICE_IN_INTERNS, bearer(key_of(CHAT)))
    answers(request)
    wire = Wire()
    half = request.index(b"\r\n\r\n") + 4
    assert 1 == wire.send(request[:half], request[half:]).count(b'"is_member": true')
    assert 2 == wire.send(request[:half], request[half:] + request).count(b'"is_member": true')


def test_secrets_are_not_remembered():
    answers(check(ALICE_IN_INTERNS, bearer(key_of(CHAT))))
    memory = current_world().memory
    assert key_of(CHAT) not in repr([*memory.repeats.items(), *memory.checks.items(), *memory.services.items()])
