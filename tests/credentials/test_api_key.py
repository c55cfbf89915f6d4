"""An API key opens what its owner may do and its scopes name, from the first to the last instant of its life."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.context import Actor
from authz.changes import api_keys, people
from authz.credentials import Presented, identify, service
from authz.credentials.usage import USAGE
from authz.decisions import facts as f
from authz.decisions.vocabulary import FOREVER, Principal
from authz.errors import BadCredential, NotAllowed
from authz.lookups.current import current_world
from tests.people import (
    ALICE,
    BOB,
    EVE,
    MALLORY,
    SEARCH_URL,
    ask,
    at,
    bearer,
    key,
    key_of,
    live_in,
    reason,
    token_of,
    world,
)  # fmt: skip

NOW = 1_760_000_000.0
BY = Actor.command("tests")
ALICE_S = Principal(ALICE, f"key:{ALICE * 10}", frozenset({"use"}), FOREVER)


def who(*, now=NOW, here=None, **shown):
    """Return whom a key names, None for nobody, or why it is refused."""
    try:
        return identify(Presented(**shown), here or world(), now)
    except BadCredential as error:
        return str(error)


OK = {
    "ok/as a bearer token": {"bearer": key_of(ALICE)},
    "ok/in X-API-Key": {"api_key": key_of(ALICE)},
    "ok/in both": {"bearer": key_of(ALICE), "api_key": key_of(ALICE)},
    "ok/beside an application's own token": {"bearer": "opaque", "api_key": key_of(ALICE)},
    "ok/beside an application's own key": {"bearer": key_of(ALICE), "api_key": "sk-their-own"},
    "ok/beside somebody's session": {"bearer": key_of(ALICE), "sessions": (token_of(BOB),)},
    "ok/beside a bad session": {"bearer": key_of(ALICE), "sessions": ("bad",)},
}


@pytest.mark.parametrize("shown", OK.values(), ids=OK)
def test_a_good_key_names_its_owner(shown):
    """A script with a key is never the person whose browser it runs in."""
    assert ALICE_S == who(**shown)


UNKNOWN = key_of(ALICE, 9)
FAIL = {
    "fail/unknown": {"bearer": UNKNOWN},
    "fail/mistyped": {"bearer": key_of(ALICE).swapcase().replace("GHK_", "ghk_")},
    "fail/cut": {"bearer": key_of(ALICE)[:-1]},
    "fail/with more behind": {"bearer": key_of(ALICE) + "x"},
    "fail/only the mark": {"bearer": "ghk_"},
    "fail/two different": {"bearer": key_of(ALICE), "api_key": key_of(BOB)},
    "fail/a good and an unknown one": {"bearer": key_of(ALICE), "api_key": UNKNOWN},
    "fail/an unknown one beside a session": {"bearer": UNKNOWN, "sessions": (token_of(ALICE),)},
    "fail/beyond ASCII": {"bearer": key_of(ALICE)[:-1] + "é"},
    "fail/headers that came twice": {"bearer": key_of(ALICE), "problem": "a header came twice"},
}


@pytest.mark.parametrize("shown", FAIL.values(), ids=FAIL)
def test_what_only_looks_like_a_key_is_refused_and_nobody_else_looks(shown):
    assert isinstance(who(**shown), str)


@pytest.mark.parametrize("text", ["", "GHK_x", "ghk", "sk-x", "xghk_", " "])
def test_what_does_not_look_like_one_is_left_to_others(text):
    assert who(bearer=text, api_key=text) is None


def test_a_key_ends_at_the_very_instant():
    here = world(key(ALICE, "use", until=NOW))
    assert ALICE == who(bearer=key_of(ALICE), here=here, now=NOW - 0.001).person
    assert NOW == who(bearer=key_of(ALICE), here=here, now=NOW - 0.001).until
    assert isinstance(who(bearer=key_of(ALICE), here=here, now=NOW), str)


def test_unknown_expired_and_revoked_are_told_in_the_same_words():
    said = {
        who(bearer=UNKNOWN),
        who(bearer=key_of(ALICE), here=world(key(ALICE, "use", until=NOW - 1))),
        who(bearer=key_of(ALICE), here=world(f.KeyGone(ALICE * 10))),
    }
    assert 1 == len(said)


SCOPES = {
    # scopes: (search, who one is, group check)
    "use": (("use",), 200, 200, False),
    "this server": (("use:search",), 200, 403, False),
    "this server, in another case": (("use:Search",), 200, 403, False),
    "another server": (("use:jira",), 403, 403, False),
    "a longer name": (("use:search2",), 403, 403, False),
    "a shorter name": (("use:sear",), 403, 403, False),
    "every name": (("use:*",), 403, 403, False),
    "administering": (("administer",), 403, 403, False),
    "checking": (("groups:check",), 403, 403, True),
    "nothing": ((), 403, 403, False),
    "everything": (("use", "administer", "groups:check"), 200, 200, True),
}


@pytest.mark.parametrize(("scopes", "server", "identity", "checks"), SCOPES.values(), ids=SCOPES)
def test_a_key_never_exceeds_its_scopes(scopes, server, identity, checks):
    here = live_in(world(key(ALICE, *scopes)))
    assert server == ask(SEARCH_URL, bearer(key_of(ALICE))).status
    assert identity == ask(None, bearer(key_of(ALICE))).status
    try:
        allowed = service(Presented(bearer=key_of(ALICE)), here, NOW, scope="groups:check").person == ALICE
    except NotAllowed:
        allowed = False
    assert checks == allowed


def test_a_key_never_exceeds_its_owner():
    live_in(world(key(MALLORY, "use", "use:search", "administer")))
    assert (403, "no-grant") == ((answer := ask(SEARCH_URL, bearer(key_of(MALLORY)))).status, reason(answer))
    live_in(world())
    assert (403, "suspended") == ((answer := ask(SEARCH_URL, bearer(key_of(EVE)))).status, reason(answer))


def test_using_a_key_is_noted():
    with pytest.MonkeyPatch.context() as patch, at(patch, NOW + 5):
        live_in(world(key(ALICE, "use", number=8)))
        ask(SEARCH_URL, bearer(key_of(ALICE, 8)))
    assert NOW + 5 == USAGE._keys[ALICE * 10 + 8]  # noqa: SLF001  written down only now and then


@pytest.mark.django_db
class TestInTheTables:
    def issued(self, *scopes, **more):
        person = people.create(email="alice@example.com", by=BY)
        return api_keys.issue(person=person, name="report", scopes=scopes or ["use"], by=BY, **more)

    def works(self, text, *, after=timedelta()):
        now = (timezone.now() + after).timestamp()
        return isinstance(who(bearer=text, here=current_world(), now=now), Principal)

    def test_an_issued_key_works_and_a_revoked_one_does_not(self):
        made = self.issued()
        assert self.works(made.text)
        api_keys.revoke(made.row, by=BY)
        assert not self.works(made.text)

    def test_both_keys_of_a_rotation_work_until_the_overlap_ends(self):
        old = self.issued()
        new = api_keys.rotate(old.row, overlap=timedelta(hours=1), by=BY)
        for after, expected in ((0, (True, True)), (3590, (True, True)), (3601, (False, True)), (10**8, (False, True))):
            later = timedelta(seconds=after)
            assert expected == (self.works(old.text, after=later), self.works(new.text, after=later))

    def test_a_rotation_gives_no_longer_life(self):
        ends = timezone.now() + timedelta(hours=1)
        old = self.issued(until=ends)
        new = api_keys.rotate(old.row, overlap=timedelta(hours=5), by=BY)
        for text in (old.text, new.text):
            assert (True, False) == (
                self.works(text, after=timedelta(minutes=59)), self.works(text, after=timedelta(minutes=61)),
            )  # fmt: skip

    def test_revoking_the_old_one_ends_it_at_once_and_leaves_the_new_one(self):
        old = self.issued()
        new = api_keys.rotate(old.row, overlap=timedelta(hours=1), by=BY)
        api_keys.revoke(old.row, by=BY)
        assert (False, True) == (self.works(old.text), self.works(new.text))

    def test_the_key_of_a_removed_person_is_nobody_s(self):
        made = self.issued()
        people.remove(made.row.person, by=BY)
        assert not self.works(made.text)

    def test_the_text_is_kept_nowhere(self):
        made = self.issued()
        secret = made.text.split("_")[2]
        assert not any(secret in str(value) for value in vars(made.row).values())
