"""The decorators of django-unfold that screens use, with types."""

from collections.abc import Callable
from typing import Any, TypeVar

from unfold.decorators import action, display
from unfold.enums import ActionVariant

F = TypeVar("F", bound=Callable[..., Any])


def button(title: str, *, path: str, icon: str, danger: bool = False) -> Callable[[F], F]:
    """Make a method a button above the form of a row."""
    variant = ActionVariant.DANGER if danger else ActionVariant.DEFAULT
    decorate: Callable[[F], F] = action(description=title, url_path=path, icon=icon, variant=variant)
    return decorate


def badge(title: str, *, ordering: str | None = None, **colours: str) -> Callable[[F], F]:
    """Make a method a column of coloured words."""
    decorate: Callable[[F], F] = display(description=title, ordering=ordering, label=colours)
    return decorate
