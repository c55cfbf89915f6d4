"""Compares what a row says with what it shall say."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.db.models import Model


def differences(row: Model, wanted: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the fields that would change, each with its value before and after, in words fit for the book."""
    return {
        name: (plain(getattr(row, name)), plain(value)) for name, value in wanted.items() if getattr(row, name) != value
    }


def assign(row: Model, wanted: Mapping[str, Any]) -> None:
    """Give a row its new values and write these fields alone."""
    for name, value in wanted.items():
        setattr(row, name, value)
    row.save(update_fields=list(wanted))


def plain(value: object) -> Any:  # noqa: ANN401  whatever JSON can hold
    """Return a value as the book writes it: moments in ISO 8601 and UTC, rows by their names."""
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, Model):
        return str(value)
    if isinstance(value, list | tuple):
        return tuple(plain(item) for item in value)
    return value


def moment(value: datetime | None) -> str | None:
    """Return a moment as the book writes it, or None for "never"."""
    return None if value is None else value.astimezone(UTC).isoformat()
