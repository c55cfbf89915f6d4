"""Carol who administers, those she administers, and Mallory; and the watch that only verbs write."""

import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import FrameType
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import Client

from audit.context import Actor
from authz.changes import people, sessions
from authz.changes.administrators import make_administrator
from authz.lookups.build import build
from authz.lookups.current import CURRENT
from authz.models import User

BY = Actor.command("tests")
PASSWORD = "correct horse battery"
WRITING = re.compile(r"\s*(insert|update|delete|replace)\b", re.IGNORECASE)
WRITERS = ("/authz/changes/", "/audit/")


def carol() -> User:
    person = people.create(email="carol@example.com", name="Carol", password=PASSWORD, by=BY)
    make_administrator(person, by=BY)
    return person


def somebody(called: str, **more: Any) -> User:
    wanted: dict[str, Any] = {"name": called} | more
    return people.create(email=f"{called.lower()}@example.com", by=BY, **wanted)


def browser_of(person: User) -> Client:
    """Return a browser in which somebody is signed in."""
    hours = timedelta(hours=2)
    begun = sessions.begin(person=person, device="tests", address="192.0.2.7", lifetime=hours, idle=hours, by=BY)
    client = Client()
    client.cookies[settings.AUTHZ_COOKIE_NAME] = begun.token
    return client


@contextmanager
def world_in_memory() -> Iterator[None]:
    """Keep the World as a process that serves does, as it is now and until this ends."""
    CURRENT.world, CURRENT.looked_at, CURRENT.kept = build(), time.monotonic() + 3600, True  # and never too old
    yield
    CURRENT.kept = False
    CURRENT.forget()


@contextmanager
def only_verbs_write() -> Iterator[None]:
    """Fail on any statement that writes and was asked for neither by a verb nor by the book."""

    def watch(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        assert not WRITING.match(sql) or _a_verb_asks(sys._getframe()), f"Django's admin writes by itself: {sql}"  # noqa: SLF001  the stack is the question
        return execute(sql, *rest)

    with connection.execute_wrapper(watch):
        yield


def _a_verb_asks(frame: FrameType | None) -> bool:
    while frame is not None:
        if any(writer in frame.f_code.co_filename for writer in WRITERS):
            return True
        frame = frame.f_back
    return False
