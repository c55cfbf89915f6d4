"""The forms of directories, made from what the settings of each kind are and say of themselves."""

from functools import cache
from typing import Any, ClassVar, Literal, get_args, get_origin

from django import forms
from django.core.exceptions import ValidationError
from pydantic import ValidationError as Invalid
from pydantic.fields import FieldInfo
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from authz.admin.fields import LinesField
from authz.admin.forms import VerbForm
from authz.formats.sources import KINDS, NAME, Common, wrong
from authz.models import Source

SECRETS = {"ldap": "Password to read with", "oidc": "Client secret"}
LABELS = {
    "creates_people": "Create people",
    "joins": "People who are here already",
    "mirrors_groups": "Mirror its groups",
    "group_prefix": "Names of its groups begin with",
    "most_share": "Suspend at most (% of its people)",
    "most_number": "Suspend at most (people)",
    "free_number": "Always allowed",
    "most_changed_share": "Rename at most (% of its people)",
    "urls": "Servers",
    "tls": "TLS",
    "insecure": "Passwords in the clear",
    "ca": "CA certificates",
    "flavour": "Kind of server",
    "bind_dn": "DN to read with",
    "people_base": "People are below",
    "people_filter": "Filter of people",
    "groups_base": "Groups are below",
    "groups_filter": "Filter of groups",
    "id_attribute": "Attribute with the lasting id",
    "email_attribute": "Attribute with the e-mail",
    "name_attribute": "Attribute with the name",
    "login_attributes": "Attributes to sign in by",
    "group_name_attribute": "Attribute with a group's name",
    "member_attribute": "Attribute with a group's members",
    "kept_attributes": "Attributes kept for rules",
    "disabled_attribute": "Attribute of whoever is disabled",
    "disabled_values": "Its values that mean disabled",
    "in_chain": "Ask for nested groups at sign-in",
    "page": "Entries at once",
    "patience": "Wait at most (seconds)",
    "every_minutes": "Read changes every (minutes)",
    "full_every_hours": "Read everything every (hours)",
    "client_id": "Client ID",
    "email_claim": "Claim with the e-mail",
    "name_claim": "Claim with the name",
    "groups_claim": "Claim with the groups",
    "kept_claims": "Claims kept for rules",
    "requires_verified_email": "Only verified e-mails",
    "required_acr": "Required acr",
    "recheck_minutes": "Check sessions again every (minutes)",
}
CHOICES = {
    "joins": {
        "never": "refuse and report",
        "link": "join: add memberships only",
        "adopt": "take local people over",
    },
    "flavour": {"openldap": "OpenLDAP, 389 and others", "ad": "Active Directory"},
    "tls": {"verify": "verified", "none": "none: in the clear"},
}
"""What the words of a setting are called where one of them is chosen."""
LONG = {"ca"}
ACTIVE_DIRECTORY = {
    "flavour": "ad",
    "people_filter": "(&(objectCategory=person)(objectClass=user))",
    "groups_filter": "(objectClass=group)",
    "id_attribute": "objectGUID",
    "name_attribute": "displayName",
    "login_attributes": "mail\nsAMAccountName\nuserPrincipalName",
    "in_chain": "on",
}
BEGINNINGS = (
    ("LDAP: OpenLDAP, 389 and others", {"kind": "ldap"}),
    ("LDAP: Active Directory", {"kind": "ldap", **ACTIVE_DIRECTORY}),
    ("OpenID Connect: people sign in at a provider", {"kind": "oidc"}),
    ("SCIM 2.0: a client such as Okta or Entra ID pushes people and groups", {"kind": "scim"}),
)
"""What can be added, and what its form is filled with to begin with."""
COMMON = tuple(Common.model_fields)


class PairsField(LinesField):
    """Names and values, one name=value per line."""

    def prepare_value(self, value: Any) -> Any:  # noqa: ANN401  a mapping from the row, or the text that was sent
        """Return the text to edit."""
        return "\n".join(f"{name}={each}" for name, each in value.items()) if isinstance(value, dict) else value

    def clean(self, value: str | None) -> dict[str, str]:  # type: ignore[override]  # a mapping and not a list
        """Return the pairs."""
        lines = super().clean(value)
        for line in lines:
            if "=" not in line:
                message = f"{line!r} is not of the form name=value."
                raise ValidationError(message)
        return {name.strip(): each.strip() for name, _, each in (line.partition("=") for line in lines)}

    def has_changed(self, initial: Any, data: str | None) -> bool:  # noqa: ANN401  Django's own
        """Tell whether there are other pairs now."""
        return super().has_changed([f"{name}={each}" for name, each in (initial or {}).items()], data)


