"""A URL has one meaning, or none that we act upon."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.edge.canonical import LONGEST, read_url
from authz.errors import UnreadableUrl

MEANT = {
    # raw: (host, decoded path)
    "https://mcp.example.com/search": ("mcp.example.com", "/search"),
    "http://mcp.example.com/search": ("mcp.example.com", "/search"),
    "wss://mcp.example.com/ws": ("mcp.example.com", "/ws"),
    "ws://mcp.example.com/ws": ("mcp.example.com", "/ws"),
    "https://MCP.Example.COM/Search": ("mcp.example.com", "/Search"),
    "https://mcp.example.com./search": ("mcp.example.com", "/search"),
    "https://mcp.example.com:443/search": ("mcp.example.com", "/search"),
    "https://mcp.example.com:0443/search": ("mcp.example.com", "/search"),
    "http://mcp.example.com:80/search": ("mcp.example.com", "/search"),
    "http://mcp.example.com:443/search": ("mcp.example.com:443", "/search"),
    "https://mcp.example.com:08443/search": ("mcp.example.com:8443", "/search"),
    "https://mcp.example.com.:8443/search": ("mcp.example.com:8443", "/search"),
    "https://mcp.example.com": ("mcp.example.com", "/"),
    "https://mcp.example.com/": ("mcp.example.com", "/"),
    "https://mcp.example.com/?": ("mcp.example.com", "/"),
    "https://mcp.example.com/search?q=a/../b;c": ("mcp.example.com", "/search"),
    "https://mcp.example.com/search?next=//evil.com/%2e%2e%00": ("mcp.example.com", "/search"),
    "https://mcp.example.com/search?q=?&r=%zz": ("mcp.example.com", "/search"),
    "https://mcp.example.com/search/": ("mcp.example.com", "/search/"),
    "https://mcp.example.com/a.b/.well-known/x": ("mcp.example.com", "/a.b/.well-known/x"),
    "https://mcp.example.com/compare/v1..v2": ("mcp.example.com", "/compare/v1..v2"),
    "https://mcp.example.com/a/~b/@c/$d/!e/(f)/*g/+h/,i/=j/:k": (
        "mcp.example.com",
        "/a/~b/@c/$d/!e/(f)/*g/+h/,i/=j/:k",
    ),
    "https://mcp.example.com/a%20b": ("mcp.example.com", "/a b"),
    "https://mcp.example.com/%C3%A4rzte": ("mcp.example.com", "/ärzte"),
    "https://mcp.example.com/%c3%a4rzte": ("mcp.example.com", "/ärzte"),
    "https://mcp.example.com/%73earch": ("mcp.example.com", "/search"),
    "https://mcp.example.com/%E6%96%87/%F0%9F%98%80": ("mcp.example.com", "/文/😀"),
    "https://mcp.example.com/a|b^c{d}\"e'f": ("mcp.example.com", "/a|b^c{d}\"e'f"),
    "https://mcp.example.com/a[0]/[b]": ("mcp.example.com", "/a[0]/[b]"),
    "https://mcp.example.com/a%5B0%5D": ("mcp.example.com", "/a[0]"),
    "https://mcp.example.com/%C2%ADsoft/hy%C2%ADphen": ("mcp.example.com", "/\u00adsoft/hy\u00adphen"),
    "https://mcp.example.com/%E0%A4%95%E0%A5%8D%E2%80%8D%E0%A4%B7": ("mcp.example.com", "/\u0915\u094d\u200d\u0937"),
    "https://192.0.2.1/x": ("192.0.2.1", "/x"),
    "https://[::1]/x": ("[::1]", "/x"),
    "https://[0:0:0:0:0:0:0:1]:8443/x": ("[::1]:8443", "/x"),
    "https://[2001:DB8::A]/x": ("[2001:db8::a]", "/x"),
    "https://xn--bcher-kva.example/x": ("xn--bcher-kva.example", "/x"),
    "https://under_score/x": ("under_score", "/x"),
}

REFUSED = """
nothing
|
 https://h/a
