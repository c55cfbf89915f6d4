"""A World built at once holds each number once, however many rows name it."""

from authz.decisions import facts as f
from authz.decisions.built import Everything, built

PEOPLE, GROUPS = range(1000, 1050), range(2000, 2020)


def fresh(number):
    """Return a number as a row brings it: equal to every other, and an object of its own."""
    return int(str(number))


def test_a_million_memberships_hold_no_million_numbers():
    world = built(
        Everything(
            people=[f.PersonIs(fresh(n), f"{n:032x}", f"{n}@example.com", "", True, True) for n in PEOPLE],
            groups=[f.GroupIs(fresh(n), f"group {n}", everyone=False) for n in GROUPS],
            members=[(fresh(p), fresh(g), None if g % 2 else 2e9) for p in PEOPLE for g in GROUPS],
            nests=[(fresh(g), fresh(g + 1)) for g in GROUPS[:-1]],
        )
    )
    one = {number: number for number in (*world.people, *world.groups)}
    named = [
        *world.direct, *world.timed, *world.parents, *world.children,
        *(group for groups in world.direct.values() for group in groups),
        *(group for groups in world.timed.values() for group, _ in groups),
        *(group for groups in (*world.parents.values(), *world.children.values()) for group in groups),
        *(group for groups in world.ancestors.values() for group in groups),
    ]  # fmt: skip

    assert len(named) > 1000
    assert all(number is one[number] for number in named)
