"""After signing in, a browser goes where we sealed it to go, and nowhere else."""

import base64
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.formats import return_address

KEY = b"k" * 32
URL = "https://chat.example.com/room?a=1&b=2"
NOW = 1_760_000_000
RD = return_address.make(URL, key=KEY, expires=NOW + 3600)


def read(text: str, *, now: float = NOW, key: bytes = KEY) -> str | None:
    return return_address.read(text, key=key, now=now)


def test_golden_vector():
    body = "aHR0cHM6Ly9jaGF0LmV4YW1wbGUuY29tL3Jvb20_YT0xJmI9Mg.1760003600"
    assert f"{body}.cwq-i5v_J9INTDZQdhs6aX2flvITLMrYO7CTxQtKgbs" == RD


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_a_sealed_address_is_read_back(url):
    assert url == read(return_address.make(url, key=KEY, expires=NOW + 1))


@pytest.mark.parametrize(("after", "expected"), [(0, URL), (3599.999, URL), (3600, None), (10**9, None)])
def test_a_seal_lasts_until_its_expiry_and_not_an_instant_longer(after, expected):
    assert expected == read(RD, now=NOW + after)


def test_another_key_did_not_seal_it():
    assert read(RD, key=b"another") is None


def test_any_other_character_anywhere_breaks_the_seal():
    changed = [RD[:i] + other + RD[i + 1 :] for i in range(len(RD)) for other in "aB1-_.=" if other != RD[i]]
    assert [] == [text for text in changed if read(text) is not None]


def test_any_truncation_breaks_the_seal():
    assert [] == [RD[:i] for i in range(len(RD)) if read(RD[:i]) is not None]
    assert [] == [RD[i:] for i in range(1, len(RD)) if read(RD[i:]) is not None]


EVIL = ("evil.com", "evil.com:443", "chat.example.com.evil.com", "chat.example.com@evil.com",
"evil.com#chat.example.com",
        "evil.com?chat.example.com", "evil.com/chat.example.com", "[::1]", "0x7f.1", "eviĺ.com", "evil%2ecom",
        "2130706433", "evil.com%09", "evil.com.")  # fmt: skip
BEFORE = ("https://", "http://", "//", "///", "////", "/\\", "\\\\", "/\t/", "/\n/", "https:", "https:/",
"https:\\", "//\\",
          "/%09/", "/%5c", "/%2f", "javascript:", "JaVaScRiPt:", "data:text/html,", "ftp://", "https://a:b@", "/.//",
          "/..//", "/;//", "//;@", "\x00//", " //", "\u2028//", "https://chat.example.com@", "https://chat.example.com\\@",
          "https://chat.example.com%00", "x:", "//chat.example.com%2f@", "http:///", "https:///", "?//", "#//",
          "./", "〱//",
          "/\u200b/", "\ufeffhttps://", "//%0d%0a", "/%0d%0aLocation: //")  # fmt: skip
OPEN_REDIRECTS = [f"{before}{evil}" for before, evil in itertools.product(BEFORE, EVIL)]
FORGED = [
    *OPEN_REDIRECTS,
    *(f"{base64.urlsafe_b64encode(url.encode()).decode().rstrip('=')}.{NOW + 60}.{'A' * 43}" for url in OPEN_REDIRECTS),
    *(f"{base64.urlsafe_b64encode(url.encode()).decode()}.{NOW + 60}." for url in OPEN_REDIRECTS),
    *(f"{RD}.{url}" for url in OPEN_REDIRECTS),
    *(f"{url}{RD.partition('.')[1]}{RD.partition('.')[2]}" for url in OPEN_REDIRECTS),
]


def test_two_thousand_forged_addresses_lead_nowhere():
    assert 500 < len(set(OPEN_REDIRECTS))
    assert 2000 < len(set(FORGED))
    assert [] == [text for text in FORGED if read(text) is not None]


@given(st.text(max_size=100))
def test_nonsense_leads_nowhere_and_breaks_nothing(text):
    assert read(text) is None


@given(st.sampled_from([RD, "..", "a.1."]), st.integers(0, 120), st.text(max_size=3))
def test_a_sealed_address_with_something_in_it_leads_nowhere(text, at, more):
    changed = text[:at] + more + text[at:]
    assert changed == RD or read(changed) is None
