"""What one client does keeps nobody else waiting for longer than it has to."""

import threading
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from django.db import connection

from authz.api.scim.patching import refuse_many
from authz.changes import people
from tests.directory.scim.pushing import BY, person
from tests.patience import HANG

ROLES = [{"value": f"r{number}"} for number in range(200)]


class Pause:
    """A PATCH of another thread, which stops in the middle of working out what comes of it."""

    def __init__(self) -> None:
        self._steps, self._reached, self._over = count(), threading.Event(), threading.Event()

    def step(self) -> None:
        """Stop, if this is the middle."""
        if threading.current_thread() is not threading.main_thread() and next(self._steps) == 10:
            self._reached.set()
            self._over.wait(HANG)

    def wait(self) -> None:
        """Return when it has stopped."""
        assert self._reached.wait(HANG)

    def end(self) -> None:
        """Let it go on."""
        self._over.set()


@pytest.fixture
def pause(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pause]:
    """Let the next PATCH of another thread stop in the middle."""
    made = Pause()

    def refused(said: Any) -> None:
        made.step()
        refuse_many(said)

    monkeypatch.setattr("authz.api.scim.users.refuse_many", refused)  # house: itself, with a pause before it
    yield made
    made.end()


@pytest.mark.django_db(transaction=True)
def test_a_long_patch_keeps_nobody_waiting(okta: Any, pause: Pause) -> None:
    """What it makes of somebody is worked out before anybody else is kept from changing anything."""
    key = okta.user("alice", roles=ROLES)
    zoe = people.create(email="zoe@example.com", by=BY)
    operations = [
        {"op": "replace", "path": f'roles[value eq "r{number}"].type', "value": str(number)} for number in range(100)
    ]
    found: list[Any] = []

    def patch() -> None:
        try:
            found.append(okta.patch(f"Users/{key}", *operations))
        finally:
            connection.close()

    patching = threading.Thread(target=patch)
    patching.start()
    pause.wait()
    for number in range(6):
        people.edit(zoe, name=f"Zoe {number}", by=BY)
    assert [] == found
    pause.end()
    patching.join(HANG)
    assert not patching.is_alive()
    assert 200 == found[0].status_code, found[0].said
    assert {"r99": "99"} == {each["value"]: each["type"] for each in found[0].said["roles"] if each["value"] == "r99"}
    assert "Zoe 5" == person("zoe").name


@pytest.mark.django_db(transaction=True)
def test_a_patch_is_worked_out_anew_if_somebody_else_was_faster(okta: Any, pause: Pause) -> None:
    """Both are there then."""
    key = okta.user("alice", roles=ROLES)
    slow = [
        {"op": "replace", "path": f'roles[value eq "r{number}"].type', "value": str(number)} for number in range(50)
    ]
    found: list[Any] = []

    def patch() -> None:
        try:
            found.append(okta.patch(f"Users/{key}", *slow))
        finally:
            connection.close()

    patching = threading.Thread(target=patch)
    patching.start()
    pause.wait()
    for title in range(5):
        assert 200 == okta.patch(f"Users/{key}", {"op": "replace", "path": "title", "value": str(title)}).status_code
    assert [] == found
    pause.end()
    patching.join(HANG)
    assert not patching.is_alive()
    assert 200 == found[0].status_code, found[0].said
    said = okta.get(f"Users/{key}").said
    assert ("4", "49") == (said["title"], said["roles"][49]["type"])
