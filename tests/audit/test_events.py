"""Every event has its name, its sentence and its place in the manual."""

from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from audit import events
from audit.chain import canonical
from audit.events import KINDS

MANUAL = (Path(__file__).parents[2] / "docs" / "audit.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_is_a_named_frozen_and_documented_value(kind):
    cls = KINDS[kind]
    noun, verb = kind.split(".")
    event = cls(**{each.name: f"the {each.name}" for each in fields(cls)})

    assert f"{noun}_{verb}".title().replace("_", "") == cls.__name__
    assert cls is getattr(events, cls.__name__)
    assert (cls.__doc__ or "").endswith(".")
    assert f"| `{kind}` |" in MANUAL
    assert f"the {cls.about}" == event.subject()
    assert (f"the {cls.towards}" if cls.towards else "") == event.other()
    assert canonical(event.detail())
    assert not hasattr(event, "__dict__")
    with pytest.raises(FrozenInstanceError):
        setattr(event, cls.about, "mallory")


def test_the_manual_tells_of_no_kind_that_is_not_there():
    documented = {line.split("`")[1] for line in MANUAL.splitlines() if line.startswith("| `") and "." in line[:20]}

    assert set(KINDS) == documented


def test_a_grant_tells_everything_it_allows():
    event = events.GrantGiven(
        holder="engineering", holder_kind="group", action="call", server="search", tools=("query", "fetch")
    )

    assert ("engineering", "search", "") == (event.subject(), event.other(), event.verdict())
    assert (
        b'{"action":"call","holder":"engineering","holder_kind":"group","networks":[],"server":"search",'
        b'"tools":["query","fetch"],"until":null}'
    ) == canonical(event.detail())


def test_a_change_tells_what_was_before():
    event = events.PersonChanged(person="alice@example.com", changes={"name": ["Alice", "Alice Liddell"]})

    assert {"person": "alice@example.com", "changes": {"name": ["Alice", "Alice Liddell"]}} == event.detail()
