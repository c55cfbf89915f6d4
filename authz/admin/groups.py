"""The screen of groups: members, groups inside, and owners."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import Count, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse

from audit.context import Actor
from authz.admin.act import Act
from authz.admin.base import VerbAdmin
from authz.admin.columns import when
from authz.admin.fields import checked
from authz.admin.forms import VerbForm
from authz.admin.inline import VerbInline
from authz.admin.members import LOCAL, MembersOfGroup
from authz.changes import groups
from authz.errors import Conflict
from authz.formats.labels import parse_label
from authz.models import Group, Membership, Nesting, Ownership


class GroupForm(VerbForm):
    """Edits a group's name and description."""

    def clean_name(self) -> str:
        """Return the one spelling of the name."""
        return checked(partial(parse_label, what="group name"), self.cleaned_data["name"])


class Nestings(VerbInline[Group, Nesting]):
    """What both tables of nested groups have in common."""

    model = Nesting
    readonly_fields = ("source",)

    def remove(self, row: Nesting, by: Actor) -> None:
        """Take a group out of a group; what a directory nested, only the directory takes apart."""
        if row.source != LOCAL:
            message = f"{row} is given by {row.source}, and is removed there"
            raise Conflict(message)
        groups.unnest(row, by=by)


class GroupsInside(Nestings):
    """Groups whose members are in this one as well."""

    fk_name = "parent"
    verbose_name = "group inside"
    verbose_name_plural = "Groups inside: whoever is in them is in this one"
    fixed = autocomplete_fields = ("child",)
    fields = (*fixed, "source")
    blames = "child"

    def add(self, parent: Group, wanted: dict[str, Any], by: Actor) -> None:
        """Put a group in this one."""
        groups.nest(wanted["child"], parent=parent, by=by)


class GroupsAround(Nestings):
    """Groups that this one is in."""

    fk_name = "child"
    verbose_name = "group around"
    verbose_name_plural = "Groups around: whoever is in this one is in them"
    fixed = autocomplete_fields = ("parent",)
    fields = (*fixed, "source")
    blames = "parent"

    def add(self, parent: Group, wanted: dict[str, Any], by: Actor) -> None:
        """Put this group in another."""
        groups.nest(parent, parent=wanted["parent"], by=by)


class Owners(VerbInline[Group, Ownership]):
    """Who answers for a group."""

    model = Ownership
    fields = fixed = autocomplete_fields = ("person",)
    blames = "person"

    def add(self, parent: Group, wanted: dict[str, Any], by: Actor) -> None:
        """Make somebody an owner."""
        groups.add_owner(parent, person=wanted["person"], by=by)

    def remove(self, row: Ownership, by: Actor) -> None:
        """Let somebody no longer be one."""
        groups.remove_owner(row, by=by)


REMOVE = Act(
    title="Delete",
    warning="The group is deleted. What it opened is closed to its members, unless they may by another way.",
    do=groups.remove,
    done="Deleted: {n}.",
    takes_along=("memberships", "nested", "nested_in", "ownerships", "grants"),
)


class Groups(VerbAdmin[Group]):
    """Groups."""

    form = GroupForm
    blames = "name"
    removal = REMOVE
    list_display = ("name", "members", "description", "source", "created")
    list_filter = (("source", admin.AllValuesFieldListFilter),)
    search_fields = ("name",)
    search_help_text = "Search by name"
    inlines = (MembersOfGroup, GroupsInside, GroupsAround, Owners)
    actions = ("remove_selected",)
    fieldsets = ((None, {"fields": ("name", "description")}), ("Record", {"fields": ("source", "created")}))
    add_fieldsets = fieldsets[:1]
    created = when("created_at", "created")

    def create(self, form: VerbForm, by: Actor) -> Group:
        """Create a group."""
        return groups.create(name=form.cleaned_data["name"], description=form.cleaned_data["description"], by=by)

    def edit(self, row: Group, form: VerbForm, by: Actor) -> Group:
        """Change the name or the description."""
        return groups.edit(row, by=by, **form.wanted())

    def get_readonly_fields(self, request: HttpRequest, obj: Group | None = None) -> tuple[str, ...]:
        """Keep the name of the group of everyone, and of one that a directory owns."""
        if obj is None:
            return ()
        return ("source", "created", *(("name",) if obj.everyone or obj.source != "local" else ()))

    def get_inlines(self, request: HttpRequest, obj: Group | None) -> tuple[type[VerbInline[Any, Any]], ...]:
        """Leave out members and groups inside where everybody is a member."""
        return (GroupsAround, Owners) if obj is not None and obj.everyone else self.inlines

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Keep the group of everyone."""
        return not (isinstance(obj, Group) and obj.everyone) and super().has_delete_permission(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        """Count the members of the groups on a page of the list, and nowhere else."""
        found: QuerySet[Group] = super().get_queryset(request)
        if request.resolver_match is None or not str(request.resolver_match.url_name).endswith("changelist"):
            return found
        direct = Membership.objects.filter(group=OuterRef("pk")).order_by().values("group")
        return found.annotate(direct=Coalesce(Subquery(direct.annotate(n=Count("pk")).values("n")), 0))

    @admin.display(description="direct members")
    def members(self, group: Any) -> str:  # noqa: ANN401  a group, with the number that the query added
        """Return how many are directly in it."""
        return "everyone" if group.everyone else str(group.direct)

    @admin.action(description="Delete")
    def remove_selected(self, request: HttpRequest, queryset: QuerySet[Group]) -> HttpResponse | None:
        """Delete several."""
        return self.act_on_all(request, queryset, REMOVE)
