"""What went wrong for others, part three: who is believed to be there, and until when."""

import itertools

import pytest

from authz.decisions import facts as f
from authz.formats import return_address, session_token
from authz.formats.emails import find_email, parse_email
from tests.people import (
    ALICE,
    BOB,
    CHAT,
    ENGINEERING,
    EVE,
    GRANTS,
    INTERNS,
    MALLORY,
    PEOPLE,
    RETIRED,
    SEARCH,
    SEARCH_URL,
    SERVERS,
    ask,
    at,
    bearer,
    cookie,
    headers_of,
    judged,
    key,
    key_of,
    live_in,
    reason,
    request,
    session,
    token_of,
    world,
)  # fmt: skip

pytestmark = pytest.mark.usefixtures("house")
NOW = 1_760_000_000.0


def spoilt_cookies():
    token = token_of(ALICE)
    yield from ("", "x", "null", "undefined", "deleted", "{}", "0", "true", "\x00", "\x00" * 40, "é" * 40, "%00")
    yield from (
        token[:-1],
        token + "x",
        token.upper(),
        token[1:],
        token.replace(".", ""),
        f'"{token}"',
        token[: len(token) // 2],
    )
    yield from ("A" * 10_000, ".".join("abc"), "1.2.3", "ff" * 20, "../../etc/passwd", "' OR 1=1 --", "{{7*7}}")


@pytest.mark.parametrize("value", list(spoilt_cookies()), ids=range(len(list(spoilt_cookies()))))
def test_a_malformed_session_cookie_is_a_stranger_s(value):
    """Authentik CVE-2026-25748: a malformed cookie was let through, and without any identity."""
    answer = ask(SEARCH_URL, {"Cookie": f"gatehouse={value}"})
    assert 401 == answer.status
    assert "" == headers_of(answer)["x-user-email"]


@pytest.mark.parametrize("order", list(itertools.permutations(["good", "bad", "empty"])))
def test_a_planted_cookie_does_not_push_the_real_one_aside(order):
    """Cookie tossing from a neighbouring domain: each value is tried, and one person must come out."""
    values = {"good": token_of(ALICE), "bad": "planted", "empty": '""'}
    line = "; ".join(f"gatehouse={values[each]}" for each in order)
    assert 200 == ask(SEARCH_URL, {"Cookie": line}).status


def test_cookies_of_two_people_are_nobody_s():
    """mod_auth_mellon CVE-2017-6807 and LemonLDAP CVE-2021-35472: one person's request ran as another."""
    both = [token_of(ALICE), token_of(BOB)]
    for pair in (both, both[::-1]):
        answer = ask(SEARCH_URL, {"Cookie": "; ".join(f"gatehouse={value}" for value in pair)})
        assert (401, "bad-credential") == (answer.status, reason(answer))


def test_two_sessions_of_one_person_are_that_person():
    live_in(world(session(ALICE, number=1)))
    assert 200 == ask(SEARCH_URL, {"Cookie": f"gatehouse={token_of(ALICE)}; gatehouse={token_of(ALICE, 1)}"}).status


@pytest.mark.parametrize(("person", "shown"), [
    (EVE, cookie(EVE)), (EVE, bearer(key_of(EVE))), (EVE, {"X-API-Key": key_of(EVE)}), (RETIRED,
    bearer(key_of(RETIRED))),
])  # fmt: skip
def test_somebody_suspended_is_refused_with_every_credential(person, shown):
    """Authentik CVE-2025-53942 and CVE-2025-64521, Zitadel CVE-2023-22492, vulnerability-lookup CVE-2026-73405."""
    live_in(world(f.GrantIs(9, None, person, "use", SEARCH, None, None, ()), key(RETIRED, "use")))
    answer = ask(SEARCH_URL, shown)
    assert (403, "suspended") == (answer.status, reason(answer))
    assert 403 == ask(None, shown).status


def test_an_expiry_is_checked_when_it_is_used_and_not_when_somebody_sweeps(monkeypatch):
    """Authentik CVE-2025-64708: something expired was good until the cleaning job came."""
    live_in(world(session(ALICE, until=NOW), key(ALICE, "use", until=NOW)))
    for shown in (cookie(ALICE), bearer(key_of(ALICE))):
        for moment, expected in ((NOW - 0.001, 200), (NOW, 401)):
            with at(monkeypatch, moment):
                assert expected == ask(SEARCH_URL, shown).status


def test_a_key_has_every_character_or_is_none():
    """Zitadel CVE-2026-27840: a truncated opaque token was still good."""
    good = key_of(ALICE)
    assert {401} == {ask(SEARCH_URL, bearer(good[:length])).status for length in range(4, len(good))}
    assert 200 == ask(SEARCH_URL, bearer(good)).status


def test_a_session_has_every_character_or_is_none():
    """The last character of a seal carries bits that mean nothing; the text as a whole must still be the one."""
    good = token_of(ALICE)
    twins = [good[:-1] + last for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"]
    accepted = [token for token in twins if ask(SEARCH_URL, {"Cookie": f"gatehouse={token}"}).status == 200]
    assert [good] == accepted


def test_other_secrets_of_ours_are_no_session(settings):
    """LemonLDAP CVE-2026-19349: an OAuth state was stored as a session and could be replayed as a cookie."""
    from authz.conf import signing_key  # noqa: PLC0415  the one that seals login addresses

    rd = return_address.make(SEARCH_URL, key=signing_key("return"), expires=2**32)
    forged = session_token.make(1, b"x" * 32, key=signing_key("return"))
    for value in (rd, forged, key_of(ALICE), "csrftoken", session_token.digest(token_of(ALICE))):
        assert 401 == ask(SEARCH_URL, {"Cookie": f"gatehouse={value}"}).status
        assert 401 == ask(SEARCH_URL, bearer(value)).status or value == key_of(ALICE)


def test_a_session_is_no_bearer_token_and_a_key_no_cookie():
    assert 401 == ask(SEARCH_URL, bearer(token_of(ALICE))).status
    assert 401 == ask(SEARCH_URL, {"Cookie": f"gatehouse={key_of(ALICE)}"}).status


def test_one_seal_is_never_another(settings):
    """Each purpose has a key of its own: what is sealed for one opens nothing as another."""
    from authz.conf import signing_key  # noqa: PLC0415

    assert 3 == len({signing_key(purpose) for purpose in ("session", "return", "anything")})


SWITCHES: dict[str, f.Fact] = {
    "person": PEOPLE[ALICE - 1]._replace(active=False),
    "group": f.MemberGone(ALICE, INTERNS),
    "nesting": f.NestGone(INTERNS, ENGINEERING),
    "grant": f.GrantGone(2),
    "server": SERVERS[SEARCH - 1]._replace(enabled=False),
    "session": f.SessionGone(ALICE * 10),
}


@pytest.mark.parametrize(
    "switched", [each for n in (1, 2, 6) for each in itertools.combinations(SWITCHES, n)], ids=" and ".join
)
def test_whatever_is_revoked_alone_or_together_the_answer_is_no(switched):
    """Keycloak CVE-2026-8922 and CVE-2026-18218: with two levels of revocation, one silently cancelled the other."""
    live_in(world(*(SWITCHES[name] for name in switched)))
    assert ask(SEARCH_URL, cookie(ALICE)).status in {401, 403}


def test_a_group_that_is_left_is_gone_from_the_next_answer():
    """Zitadel CVE-2024-46999: grants that were switched off stayed in the tokens."""
    assert "engineering" in headers_of(ask(None, cookie(ALICE)))["x-user-groups"]
    live_in(world(f.MemberGone(ALICE, INTERNS), revision=101))
    assert "users" == headers_of(ask(None, cookie(ALICE)))["x-user-groups"]


@pytest.mark.parametrize(
    "typed", ["a@evil.com@corp.com", '"a@evil.com"@corp.com', "a@corp.com.", "a@\uff43orp.com", "a\0@corp.com"]
)
def test_an_address_with_two_meanings_is_nobody_s(typed):
    """oauth2-proxy CVE-2026-40574: "a@evil.com@corp.com" passed the check of the domain."""
    from authz.errors import InvalidName  # noqa: PLC0415

    with pytest.raises(InvalidName):
        parse_email(typed)
    assert find_email(typed) not in {"a@corp.com", "a@evil.com"}


def test_every_kind_of_restriction_works():
    """oauth2-proxy GHSA-652x-m2gr-hppm: a restriction stopped working and nobody noticed; so one canary for each."""
    call = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "find"}
    wide = GRANTS[1]
    canaries = {
        "person": (wide._replace(group=None, person=BOB), {}),
        "tools": (wide._replace(tools=("read",)), call),
        "until": (wide._replace(until=NOW), {}),
        "networks": (wide._replace(networks=("192.0.2.0/24",)), {"X-Real-IP": "203.0.113.1"}),
        "action": (wide._replace(action="nothing"), {}),
    }
    for name, (narrow, more) in canaries.items():
        live_in(world(wide))
        assert 200 == ask(SEARCH_URL, cookie(ALICE), more, method="POST").status, name
        live_in(world(narrow))
        assert 403 == ask(SEARCH_URL, cookie(ALICE), more, method="POST").status, name
    live_in(world(key(ALICE, "use:jira")))
    assert 403 == ask(SEARCH_URL, bearer(key_of(ALICE))).status
    live_in(world(key(ALICE, "use:Search")))
    assert 200 == ask(SEARCH_URL, bearer(key_of(ALICE))).status


def test_the_key_of_a_service_opens_the_interface_and_no_server():
    """Pomerium GO-2024-3179: a service account's token also opened an internal interface."""
    assert (403, "key-scope") == ((answer := ask(None, bearer(key_of(CHAT)))).status, reason(answer))
    assert 403 == ask(SEARCH_URL, bearer(key_of(CHAT))).status
    body = b'{"user_id": "a", "group_id": "b"}'
    assert 403 == judged(request(bearer(key_of(ALICE)), target="/api/v1/groups/check", method="POST", body=body)).status


def test_no_token_and_no_secret_stands_in_an_answer():
    """Pomerium GO-2024-2965 and GO-2022-0783: tokens were shown on a page, and leaked through a query."""
    for shown in (cookie(ALICE), bearer(key_of(ALICE)), cookie(MALLORY), bearer(key_of(ALICE, 9))):
        answer = ask(f"{SEARCH_URL}?code=secret", shown)
        text = (answer.identity + answer.own + answer.body).decode()
        assert not any(secret in text for value in shown.values() for secret in (value, value.partition("=")[2] or "~"))
