"""A JWT names somebody only if its issuer is trusted, signed it as it may, and meant it for us, now."""

import base64
import hashlib
import hmac
import json

import pytest

from authz.credentials import Presented, Unsettled, identify
from authz.decisions import facts as f
from authz.decisions.vocabulary import Principal
from authz.errors import BadCredential
from tests.credentials.issuer import (
    ALGORITHMS,
    AUDIENCE,
    NAME,
    NOW,
    claims,
    key_for,
    published,
    signed,
    trusted,
)  # fmt: skip
from tests.people import ALICE, EVE, GRANTS, PEOPLE, SEARCH_URL, ask, at, bearer, live_in, reason, world


def who(token, *facts, now=NOW, sessions=()):
    """Return whom a token names, None for nobody, or why it is refused."""
    here = world(*(facts or (trusted(),)))
    presented = Presented(bearer=token, sessions=sessions)
    try:
        try:
            return identify(presented, here, float(now))
        except Unsettled as error:
            error.settle()
            return identify(presented, here, float(now))
    except BadCredential as error:
        return str(error)
    except Unsettled:
        return "unsettled"


def part(value) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def by_hand(header, said=None, signature=b"") -> str:
    """Return a token that no honest library would make."""
    return f"{part(header)}.{part(claims() if said is None else said)}.{part(signature)}"


def hmac_with_the_public_key(header) -> str:
    body = f"{part(header)}.{part(claims())}"
    secret = key_for("RS256").as_pem(private=False)
    return f"{body}.{part(hmac.digest(secret, body.encode(), hashlib.sha256))}"


OK = {
    "ok/one audience": {},
    "ok/32,000 characters": {"padding": "x" * 23_600},
    "ok/several audiences": {"aud": ["other", AUDIENCE]},
    "ok/verified": {"email_verified": True},
    "ok/verification not told": {"email_verified": None},
    "ok/in another case": {"email": " ALICE@example.com"},
    "ok/just expired, within the leeway": {"exp": NOW - 29},
    "ok/a fraction of a second": {"exp": NOW + 0.5},
    "ok/not yet begun, within the leeway": {"nbf": NOW + 29},
    "ok/issued by a clock that is ahead": {"iat": NOW + 29},
    "ok/no iat": {"iat": None},
    "ok/other claims": {"scope": "everything", "admin": True, "groups": ["admin"]},
}


@pytest.mark.parametrize("said", OK.values(), ids=OK)
def test_a_good_token_names_alice(said):
    found = who(signed(claims(**said)))
    assert Principal(ALICE, "jwt:1", None, float(claims(**said)["exp"] + 30)) == found


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_accepted_algorithm_works(algorithm):
    assert ALICE == who(signed(claims(), algorithm)).person


FAIL = {
    "fail/for somebody else": {"aud": "other"},
    "fail/for others": {"aud": ["other", "another"]},
    "fail/for nobody": {"aud": None},
    "fail/for an empty list": {"aud": []},
    "fail/for a list with a number": {"aud": [AUDIENCE, 1]},
    "fail/for an object": {"aud": {AUDIENCE: 1}},
    "fail/for a longer name": {"aud": f"{AUDIENCE}x"},
    "fail/expired": {"exp": NOW - 30},
    "fail/long expired": {"exp": 0},
    "fail/never expires": {"exp": None},
    "fail/expires at no number": {"exp": "9999999999"},
    "fail/expires at true": {"exp": True},
    "fail/expires at NaN": {"exp": float("nan")},
    "fail/expires at infinity": {"exp": float("inf")},
    "fail/expires beyond all numbers": {"exp": 10**400},
    "fail/expires in a list": {"exp": [NOW + 300]},
    "fail/not begun": {"nbf": NOW + 31},
    "fail/begins at no number": {"nbf": "0"},
    "fail/begins at NaN": {"nbf": float("nan")},
    "fail/begins at null": {"nbf": False},
    "fail/issued in the future": {"iat": NOW + 31},
    "fail/nobody": {"email": None},
    "fail/somebody unknown": {"email": "nobody@example.com"},
    "fail/two people": {"email": ["alice@example.com"]},
    "fail/an address with two meanings": {"email": "alice@example.com@evil.com"},
    "fail/a look-alike address": {"email": "al\u0131ce@example.com"},
    "fail/a number": {"email": 1},
    "fail/not verified": {"email_verified": False},
    "fail/another issuer's claim": {"email": None, "sub": "alice@example.com", "upn": "alice@example.com"},
}


