"""A writer that is killed at any instant leaves a change and its entry both, or neither."""

import json
import random
import time

import pytest

from tests.peers.portal import PortalFactory

ROUNDS = 6
WRITER = """
import sys
from audit.context import Actor
from authz.changes import groups, memberships, people
from authz.models import Group, User
by = Actor.command("writer")
n = User.objects.count()
group = Group.objects.filter(name="sales").first() or groups.create(name="sales", by=by)
print("ready", flush=True)
while True:
    n += 1
    person = people.create(email=f"person{n}@example.com", by=by)
    memberships.give(person=person, group=group, by=by)
    print("done", n, flush=True)
"""
READER = """
import json
from audit.models import Entry
from authz.lookups.build import build
from authz.models import Change, Membership, Revision, User
from audit.verify import verify_book
world = build()
print(json.dumps({
    "people": sorted(User.objects.values_list("email", flat=True)),
    "told": sorted(Entry.objects.filter(kind="person.created").values_list("subject", flat=True)),
    "memberships": Membership.objects.count(),
    "given": Entry.objects.filter(kind="membership.given").count(),
    "revision": Revision.objects.get().n,
    "changes": list(Change.objects.order_by("revision").values_list("revision", flat=True)),
    "revisions_told": list(Entry.objects.order_by("number").values_list("revision", flat=True)),
    "world": [len(world.people), len(world.direct)],
    "broken": str(verify_book().broken),
}))
"""


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_killed_writer_leaves_change_and_entry_both_or_neither(portal: PortalFactory, database: str) -> None:
    """Killed again and again in mid-write: no row without its entry, no entry without its row, nothing done is lost."""
    here = portal(database=database)
    chance = random.Random(database)  # noqa: S311  when to kill, not whom
    done = 0
    for killed in range(1, ROUNDS + 1):
        writer = here.start("shell", "-c", WRITER)
        writer.wait_for_words("ready")
        writer.wait_for(lambda: writer.said().count("done") >= 2, "two changes")  # noqa: B023  called at once
        time.sleep(chance.uniform(0, 0.3))  # at any instant
        writer.stop(kill=True)
        acknowledged = [int(line.split()[1]) for line in writer.said().splitlines() if line.startswith("done")]
        done = max([done, *acknowledged])

        found = json.loads(here.manage("shell", "-c", READER).stdout.splitlines()[-1])
        assert found["people"] == found["told"]
        assert found["memberships"] == found["given"]
        assert 0 <= len(found["people"]) - found["memberships"] <= killed  # each kill may come between the two verbs
        assert done <= len(found["people"]) <= done + 1
        assert list(range(1, found["revision"] + 1)) == found["changes"] == found["revisions_told"]
        assert [len(found["people"]), found["memberships"]] == found["world"]
        assert "None" == found["broken"]
    assert done > ROUNDS
