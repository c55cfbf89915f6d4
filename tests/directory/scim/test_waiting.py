"""What one client does keeps nobody else waiting for longer than it has to."""

import threading
from typing import Any

import pytest
from django.db import connection

from authz.changes import people
from tests.directory.scim.pushing import BY, person

ROLES = [{"value": f"r{number}"} for number in range(200)]


@pytest.mark.django_db(transaction=True)
def test_a_long_patch_keeps_nobody_waiting(okta: Any) -> None:
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

    patching, changes = threading.Thread(target=patch), 0
    patching.start()
    while patching.is_alive():
        people.edit(zoe, name=f"Zoe {changes}", by=BY)
        changes += 1
        patching.join(0.02)
    assert 200 == found[0].status_code, found[0].said
    assert changes > 5
    assert {"r99": "99"} == {each["value"]: each["type"] for each in found[0].said["roles"] if each["value"] == "r99"}
    assert "Zoe" in person("zoe").name


@pytest.mark.django_db(transaction=True)
def test_a_patch_is_worked_out_anew_if_somebody_else_was_faster(okta: Any) -> None:
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
    titles = 0
    while patching.is_alive() and titles < 5:
        assert 200 == okta.patch(f"Users/{key}", {"op": "replace", "path": "title", "value": str(titles)}).status_code
        titles += 1
        patching.join(0.1)
    patching.join()
    assert 200 == found[0].status_code, found[0].said
    said = okta.get(f"Users/{key}").said
    assert (str(titles - 1), "49") == (said["title"], said["roles"][49]["type"])
