"""The tables of the book: its entries, its head, and how far each spool was read."""

from datetime import UTC, datetime
from typing import ClassVar, NoReturn, Self

from django.db import models

from audit.chain import GENESIS, Link

WIDTH = {"actor_kind": 16, "actor": 512, "address": 64, "subject": 512, "target": 512, "effect": 16}
"""Characters that a column holds; what is longer is cut there, and whole in the detail.

PostgreSQL indexes at most 2,704 bytes, which 512 characters never exceed.
"""


class EntryIsFinal(Exception):
    """Somebody tried to change or delete what is written in the book."""


class EntryQuerySet(models.QuerySet["Entry"]):
    """Entries, which can be read and never rewritten."""

    def update(self, **_: object) -> NoReturn:
        """Refuse."""
        raise EntryIsFinal("an entry of the book cannot be changed")

    def bulk_update(self, *_: object, **__: object) -> NoReturn:
        """Refuse."""
        raise EntryIsFinal("an entry of the book cannot be changed")

    def delete(self) -> NoReturn:
        """Refuse."""
        raise EntryIsFinal("an entry of the book cannot be deleted")

    delete.alters_data = True  # type: ignore[attr-defined]  # Django's mark: no template may call it
    delete.queryset_only = True  # type: ignore[attr-defined]  # Django's mark: not a method of the manager


class Entry(models.Model):
    """One thing that happened.

    The columns before `previous_hash` are what is hashed, under their names; see `content`.
    """

    number = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    kind = models.CharField(max_length=64)
    actor_kind = models.CharField(max_length=WIDTH["actor_kind"])
    actor = models.CharField(max_length=WIDTH["actor"], blank=True)
    address = models.CharField(max_length=WIDTH["address"], blank=True)
    subject = models.CharField(max_length=WIDTH["subject"], blank=True)
    target = models.CharField(max_length=WIDTH["target"], blank=True)
    effect = models.CharField(max_length=WIDTH["effect"], blank=True)
    revision = models.BigIntegerField(null=True)
    detail = models.TextField()
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    objects: ClassVar[models.Manager[Self]] = models.Manager.from_queryset(EntryQuerySet)()

    class Meta:
        base_manager_name = "objects"  # Django's own paths to a row are closed as well
        default_permissions = ("view",)
        ordering = ["-number"]
        verbose_name_plural = "entries"
        indexes = [
            models.Index(fields=["subject", "number"], name="audit_entry_subject"),
            # Decisions are nearly all of the table: an index of the rest is small, and finds changes of any age.
            models.Index(
                fields=["kind", "number"], condition=~models.Q(kind="decision.made"), name="audit_entry_changes"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.kind} {self.subject}"

    def save(self, **_: object) -> NoReturn:
        """Refuse: `record` and `append_many` are the only writers."""
        raise EntryIsFinal("an entry of the book is written by audit.record, and never changed")

    def delete(self, *_: object, **__: object) -> NoReturn:
        """Refuse."""
        raise EntryIsFinal("an entry of the book cannot be deleted")

    def content(self) -> dict[str, object]:
        """Return what is hashed: the same from a row just made and from a row read back, on every database.

        `at` is ISO 8601 in UTC with six digits after the point. `detail` is the stored text, so that nobody has to
        parse JSON and write it again exactly alike in order to check a hash.
        """
        return {
            "number": self.number,
            "at": moment(self.at),
            "kind": self.kind,
            "actor_kind": self.actor_kind,
            "actor": self.actor,
            "address": self.address,
            "subject": self.subject,
            "target": self.target,
            "effect": self.effect,
            "revision": self.revision,
            "detail": self.detail,
        }

    def link(self) -> Link:
        """Return the entry as a link to be checked."""
        return Link(self.number, self.content(), _bytes(self.previous_hash), _bytes(self.hash))


class Head(models.Model):
    """The last entry's number and hash, in one row; whoever locks it may append."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    number = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, default=GENESIS.hex())

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="audit_head_is_one_row")]

    def __str__(self) -> str:
        return f"{self.number} {self.hash}"


class SpoolPosition(models.Model):
    """How many bytes of a spool file are in the book."""

    file = models.CharField(max_length=255, unique=True)
    offset = models.BigIntegerField(default=0)
    drained_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.file} {self.offset}"


def moment(at: datetime) -> str:
    """Return a moment as it is hashed: 2026-01-31T09:30:00.000000Z."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _bytes(text: str) -> bytes:
    """Return the hash that `text` spells in its one spelling, or one that fits nothing."""
    try:
        spelled = bytes.fromhex(text)
    except (TypeError, ValueError):
        return b""
    return spelled if spelled.hex() == text else b""
