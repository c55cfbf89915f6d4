"""The screen of trusted proxies: whose word about a request is taken."""

import secrets
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminRadioSelectWidget

from audit.context import Actor
from authz.admin.act import Act, Secret, show_once
from authz.admin.base import VerbAdmin
from authz.admin.columns import several
from authz.admin.decorators import badge
from authz.admin.fields import LinesField, checked
from authz.admin.forms import VerbForm
from authz.changes import proxies
from authz.formats.labels import parse_label
from authz.formats.networks import parse_network
from authz.models import Proxy

KEEP, GENERATE, ENTER, NONE = "keep", "generate", "enter", "none"
CHOICES = {
    KEEP: "Leave it as it is",
    GENERATE: "Generate one, and show it once",
    ENTER: "Use the one below",
    NONE: "None: the networks alone tell who it is",
}


class ProxyForm(VerbForm):
    """Trusts or edits a proxy."""

    networks = LinesField(
        parse=parse_network,
        required=False,
        help_text="Those it connects from, such as 10.1.0.0/16, one per line. With a secret as well, both must hold.",
    )
    shared = forms.ChoiceField(label="Shared secret", choices=(), widget=UnfoldAdminRadioSelectWidget())
    text = forms.CharField(
        label="Secret",
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"}),
        help_text=f"At least {proxies.SHORTEST_SECRET} printable ASCII characters; it is sent with each request.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  Django's own
        """Offer to keep the secret only where there is one, or none by choice."""
        super().__init__(*args, **kwargs)
        offered = [name for name in CHOICES if name != KEEP or self.instance.pk is not None]
        shared = self.fields["shared"]
        if isinstance(shared, forms.ChoiceField):
            shared.choices = [(name, CHOICES[name]) for name in offered]
            shared.initial = offered[0]

    def clean_name(self) -> str:
        """Return the name as it can be shown."""
        return checked(lambda text: parse_label(text, what="proxy name"), self.cleaned_data["name"])

    def clean(self) -> dict[str, Any]:
        """Refuse a weak secret, a proxy without any proof, and networks that are everybody."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        shared, text = cleaned.get("shared"), cleaned.get("text", "")
        if shared == ENTER and not proxies.is_secret(text):
            self.add_error("text", f"Enter at least {proxies.SHORTEST_SECRET} printable ASCII characters.")
        if text and shared != ENTER:
            self.add_error("text", "Choose to use it above, or leave it empty.")
        for each in cleaned.get("networks", ()):
            if problem := proxies.problem_of(each):
                self.add_error("networks", f"{problem}.")
        guarded = shared in {None, GENERATE, ENTER} or (shared == KEEP and self.instance.secret)
        if not guarded and "networks" in cleaned and not cleaned["networks"]:
            self.add_error("networks", "A proxy is trusted by a secret, a network, or both; give one.")
        return cleaned

    def new_secret(self) -> str | None:
        """Return the new secret's text, "" for none, or None to keep what is there."""
        if self.cleaned_data["shared"] == GENERATE:
            generated = secrets.token_urlsafe(32)
            self.instance.generated = generated
            return generated
        kept: dict[str, str | None] = {KEEP: None, ENTER: self.cleaned_data["text"], NONE: ""}
        return kept[self.cleaned_data["shared"]]


REMOVE = Act(
    title="Delete",
    warning="What it forwards is refused from the next request on. To switch it off can be undone.",
    do=proxies.remove,
    done="Deleted: {n}.",
)


class Proxies(VerbAdmin[Proxy]):
    """Trusted proxies."""

    form = ProxyForm
    blames = "name"
    removal = REMOVE
    list_display = ("name", "proof", "only_from", "state")
    list_filter = ("enabled",)
    search_fields = ("name",)
    search_help_text = "Search by name"
    actions = ("remove_selected",)
    fieldsets = (
        (None, {"fields": ("name", "networks", "enabled")}),
        ("Secret", {"fields": ("shared", "text")}),
    )
    add_fieldsets = ((None, {"fields": ("name", "networks")}), fieldsets[1])
    only_from = several("networks", "networks", none="any")

    def create(self, form: ProxyForm, by: Actor) -> Proxy:
        """Trust a proxy."""
        asked = {name: form.cleaned_data[name] for name in ("name", "networks")}
        return proxies.trust(**asked, secret=form.new_secret() or "", by=by)

    def edit(self, row: Proxy, form: ProxyForm, by: Actor) -> Proxy:
        """Change a proxy."""
        wanted = {name: value for name, value in form.wanted().items() if name in {"name", "networks", "enabled"}}
        return proxies.edit(row, by=by, new_secret=form.new_secret(), **wanted)

    def response_add(self, request: HttpRequest, obj: Proxy, post_url_continue: str | None = None) -> HttpResponse:
        """Show a generated secret, once."""
        return self.shown(request, obj) or super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Proxy) -> HttpResponse:
        """Show a generated secret, once."""
        return self.shown(request, obj) or super().response_change(request, obj)

    def shown(self, request: HttpRequest, obj: Proxy) -> HttpResponse | None:
        """Return the page with the secret that was just generated, if one was."""
        text: str | None = getattr(obj, "generated", None)
        if text is None:
            return None
        secret = Secret(f"The secret of {obj}", text, "Set it in the proxy's configuration.")
        return show_once(self, request, secret, back=self.address("change", obj.pk))

    @badge("state", ordering="enabled", on="success", off="danger")
    def state(self, proxy: Proxy) -> str:
        """Return whether its word is taken."""
        return "on" if proxy.enabled else "off"

    @admin.display(description="secret")
    def proof(self, proxy: Proxy) -> str:
        """Return whether it has to send a secret."""
        return "yes" if proxy.secret else "no"

    @admin.action(description="Delete")
    def remove_selected(self, request: HttpRequest, queryset: QuerySet[Proxy]) -> HttpResponse | None:
        """Delete several."""
        return self.act_on_all(request, queryset, REMOVE)
