"""Form fields for what Django has none for: lists with one item per line, and values that are only shown."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminSplitDateTimeWidget, UnfoldAdminTextareaWidget

from authz.admin.refused import sentence
from authz.errors import InvalidName


def checked(parse: Callable[[str], str], text: str) -> str:
    """Return the one spelling of a text; ValidationError says in the format's own words what is wrong with it."""
    try:
        return parse(text)
    except InvalidName as error:
        raise ValidationError(sentence(str(error))) from error


class LinesField(forms.CharField):
    """A list of texts, one per line; `parse` gives each its one spelling."""

    def __init__(self, *, parse: Callable[[str], str] = str.strip, rows: int = 3, **options: Any) -> None:  # noqa: ANN401  Django's own
        """Keep how one line is read."""
        self.parse = parse
        super().__init__(widget=UnfoldAdminTextareaWidget(attrs={"rows": rows, "spellcheck": "false"}), **options)

    def prepare_value(self, value: Any) -> Any:  # noqa: ANN401  a list from the row, or the text that was sent
        """Return the text to edit."""
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def clean(self, value: str | None) -> list[str]:
        """Return the items; every line that is wrong is named."""
        found: dict[str, None] = {}
        problems: list[ValidationError] = []
        for line in super().clean(value).splitlines():
            if line.strip():
                try:
                    found[checked(self.parse, line)] = None
                except ValidationError as error:
                    problems.append(error)
        if problems:
            raise ValidationError(problems)
        return list(found)

    def has_changed(self, initial: Sequence[str] | None, data: str | None) -> bool:
        """Tell whether there are other items now; how they are spaced does not matter."""
        return [line.strip() for line in (data or "").splitlines() if line.strip()] != list(initial or ())


class Moment(UnfoldAdminSplitDateTimeWidget):
    """A date and a time that leave room for the other columns of a table."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        """Narrow both."""
        super().__init__(attrs)
        for widget, width in zip(self.widgets, ("9rem", "8rem"), strict=True):
            widget.attrs["style"] = f"min-width: {width}; width: {width}"

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:  # noqa: ANN401  Django's own
        """Return both fields, without the wide frames that django-unfold puts around them."""
        parts = self.get_context(name, value, attrs)["widget"]["subwidgets"]
        inputs = ((self._render("django/forms/widgets/input.html", {"widget": part}, renderer),) for part in parts)
        both = format_html_join("", '<div class="flex flex-col relative">{}</div>', inputs)
        return format_html('<div class="datetime flex flex-col gap-2 lg:flex-row">{}</div>', both)


class Shown(forms.Widget):
    """A value as plain text."""

    def __init__(self, text: str) -> None:
        """Keep the text."""
        super().__init__()
        self.text = text

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:  # noqa: ANN401  Django's own
        """Return the text."""
        return format_html('<span class="block py-2 break-all">{}</span>', self.text)

    def id_for_label(self, id_: str) -> str:
        """Return nothing: there is no control that a label could belong to."""
        return ""


class Fixed(forms.Field):
    """Something that was chosen when its row was added, and is only shown from then on.

    Unlike a disabled choice it asks the database nothing, however many rows stand on the page.
    """

    def __init__(self, value: object, *, label: str | None) -> None:
        """Keep the value."""
        super().__init__(required=False, disabled=True, label=label, widget=Shown(str(value)))
        self.value = value

    def clean(self, value: object) -> object:
        """Return the value, whatever was sent."""
        return self.value

    def has_changed(self, initial: object, data: object) -> bool:
        """Return that it never changes."""
        return False
