"""The screen of memberships: who is in which group, until when and why, over all groups."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from audit.context import Actor
from authz.admin import members
from authz.admin.act import Act, Reason
from authz.admin.base import VerbAdmin
from authz.admin.columns import when
from authz.admin.filters import Ends
from authz.admin.forms import VerbForm
from authz.changes import memberships
from authz.models import Membership

REMOVE = Act(
    title="Remove from the group",
    warning="What the group opens is closed to them from the next request on, unless they are in it by another way.",
    do=members.remove,
    done="Removed: {n}.",
    asks=Reason,
)


class Memberships(VerbAdmin[Membership]):
    """Memberships."""

    form = members.MembershipForm
    blames = "person"
    removal = REMOVE
    list_display = ("person", "group", "ends", "source", "reason", "given_by", "given")
    list_filter = (Ends, ("source", admin.AllValuesFieldListFilter))
    list_select_related = ("person", "group")
    search_fields = ("person__email", "group__name")
    show_full_result_count = False
    search_help_text = "Search by e-mail or group"
    ordering = ("-pk",)
    autocomplete_fields = ("person", "group")
    actions = ("remove_selected",)
    fieldsets = (
        (None, {"fields": ("person", "group", "until", "reason")}),
        ("Record", {"fields": ("source", "given_by", "given")}),
    )
    add_fieldsets = fieldsets[:1]
    ends = when("until", "ends")
    given = when("given_at", "given")

    def create(self, form: VerbForm, by: Actor) -> Membership:
        """Put somebody in a group."""
        asked = {name: form.cleaned_data[name] for name in ("person", "group", "until", "reason")}
        return members.give(**asked, by=by)

    def edit(self, row: Membership, form: VerbForm, by: Actor) -> Membership:
        """Change the end or the reason."""
        return memberships.edit(row, by=by, **form.wanted())

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> tuple[str, ...]:
        """Fix who is in what, and leave to a directory what it gave."""
        if obj is None:
            return ()
        fixed = ("person", "group", "source", "given_by", "given")
        return fixed if obj.source == members.LOCAL else (*fixed, "until", "reason")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        """Return memberships with their two ends, of which every page speaks."""
        found: QuerySet[Membership] = super().get_queryset(request).select_related("person", "group")
        return found

    def in_the_book(self, row: Membership) -> tuple[str, ...]:
        """Return the two names."""
        return row.person.email, row.group.name

    @admin.action(description="Remove from the group")
    def remove_selected(self, request: HttpRequest, queryset: QuerySet[Membership]) -> HttpResponse | None:
        """Remove several."""
        return self.act_on_all(request, queryset, REMOVE)
