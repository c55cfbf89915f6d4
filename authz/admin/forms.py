"""What every form of the administration has in common."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from authz.admin.fields import Fixed
from authz.admin.refused import Refused
from authz.admin.stale import NAME, fingerprints


class VerbForm(forms.ModelForm):  # type: ignore[type-arg]  # of whichever row
    """A form whose values go to a verb, and which shows what the verb refused."""

    refused: ClassVar[Refused | None] = None
    """What the verb said to an earlier attempt of the same request."""
    fixed: ClassVar[tuple[str, ...]] = ()
    """Fields that are chosen when a row is added, and only shown from then on."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  Django's own
        """Label every moment with its time zone, and fix what an existing row cannot change."""
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if isinstance(field, forms.SplitDateTimeField):
                field.label = f"{field.label} (UTC)"
            if name in self.fixed and self.instance.pk is not None:
                self.fields[name] = Fixed(getattr(self.instance, name), label=str(field.label))
            elif self.prefix:
                # In a table, the label stands in the heading of the column, which belongs to no field.
                field.widget.attrs["aria-label"] = str(field.label)

    def full_clean(self) -> None:
        """Check the form, and add what the verb refused."""
        super().full_clean()
        if self.is_bound and self.refused is not None and self.refused.prefix == self.prefix:
            field = self.refused.field if self.refused.field in self.fields else None
            for message in self.refused.messages:
                self.add_error(field, message)

    def wanted(self) -> dict[str, Any]:
        """Return what was changed, by the names of the verb's arguments."""
        return {name: self.cleaned_data[name] for name in self.changed_data if name in self.cleaned_data}

    @property
    def shown_name(self) -> str:
        """Return the name under which the page sends back what it showed."""
        return self.add_prefix(NAME)

    @property
    def shown(self) -> str:
        """Return what the page shows of its row, or showed when it was first opened; nothing for a new one."""
        if self.instance.pk is None:
            return ""
        return str(self.data.get(self.shown_name, "")) if self.is_bound else fingerprints(self)

    def _update_errors(self, errors: ValidationError) -> None:
        """Leave the table's own constraints to the verbs, which say more about what is wrong."""
        said = {name: each for name, each in errors.error_dict.items() if name != NON_FIELD_ERRORS}
        if said:
            super()._update_errors(ValidationError(said))  # type: ignore[misc]  # Django's own, without types

    def _get_validation_exclusions(self) -> set[str]:
        """Leave out fixed fields as well: to check them again would be a query for each row."""
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]  # Django's own, without types
        return excluded | {name for name, field in self.fields.items() if isinstance(field, Fixed)}
