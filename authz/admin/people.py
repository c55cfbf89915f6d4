"""The screen of people and service accounts."""

from collections.abc import Collection, Sequence
from typing import ClassVar
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from audit.context import Actor
from authz.admin.act import NAMED, Act, Reason
from authz.admin.base import VerbAdmin
from authz.admin.columns import when
from authz.admin.connections import DISCONNECT_ALL
from authz.admin.decorators import badge, button
from authz.admin.filters import Conditions
from authz.admin.forms import VerbForm
from authz.admin.members import GroupsOfPerson
from authz.admin.person_forms import PERSON, SERVICE, NewPassword, NewPersonForm, PersonForm
from authz.admin.who import own_session
from authz.changes import people
from authz.lookups.connections import live
from authz.models import Identity, User


class State(Conditions):
    """By whether they are let in."""

    title = parameter_name = "state"
    conditions: ClassVar = {
        "active": ("active", lambda _now: Q(is_active=True)),
        "suspended": ("suspended", lambda _now: Q(is_active=False)),
    }


class Kind(Conditions):
    """By whether they are human."""

    title = parameter_name = "kind"
    conditions: ClassVar = {
        PERSON: ("person", lambda _now: Q(is_human=True)),
        SERVICE: ("service account", lambda _now: Q(is_human=False)),
    }


SUSPEND = Act(
    title="Suspend",
    warning="They are refused everywhere from the next request on, and signed out. Their API keys rest with them.",
    do=people.suspend,
    done="Suspended: {n}.",
    asks=Reason,
)
RESTORE = Act(
    title="Restore",
    warning="They are let in again. They have to sign in anew, and their API keys work again.",
    do=people.restore,
    done="Restored: {n}.",
    asks=Reason,
    danger=False,
)


def comes_back(rows: Sequence[User]) -> str:
    """Say whom a directory will bring back, for it still has them and is what makes them, and whom any might."""
    held = Identity.objects.filter(person__in=rows, gone_at=None, source__enabled=True).select_related(
        "source", "person"
    )
    known = {(each.person.email, str(each.source)) for each in held}
    by_hand = User.objects.filter(pk__in=[row.pk for row in rows], is_active=False).exclude(identities__suspended=True)
    marked = set(by_hand.values_list("email", flat=True)) - {email for email, _ in known}
    said = []
    if known:
        named = _some([f"{email} ({source})" for email, source in sorted(known)])
        said.append(
            f"A directory has them and will bring them back: {named}. Who is suspended now will be suspended then; "
            "everybody else will be active. To keep somebody out, suspend them, or remove them in the directory."
        )
    if marked:
        said.append(f"A directory that brings one of these e-mails will bring them suspended: {_some(sorted(marked))}.")
    return " ".join(said)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


REMOVE = Act(
    title="Delete",
    warning="They are deleted with all that hangs on them; the book keeps what they did. Suspending can be undone.",
    do=people.remove,
    warns=comes_back,
    done="Deleted: {n}.",
    asks=Reason,
    takes_along=("memberships", "grants", "ownerships", "api_keys", "sessions"),
)


class People(VerbAdmin[User]):
    """People and service accounts."""

    form = PersonForm
    add_form = NewPersonForm
    blames = "email"
    removal = REMOVE
    list_display = ("email", "name", "kind", "state", "source", "created")
    list_filter = (State, Kind, ("source", admin.AllValuesFieldListFilter))
    search_fields = ("email", "name")
    show_full_result_count = False
    search_help_text = "Search by e-mail or name"
    inlines = (GroupsOfPerson,)
    actions = ("suspend_selected", "restore_selected", "remove_selected")
    actions_detail = ("suspend", "restore", "password", "disconnect")
    add_fieldsets = ((None, {"fields": ("kind", "email", "name", "password")}),)
    fieldsets = (
        (None, {"fields": ("email", "name")}),
        ("Account", {"fields": ("state", "kind", "source", "external_id", "created", "elsewhere")}),
    )
    created = when("created_at", "created")

    def create(self, form: VerbForm, by: Actor) -> User:
        """Create a person or a service account."""
        asked = form.cleaned_data
        return people.create(
            email=asked["email"],
            name=asked["name"],
            is_human=asked["kind"] == PERSON,
            password=asked["password"] or None,
            by=by,
        )

    def edit(self, row: User, form: VerbForm, by: Actor) -> User:
        """Change the e-mail or the name."""
        return people.edit(row, by=by, **form.wanted())

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Leave to a directory what it owns: whatever was written here, its next sync would undo."""
        if obj is None:
            return ()
        shown = ("state", "kind", "source", "external_id", "created", "elsewhere")
        return shown if obj.source == "local" else ("email", "name", *shown)

    def offers(self, row: User) -> Collection[str]:
        """Offer to suspend whoever is active, a password to whoever can sign in, and to hang up on who is connected."""
        connected = live().filter(person=row).exists()
        return (
            "suspend" if row.is_active else "restore",
            *(("password",) if row.is_human else ()),
            *(("disconnect",) if connected else ()),
        )

    @badge("state", ordering="is_active", active="success", suspended="danger")
    def state(self, person: User) -> str:
        """Return whether they are let in."""
        return "active" if person.is_active else "suspended"

    @admin.display(description="kind", ordering="is_human")
    def kind(self, person: User) -> str:
        """Return whether they are human."""
        return "person" if person.is_human else "service account"

    @admin.display(description="elsewhere")
    def elsewhere(self, person: User) -> SafeString:
        """Return links to what else there is about them."""
        pages = (
            ("API keys", "authz_apikey"),
            ("Grants", "authz_grant"),
            ("Sessions", "authz_session"),
            ("Connections", "authz_connection"),
        )
        query = urlencode({"q": person.email})
        links = ((f"{reverse(f'admin:{name}_changelist')}?{query}", label) for label, name in pages)
        return format_html_join(" · ", '<a class="text-link" href="{}">{}</a>', links)

    @button("Suspend", path="suspend", icon="block", danger=True)
    def suspend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Suspend one."""
        return self.act_on(request, object_id, SUSPEND)

    @button("Restore", path="restore", icon="undo")
    def restore(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Restore one."""
        return self.act_on(request, object_id, RESTORE)

    @button("Set password", path="password", icon="password")
    def password(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Set a password; whoever sets their own stays signed in here."""
        keep = own_session(request, settings.AUTHZ_COOKIE_NAME)

        def do(person: User, *, by: Actor, password: str, **_: str) -> None:
            people.set_password(person, password, by=by, keep=keep if person.pk == request.user.pk else None)

        act = Act(
            title="Set password",
            warning="Every session of theirs ends, but the one that you are using.",
            do=do,
            done="The password was set.",
            asks=NewPassword,
            danger=False,
        )
        return self.act_on(request, object_id, act)

    @button("Disconnect", path="disconnect", icon="link_off", danger=True)
    def disconnect(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End every connection of one."""
        return self.act_on(request, object_id, DISCONNECT_ALL)

    @admin.action(description="Suspend")
    def suspend_selected(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        """Suspend several."""
        return self.act_on_all(request, queryset, SUSPEND)

    @admin.action(description="Restore")
    def restore_selected(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        """Restore several."""
        return self.act_on_all(request, queryset, RESTORE)

    @admin.action(description="Delete")
    def remove_selected(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        """Delete several."""
        return self.act_on_all(request, queryset, REMOVE)
