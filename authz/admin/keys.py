"""The screen of API keys: issue, rotate, limit and revoke."""

from collections.abc import Collection
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from audit.context import Actor
from authz.admin.act import Act, Reason, Secret, show_once
from authz.admin.base import VerbAdmin
from authz.admin.columns import several, when
from authz.admin.decorators import badge, button
from authz.admin.filters import SOON, Conditions
from authz.admin.forms import VerbForm
from authz.admin.key_forms import OVERLAPS, KeyForm, Overlap
from authz.changes import api_keys
from authz.models import ApiKey


class KeyState(Conditions):
    """By whether a key still works."""

    title = parameter_name = "state"
    conditions: ClassVar = {
        "active": ("active", lambda now: Q(revoked_at=None) & (Q(until=None) | Q(until__gt=now))),
        "soon": (
            "expires within 30 days",
            lambda now: Q(revoked_at=None, until__gt=now, until__lte=now + SOON),
        ),
        "expired": ("expired", lambda now: Q(revoked_at=None, until__lte=now)),
        "revoked": ("revoked", lambda _now: Q(revoked_at__isnull=False)),
        "unused": ("never used", lambda _now: Q(last_used_at=None)),
    }


class OwnerKind(Conditions):
    """By whose key it is."""

    title = parameter_name = "owner"
    conditions: ClassVar = {
        "person": ("person", lambda _now: Q(person__is_human=True)),
        "service": ("service account", lambda _now: Q(person__is_human=False)),
    }


def new_key(issued: api_keys.Issued) -> Secret:
    """Return a new key's text, to be shown once."""
    return Secret(f"A new key for {issued.row.person}", issued.text, "Send it as Authorization: Bearer, or X-API-Key.")


def rotate(key: ApiKey, *, by: Actor, overlap: str) -> api_keys.Issued:
    """Rotate with one of the overlaps that the form offers."""
    return api_keys.rotate(key, overlap=OVERLAPS[overlap][1], by=by)


ROTATE = Act(
    title="Rotate",
    warning="A new key with the same rights takes its place. The new one is shown on the next page, and never again.",
    do=rotate,
    done="Rotated.",
    asks=Overlap,
    danger=False,
    shows=new_key,
)
REVOKE = Act(
    title="Revoke",
    warning="The key is refused from the next request on, for ever.",
    do=api_keys.revoke,
    done="Revoked: {n}.",
    asks=Reason,
)


class Keys(VerbAdmin[ApiKey]):
    """API keys."""

    form = KeyForm
    blames = "name"
    list_display = ("prefix", "name", "person", "state", "limited_to", "expires", "used", "created")
    list_filter = (KeyState, OwnerKind)
    list_select_related = ("person",)
    search_fields = ("prefix", "name", "person__email")
    show_full_result_count = False
    search_help_text = "Search by the key's beginning, its name or its owner"
    autocomplete_fields = ("person",)
    actions = ("revoke_selected",)
    actions_detail = ("rotate", "revoke")
    add_fieldsets = ((None, {"fields": ("person", "name", "rights", "servers", "until")}),)
    fieldsets = (
        (None, {"fields": ("prefix", "person", "name", "rights", "servers", "until")}),
        ("Record", {"fields": ("state", "created", "used", "revoked", "rotated_to")}),
    )
    expires = when("until", "expires")
    used = when("last_used_at", "last used")
    created = when("created_at", "created")
    revoked = when("revoked_at", "revoked", never="no")
    limited_to = several("scopes", "scopes", none="nothing")

    def create(self, form: VerbForm, by: Actor) -> ApiKey:
        """Issue a key, and remember its text until it is shown."""
        asked = {name: form.cleaned_data[name] for name in ("person", "name", "scopes", "until")}
        issued = api_keys.issue(**asked, by=by)
        form.instance.issued = issued
        return issued.row

    def edit(self, row: ApiKey, form: VerbForm, by: Actor) -> ApiKey:
        """Change the name, the scopes or the end."""
        return api_keys.edit(row, by=by, **form.wanted())

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:  # noqa: ANN401  a key just issued
        """Show the key's text, once."""
        return show_once(self, request, new_key(obj.issued), back=self.address("change", obj.pk))

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: object = None) -> HttpResponse:
        """Offer one way to issue a key: each of them leads to the page with its text."""
        one_way = {"show_save_and_add_another": False, "show_save_and_continue": False}
        answer: HttpResponse = super().add_view(request, form_url, one_way)
        return answer

    def get_fieldsets(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:  # noqa: ANN401  Django's own
        """Show what a revoked key was limited to as plain text."""
        if obj is None or obj.revoked_at is None:
            return super().get_fieldsets(request, obj)
        return ((None, {"fields": ("prefix", "person", "name", "limited_to", "expires")}), self.fieldsets[1])

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        """Fix whose key it is, and everything about a revoked one."""
        if obj is None:
            return ()
        fixed = ("prefix", "person", "state", "created", "used", "revoked", "rotated_to")
        return fixed if obj.revoked_at is None else (*fixed, "name", "limited_to", "expires")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        """Return keys with their owners, of whom every page speaks."""
        found: QuerySet[ApiKey] = super().get_queryset(request).select_related("person")
        return found

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Leave a revoked key as it is."""
        is_over = isinstance(obj, ApiKey) and obj.revoked_at is not None
        return not is_over and super().has_change_permission(request, obj)

    def offers(self, row: ApiKey) -> Collection[str]:
        """Offer to rotate and to revoke what still works."""
        offered = {"active": ("rotate", "revoke"), "rotated": ("revoke",), "expired": ("revoke",)}
        return offered.get(self.state(row), ())

    def in_the_book(self, row: ApiKey) -> tuple[str, ...]:
        """Return the readable part."""
        return (row.prefix,)

    @badge("state", active="success", rotated="info", expired="warning", revoked="danger")
    def state(self, key: ApiKey) -> str:
        """Return whether it still works; a rotated one works until it expires."""
        if key.revoked_at is not None:
            return "revoked"
        if key.until is not None and key.until <= timezone.now():
            return "expired"
        return "rotated" if key.rotated_to_id is not None else "active"

    @button("Rotate", path="rotate", icon="autorenew")
    def rotate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Rotate one."""
        return self.act_on(request, object_id, ROTATE)

    @button("Revoke", path="revoke", icon="block", danger=True)
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Revoke one."""
        return self.act_on(request, object_id, REVOKE)

    @admin.action(description="Revoke")
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        """Revoke several."""
        return self.act_on_all(request, queryset, REVOKE)
