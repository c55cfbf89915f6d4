"""The keys of an issuer are fetched when they are needed, seldom, and from nowhere else than configured."""

import threading

import pytest

from authz.credentials import Presented, Unsettled, identify, issuer_keys
from authz.credentials.issuer_keys import KEYS, LARGEST, OLDEST, SPACING
from authz.decisions import facts as f
from authz.errors import BadCredential
from tests.credentials.issuer import NOW, Server, claims, key_for, published, signed, trusted
from tests.patience import HANG
from tests.people import ALICE, world


def who(token, url, *, now=NOW):
    """Return whom a token names, None where it is refused; what is unsettled is settled, as both adapters do."""
    here = world(trusted(url=url))
    presented = Presented(bearer=token)
    try:
        try:
            found = identify(presented, here, float(now))
        except Unsettled as error:
            error.settle()
            found = identify(presented, here, float(now))
    except (BadCredential, Unsettled):
        return None
    return found.person if found else None


def test_the_keys_are_fetched_once_and_then_known(issuer):
    assert [ALICE] * 5 == [who(signed(claims()), issuer.url) for _ in range(5)]
    assert ["/jwks"] == issuer.asked


def test_a_good_token_costs_no_second_check_of_its_signature(issuer):
    token = signed(claims())
    assert ALICE == who(token, issuer.url)
    issuer.stop()
    assert ALICE == who(token, issuer.url, now=NOW + 60)


def test_an_unknown_key_is_looked_for_exactly_once_in_a_while(issuer):
    """Whoever invents names of keys must not make us flood the issuer."""
    assert ALICE == who(signed(claims()), issuer.url)
    for number in range(20):
        assert who(signed(claims(), kid=f"invented {number}"), issuer.url, now=NOW + SPACING + 1) is None
    assert 2 == len(issuer.asked)
    assert who(signed(claims(), kid="invented"), issuer.url, now=NOW + SPACING + 2) is None
    assert 2 == len(issuer.asked)


def test_a_rotated_key_is_found_and_the_old_one_is_forgotten(issuer):
    old, new = signed(claims()), signed(claims(exp=NOW + 10_000), "RS256")
    assert ALICE == who(old, issuer.url)
    issuer.body = published(key_for("RS256")).encode()
    assert ALICE == who(new, issuer.url, now=NOW + SPACING)
    assert 2 == len(issuer.asked)
    assert who(old, issuer.url, now=NOW + SPACING) is None


def test_a_key_that_was_withdrawn_is_forgotten_when_the_keys_grow_old(issuer):
    token = signed(claims(exp=NOW + 100_000))
    assert ALICE == who(token, issuer.url)
    issuer.body = published(key_for("RS256")).encode()
    assert ALICE == who(token, issuer.url, now=NOW + OLDEST - 1)
    assert who(token, issuer.url, now=NOW + OLDEST) is None
    assert 2 == len(issuer.asked)


WRONG = {
    "an error": {"status": 500},
    "not found": {"status": 404},
    "a redirect": {"status": 302, "headers": {"Location": "/elsewhere"}},
    "another redirect": {"status": 307, "headers": {"Location": "/elsewhere"}},
    "nothing new": {"status": 204, "body": b""},
    "no JSON": {"body": b"<html>"},
    "no UTF-8": {"body": b"\xff\xfe"},
    "no keys": {"body": b'{"keys": []}'},
    "secret keys": {"body": b'{"keys": [{"kty": "oct", "k": "AAAA"}]}'},
    "an odd list": {"body": b'{"keys": [{"kty": ["RSA"]}]}'},
    "far too much": {"body": b" " * (LARGEST + 1)},
    "a bomb": {"body": b"\x1f\x8b", "headers": {"Content-Encoding": "gzip"}},
}


@pytest.mark.parametrize("answer", WRONG.values(), ids=WRONG)
def test_a_bad_answer_opens_nothing_and_takes_nothing_away(answer, issuer):
    assert ALICE == who(signed(claims()), issuer.url)
    for name, value in answer.items():
        setattr(issuer, name, value)
    assert who(signed(claims(), "RS256"), issuer.url, now=NOW + SPACING) is None
    assert ALICE == who(signed(claims(iat=1)), issuer.url, now=NOW + SPACING)
    assert ["/jwks", "/jwks"] == issuer.asked, "a redirect was followed, or the issuer was asked too often"


@pytest.mark.parametrize("answer", WRONG.values(), ids=WRONG)
def test_where_no_key_was_ever_fetched_every_token_is_refused(answer, issuer):
    for name, value in answer.items():
        setattr(issuer, name, value)
    assert who(signed(claims()), issuer.url) is None
    assert who(signed(claims()), issuer.url, now=NOW + 1) is None
    assert 1 == len(issuer.asked)


def test_an_issuer_that_is_down_keeps_its_old_keys(issuer):
    assert ALICE == who(signed(claims()), issuer.url)
    issuer.stop()
    assert ALICE == who(signed(claims(iat=2, exp=NOW + 100_000)), issuer.url, now=NOW + OLDEST)


def test_an_answer_that_drips_is_given_up(issuer, monkeypatch):
    monkeypatch.setattr(issuer_keys, "PATIENCE", 0.3)
    issuer.pause = 0.05
    issuer.body += b" " * 100_000  # an hour of it
    assert who(signed(claims()), issuer.url) is None


def test_many_who_come_at_once_ask_the_issuer_once(issuer):
    found = []
    threads = [threading.Thread(target=lambda: found.append(who(signed(claims()), issuer.url))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG)
    assert [ALICE] * 8 == found
    assert 1 == len(issuer.asked)


def test_an_issuer_with_new_settings_begins_anew(issuer):
    assert ALICE == who(signed(claims()), issuer.url)
    other = Server()
    other.body = published(key_for("RS256")).encode()
    try:
        assert ALICE == who(signed(claims(), "RS256"), other.url)
        assert who(signed(claims()), other.url) is None
    finally:
        other.stop()


def test_keys_that_were_pasted_are_never_fetched():
    pasted = trusted(jwks=published(key_for("ES256")))
    assert not KEYS.may_fetch(pasted, NOW)
    assert not KEYS.stale(pasted, NOW + 10 * OLDEST)
    with pytest.raises(BadCredential):
        identify(Presented(bearer=signed(claims(), kid="unknown")), world(pasted), NOW)


@pytest.mark.parametrize("url", ["http://[", "nonsense", "ftp://127.0.0.1/x", "http://127.0.0.1:1/x", "http://\x00/"])
def test_an_address_that_cannot_be_fetched_opens_nothing(url):
    """Verbs refuse such an address; a table may hold it all the same."""
    assert who(signed(claims()), url) is None
    assert isinstance(trusted(url=url), f.IssuerIs)
