"""The keys of an issuer are fetched when they are needed, seldom, and from nowhere else than configured."""

import socket
import threading
import time
from contextlib import contextmanager, suppress

import pytest
from joserfc.jwk import ECKey

from authz.credentials import Presented, Unsettled, identify
from authz.decisions import facts as f
from authz.errors import BadCredential
from authz.outbound import http
from authz.outbound.http import LARGEST
from authz.outbound.remembered import FRESH, SPACING
from tests.credentials.issuer import NOW, Server, claims, key_for, published, signed, trusted
from tests.patience import HANG, until
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


def another_key(kid):
    return ECKey.generate_key("P-256", {"kid": kid, "alg": "ES256", "use": "sig"}, auto_kid=False)


@contextmanager
def dripping(beginning):
    """Yield the address of somebody who sends a byte now and then, for ever."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip():
            with suppress(OSError), listening.accept()[0] as came:
                came.sendall(beginning)
                while True:
                    came.sendall(b"x")
                    time.sleep(0.02)

        dripper = threading.Thread(target=drip)
        dripper.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/jwks"
        dripper.join(HANG)
        assert not dripper.is_alive()


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
    assert ALICE == who(token, issuer.url, now=NOW + FRESH - 1)
    assert who(token, issuer.url, now=NOW + FRESH) is None
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
    assert ALICE == who(signed(claims(iat=2, exp=NOW + 100_000)), issuer.url, now=NOW + FRESH)


def test_an_issuer_that_went_silent_keeps_nobody_waiting_twice(issuer):
    """One waits for the first attempt that fails; from then on it is tried beside, while the keys are still good."""
    assert ALICE == who(signed(claims()), issuer.url)
    issuer.status = 503
    assert ALICE == who(signed(claims(iat=2, exp=NOW + 100_000)), issuer.url, now=NOW + FRESH)
    issuer.status = 200
    new = another_key("next")
    issuer.body = published(new).encode()
    here, later = world(trusted(url=issuer.url)), float(NOW + FRESH + SPACING)
    found = identify(Presented(bearer=signed(claims(iat=3, exp=NOW + 100_000))), here, later)
    assert found is not None, "and nothing is Unsettled"
    until(lambda: who(signed(claims(iat=4, exp=NOW + 100_000), key=new, kid="next"), issuer.url, now=later) == ALICE)


def test_keys_that_could_not_be_fetched_for_a_day_are_good_no_more(issuer, settings):
    """However often they were tried; the day is a setting."""
    settings.AUTHZ_KEYS_MAX_AGE = 7200
    token = signed(claims(exp=NOW + 100_000))
    assert ALICE == who(token, issuer.url)
    issuer.status = 503
    assert [ALICE, ALICE, None] == [who(token, issuer.url, now=NOW + later) for later in (3600, 7199, 7200)]
    issuer.status = 200
    assert ALICE == who(token, issuer.url, now=NOW + 7300)


def test_a_key_that_was_replaced_under_the_same_name_is_found(issuer):
    """A signature that no known key fits is a reason to look, once in a while."""
    assert ALICE == who(signed(claims()), issuer.url)
    new = another_key(key_for("ES256").kid)
    issuer.body = published(new).encode()
    token = signed(claims(iat=3), key=new)
    assert who(token, issuer.url, now=NOW + SPACING - 1) is None
    assert ALICE == who(token, issuer.url, now=NOW + SPACING)
    assert who(signed(claims()), issuer.url, now=NOW + SPACING) is None
    assert 2 == len(issuer.asked)


def test_a_token_that_names_no_key_is_good_after_a_rotation(issuer):
    assert ALICE == who(signed(claims(), kid=None), issuer.url)
    new = another_key("next")
    issuer.body = published(new).encode()
    assert ALICE == who(signed(claims(iat=3), key=new, kid=None), issuer.url, now=NOW + SPACING)


@pytest.mark.parametrize("forged", [{"kid": "invented"}, {"kid": None}, {}], ids=["a name", "no name", "a known name"])
def test_forgeries_of_whatever_kind_cost_one_fetch_in_a_while(issuer, forged):
    assert ALICE == who(signed(claims()), issuer.url)
    strange = another_key(key_for("ES256").kid)
    for number in range(100):
        token = signed(claims(iat=number), key=strange, **forged)
        assert who(token, issuer.url, now=NOW + number) is None
    assert 1 + 3 == len(issuer.asked), "at 30, 60 and 90"


def test_an_answer_whose_headers_drip_is_given_up(monkeypatch):
    """A time-out that begins anew with every byte never ends it."""
    monkeypatch.setattr(http, "PATIENCE", 0.3)
    with dripping(b"HTTP/1.1 200 OK\r\nX-Slow: ") as url:
        assert who(signed(claims()), url) is None


def test_an_answer_that_drips_is_given_up(issuer, monkeypatch):
    monkeypatch.setattr(http, "PATIENCE", 0.3)
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
    for now in (NOW, NOW + 10 * FRESH):
        token = signed(claims(exp=NOW + 100 * FRESH), kid="unknown")
        with pytest.raises(BadCredential):
            identify(Presented(bearer=token), world(pasted), now)


@pytest.mark.parametrize("url", ["http://[", "nonsense", "ftp://127.0.0.1/x", "http://127.0.0.1:1/x", "http://\x00/"])
def test_an_address_that_cannot_be_fetched_opens_nothing(url):
    """Verbs refuse such an address; a table may hold it all the same."""
    assert who(signed(claims()), url) is None
    assert isinstance(trusted(url=url), f.IssuerIs)
