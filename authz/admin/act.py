"""What an administrator does to rows after being asked: suspend, revoke, end, remove."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django import forms
from django.contrib import messages
from django.contrib.admin import helpers
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from unfold.widgets import UnfoldAdminTextInputWidget

from authz.admin.refused import words
from authz.admin.who import actor
from authz.changes.change import change
from authz.errors import AuthzError

NAMED = 20
"""Rows that the question names one by one."""


class Reason(forms.Form):
    """Asks why."""

    reason = forms.CharField(
        required=False,
        max_length=300,
        help_text="Why; it is written in the book.",
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )


class Secret(NamedTuple):
    """A text that is shown once and kept nowhere."""

    title: str
    text: str
    advice: str


@dataclass(frozen=True, slots=True)
class Act:
    """Something that is done to rows, and how it is asked."""

    title: str
    """What it is called, on its button and above its question."""
    warning: str
    """What follows from it."""
    do: Callable[..., Any]
    """The verb: called for each row with `by` and with what the form asked."""
    done: str
    """What is said afterwards; {n} is the number of rows."""
    asks: type[forms.Form] = forms.Form
    danger: bool = True
    takes_along: tuple[str, ...] = ()
    """Relations whose rows go as well; they are counted."""
    warns: Callable[[Sequence[Any]], str] | None = None
    """Says what else follows for just these rows; an empty text if nothing does."""
    shows: Callable[[Any], Secret] | None = None
    """Makes of what the verb returned a text that is shown once."""


def ask(screen: Any, request: HttpRequest, act: Act, rows: Sequence[Model], *, back: str) -> HttpResponse:  # noqa: ANN401  an admin without types
    """Ask whether to act on these rows; once that is answered, act on all of them in one change, or on none."""
    answered = request.method == "POST" and "_sure" in request.POST
    form = act.asks(request.POST if answered else None)
    if answered and form.is_valid():
        try:
            by = actor(request)
            with change(by):
                made = [act.do(row, by=by, **form.cleaned_data) for row in rows]
        except (AuthzError, ValidationError, IntegrityError) as error:
            for message in words(error):
                form.add_error(None, message)
        else:
            if act.shows is not None:
                return show_once(screen, request, act.shows(made[0]), back=back)
            screen.message_user(request, act.done.format(n=len(rows)), messages.SUCCESS)
            return HttpResponseRedirect(back)
    context = {
        **screen.admin_site.each_context(request),
        "title": act.title,
        "subtitle": str(rows[0]) if len(rows) == 1 else None,
        "original": rows[0] if len(rows) == 1 else None,
        "opts": screen.opts,
        "act": act,
        "warning": act.warns(rows) if act.warns is not None else "",
        "form": form,
        "rows": rows[:NAMED],
        "more": max(0, len(rows) - NAMED),
        "counts": counts(rows, act.takes_along),
        "back": back,
        "hidden": [
            (name, value)
            for name in ("action", "select_across", helpers.ACTION_CHECKBOX_NAME)
            for value in request.POST.getlist(name)
        ],
    }
    return TemplateResponse(request, "admin/ask.html", context)


def show_once(screen: Any, request: HttpRequest, secret: Secret, *, back: str) -> HttpResponse:  # noqa: ANN401  an admin without types
    """Show a secret in this one answer, which no cache may keep."""
    context = {
        **screen.admin_site.each_context(request),
        "title": secret.title,
        "subtitle": None,
        "opts": screen.opts,
        "secret": secret,
        "back": back,
    }
    return TemplateResponse(request, "admin/once.html", context, headers={"Cache-Control": "no-store"})


def counts(rows: Sequence[Model], relations: tuple[str, ...]) -> list[str]:
    """Return how many related rows there are, in words, leaving out what there is none of."""
    found = []
    for name in relations:
        relation = rows[0]._meta.get_field(name)  # noqa: SLF001  Django's public name for it
        related = relation.related_model._meta  # type: ignore[union-attr]  # noqa: SLF001  a relation, and public
        number = related.default_manager.filter(**{f"{relation.field.name}__in": rows}).count()  # type: ignore[union-attr]
        if number:
            found.append(f"{number} {related.verbose_name if number == 1 else related.verbose_name_plural}")
    return found
