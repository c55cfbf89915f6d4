"""The rules that ask about the credential and the address."""

import pytest

from authz.decisions import facts as f
from authz.decisions.applied import applied
from authz.decisions.decide import decide
from authz.decisions.rules import RULES
from authz.decisions.vocabulary import IDENTITY, NOWHERE, Action, Principal, Question, Target, Where
from authz.decisions.world import EMPTY

ALICE, SEARCH, PAYROLL = 1, 1, 2
WORLD = applied(
    EMPTY,
    [
        f.PersonIs(ALICE, "uid", "alice@example.com", "Alice", True, True),
        f.ServerIs(SEARCH, "Search", "mcp", True, "", (), ()),
        f.ServerIs(PAYROLL, "payroll", "web", True, "", (), ()),
        f.GrantIs(1, None, ALICE, "administer", SEARCH, None, None, ()),
        f.GrantIs(2, None, ALICE, "use", PAYROLL, None, None, ()),
    ],
)
AT = 100.0

SCOPES = {
    "ok/all of hers": ({"use"}, Action.USE, SEARCH, "granted"),
    "ok/this server": ({"use:search"}, Action.USE, SEARCH, "granted"),
    "ok/this server in another case": ({"use: SEARCH "}, Action.USE, SEARCH, "granted"),
    "ok/administer": ({"administer"}, Action.ADMINISTER, SEARCH, "granted"),
    "fail/another server": ({"use:search"}, Action.USE, PAYROLL, "key-scope"),
    "fail/another scope": ({"groups:check"}, Action.USE, SEARCH, "key-scope"),
    "fail/use is not administer": ({"use"}, Action.ADMINISTER, SEARCH, "key-scope"),
    "fail/administer is not use": ({"administer"}, Action.USE, SEARCH, "key-scope"),
    "fail/none at all": (set(), Action.USE, SEARCH, "key-scope"),
    "fail/more than its owner may": ({"use", "administer"}, Action.ADMINISTER, PAYROLL, "no-grant"),
}


@pytest.mark.parametrize(("scopes", "action", "server", "code"), SCOPES.values(), ids=SCOPES)
def test_a_key_opens_what_its_scopes_and_its_owner_both_may(
    scopes: set[str], action: Action, server: int, code: str
) -> None:
    """The narrower of the two counts."""
    who = Principal(ALICE, "key:1", frozenset(scopes))
    assert code == decide(Question(who, action, Target(Where.SERVER, server), AT), WORLD).code


IDENTITIES = {
    "a session": (Principal(ALICE, "session:1"), "identity"),
    "a key that may use everything of hers": (Principal(ALICE, "key:1", frozenset({"use"})), "identity"),
    "a key for one server": (Principal(ALICE, "key:1", frozenset({"use:search"})), "key-scope"),
    "a key for group checks": (Principal(ALICE, "key:1", frozenset({"groups:check"})), "key-scope"),
    "a credential at the instant of its end": (Principal(ALICE, "session:1", None, AT), "expired"),
    "somebody who was deleted": (Principal(99, "session:1"), "suspended"),
    "nobody": (None, "sign-in"),
}


@pytest.mark.parametrize(("who", "code"), IDENTITIES.values(), ids=IDENTITIES)
def test_who_am_i_is_answered_to(who: Principal | None, code: str) -> None:
    """Without a URL there is only the question who somebody is."""
    assert code == decide(Question(who, Action.USE, IDENTITY, AT), WORLD).code


def test_identity_is_not_a_right_to_administer() -> None:
    """Asking to administer nothing in particular is refused."""
    assert not decide(Question(Principal(ALICE, "session:1"), Action.ADMINISTER, IDENTITY, AT), WORLD).allowed


@pytest.mark.parametrize(
    ("target", "code"),
    [
        (NOWHERE, "unknown-url"),
        (Target(Where.UNREADABLE, problem="It has two meanings."), "unreadable-url"),
        (Target(Where.SERVER, 99), "server-disabled"),
    ],
)
def test_an_address_that_leads_nowhere_is_closed(target: Target, code: str) -> None:
    """Also to somebody who may do a lot."""
    assert code == decide(Question(Principal(ALICE, "session:1"), Action.USE, target, AT), WORLD).code


def test_the_last_rule_always_answers() -> None:
    """So that silence is a denial."""
    question = Question(None, Action.USE, IDENTITY, AT)
    decision = RULES[-1](EMPTY, question)
    assert decision is not None
    assert not decision.allowed
