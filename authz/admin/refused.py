"""Carries what a verb refuses to the field of the form that it is about."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import ValidationError
from django.db import IntegrityError

from authz.errors import AuthzError

OPENERS = frozenset({"a", "after", "an", "every", "give", "name", "not", "the", "this"})
"""Words of ours that open a sentence; any other first word is a name, and keeps its case."""

MEANWHILE = "Somebody else has just saved something that this contradicts. Look at the list, and try again."


class Refused(Exception):
    """A verb said no: nothing was saved, and the form is shown again with the reason."""

    def __init__(self, messages: list[str], *, prefix: str | None, field: str | None) -> None:
        """Keep what was said, the prefix of the form it is about, and the field."""
        super().__init__(*messages)
        self.messages, self.prefix, self.field = messages, prefix, field


@contextmanager
def placed(prefix: str | None = None, field: str | None = None) -> Iterator[None]:
    """Turn every refusal inside into one that knows its form and its field; an inner one keeps its own place."""
    try:
        yield
    except (AuthzError, ValidationError, IntegrityError) as error:
        raise Refused(words(error), prefix=prefix, field=field) from error


def words(error: Exception) -> list[str]:
    """Return what an error says, as whole sentences."""
    if isinstance(error, IntegrityError):
        return [MEANWHILE]
    return list(error.messages) if isinstance(error, ValidationError) else [sentence(str(error))]


def sentence(text: str) -> str:
    """Return a message as a sentence: a capital and a full stop."""
    first = text.partition(" ")[0]
    text = text[:1].upper() + text[1:] if first in OPENERS else text
    return text if text.endswith((".", "!", "?")) else f"{text}."
