"""Rows inside another row's form, saved by verbs."""

from typing import Any, ClassVar, Generic, TypeVar

from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import ValidationError
from django.db.models import DateTimeField, Model, QuerySet
from django.forms import Field
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.forms import PaginationInlineFormSet

from audit.context import Actor
from authz.admin.fields import Moment
from authz.admin.forms import VerbForm
from authz.admin.refused import placed
from authz.admin.search import Searched
from authz.admin.stale import refuse_stale
from authz.admin.who import Administered

Parent = TypeVar("Parent", bound=Model)
Row = TypeVar("Row", bound=Model)


class Rows(PaginationInlineFormSet):
    """One page of rows; what is sent back is matched with its rows even if they stand on another page by now."""

    inline: "ClassVar[VerbInline[Any, Any]]"

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  Django's own
        """Find the rows that were sent."""
        super().__init__(*args, **kwargs)
        if self.is_bound:
            sent = (self.data.get(f"{self.prefix}-{n}-id", "") for n in range(self.initial_form_count()))
            self._queryset = self.queryset.filter(pk__in=[pk for pk in sent if pk.isdecimal()])

    def clean(self) -> None:
        """Refuse to go on if a row has gone since the form was shown."""
        super().clean()
        if any(form.instance.pk is None for form in self.initial_forms):
            message = "Somebody else has removed one of these rows meanwhile. Open the page again."
            raise ValidationError(message)


class VerbInline(Administered, Searched, TabularInline, Generic[Parent, Row]):
    """A table inside a form; `add`, `edit` and `remove` call the verbs."""

    form = VerbForm
    formset = Rows
    formfield_overrides: ClassVar = {DateTimeField: {"widget": Moment}}
    extra = 0
    per_page = 20
    hide_title = True
    fixed: ClassVar[tuple[str, ...]] = ()
    """Fields that are chosen when a row is added, and only shown from then on."""
    blames: ClassVar[str | None] = None
    """The field that a verb's refusal is about."""

    def add(self, parent: Parent, wanted: dict[str, Any], by: Actor) -> None:
        """Add a row."""
        raise NotImplementedError

    def edit(self, row: Row, wanted: dict[str, Any], by: Actor) -> None:
        """Change a row; a table whose fields are all fixed is never asked to."""
        raise NotImplementedError

    def remove(self, row: Row, by: Actor) -> None:
        """Remove a row."""
        raise NotImplementedError

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        """Return the rows with what is shown of them."""
        found: QuerySet[Model] = super().get_queryset(request).order_by("pk")
        related = [name for name in self.fixed if self.model._meta.get_field(name).is_relation]  # noqa: SLF001  public
        return found.select_related(*related) if related else found

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Field | None:  # noqa: ANN401  Django's own
        """Leave out the menu beside a choice, for which a table on a narrow screen has no room."""
        field: Field | None = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    def get_formset(self, request: HttpRequest, obj: Model | None = None, **kwargs: Any) -> type[Rows]:  # noqa: ANN401  Django's own
        """Return the formset, which knows this table and what a verb refused."""
        made: type[Rows] = super().get_formset(request, obj, **kwargs)
        made.inline = self
        made.form.refused = getattr(request, "refused", None)
        made.form.fixed = self.fixed
        return made

    def save_rows(self, parent: Parent, formset: Rows, by: Actor) -> None:
        """Call a verb for each row: first what goes, so that its place is free for what comes."""
        gone = formset.deleted_forms
        for form in formset.initial_forms:
            if form in gone and (row := self.model.objects.filter(pk=form.instance.pk).first()) is not None:
                with placed():
                    refuse_stale(form, removing=True)
                    self.remove(row, by)
        for form in formset.initial_forms:
            if form not in gone and form.has_changed():
                with placed(form.prefix):
                    refuse_stale(form)
                with placed(form.prefix, self.blames):
                    self.edit(form.instance, form.wanted(), by)
        for form in formset.extra_forms:
            if form not in gone and form.has_changed():
                with placed(form.prefix, self.blames):
                    self.add(parent, form.cleaned_data, by)
