"""Choices among too many to list: the browser asks for those that match what is typed."""

from typing import Any

from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.db.models import ForeignKey
from django.http import HttpRequest


class _Named:
    """Says what is searched for, which is also the field's name for those who cannot see it."""

    field: Any

    def build_attrs(self, base_attrs: dict[str, Any], extra_attrs: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the attributes, with a placeholder where Django leaves it empty."""
        attrs: dict[str, Any] = super().build_attrs(base_attrs, extra_attrs=extra_attrs)  # type: ignore[misc]  # of the widget mixed in
        noun = self.field.remote_field.model._meta.verbose_name  # noqa: SLF001  Django's public name for it
        return attrs | {"data-placeholder": f"Search for a {noun}"}


class Search(_Named, AutocompleteSelect):
    """A choice of one."""


class SearchMany(_Named, AutocompleteSelectMultiple):
    """A choice of several."""


class Searched:
    """Gives every relation that is searched for, and not listed, the widget above."""

    def formfield_for_foreignkey(self, db_field: "ForeignKey[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:  # noqa: ANN401  Django's own
        """Return the field of a form for a relation."""
        here: Any = self
        if db_field.name in here.get_autocomplete_fields(request):
            kwargs["widget"] = Search(db_field, here.admin_site, using=kwargs.get("using"))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]  # of the admin mixed in
