"""Home shows one's own live connections, and lets one end them; nobody else's."""

import pytest
from django.test import Client

from audit.models import Entry
from authz.changes import api_keys, issuers, servers
from authz.lookups.connections import live
from authz.models import Session
from tests.pages.cast import BY
from tests.roster import closed, connected, killed


@pytest.fixture
def chat(cast):
    return servers.create(name="chat <b>", kind="web", by=BY)


def page_of(browser):
    return " ".join(browser.get("/").content.decode().split())


def test_home_says_to_what_since_when_from_where_by_what_and_until_when(cast, chat):
    browser = cast.signed_in(cast.alice)
    here = Session.objects.get(person=cast.alice)
    cast.signed_in(cast.alice)
    other = Session.objects.exclude(pk=here.pk).get(person=cast.alice)
    key = api_keys.issue(person=cast.alice, name="nightly <i>", scopes=["use"], by=BY).row
    corp = issuers.trust(name="Corp", issuer="corp", audiences=["us"], jwks_url="https://idp.example.com/k", by=BY)
    connected(cast.alice, chat, credential=f"session:{here.pk}", opened=1_767_225_600.0, ends=1_767_229_200.0)
    connected(cast.alice, credential=f"session:{other.pk}", because="credential-expired")
    connected(cast.alice, credential=f"key:{key.pk}", because="not-allowed", address="")
    connected(cast.alice, credential=f"jwt:{corp.pk}")
    connected(cast.carol, address="198.51.100.99")

    page = page_of(browser)

    for said in (
        "chat &lt;b&gt;", "192.0.2.7 · since 2026-01-01 00:00 UTC · by this sign-in",
        "ends 2026-01-01 01:00 UTC at the latest: its longest life is over",
        "JSON-RPC", "by the sign-in on a browser", "at the latest: its sign-in, key or token ends",
        "by the API key nightly &lt;i&gt;", "unknown address · since", "at the latest: the right to it ends",
        "by JWT of Corp",
    ):  # fmt: skip
        assert said in page, said
    assert "198.51.100.99" not in page


def test_without_connections_nothing_is_said_of_them(cast):
    connected(cast.carol)
    connected(cast.alice, process="killed")
    killed("killed")

    assert "live connections" not in page_of(cast.signed_in(cast.alice))


def test_one_ends_one_of_ones_own(cast, chat):
    browser = cast.signed_in(cast.alice)
    first, stays = connected(cast.alice, chat), connected(cast.alice)
    assert "Disconnect all" in page_of(browser)

    answer = browser.post(f"/connections/{first.pk}/end")

    assert (302, "/", [stays]) == (answer.status_code, answer["Location"], list(live()))
    told = Entry.objects.order_by("-number")[0]
    assert ("connection.hung_up", "alice@example.com") == (told.kind, told.actor)
    assert "Disconnect all" not in page_of(browser)


def test_one_ends_all_of_ones_own_and_nobody_elses(cast, chat):
    connected(cast.alice, chat)
    connected(cast.alice)
    hers = connected(cast.carol)

    assert 302 == cast.signed_in(cast.alice).post("/connections/end").status_code
    assert [hers] == list(live())


def test_nobody_elses_connection_is_found(cast):
    hers = connected(cast.carol)

    assert 404 == cast.signed_in(cast.mallory).post(f"/connections/{hers.pk}/end").status_code
    for path in (f"/connections/{hers.pk}/end", "/connections/end"):
        assert "/login" == Client().post(path)["Location"]
    assert [hers] == list(live())


def test_one_that_has_just_ended_leads_home(cast):
    browser = cast.signed_in(cast.alice)
    gone, hung_up = connected(cast.alice), connected(cast.alice)
    closed(gone)
    entries = Entry.objects.count()
    for _ in range(2):
        assert "/" == browser.post(f"/connections/{hung_up.pk}/end")["Location"]
        assert "/" == browser.post(f"/connections/{gone.pk}/end")["Location"]
    assert entries + 1 == Entry.objects.count()


def test_nothing_is_ended_by_following_a_link_or_from_elsewhere(cast):
    browser = cast.signed_in(cast.alice, enforce_csrf_checks=True)
    here = connected(cast.alice)
    for path in (f"/connections/{here.pk}/end", "/connections/end"):
        assert (405, 403) == (browser.get(path).status_code, browser.post(path).status_code)
    assert [here] == list(live())
