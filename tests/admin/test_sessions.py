"""Sessions are seen and ended, and never made or edited here."""

import pytest

from authz.models import Session
from tests.admin.screen import kinds_since, revision, told


@pytest.fixture
def hers(alice, signed_in):
    signed_in(alice)
    return Session.objects.get(person=alice)


def test_a_session_is_ended_and_the_reason_is_kept(screen, hers):
    entries = told()
    assert (
        302 == screen.client.post(f"/admin/authz/session/{hers.pk}/end/", {"_sure": "1", "reason": "lost"}).status_code
    )

    hers.refresh_from_db()
    assert (True, "lost") == (hers.ended_at is not None, hers.ended_because)
    assert ["session.ended"] == kinds_since(entries)
    assert [] == screen.get("authz_session", "change", hers.pk).context["actions_detail"]


def test_several_are_ended_in_one_change(screen, hers, alice, signed_in):
    signed_in(alice)
    before = revision()

    assert 302 == screen.act("authz_session", "end_selected", *Session.objects.filter(person=alice)).status_code
    assert (before + 1, 0) == (revision(), Session.objects.filter(person=alice, ended_at=None).count())


def test_ending_ones_own_leads_to_the_login_page(screen, carol):
    own = Session.objects.get(person=carol)
    screen.client.post(f"/admin/authz/session/{own.pk}/end/", {"_sure": "1", "reason": ""})

    assert 302 == screen.client.get("/admin/").status_code


def test_a_session_is_shown_without_its_hash_and_cannot_be_made_or_changed(screen, hers):
    shown = screen.get("authz_session", "change", hers.pk)

    assert (200, False) == (shown.status_code, hers.digest in shown.content.decode())
    assert 403 == screen.get("authz_session", "add").status_code
    assert 403 == screen.client.post(f"/admin/authz/session/{hers.pk}/change/", {"device": "x"}).status_code
    assert 403 == screen.client.post(f"/admin/authz/session/{hers.pk}/delete/", {"_sure": "1"}).status_code
