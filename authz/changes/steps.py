"""What is to be done to one person or group so that a directory and our tables agree: plain values, made by a plan.

A group of ours is named by its number, or, where it has yet to be made, by its key in the directory.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

Ours = int | str


@dataclass(frozen=True, slots=True)
class PersonStep:
    """What is to be done to one person."""

    key: str
    number: int | None = None
    """Who they are here; None to create them."""
    identity: int | None = None
    """The row by which they are known; None to make one."""
    email: str = ""
    """Their e-mail as far as we may say it: of somebody new, or of somebody whose it changes; otherwise empty."""
    name: str | None = None
    """Their name, likewise; None to leave it."""
    human: bool = True
    adopted: bool = False
    """Whether the directory takes them over from our own keeping."""
    suspended: str = ""
    """Why they are to be suspended; empty to leave them."""
    restored: bool = False
    gone: bool = False
    """Whether the directory no longer has them."""
    known: Mapping[str, object] = field(default_factory=dict)
    """What is to be written to the row by which they are known, by the name of its column."""
    joined: frozenset[str] = frozenset()
    """Keys of the groups there that they are newly in."""
    left: frozenset[str] = frozenset()
    given: Mapping[Ours, str] = field(default_factory=dict)
    """Groups of ours to put them in, each with the reason."""
    removed: frozenset[int] = frozenset()
    """Groups of ours to take them out of, as far as this directory is concerned."""
    explained: Mapping[int, str] = field(default_factory=dict)
    """Groups of ours that they stay in, for another reason than before."""
    label: str = ""
    """What they are called in a report: their e-mail, or whatever there is."""

    @property
    def edits(self) -> bool:
        """Return whether the e-mail or the name of somebody changes who was here before."""
        return self.number is not None and (bool(self.email) or self.name is not None)

    @property
    def grave(self) -> tuple[str, ...]:
        """Return what of this could lock somebody out, in words that an approval can be held against."""
        found = []
        if self.suspended:
            found.append(f"suspend {self.key}")
        found += [f"remove {self.key} from {group}" for group in sorted(self.removed)]
        if self.edits:
            found.append(f"change {self.key} to {self.email} {self.name}")
        return tuple(found)


@dataclass(frozen=True, slots=True)
class GroupStep:
    """What is to be done to one group."""

    key: str
    row: int | None = None
    """The row by which it is known; None to make one."""
    group: int | None = None
    """Ours that mirrors it; None if there is none."""
    mirrored: str = ""
    """The name of a group to be made for it; empty to make none."""
    renamed: str = ""
    """The new name of ours."""
    gone: bool = False
    unmirrored: bool = False
    """Whether it is to be mirrored no longer, though the directory has it."""
    reclaimed: bool = False
    """Whether ours became our own when the directory lost it, and is the directory's again now that it is back."""
    known: Mapping[str, object] = field(default_factory=dict)
    """What is to be written to the row by which it is known, by the name of its column."""
    children: frozenset[str] = frozenset()
    """Keys of the groups there that are newly in it."""
    orphans: frozenset[str] = frozenset()
    """Keys of the groups there that are no longer in it."""
    label: str = ""

    @property
    def grave(self) -> tuple[str, ...]:
        """Return what of this could lock somebody out."""
        found = [f"remove group {self.key}"] if self.gone or self.unmirrored else []
        if self.renamed:
            found.append(f"rename group {self.key} to {self.renamed}")
        return (*found, *(f"unnest {child} from {self.key}" for child in sorted(self.orphans)))
