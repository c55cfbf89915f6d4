"""What is asked about a key, and about its rotation."""

from datetime import timedelta
from functools import partial
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.utils import timezone
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from authz.admin.fields import checked
from authz.admin.forms import VerbForm
from authz.admin.search import SearchMany
from authz.decisions.names import fold
from authz.decisions.scopes import ADMINISTER, CONNECTIONS, EXPLAIN, GROUPS_CHECK, GROUPS_READ, ONE_SERVER, SCIM, USE
from authz.formats.labels import parse_label
from authz.models import Grant, Server

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OVERLAPS = {
    "0": ("not at all: it stops at once", timedelta()),
    "1h": ("1 hour", HOUR),
    "1d": ("1 day", DAY),
    "7d": ("7 days", 7 * DAY),
    "30d": ("30 days", 30 * DAY),
}
RIGHTS: Final = (
    (USE, "use: every server its owner may use"),
    (ADMINISTER, "administer: what its owner may administer"),
    (GROUPS_CHECK, "groups:check: who is in a group"),
    (GROUPS_READ, "groups:read: which groups somebody is in"),
    (EXPLAIN, "explain: decisions explained, and searches"),
    (CONNECTIONS, "connections: to see and end them"),
)


class ScopesForm(VerbForm):
    """Asks for scopes as a list of rights and a choice of servers."""

    rights = forms.MultipleChoiceField(
        label="Scopes",
        choices=RIGHTS,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text="A key never opens more than its owner may.",
    )
    servers = forms.ModelMultipleChoiceField(
        label="Only these servers",
        queryset=Server.objects.exclude(kind=Server.Kinds.PORTAL),
        required=False,
        # The widget asks for servers the way a grant's form does; a key has no such relation of its own.
        widget=SearchMany(Grant._meta.get_field("server"), admin.site),  # noqa: SLF001  Django's public name for it
        help_text="Instead of use: the key opens only these of its owner's servers.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  Django's own
        """Split the scopes that the key has."""
        super().__init__(*args, **kwargs)
        held: list[str] = self.instance.scopes or []
        names = {fold(scope[len(ONE_SERVER) :]): scope for scope in held if scope.startswith(ONE_SERVER)}
        found = list(Server.objects.filter(folded__in=names)) if names else []
        self.lost = sorted(names[name] for name in names.keys() - {server.folded for server in found})
        """Scopes for servers that are no longer there, or have another name now."""
        self.provisions = [scope for scope in held if scope.startswith(SCIM)]
        """Scopes of a directory's token, which is issued with the directory and only kept here."""
        if "rights" in self.fields:
            self.fields["rights"].initial = [scope for scope in held if not scope.startswith((ONE_SERVER, SCIM))]
            self.fields["servers"].initial = found

    def clean(self) -> dict[str, Any]:
        """Put the scopes together."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "rights" in cleaned and "servers" in cleaned:
            if USE in cleaned["rights"] and cleaned["servers"]:
                self.add_error("servers", "The scope use opens every server already; choose either it or single ones.")
            single = [f"{ONE_SERVER}{server.name}" for server in cleaned.get("servers", ())]
            cleaned["scopes"] = [*cleaned["rights"], *single, *self.lost, *self.provisions]
            if not cleaned["scopes"]:
                self.add_error("rights", "A key without a scope opens nothing; choose at least one.")
        return cleaned


class KeyForm(ScopesForm):
    """Issues or edits a key."""

    def clean_name(self) -> str:
        """Return the name as it can be shown."""
        return checked(partial(parse_label, what="key name"), self.cleaned_data["name"])

    def clean_until(self) -> Any:  # noqa: ANN401  a moment or None
        """Refuse a new key that would have ended already."""
        until = self.cleaned_data["until"]
        if self.instance.pk is None and until is not None and until <= timezone.now():
            message = "This moment has passed."
            raise ValidationError(message)
        return until

    def wanted(self) -> dict[str, Any]:
        """Return the scopes as the verb takes them."""
        wanted = super().wanted()
        if {"rights", "servers"} & wanted.keys():
            wanted["scopes"] = self.cleaned_data["scopes"]
        return {name: value for name, value in wanted.items() if name in {"name", "until", "scopes"}}


class Overlap(forms.Form):
    """Asks how long the old key still works."""

    overlap = forms.ChoiceField(
        label="The old key still works for",
        choices=[(name, label) for name, (label, _) in OVERLAPS.items()],
        initial="1d",
        widget=UnfoldAdminSelectWidget(),
        help_text="Long enough to put the new one everywhere; if the old one has leaked: not at all.",
    )
