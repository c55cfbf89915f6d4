"""A run whose worker is killed at any instant is brought to its end by the next one, and nothing is done twice."""

import json
from typing import Any

import pytest

from tests.patience import eventually, until
from tests.peers.portal import WITH_WORKER, Portal, PortalFactory
from tests.peers.slapd import READER_PASSWORD, dn_of, group_dn, inet, names

pytestmark = pytest.mark.peer("OpenLDAP")

PEOPLE = 600
ADD = """
import json, sys
from audit.context import Actor
from authz.changes import sources
told = json.loads(sys.stdin.read())
sources.add(name="corp", kind="ldap", settings=told["settings"], secret=told["secret"], by=Actor.command("tests"))
"""
HASTE = """
from datetime import timedelta
from django.utils import timezone
from authz.models import Run
Run.objects.filter(state="running").update(leased_until=timezone.now() - timedelta(seconds=1))
"""
READ = """
import json
from audit.models import Entry
from audit.verify import verify_book
from authz.lookups.build import build
from authz.models import Identity, Membership, Run, User
world = build()
print(json.dumps({
    "people": User.objects.filter(source="ldap:corp").count(),
    "told": Entry.objects.filter(kind="person.created").count(),
    "identities": Identity.objects.count(),
    "memberships": Membership.objects.count(),
    "world": sum(len(groups) for groups in world.direct.values()),
    "state": list(Run.objects.order_by("pk").values_list("state", flat=True)),
    "broken": str(verify_book().broken),
}))
"""


@pytest.fixture
def corp(slapd) -> dict[str, Any]:
    """A directory large enough to be killed in the middle of."""
    everybody = [f"p{number:04d}" for number in range(PEOPLE)]
    slapd.load(inet(name) for name in everybody)
    slapd.load(names(f"g{n}", *(dn_of(name) for name in everybody[n::3])) for n in range(3))
    slapd.load([names("all", *(group_dn(f"g{n}") for n in range(3)))])
    settings: dict[str, Any] = slapd.settings
    return settings


def now(here: Portal) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(here.manage("shell", "-c", READ).stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_killed_run_is_brought_to_its_end(portal: PortalFactory, corp: dict[str, Any], database: str) -> None:
    """Killed while it creates people: what was done stays done, each with its entry, and the rest follows."""
    here = portal(database=database)
    here.manage("shell", "-c", ADD, said=json.dumps({"settings": corp, "secret": READER_PASSWORD}))
    seen = [0]
    for _ in range(3):
        worker = here.start("sync_directory", "corp")
        until(lambda: now(here)["people"] > seen[-1])
        worker.stop(kill=True)
        found = now(here)
        seen.append(found["people"])
        assert found["people"] == found["told"] == found["identities"]
        assert "None" == found["broken"]
        assert found["memberships"] == found["world"]
        if found["people"] == PEOPLE + 4:
            break
        here.manage("shell", "-c", HASTE)
    here.manage("sync_directory", "corp")
    found = now(here)
    assert (PEOPLE + 4, PEOPLE + 4, PEOPLE + 2) == (found["people"], found["told"], found["memberships"])
    assert "done" == found["state"][-1]
    assert "None" == found["broken"]


def test_a_worker_reads_what_is_due_by_itself(portal: PortalFactory, corp: dict[str, Any]) -> None:
    """The server, its worker and its schedule, as `make run` starts them: nobody asks, and everybody is there."""
    here = portal()
    here.manage("shell", "-c", ADD, said=json.dumps({"settings": corp, "secret": READER_PASSWORD}))
    here.serve("serve", "--port", "{port}", WITH_WORKER, ready="/readyz")
    eventually(lambda: now(here)["state"], ["done"])
    assert PEOPLE + 4 == now(here)["people"]
