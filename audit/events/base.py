"""What every event is made of, and how a class becomes one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import ClassVar, TypeVar, dataclass_transform

Changes = Mapping[str, Sequence[object]]
"""Changed fields: name -> [before, after]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, about one thing and perhaps towards another."""

    kind: ClassVar[str] = ""
    about: ClassVar[str] = ""
    towards: ClassVar[str] = ""

    def subject(self) -> str:
        """Return the name of the thing it is about."""
        return str(getattr(self, self.about))

    def other(self) -> str:
        """Return the name of the other thing it touches, or nothing."""
        return str(getattr(self, self.towards)) if self.towards else ""

    def verdict(self) -> str:
        """Return the effect of a decision; every other event has none."""
        return ""

    def detail(self) -> dict[str, object]:
        """Return every field, for JSON."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


KINDS: dict[str, type[Event]] = {}
"""Every kind of event by its name, "noun.verbed"."""

_E = TypeVar("_E", bound=Event)


@dataclass_transform(frozen_default=True, kw_only_default=True)
def event(kind: str, *, about: str, towards: str = "") -> Callable[[type[_E]], type[_E]]:
    """Make a class an event of this kind; `about` and `towards` name the fields that hold its subject and target."""

    def made(plain: type[_E]) -> type[_E]:
        cls = dataclass(frozen=True, slots=True, kw_only=True)(plain)
        cls.kind, cls.about, cls.towards = kind, about, towards
        KINDS[kind] = cls
        return cls

    return made
