"""Keeps a form that was opened a while ago from undoing what somebody else saved since.

A form carries, for each of its fields, a fingerprint of the value that it was filled with. When it is saved, inside the
change, the row is read anew: a field that the form would set, and whose value is no longer the one that was shown, is
refused by name. Fields that both would set alike, and fields that the form leaves alone, are nobody's conflict.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.utils import timezone
from django.utils.crypto import salted_hmac

from authz.errors import Conflict

if TYPE_CHECKING:
    from authz.admin.forms import VerbForm

NAME: Final = "shown"
"""The name under which a form sends the fingerprints back."""
MOST: Final = 16_384
"""Characters that the fingerprints of one form may have."""
SAID: Final = 80
"""Characters of a value that a refusal quotes."""


def fingerprints(form: "VerbForm") -> str:
    """Return what a form shows of its row: its fields, and a keyed hash of each one's value, as JSON."""
    return json.dumps(dict(_each(form)), separators=(",", ":"))


def _each(form: "VerbForm") -> Iterator[tuple[str, str]]:
    for name, field in form.fields.items():
        if not field.disabled:
            value = _plain(form.get_initial_for_field(field, name))
            yield name, salted_hmac("authz.admin.stale", value, algorithm="sha256").hexdigest()[:16]


def _plain(value: object) -> str:
    """Return one text for one value, however it is held; sets and rows have no order."""
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True, default=str)
    if isinstance(value, list | tuple | set):
        return json.dumps(sorted(str(getattr(each, "pk", each)) for each in value))
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat() if timezone.is_aware(value) else value.isoformat()
    return "" if value is None else str(value)


def refuse_stale(form: "VerbForm", *, removing: bool = False) -> None:
    """Raise Conflict if a form would undo what it did not show; to be called inside the change, which nobody overtakes.

    With `removing`, any value that it did not show counts, for all of them go.
    """
    row = type(form.instance)._default_manager.filter(pk=form.instance.pk).first()  # noqa: SLF001  public
    if row is None:
        message = "Somebody has deleted this meanwhile."
        raise Conflict(message)
    now = type(form)(form.data, form.files, instance=row, prefix=form.prefix)
    shown = _sent(form)
    touched = now.fields if removing else now.changed_data
    differing = [name for name, is_now in _each(now) if name in touched and shown.get(name) != is_now]
    if differing:
        what = "; ".join(_told(now, name) for name in differing)
        message = f"Somebody has changed this since you opened it: {what}. Nothing was saved. Open the page again."
        raise Conflict(message)


def _sent(form: "VerbForm") -> dict[str, Any]:
    """Return the fingerprints that came back; none if they are missing or unreadable, so that everything differs."""
    text = form.data.get(form.add_prefix(NAME), "")
    if len(text) > MOST:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _told(form: "VerbForm", name: str) -> str:
    """Return a field and its value as it is now."""
    field = form.fields[name]
    label = str(field.label or name.replace("_", " ").capitalize())
    if isinstance(field.widget, forms.PasswordInput):
        return f"{label} is another one"
    text = _in_words(field, form.get_initial_for_field(field, name))
    return f"{label} is now {text[:SAID] + '…' if len(text) > SAID else text}"


def _in_words(field: forms.Field, value: Any) -> str:  # noqa: ANN401  whatever a field holds
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, dict):
        value = [f"{name}={each}" for name, each in value.items()]
    if isinstance(value, list | tuple | set):
        value = ", ".join(str(each) for each in value)
    if isinstance(field, forms.ModelChoiceField) and value is not None:
        value = field.queryset.filter(pk=getattr(value, "pk", value)).first() if field.queryset is not None else value
    elif isinstance(field, forms.ChoiceField) and not isinstance(field, forms.MultipleChoiceField):
        value = dict(tuple(field.choices)).get(value, value)  # type: ignore[arg-type]  # pairs, in every form of ours
    text = str(value if value is not None else "")
    return f'"{text}"' if text else "empty"
