"""What it means to forget a directory: everything that it gave is taken back, and its people stay, suspended."""

from authz.changes.steps import GroupStep
from authz.directory.known import Known
from authz.directory.plan import Plan
from authz.directory.planned_people import going

REMOVED = "their directory was removed"


def plan_removal(known: Known) -> Plan:
    """Return the steps; whoever the directory owned is suspended until somebody decides what becomes of them."""
    return Plan(
        groups=tuple(
            GroupStep(key, group.row, group.group, gone=True, label=group.name)
            for key, group in sorted(known.groups.items())
        ),
        people=tuple(going(person, REMOVED) for _, person in sorted(known.people.items())),
        names={group.group: group.ours for group in known.groups.values() if group.group is not None},
    )
