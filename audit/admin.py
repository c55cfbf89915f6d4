"""Shows the book to those who may read it, and lets nobody write it."""

import json
from typing import ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator

from audit.events import KINDS
from audit.models import Entry


class _OneOf(admin.SimpleListFilter):
    """Filters by a column whose values are known, without asking the table which of them it holds."""

    values: ClassVar[tuple[str, ...]]

    def lookups(self, request: HttpRequest, model_admin: "admin.ModelAdmin[Entry]") -> list[tuple[str, str]]:
        """Return the values that may be chosen."""
        return [(value, value) for value in self.values]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Entry]) -> QuerySet[Entry]:
        """Keep the entries that have the chosen value."""
        value = self.value()
        return queryset.filter(**{str(self.parameter_name): value}) if value in self.values else queryset


class KindFilter(_OneOf):
    """By what happened."""

    title = parameter_name = "kind"
    values = tuple(sorted(KINDS))


class EffectFilter(_OneOf):
    """By what was decided."""

    title = parameter_name = "effect"
    values = ("allow", "deny", "sign-in")


class ActorKindFilter(_OneOf):
    """By the kind of whoever acted."""

    title, parameter_name = "actor kind", "actor_kind"
    values = ("person", "service", "command", "system", "stranger")


@admin.register(Entry)
class EntryAdmin(ModelAdmin):
    """The book, newest entry first.

    The table may hold hundreds of millions of rows, so no page counts them: there is a next page until one is empty.
    """

    list_display = ("number", "at", "kind", "actor", "subject", "target", "effect", "revision")
    list_filter = (KindFilter, EffectFilter, ActorKindFilter, ("at", admin.DateFieldListFilter))
    search_fields = ("subject", "actor", "target", "detail")
    ordering = ("-number",)
    sortable_by = ()  # only the number is indexed for the whole table
    show_full_result_count = False
    paginator = InfinitePaginator
    list_per_page = 50
    actions = None
    fieldsets = (
        (None, {"fields": ("number", "at", "kind", "effect", "revision")}),
        ("Who", {"fields": ("actor_kind", "actor", "address")}),
        ("What", {"fields": ("subject", "target", "readable_detail")}),
        ("Chain", {"fields": ("previous_hash", "hash")}),
    )

    @admin.display(description="detail")
    def readable_detail(self, entry: Entry) -> SafeString:
        """Return the detail with its JSON laid out."""
        try:
            text = json.dumps(json.loads(entry.detail), indent=2, ensure_ascii=False)
        except ValueError:
            text = entry.detail  # somebody changed the row; it is shown as it is
        # A lone surrogate cannot be sent as UTF-8; it is shown as its escape.
        text = text.encode("utf-8", "backslashreplace").decode()
        return format_html('<pre style="white-space: pre-wrap; overflow-wrap: anywhere">{}</pre>', text)

    def get_readonly_fields(self, request: HttpRequest, obj: Entry | None = None) -> tuple[str, ...]:
        """Return every field."""
        return tuple(str(name) for _, part in self.fieldsets for name in part["fields"])

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Tell whether the book appears in the menu."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Entry | None = None) -> bool:
        """Tell whether this person may read the book."""
        return request.user.has_perm("audit.view_entry")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse everybody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Entry | None = None) -> bool:
        """Refuse everybody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Entry | None = None) -> bool:
        """Refuse everybody."""
        return False
