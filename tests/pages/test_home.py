"""One's own page, and one's own sessions."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client

from audit.context import Actor
from authz.changes import grants, groups, memberships, people, servers, sessions
from authz.models import Session, User

pytestmark = pytest.mark.django_db
BY = Actor.system("test")


def signed_in(person: User, device: str = "Firefox") -> Client:
    """Return a browser in which somebody is signed in."""
    day = timedelta(days=1)
    begun = sessions.begin(person=person, device=device, address="192.0.2.1", lifetime=day, idle=day, by=BY)
    client = Client()
    client.cookies[settings.AUTHZ_COOKIE_NAME] = begun.token
    return client


def test_home_shows_what_one_may_use_and_where_one_is_signed_in() -> None:
    """Her groups at any depth, her servers, her sessions, and nobody else's."""
    alice, bob = (people.create(email=f"{name}@example.com", by=BY) for name in ("alice", "bob"))
    interns, engineering = (groups.create(name=name, by=BY) for name in ("interns", "engineering"))
    groups.nest(interns, parent=engineering, by=BY)
    memberships.give(person=alice, group=interns, by=BY)
    grants.give(server=servers.create(name="search <b>", by=BY), group=engineering, by=BY)
    grants.give(server=servers.create(name="payroll", by=BY), person=bob, by=BY)
    signed_in(bob, "Bob's phone")
    page = signed_in(alice, "Alice's <i>laptop").get("/").content.decode()
    assert "search &lt;b&gt;" in page
    assert "Alice&#x27;s &lt;i&gt;laptop" in page
    for name in ("engineering", "interns", "users"):
        assert f">{name}<" in page
    assert "payroll" not in page
    assert "phone" not in page
    assert "/admin/" not in page


def test_one_may_end_ones_own_session_and_nobody_elses() -> None:
    """The other one is not even found."""
    alice, mallory = (people.create(email=f"{name}@example.com", by=BY) for name in ("alice", "mallory"))
    laptop, phone = signed_in(alice, "laptop"), signed_in(alice, "phone")
    number = Session.objects.get(device="phone").pk
    assert 404 == signed_in(mallory).post(f"/sessions/{number}/end").status_code
    assert 405 == laptop.get(f"/sessions/{number}/end").status_code
    assert "/login" == Client().post(f"/sessions/{number}/end")["Location"]
    assert 200 == phone.get("/").status_code
    assert "/" == laptop.post(f"/sessions/{number}/end")["Location"]
    assert "/login" == phone.get("/")["Location"]
    assert 200 == laptop.get("/").status_code


def test_somebody_suspended_is_signed_out_at_once() -> None:
    """Their next request leads to the login page."""
    alice = people.create(email="alice@example.com", by=BY)
    client = signed_in(alice)
    assert 200 == client.get("/").status_code
    people.suspend(alice, by=BY)
    assert "/login" == client.get("/")["Location"]