@pytest.mark.parametrize("said", FAIL.values(), ids=FAIL)
def test_a_token_with_a_bad_claim_is_refused(said):
    assert isinstance(who(signed(claims(**said))), str)


NO_YES = [
    False,
    None,
    0,
    1,
    1.0,
    -1,
    "",
    "false",
    "False",
    "no",
    "0",
    "1",
    "yes",
    "TRUE",
    "True",
    " true",
    [True],
    {},
    {"a": True},
]


@pytest.mark.parametrize("said", NO_YES, ids=repr)
def test_an_address_is_verified_only_by_a_yes(said):
    """Whatever an issuer writes that is neither true nor "true": 1 == True to Python, and null is not false."""
    assert "this token's e-mail address is not verified" == who(signed(claims() | {"email_verified": said}))
    assert ALICE == who(signed(claims(email=None, upn="alice@example.com") | {"email_verified": said}),
        trusted(claim="upn")).person  # fmt: skip


@pytest.mark.parametrize("said", [True, "true"])
def test_a_yes_may_be_written_as_a_text(said):
    assert ALICE == who(signed(claims(email_verified=said))).person


OPENING = [None, "", "JWT", "jwt", "at+jwt", "application/at+jwt", "application/jwt"]
OTHERS = [
    "logout+jwt", "Logout+JWT", "application/logout+jwt", "secevent+jwt", "dpop+jwt", "id+jwt", "oauth-authz-req+jwt",
    "JOSE", "jwt ", "x" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("kind", OPENING)
def test_a_token_of_a_kind_that_opens_something_is_taken(kind):
    assert ALICE == who(signed(claims(), typ=kind)).person


@pytest.mark.parametrize("kind", OTHERS, ids=lambda kind: repr(kind)[:30])
def test_a_token_of_another_kind_is_refused_whoever_signed_it(kind):
    assert isinstance(who(signed(claims(), typ=kind)), str)


def test_a_security_event_is_refused_though_it_calls_itself_a_jwt():
    """RFC 8417: what tells of an event is no credential, a logout token among them."""
    logout: dict[str, object] = {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert "this token is of a kind that opens nothing" == who(signed(claims(events=logout)))


ID_TOKENS = {
    "Cognito's": {"token_use": "id"},
    "Keycloak's": {"typ": "ID"},
    "one with an access token": {"at_hash": "x"},
    "one with a code": {"c_hash": "x"},
    "one with an empty hash": {"at_hash": ""},
}


@pytest.mark.parametrize("said", ID_TOKENS.values(), ids=ID_TOKENS)
def test_an_id_token_is_refused_unless_its_issuer_is_set_to_take_them(said):
    token = signed(claims(**said))
    assert "this is an ID token, which its issuer's clients may not show here" == who(token)
    assert ALICE == who(token, trusted(id_tokens=True)).person
    assert isinstance(who(token), str), "what was remembered of it under another setting opens nothing"


@pytest.mark.parametrize("said", [{"token_use": "access"}, {"typ": "Bearer"}, {"typ": None}], ids=repr)
def test_an_access_token_that_says_so_is_taken(said):
    assert ALICE == who(signed(claims(**said))).person


SIGNED_BADLY = {
    "fail/alg none": lambda: by_hand({"alg": "none"}),
    "fail/alg None": lambda: by_hand({"alg": "None", "kid": "rsa"}),
    "fail/alg none with the key's name": lambda: by_hand({"alg": "none", "kid": "ec"}),
    "fail/no alg": lambda: by_hand({"kid": "ec"}),
    "fail/alg null": lambda: by_hand({"alg": None, "kid": "ec"}),
    "fail/alg a list": lambda: by_hand({"alg": ["ES256"], "kid": "ec"}),
    "fail/HS256 with the public key": lambda: hmac_with_the_public_key({"alg": "HS256", "kid": "rsa"}),
    "fail/HS256 with the public key, unnamed": lambda: hmac_with_the_public_key({"alg": "HS256"}),
    "fail/an algorithm of another kind of key": lambda: signed(claims(), "ES256", kid="rsa"),
    "fail/another algorithm for the key": lambda: by_hand({"alg": "RS256", "kid": "ec"}, signature=b"x" * 64),
    "fail/another curve for the key": lambda: by_hand({"alg": "ES384", "kid": "ec"}, signature=b"x" * 96),
    "fail/EdDSA with an EC key": lambda: by_hand({"alg": "EdDSA", "kid": "ec"}, signature=b"x" * 64),
    "fail/crit": lambda: signed(claims(), crit=["b64"], b64=True),
    "fail/an empty crit": lambda: by_hand({"alg": "ES256", "kid": "ec", "crit": []}),
    "fail/a crit that is null": lambda: by_hand({"alg": "ES256", "kid": "ec", "crit": None}),
    "fail/no signature": lambda: signed(claims()).rpartition(".")[0] + ".",
    "fail/another signature": lambda: _signed_by(signed(claims()), signed(claims(iat=1))),
    "fail/a changed claim": lambda: _changed(signed(claims(email="mallory@example.com"))),
    "fail/a psychic signature": lambda: by_hand({"alg": "ES256", "kid": "ec"}, signature=bytes(64)),
    "fail/a key of its own": lambda: by_hand({"alg": "ES256", "kid": "ec",
    "jwk": key_for("ES384").as_dict(private=False)}),
    "fail/an address for keys": lambda: by_hand({"alg": "ES256", "kid": "ec", "jku": "https://evil.com/jwks"}),
    "fail/an unknown key": lambda: signed(claims(), kid="unknown"),
    "fail/a key named by a list": lambda: by_hand({"alg": "ES256", "kid": ["ec"]}),
    "fail/a key named by an object": lambda: by_hand({"alg": "ES256", "kid": {}}),
    "fail/a key named by a number": lambda: by_hand({"alg": "ES256", "kid": 0}),
    "fail/claims that are a list": lambda: _around(signed(b"[]")),
    "fail/a header that is a list": lambda: by_hand([]),
    "fail/a header that is no JSON": lambda: by_hand(b"{"),
    "fail/too long": lambda: signed(claims(padding="x" * 25_000)),
    "fail/padding": lambda: signed(claims()) + "==",
}  # fmt: skip


def _signed_by(token: str, other: str) -> str:
    return f"{token.rpartition('.')[0]}.{other.rpartition('.')[2]}"


def _changed(token: str) -> str:
    header, _, signature = token.split(".")
    return f"{header}.{part(claims())}.{signature}"


def _around(token: str) -> str:
    header, _, signature = token.split(".")
    return f"{header}.{part(claims())}.{signature}"


@pytest.mark.parametrize("make", SIGNED_BADLY.values(), ids=SIGNED_BADLY)
def test_a_token_that_is_signed_otherwise_is_refused(make):
    assert isinstance(who(make()), str)


NOT_MINE = {
    "of another issuer": lambda: signed(claims(iss="https://other.example.com")),
    "of the issuer with a slash": lambda: signed(claims(iss=f"{NAME}/")),
    "of the issuer in another case": lambda: signed(claims(iss=NAME.upper())),
    "of no issuer": lambda: signed(claims(iss=None)),
    "of several issuers": lambda: signed(claims(iss=[NAME])),
    "of claims that are no JSON": lambda: by_hand({"alg": "ES256"}, b"{"),
    "of claims that are very deep": lambda: by_hand({"alg": "ES256"}, b"[" * 5000),
    "with two parts": lambda: "a.b",
    "with four parts": lambda: f"{signed(claims())}.x",
    "with white space inside": lambda: signed(claims()).replace(".", ". ", 1),
    "opaque": lambda: "opaque",
    "of dots": lambda: "..",
    "beyond ASCII": lambda: "é.é.é",
    "of an encrypted token": lambda: "a.b.c.d.e",
}


@pytest.mark.parametrize("make", NOT_MINE.values(), ids=NOT_MINE)
def test_a_token_of_nobody_we_know_is_left_to_others(make):
    """It may be the application's own; it opens nothing here, and does not spoil a session beside it."""
    assert who(make()) is None


def test_an_issuer_may_name_people_by_another_claim():
    other = trusted(claim="upn")
    assert ALICE == who(signed(claims(email=None, upn="alice@example.com")), other).person
    assert isinstance(who(signed(claims(upn=None)), other), str)


def test_a_token_ends_by_itself_even_if_its_signature_was_found_good_before():
    token = signed(claims())
    assert ALICE == who(token).person
    assert isinstance(who(token, now=NOW + 330), str)
    assert ALICE == who(token).person


def test_an_issuer_that_is_switched_off_takes_its_tokens_along_at_once():
    """Keycloak CVE-2026-1486: tokens of a disabled provider were still accepted."""
    token = signed(claims())
    assert ALICE == who(token).person
    assert who(token, f.IssuerGone(1)) is None


def test_what_was_good_by_old_settings_is_judged_by_the_new_ones():
    token = signed(claims(), "RS256")
    assert ALICE == who(token).person
    for narrower in (
        trusted(audiences=("other",)), trusted(algorithms=("ES256",)), trusted(claim="upn"),
        trusted(jwks=published(key_for("ES256"))), trusted(issuer="https://renamed.example.com"),
    ):  # fmt: skip
        assert not isinstance(who(token, f.IssuerGone(1), narrower), Principal)


def test_each_issuer_is_checked_with_its_own_keys_only():
    """Oathkeeper CVE-2026-33496: a token of one issuer was accepted for another."""
    other = f.IssuerIs(
        2, "https://other.example.com", (AUDIENCE,), "email", ALGORITHMS, "", published(key_for("RS256"))
    )
    mine = trusted(jwks=published(key_for("ES256")))
    assert ALICE == who(signed(claims()), mine, other).person
    assert isinstance(who(signed(claims(), "RS256"), mine, other), str)
    assert isinstance(who(signed(claims(iss="https://other.example.com")), mine, other), str)


def test_somebody_suspended_is_refused_with_a_good_token(monkeypatch):
    """Keycloak CVE-2026-1609: a disabled user got in by a JWT."""
    live_in(world(trusted(), GRANTS[1]))
    with at(monkeypatch, NOW):
        assert 200 == ask(SEARCH_URL, bearer(signed(claims()))).status
        answer = ask(SEARCH_URL, bearer(signed(claims(email=PEOPLE[EVE - 1].email))))
    assert (403, "suspended") == (answer.status, reason(answer))


def test_a_bad_token_is_never_rescued_by_a_session_beside_it():
    from tests.people import token_of  # noqa: PLC0415  only here

    assert isinstance(who(signed(claims(aud="other")), sessions=(token_of(ALICE),)), str)


def test_a_token_opens_no_interface_for_services(monkeypatch):
    from tests.people import judged, request  # noqa: PLC0415  only here

    live_in(world(trusted()))
    body = b'{"user_id": "a", "group_id": "b"}'
    with at(monkeypatch, NOW):
        asked = request(bearer(signed(claims())), target="/api/v1/groups/check", method="POST", body=body)
        assert 403 == judged(asked).status
