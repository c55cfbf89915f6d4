"""The screen of trusted issuers: whose JWTs are accepted."""

import json
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from audit.context import Actor
from authz.admin.act import Act
from authz.admin.base import VerbAdmin
from authz.admin.columns import several
from authz.admin.decorators import badge
from authz.admin.fields import LinesField, checked
from authz.admin.forms import VerbForm
from authz.changes import issuers
from authz.formats.jwk_sets import parse_jwk_set
from authz.formats.labels import parse_label
from authz.models import Issuer
from authz.models.issuer import default_algorithms

FIELDS = ("name", "issuer", "audiences", "claim", "algorithms", "jwks_url", "jwks", "id_tokens", "enabled")


class IssuerForm(VerbForm):
    """Trusts or edits an issuer."""

    audiences = LinesField(
        help_text="Accepted aud claims, one per line; a token for anybody else is refused.",
        error_messages={"required": "Name at least one: a token for somebody else must not open anything here."},
    )
    algorithms = forms.MultipleChoiceField(
        label="Signatures",
        choices=[(name, name) for name in issuers.ALGORITHMS],
        initial=default_algorithms,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text="Only signatures with a public key; a shared secret is never accepted.",
    )

    def clean_name(self) -> str:
        """Return the name as it can be shown."""
        return checked(parse_label, self.cleaned_data["name"])

    def clean_jwks_url(self) -> str:
        """Refuse an address that anybody on the way could answer for."""
        url: str = self.cleaned_data["jwks_url"].strip()
        if url and not issuers.is_safe_address(url):
            message = "This is not an https address; keys fetched in the clear could be anybody's."
            raise ValidationError(message)
        return url

    def clean_jwks(self) -> str:
        """Refuse what is not a set of public keys."""
        text: str = self.cleaned_data["jwks"].strip()
        return checked(lambda given: json.dumps(parse_jwk_set(given)), text) if text else ""

    def clean(self) -> dict[str, Any]:
        """Refuse both kinds of keys, and none."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not {"jwks_url", "jwks"} & self.errors.keys():
            if cleaned["jwks_url"] and cleaned["jwks"]:
                self.add_error("jwks", "Give either the address of the keys or the keys themselves, not both.")
            elif not cleaned["jwks_url"] and not cleaned["jwks"]:
                self.add_error("jwks_url", "Give the address of the issuer's keys, or the keys themselves below.")
        return cleaned


REMOVE = Act(
    title="Delete",
    warning="Its tokens are refused from the next request on. To switch it off can be undone.",
    do=issuers.remove,
    done="Deleted: {n}.",
)


class Issuers(VerbAdmin[Issuer]):
    """Trusted issuers."""

    form = IssuerForm
    blames = "issuer"
    removal = REMOVE
    list_display = ("name", "issuer", "for_whom", "keys", "taken", "state")
    list_filter = ("enabled", "id_tokens")
    search_fields = ("name", "issuer")
    search_help_text = "Search by name or iss claim"
    actions = ("remove_selected",)
    fieldsets = (
        (None, {"fields": ("name", "issuer", "audiences", "claim", "id_tokens", "enabled")}),
        ("Keys", {"fields": ("jwks_url", "jwks", "algorithms")}),
    )
    for_whom = several("audiences", "audiences", none="none")

    def create(self, form: VerbForm, by: Actor) -> Issuer:
        """Accept an issuer's tokens."""
        return issuers.trust(**{name: form.cleaned_data[name] for name in FIELDS}, by=by)

    def edit(self, row: Issuer, form: VerbForm, by: Actor) -> Issuer:
        """Change what is expected of its tokens, or switch it on or off."""
        return issuers.edit(row, by=by, **form.wanted())

    def in_the_book(self, row: Issuer) -> tuple[str, ...]:
        """Return its iss claim."""
        return (row.issuer,)

    @badge("state", ordering="enabled", on="success", off="danger")
    def state(self, issuer: Issuer) -> str:
        """Return whether its tokens are accepted."""
        return "on" if issuer.enabled else "off"

    @badge("tokens", ordering="id_tokens", **{"access tokens": "success", "ID tokens too": "warning"})
    def taken(self, issuer: Issuer) -> str:
        """Return which of its tokens are taken; ID tokens are meant for an application and no proof of access."""
        return "ID tokens too" if issuer.id_tokens else "access tokens"

    @admin.display(description="keys")
    def keys(self, issuer: Issuer) -> str:
        """Return where its keys come from."""
        return issuer.jwks_url or "pasted"

    @admin.action(description="Delete")
    def remove_selected(self, request: HttpRequest, queryset: QuerySet[Issuer]) -> HttpResponse | None:
        """Delete several."""
        return self.act_on_all(request, queryset, REMOVE)
