"""Who visits the pages, and with which browser."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.test import Client

from audit.context import Actor
from authz.changes import people, sessions
from authz.changes import sign_in as sign_in_module
from authz.changes.administrators import make_administrator
from authz.models import User

BY = Actor.command("tests")
PASSWORD = "correct horse battery"


class Cast:
    """The people we know, as rows."""

    def __init__(self) -> None:
        sign_in_module._decoys.clear()  # noqa: SLF001  another test's decoy may cost as much as in earnest
        self.alice = people.create(email="alice@example.com", name="Alice", password=PASSWORD, by=BY)
        self.carol = people.create(email="carol@example.com", name="Carol", password=PASSWORD, by=BY)
        make_administrator(self.carol, by=BY)
        self.mallory = people.create(email="mallory@example.com", name="<script>alert(1)</script>", by=BY)
        self.eve = people.suspend(people.create(email="eve@example.com", password=PASSWORD, by=BY), by=BY)
        self.chat = people.create(email="chat@example.com", is_human=False, by=BY)
        User.objects.filter(pk=self.chat.pk).update(password=self.alice.password)  # as if by hand: it must not matter

    def signed_in(self, person: User, **more: Any) -> Client:
        """Return a browser in which somebody is signed in."""
        hours = timedelta(hours=2)
        begun = sessions.begin(
            person=person, device="a browser", address="192.0.2.7", lifetime=hours, idle=hours, by=BY
        )
        browser = Client(**more)
        browser.cookies[settings.AUTHZ_COOKIE_NAME] = begun.token
        return browser


def sign_in(browser: Client, email: str = "alice@example.com", password: str = PASSWORD, **more: str):
    """Send the form, and return the answer."""
    address = more.pop("address", "192.0.2.7")
    return browser.post("/login", {"email": email, "password": password, **more}, REMOTE_ADDR=address)
