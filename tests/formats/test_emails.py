"""An e-mail address has one spelling, and nobody else's address ends up as it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.errors import InvalidName
from authz.formats.emails import find_email, parse_email

GOOD = {
    "alice@example.com": "alice@example.com",
    "Alice@Example.COM": "alice@example.com",
    "  alice@example.com\n": "alice@example.com",
    "a.b+news@sub.example.co.uk": "a.b+news@sub.example.co.uk",
    "o'brien/sales@example.com": "o'brien/sales@example.com",
    "a@bücher.example": "a@bücher.example",
    "a@xn--bcher-kva.example": "a@bücher.example",
    "Ärztin@example.com": "ärztin@example.com",
    "A\u0308rztin@example.com": "ärztin@example.com",
    "straße@example.com": "straße@example.com",
    "STRA\u1e9eE@example.com": "straße@example.com",
    "用户@例子.公司": "用户@例子.公司",
}


@pytest.mark.parametrize(("typed", "stored"), GOOD.items(), ids=GOOD)
def test_an_address_is_stored_in_one_spelling(typed, stored):
    assert stored == parse_email(typed)
    assert stored == parse_email(stored) == find_email(stored) == find_email(f" {stored.upper()} ".replace("SS", "ẞ"))


BAD = {
    "nothing": "",
    "spaces": "   ",
    "no at": "alice.example.com",
    "two at signs": "a@evil.com@corp.com",
    "an escaped at sign": r"a\@evil.com@corp.com",
    "a quoted local part": '"a@evil.com"@corp.com',
    "a quoted space": '"a b"@corp.com',
    "a comment": "alice(comment)@corp.com",
    "a display name": "Alice <alice@corp.com>",
    "a list": "alice@corp.com,bob@corp.com",
    "a second line": "alice@corp.com\nbcc: all@corp.com",
    "a carriage return": "alice@corp.com\r",
    "a trailing dot": "alice@corp.com.",
    "a leading dot": ".alice@corp.com",
    "two dots": "al..ice@corp.com",
    "an address literal": "alice@[192.0.2.1]",
    "an IPv6 literal": "alice@[IPv6:::1]",
    "no domain": "alice@",
    "no local part": "@corp.com",
    "a NUL": "al\x00ice@corp.com",
    "a DEL": "al\x7fice@corp.com",
    "a C1 control": "al\x85ice@corp.com",
    "a direction change": "al\u202eice@corp.com",
    "a zero-width space": "al\u200bice@corp.com",
    "a soft hyphen": "al\u00adice@corp.com",
    "full-width letters": "\uff41lice@corp.com",
    "a full-width domain": "alice@\uff43orp.com",
    "a full-width at sign": "alice\uff20corp.com",
    "an ideographic dot": "alice@corp\u3002com",
    "a long s": "bo\u017f\u017f@corp.com",
    "a Kelvin sign": "\u212aim@corp.com",
    "a ligature": "o\ufb03ce@corp.com",
    "a Greek question mark": "a\u037eb@corp.com",
    "a lone surrogate": "al\ud800ice@corp.com",
    "a space inside": "al ice@corp.com",
    "too long": f"{'a' * 60}@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 20}.example",
    "a bad punycode": "alice@xn--a.com",
}


@pytest.mark.parametrize("typed", BAD.values(), ids=BAD)
def test_what_two_could_read_differently_is_refused(typed):
    if typed.endswith("\r"):
        typed += "x"
    with pytest.raises(InvalidName):
        parse_email(typed)


@pytest.mark.parametrize("typed", BAD.values(), ids=BAD)
def test_looking_a_bad_address_up_fails_for_nobody_and_finds_nobody_else(typed):
    """An issuer may let people choose "boss" with a long s; it must not sign them in as boss@corp.com."""
    found = find_email(typed)
    assert found not in {"boss@corp.com", "kim@corp.com", "office@corp.com", "a;b@corp.com"}
    if not typed.isascii():
        assert not found.isascii()


@given(st.text(max_size=30), st.text(max_size=10))
def test_what_is_stored_is_found_and_stays_as_it_is(local, domain):
    try:
        stored = parse_email(f"{local}@{domain}.example")
    except InvalidName:
        return
    assert stored == parse_email(stored) == find_email(stored)


@given(st.text(max_size=40))
def test_no_text_beyond_ascii_is_looked_up_as_ascii(text):
    assert text.isascii() or not find_email(text).isascii() or text.strip().isascii()
