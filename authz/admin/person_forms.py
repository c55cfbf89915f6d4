"""What is asked about a person, and about a new one."""

from functools import partial
from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminRadioSelectWidget

from authz.admin.fields import checked
from authz.admin.forms import VerbForm
from authz.formats.emails import parse_email
from authz.formats.labels import parse_label
from authz.models import User

PERSON, SERVICE = "person", "service"


class PersonForm(VerbForm):
    """Edits somebody's name and e-mail."""

    def clean_email(self) -> str:
        """Return the one spelling of the address."""
        return checked(parse_email, self.cleaned_data["email"])

    def clean_name(self) -> str:
        """Return the name as it can be shown."""
        name = self.cleaned_data["name"].strip()
        return checked(partial(parse_label, what="display name"), name) if name else ""


class NewPersonForm(PersonForm):
    """Asks for a person with a first password, or for a service account."""

    kind = forms.ChoiceField(
        choices=[(PERSON, "Person"), (SERVICE, "Service account")],
        initial=PERSON,
        widget=UnfoldAdminRadioSelectWidget(),
        help_text="A service account cannot sign in and is not in the group of everyone; it works with API keys.",
    )
    password = forms.CharField(
        label="First password",
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="At least 12 characters. Empty: they cannot sign in with a password until one is set.",
    )

    def clean(self) -> dict[str, Any]:
        """Refuse a bad password, and any password for a service."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if password := cleaned.get("password"):
            if cleaned.get("kind") == SERVICE:
                self.add_error("password", "A service account has no password; issue it an API key.")
            try:
                validate_password(password, User(email=cleaned.get("email", ""), name=cleaned.get("name", "")))
            except ValidationError as error:
                self.add_error("password", error)
        return cleaned


class NewPassword(forms.Form):
    """Asks for a password, twice."""

    password = forms.CharField(
        label="New password",
        strip=False,
        max_length=1024,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="At least 12 characters, not a common password, and not like the name or the e-mail.",
    )
    again = forms.CharField(
        label="Once more",
        strip=False,
        max_length=1024,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        """Refuse two different ones."""
        cleaned = super().clean() or self.cleaned_data
        if "again" in cleaned and cleaned.get("password") != cleaned["again"]:
            self.add_error("again", "The two passwords differ.")
        return cleaned
