"""What every screen has in common: it saves through verbs, all of one form in one change."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, ClassVar, Generic, TypeVar
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet, TextField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextareaWidget

from audit.context import Actor
from authz.admin.act import Act, ask
from authz.admin.forms import VerbForm
from authz.admin.inline import Rows
from authz.admin.refused import Refused, placed
from authz.admin.search import Searched
from authz.admin.stale import refuse_stale
from authz.admin.who import Administered, actor
from authz.changes.change import change as one_change

Row = TypeVar("Row", bound=Model)

MOST_AT_ONCE = 1000
"""Rows that one action may take: they are one change, and everybody else who writes waits for it."""


class VerbAdmin(Administered, Searched, ModelAdmin, Generic[Row]):
    """A screen; no write of Django's own is ever reached from it."""

    form = VerbForm
    add_form: ClassVar[type[VerbForm] | None] = None
    """The form for something new, where it asks for other things."""
    blames: ClassVar[str | None] = None
    """The field that a verb's refusal is about."""
    removal: ClassVar[Act | None] = None
    """How a row is removed; None where nothing ever is."""
    formfield_overrides: ClassVar = {TextField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 3})}}
    list_per_page = 50
    list_max_show_all = 50
    view_on_site = False
    change_form_show_cancel_button = True
    change_form_before_template = "admin/shown.html"

    def create(self, form: Any, by: Actor) -> Row:  # noqa: ANN401  each screen has its own
        """Call the verb that makes a row."""
        raise NotImplementedError

    def edit(self, row: Row, form: Any, by: Actor) -> Row:  # noqa: ANN401  each screen has its own
        """Call the verb that changes a row."""
        raise NotImplementedError

    def in_the_book(self, row: Row) -> Iterable[str]:
        """Return the words under which the book tells of a row."""
        return (str(row),)

    def offers(self, row: Row) -> Collection[str]:
        """Return the names of the actions that make sense for a row."""
        return tuple(self.actions_detail)

    # Saving: one form with all its rows is one change.

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: ANN401, FBT001, FBT002  Django's own
        """Return the form, which knows what a verb refused."""
        if obj is None and self.add_form is not None:
            kwargs["form"] = self.add_form
        made = super().get_form(request, obj, change=change, **kwargs)
        made.refused = getattr(request, "refused", None)
        return made

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # noqa: ANN401  Django's own
        """Show or save a form; if a verb refuses, nothing is saved and the form is shown again with the reason."""
        try:
            answer: HttpResponse = super().changeform_view(request, *args, **kwargs)
        except Refused as refused:
            request.refused = refused  # type: ignore[attr-defined]  # ours, for the second showing
            answer = super().changeform_view(request, *args, **kwargs)
        return answer

    def save_model(self, request: HttpRequest, obj: Model, form: VerbForm, change: bool) -> None:  # noqa: FBT001  Django's own
        """Do nothing yet: `save_related` saves all of it."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Sequence[Rows], change: bool) -> None:  # noqa: ANN401, FBT001  Django's own
        """Save the row and the rows inside it in one change."""
        by = actor(request)
        with placed(), one_change(by):
            if change and form.has_changed():
                refuse_stale(form)
            with placed(form.prefix, self.blames):
                if not change:
                    row = self.create(form, by)
                elif form.has_changed():
                    row = self.edit(form.instance, form, by)
                else:
                    row = self.model.objects.get(pk=form.instance.pk)
            for formset in formsets:
                formset.inline.save_rows(row, formset, by)
        # Django goes on with the object that it built from the form; it becomes the row that the verb returned.
        form.instance.__dict__.update(row.__dict__)

    def save_formset(self, request: HttpRequest, form: VerbForm, formset: Rows, change: bool) -> None:  # noqa: FBT001  Django's own
        """Do nothing: `save_related` has saved it."""

    # Removing and acting: asked first, then one change.

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Tell whether a row may be removed."""
        return self.removal is not None and super().has_delete_permission(request, obj)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: object = None) -> HttpResponse:
        """Ask, and remove."""
        row = self.get_object(request, object_id)
        if self.removal is None or not self.has_delete_permission(request, row):
            raise PermissionDenied
        return self.act_on(request, object_id, self.removal, back=self.address("changelist"))

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        """Refuse: Django's own way to delete is not a verb."""
        raise PermissionDenied

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> None:
        """Refuse: Django's own way to delete is not a verb."""
        raise PermissionDenied

    def act_on(self, request: HttpRequest, object_id: str, act: Act, *, back: str = "") -> HttpResponse:
        """Ask about one row, and act on it."""
        row = self.get_object(request, object_id)
        if row is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return missing
        return ask(self, request, act, [row], back=back or self.address("change", row.pk))

    def act_on_all(self, request: HttpRequest, queryset: QuerySet[Row], act: Act) -> HttpResponse | None:
        """Ask about the chosen rows, and act on all of them or on none."""
        rows = list(queryset[: MOST_AT_ONCE + 1])
        if len(rows) > MOST_AT_ONCE:
            self.message_user(request, f"Choose at most {MOST_AT_ONCE} rows at once.", messages.ERROR)
            return None
        if not rows:
            self.message_user(request, "What you chose is gone meanwhile.", messages.WARNING)
            return None
        return ask(self, request, act, rows, back=request.get_full_path())

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """Return the actions that make sense for this row."""
        row = self.get_object(request, object_id)
        names = {f"{self.opts.app_label}_{self.opts.model_name}_{name}" for name in (self.offers(row) if row else ())}
        return [each for each in super().get_actions_detail(request, object_id) if each.action_name in names]

    # History: the book is the only one.

    def history_view(self, request: HttpRequest, object_id: str, extra_context: object = None) -> HttpResponse:
        """Lead to what the book tells of a row."""
        row = self.get_object(request, object_id)
        found = " ".join('"' + word.replace('"', " ") + '"' for word in self.in_the_book(row)) if row else ""
        return HttpResponseRedirect(f"{reverse('admin:audit_entry_changelist')}?{urlencode({'q': found})}")

    def log_addition(self, *_: object) -> None:
        """Write nothing: the verb has written the book."""

    def log_change(self, *_: object) -> None:
        """Write nothing: the verb has written the book."""

    def log_deletions(self, *_: object) -> None:
        """Write nothing: the verb has written the book."""

    def construct_change_message(self, *_: object, **__: object) -> list[object]:
        """Return nothing: nobody would read it."""
        return []

    def address(self, page: str, *arguments: object) -> str:
        """Return the path of one of this screen's pages."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}", args=arguments)