https://h/a |
mcp.example.com/search
//h/a
/search
*
h:443
about:blank
ftp://h/a
HTTPS://h/a
https:/h/a
https:h/a
https:///a
https://
https://?a
https://h?a
https://h?/search
https://h:443?/search
https://h#a
https://h/a#b
https://h/a?b#c
https://h/a%23b
https://h/a%3fb
https://h/a%3Fb
https://u@h/a
https://u:p@h/a
https://h@evil/a
https://h:x/a
https://h:/a
https://h:0/a
https://h:65536/a
https://h:123456/a
https://h..i/a
https://h../a
https://.h/a
https://-h/a
https://h,i/a
https://h;i/a
https://h"i/a
https://h i/a
https://h%2ei/a
https://ä/a
https://[::1/a
https://[::g]/a
https://[:::]/a
https://[1.2.3.4]/a
https://[fe80::1%25eth0]/a
https://h//a
https://h/a//b
https://h/a/
https://h/.
https://h/..
https://h/./a
https://h/../a
https://h/a/.
https://h/a/..
https://h/a/./b
https://h/a/../b
https://h/a../b
https://h/a..
https://h/....
https://h/api..%2fadmin
https://h/%2e/a
https://h/%2E%2E/a
https://h/.%2e/a
https://h/%2e./a
https://h/a%2e%2e/b
https://h/..;/a
https://h/a;b=c
https://h/a;/b
https://h/a%3bb
https://h/a%3Bb
https://h/a\\b
https://h/a%5cb
https://h/a%5Cb
https://h/a%2fb
https://h/a%2Fb
https://h/a%252fb
https://h/a%25
https://h/a%
https://h/a%z
https://h/a%zz
https://h/a%2
https://h/a%u002f
https://h/%00
https://h/a%00b
https://h/a%0ab
https://h/a%0d%0ab
https://h/a%09b
https://h/a%1fb
https://h/a%7fb
https://h/%80
https://h/%ff
https://h/%c0%ae%c0%ae/a
https://h/%c0%af
https://h/%e0%80%af
https://h/%f8%80%80%80%af
https://h/%ed%a0%80
https://h/%c2%85
https://h/%ef%bc%8e%ef%bc%8e/a
https://h/%ef%bc%8f%ef%bc%8fa
https://h/%ef%bc%bca
https://h/%e2%80%a5/a
https://h/a b
https://h/ä
https://h/<a>
https://h/a`b
"""
ROWS = [line for line in REFUSED.splitlines()[2:] if line and line != "https://h/a/"]
RAW = [
    "",
    " ",
    "https://h/a\n",
    "https://h/a\r\n",
    "https://h/a\x00",
    "\ufeffhttps://h/a",
    "https://h/a\t",
    "https://h/\xff",
]


@pytest.mark.parametrize(("url", "expected"), MEANT.items(), ids=MEANT)
def test_a_url_is_read_in_its_one_meaning(url, expected):
    found = read_url(url)
    assert expected == (found.host, found.path)


BEST_FIT = "\u2044\u2215\u2216\u00a5\u20a9\uff0f\uff3c\u2024\uff0e\ufe68"
"""What an older character set, or a form of Unicode, makes a slash, a backslash or a dot of."""
UNSEEN = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u180e\ufe0f\u3164\U000e0001\U000e0100"


@pytest.mark.parametrize("character", BEST_FIT, ids=lambda each: f"U+{ord(each):04X}")
def test_what_may_become_a_delimiter_is_refused_wherever_it_stands(character):
    for path in (f"/search/..{character}admin", f"/{character}", f"/a{character}b"):
        with pytest.raises(UnreadableUrl):
            read_url(f"https://h{quote(path, safe='/')}")


@pytest.mark.parametrize("character", UNSEEN, ids=lambda each: f"U+{ord(each):04X}")
def test_what_is_not_shown_hides_no_dots(character):
    for path in (
        f"/a/.{character}./b",
        f"/a/{character}../b",
        f"/a/..{character}",
        f"/a/{character}.",
        f"/a/{character}/b",
    ):
        with pytest.raises(UnreadableUrl):
            read_url(f"https://h{quote(path, safe='/')}")
    assert f"/a{character}b" == read_url(f"https://h{quote(f'/a{character}b', safe='/')}").path


@pytest.mark.parametrize("character", "\\<>`# \t\x00\x7f")
def test_what_nobody_sends_is_refused(character):
    with pytest.raises(UnreadableUrl):
        read_url(f"https://h/a{character}b")


@pytest.mark.parametrize("url", [line.replace(" |", " ").replace("|", "") for line in ROWS] + RAW)
def test_a_url_that_two_could_read_differently_is_refused(url):
    with pytest.raises(UnreadableUrl):
        read_url(url)


def test_a_url_of_more_than_eight_kilobytes_is_refused():
    url = "https://h/" + "a" * LONGEST
    assert "/" + "a" * (LONGEST - 10) == read_url(url[:LONGEST]).path
    with pytest.raises(UnreadableUrl):
        read_url(url)


def test_the_query_is_not_kept_for_it_may_hold_secrets():
    assert "https://h/a" == read_url("https://h/a?token=secret").shown


@given(st.text(st.characters(max_codepoint=0x2FF), max_size=40))
def test_whatever_is_accepted_climbs_nowhere(text):
    try:
        found = read_url(f"https://h/{text}")
    except UnreadableUrl:
        return
    for path in (found.path, found.raw_path):
        assert path.startswith("/")
        assert not {"", ".", ".."} & set(path.split("/")[1:-1])
        assert not set(path) & set("\\;\0\r\n")
    assert found.raw_path.isascii()
    assert "?" not in found.raw_path


@given(st.text(max_size=60))
def test_nonsense_is_refused_and_breaks_nothing(text):
    try:
        found = read_url(text)
    except UnreadableUrl:
        return
    assert text.startswith(("http", "ws"))
    assert found.host