class SourceForm(VerbForm):
    """What is asked of every directory."""

    kind_of: ClassVar[str] = ""

    kind = forms.CharField(widget=forms.HiddenInput())
    new_secret = forms.CharField(
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"}),
        help_text="Kept encrypted, and never shown again. Empty leaves it as it is.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  Django's own
        """Fill in the settings as they are."""
        super().__init__(*args, **kwargs)
        self.initial["kind"] = self.kind_of
        held = self.instance.settings if self.instance.pk is not None else {}
        for name, info in KINDS[self.kind_of].model_fields.items():
            asked = self.initial.get(name)
            self.initial[name] = (
                asked
                if asked is not None
                else held.get(name, info.get_default(call_default_factory=True) if not info.is_required() else None)
            )
        if self.kind_of in SECRETS:
            self.fields["new_secret"].label = SECRETS[self.kind_of]
        else:
            self.fields.pop("new_secret", None)

    def clean_name(self) -> str:
        """Refuse a name that could not stand in an address."""
        name: str = self.cleaned_data["name"].strip()
        if not NAME.fullmatch(name):
            message = "Small letters, digits and hyphens between them, at most 40 characters."
            raise ValidationError(message)
        return name

    def settings(self) -> dict[str, Any]:
        """Return what was sent, leaving out what was left empty."""
        found = {name: self.cleaned_data.get(name) for name in KINDS[self.kind_of].model_fields}
        return {name: value for name, value in found.items() if value is not None}

    def clean(self) -> dict[str, Any]:
        """Check the settings as a whole; each error stands beside its field."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        try:
            KINDS[self.kind_of].model_validate(self.settings())
        except Invalid as error:
            for name, why in wrong(error):
                field = name.partition(".")[0]
                if field not in self.errors:
                    self.add_error(field if field in self.fields else None, f"{why[:1].upper()}{why[1:]}.")
        return cleaned


@cache
def form_for(kind: str) -> type[SourceForm]:
    """Return the form for a directory of this kind."""
    made = {name: field_for(name, info) for name, info in KINDS[kind].model_fields.items()}
    meta = type("Meta", (), {"model": Source, "fields": ("name", "title", "enabled")})
    return type(f"{kind.title()}Form", (SourceForm,), {"kind_of": kind, "Meta": meta, **made})


def field_for(name: str, info: FieldInfo) -> forms.Field:
    """Return a form field for a setting."""
    options: dict[str, Any] = {
        "label": LABELS.get(name, name.replace("_", " ").capitalize()),
        "help_text": " ".join((info.description or "").replace("`", "").split()),
        "required": info.is_required(),
    }
    kind, inner = info.annotation, get_args(info.annotation)
    if kind is bool:
        return forms.BooleanField(**options, widget=UnfoldBooleanSwitchWidget())
    if get_origin(kind) is Literal:
        called = CHOICES.get(name, {})
        choices = [(each, called.get(each, each)) for each in inner]
        return forms.ChoiceField(**options, choices=choices, widget=UnfoldAdminSelectWidget())
    if get_origin(kind) is list and get_origin(inner[0]) is Literal:
        choices = [(each, each) for each in get_args(inner[0])]
        return forms.MultipleChoiceField(**options, choices=choices, widget=UnfoldAdminCheckboxSelectMultipleWidget())
    if get_origin(kind) is list:
        return LinesField(**options)
    if get_origin(kind) is dict:
        return PairsField(**options)
    if kind in {int, float}:
        field = forms.IntegerField if kind is int else forms.FloatField
        return field(**options, widget=UnfoldAdminIntegerFieldWidget())
    if name in LONG:
        return forms.CharField(**options, widget=UnfoldAdminTextareaWidget(attrs={"rows": 4, "spellcheck": "false"}))
    return forms.CharField(
        **options, widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"})
    )


def fieldsets_for(kind: str, *, new: bool) -> tuple[tuple[str | None, dict[str, Any]], ...]:
    """Return how the form is laid out: what is particular first, the brake last."""
    own = tuple(name for name in KINDS[kind].model_fields if name not in COMMON)
    brake = tuple(name for name in COMMON if name.startswith(("most_", "free_")))
    shared = tuple(name for name in COMMON if name not in brake)
    top = ("kind", "name", "title") if new else ("kind", "title", "enabled", "goes", "read", "next", "addresses")
    secret = ("new_secret",) if kind in SECRETS else ()
    parts: list[tuple[str | None, dict[str, Any]]] = [(None, {"fields": top})]
    if own:
        after = next(place for place, name in enumerate(own, 1) if name in {"bind_dn", "client_id"}) if secret else 0
        parts.append(("How it is reached and read", {"fields": (*own[:after], *secret, *own[after:])}))
    parts += [("Whom it may touch", {"fields": shared}), ("When it waits for approval", {"fields": brake})]
    return tuple(parts)
