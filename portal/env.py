"""Reads the environment, and fails loudly on a value it cannot understand."""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off", ""})


def text(name: str, *, default: str = "") -> str:
    """Return the variable as it stands, or `default` where it is not set."""
    return os.environ.get(name, default)


def flag(name: str, *, default: bool) -> bool:
    """Return a yes or no: 1/0, true/false, yes/no, on/off, in any case."""
    if (value := os.environ.get(name)) is None:
        return default
    if value.strip().lower() in TRUE:
        return True
    if value.strip().lower() in FALSE:
        return False
    message = f"{name} is {value!r}; it must be 1 or 0, true or false, yes or no, on or off"
    raise ImproperlyConfigured(message)


def integer(name: str, *, default: int, least: int = 0) -> int:
    """Return a whole number of at least `least`."""
    if (value := os.environ.get(name)) is None:
        return default
    try:
        number = int(value)
    except ValueError:
        message = f"{name} is {value!r}; it must be a whole number"
        raise ImproperlyConfigured(message) from None
    if number < least:
        message = f"{name} is {number}; it must be at least {least}"
        raise ImproperlyConfigured(message)
    return number


def seconds(name: str, *, default: int, least: int = 1) -> int:
    """Return a length of time in whole seconds."""
    return integer(name, default=default, least=least)


def words(name: str, *, default: str = "") -> list[str]:
    """Return a comma-separated list, without empty items."""
    return [word for part in text(name, default=default).split(",") if (word := part.strip())]


def choice(name: str, *, default: str, among: tuple[str, ...]) -> str:
    """Return one of the words in `among`."""
    value = text(name, default=default).strip().lower()
    if value not in among:
        message = f"{name} is {value!r}; it must be one of {', '.join(among)}"
        raise ImproperlyConfigured(message)
    return value


def secret(name: str, *, default: str = "") -> str:
    """Return a secret from `name`, or from the file that `name`_FILE points to (not both)."""
    path = os.environ.get(f"{name}_FILE")
    if path is None:
        return os.environ.get(name, default)
    if name in os.environ:
        message = f"{name} and {name}_FILE are both set; set one of them"
        raise ImproperlyConfigured(message)
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        message = f"{name}_FILE points to {path}, which cannot be read: {error.strerror}"
        raise ImproperlyConfigured(message) from error
