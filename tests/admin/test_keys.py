"""API keys are issued, rotated and revoked; their text is shown once and kept nowhere."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Entry
from authz.changes import api_keys, servers
from authz.formats import api_key
from authz.models import ApiKey
from tests.admin.cast import BY
from tests.admin.screen import errors, fields_of, kinds_since, revision, told

KEY = re.compile(r"ghk_[a-z2-7]{8}_[A-Za-z0-9]{43}_[0-9A-Za-z]{6}")


def text_on(answer) -> str:
    """Return the key that a page shows, having made sure that no cache keeps the page."""
    assert 200 == answer.status_code
    assert "no-store" in answer["Cache-Control"]
    (text,) = set(KEY.findall(answer.content.decode()))
    return str(text)


@pytest.fixture
def key(alice):
    return api_keys.issue(person=alice, name="laptop", scopes=["use"], by=BY).row


def test_a_key_is_issued_and_its_text_is_shown_once(screen, alice, search):
    before = revision()
    answer = screen.send(
        "authz_apikey",
        "add",
        person=alice.pk,
        name="nightly report",
        rights=["groups:check"],
        servers=[search.pk],
        until_0="2099-01-31",
        until_1="12:00",
    )

    text = text_on(answer)
    key = ApiKey.objects.get(person=alice)
    assert (api_key.digest(text), ["groups:check", "use:search"]) == (key.digest, key.scopes)
    assert before + 1 == revision()
    after = [screen.get("authz_apikey"), screen.get("authz_apikey", "change", key.pk), screen.client.get("/admin/")]
    assert not any(text in page.content.decode() for page in after)
    assert text not in str(answer.cookies) + str(screen.client.cookies)
    assert not Entry.objects.filter(detail__contains=text).exists()


@pytest.mark.parametrize(
    ("sent", "field", "said"),
    [
        ({"person": ""}, "person", "required"),
        ({"name": ""}, "name", "required"),
        ({"rights": []}, "rights", "choose at least one"),
        ({"rights": ["rule"]}, "rights", "valid choice"),
        ({"rights": ["use"], "servers": "search"}, "servers", "already"),
        ({"servers": ["999"]}, "servers", "valid choice"),
        ({"until_0": "2020-01-01", "until_1": "00:00"}, "until", "has passed"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(screen, alice, search, sent, field, said):  # noqa: PLR0917  a test names every fixture that it uses
    asked = {"person": alice.pk, "name": "laptop", "rights": ["use"]} | sent
    asked |= {"servers": [search.pk]} if sent.get("servers") == "search" else {}

    found = errors(screen.send("authz_apikey", "add", **asked))

    assert [field] == list(found)
    assert said in found[field][0]
    assert 0 == ApiKey.objects.count()


def test_there_is_one_way_to_save_a_new_key(screen):
    shown = screen.get("authz_apikey", "add").content

    assert (True, False, False) == (b'"_save"' in shown, b'"_addanother"' in shown, b'"_continue"' in shown)


def test_the_name_the_scopes_and_the_end_are_edited(screen, key, search):
    screen.send("authz_apikey", "change", key.pk, name="desk", rights=["explain"], servers=[search.pk])
    key.refresh_from_db()
    assert ("desk", ["explain", "use:search"]) == (key.name, key.scopes)

    shown = fields_of(screen.get("authz_apikey", "change", key.pk))
    assert (["explain"], [str(search.pk)]) == (shown["rights"], shown["servers"])
    entries = told()
    screen.send("authz_apikey", "change", key.pk)
    assert [] == kinds_since(entries)


def test_a_scope_for_a_server_that_is_gone_is_kept(screen, alice, search):
    key = api_keys.issue(person=alice, name="old", scopes=["explain", "use:search"], by=BY).row
    servers.remove(search, by=BY)

    screen.send("authz_apikey", "change", key.pk, rights=["groups:read"])

    key.refresh_from_db()
    assert ["groups:read", "use:search"] == key.scopes


@pytest.mark.parametrize(("overlap", "length"), [("0", timedelta()), ("1d", timedelta(days=1))])
def test_a_key_is_rotated_and_the_old_one_works_for_as_long_as_chosen(screen, key, overlap, length):
    page = f"/admin/authz/apikey/{key.pk}/rotate/"
    assert b"never again" in screen.client.get(page).content

    text = text_on(screen.client.post(page, {"_sure": "1", "overlap": overlap}))

    key.refresh_from_db()
    assert api_key.digest(text) == key.rotated_to.digest
    assert abs(key.until - timezone.now() - length) < timedelta(minutes=1)


def test_a_key_that_was_rotated_or_has_expired_is_not_rotated_again(screen, key, alice):
    api_keys.rotate(key, overlap=timedelta(days=1), by=BY)
    late = api_keys.issue(person=alice, name="late", scopes=["use"], until=timezone.now(), by=BY).row

    for each, said in ((key, b"was revoked or rotated before"), (late, b"has expired; issue a new one")):
        answer = screen.client.post(f"/admin/authz/apikey/{each.pk}/rotate/", {"_sure": "1", "overlap": "0"})
        assert said in answer.content
    bad = screen.client.post(f"/admin/authz/apikey/{key.pk}/rotate/", {"_sure": "1", "overlap": "for ever"})
    assert ["overlap"] == list(bad.context["form"].errors)


def test_a_key_is_revoked_and_then_only_shown(screen, key):
    entries = told()
    screen.client.post(f"/admin/authz/apikey/{key.pk}/revoke/", {"_sure": "1", "reason": "leaked"})

    key.refresh_from_db()
    assert key.revoked_at is not None
    assert ["key.revoked"] == kinds_since(entries)
    shown = screen.get("authz_apikey", "change", key.pk)
    assert (200, []) == (shown.status_code, shown.context["actions_detail"])
    assert 403 == screen.client.post(f"/admin/authz/apikey/{key.pk}/change/", {"name": "other"}).status_code


def test_several_are_revoked_in_one_change(screen, key, alice):
    other = api_keys.issue(person=alice, name="other", scopes=["use"], by=BY).row
    before = revision()

    assert 302 == screen.act("authz_apikey", "revoke_selected", key, other, reason="left").status_code
    assert (before + 1, 2) == (revision(), ApiKey.objects.filter(revoked_at__isnull=False).count())


def test_a_key_is_never_deleted(screen, key):
    assert 403 == screen.client.post(f"/admin/authz/apikey/{key.pk}/delete/", {"_sure": "1"}).status_code


def test_only_what_makes_sense_is_offered(screen, key):
    def offered():
        return [each["title"] for each in screen.get("authz_apikey", "change", key.pk).context["actions_detail"]]

    assert ["Rotate", "Revoke"] == offered()
    api_keys.rotate(key, overlap=timedelta(days=1), by=BY)
    assert ["Revoke"] == offered()
