"""Drives the administration as a browser would: opens a form, changes some fields, and sends all of them back."""

from html.parser import HTMLParser
from typing import Any

from django.test import Client
from django.urls import reverse

from audit.models import Entry
from authz.models import Revision


class Screen:
    """A browser in front of the administration."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def get(self, noun: str, page: str = "changelist", *arguments: object, **query: Any) -> Any:
        return self.client.get(reverse(f"admin:{noun}_{page}", args=arguments), query)

    def send(self, noun: str, page: str, *arguments: object, **changes: Any) -> Any:
        """Open a form, change some of its fields, and save it as a browser would."""
        path = reverse(f"admin:{noun}_{page}", args=arguments)
        return self.client.post(path, fields_of(self.client.get(path)) | changes)

    def act(self, noun: str, action: str, *rows: Any, **answers: Any) -> Any:
        """Choose rows in a list and an action, and answer its question."""
        path = reverse(f"admin:{noun}_changelist")
        chosen = {"action": action, "_selected_action": [str(row.pk) for row in rows], "select_across": "0"}
        before = revision()
        asked = self.client.post(path, chosen | {"index": "0"})
        assert 200 == asked.status_code, asked.headers
        assert before == revision(), "to be asked changes nothing"
        return self.client.post(path, chosen | {"_sure": "1"} | answers)


def revision() -> int:
    return Revision.objects.get().n


def errors(answer: Any) -> dict[str, list[str]]:
    """Return what a form that was not saved says, by field; a row's field as "memberships-0-person"."""
    assert 200 == answer.status_code, f"it was saved: {answer.headers}"
    form = answer.context["adminform"].form
    found = {name: list(said) for name, said in form.errors.items()}
    for inline in answer.context["inline_admin_formsets"]:
        for row in inline.formset.forms:
            found |= {f"{row.prefix}-{name}": list(said) for name, said in row.errors.items()}
        if inline.formset.non_form_errors():
            found[inline.formset.prefix] = list(inline.formset.non_form_errors())
    return found


def told() -> int:
    """Return how many entries the book has."""
    return Entry.objects.count()


def kinds_since(number: int) -> list[str]:
    """Return what was written in the book after its first `number` entries."""
    return list(Entry.objects.order_by("number").values_list("kind", flat=True)[number:])


class _Fields(HTMLParser):
    """Reads what a browser would send of the one form that is not a search or a menu."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, list[str]] = {}
        self.inside = False
        self.open = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.inside = (given.get("id") or "").endswith("_form") and "logout" not in (given.get("id") or "")
        name = given.get("name") or ""
        if tag == "option" and self.open and "selected" in given:
            self.found.setdefault(self.open, []).append(given.get("value") or "")
        if not self.inside or not name or "__prefix__" in name:
            return
        if tag in {"textarea", "select"}:
            self.open = name
            if tag == "textarea":
                self.found[name] = [""]
        elif tag == "input" and (given.get("type") not in {"checkbox", "radio"} or "checked" in given):
            default = "on" if given.get("type") == "checkbox" else ""
            self.found.setdefault(name, []).append(given.get("value") or default)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        if tag in {"textarea", "select"}:
            self.open = ""

    def handle_data(self, data: str) -> None:
        if self.open in self.found and self.lasttag == "textarea":
            self.found[self.open][-1] += data.removeprefix("\n")


def fields_of(answer: Any) -> dict[str, Any]:
    assert 200 == answer.status_code, answer.headers
    reader = _Fields()
    reader.feed(answer.content.decode())
    return dict(reader.found)


def row(table: str, number: int, **values: Any) -> dict[str, Any]:
    """Return the fields of one more row of a table inside a form."""
    sent = {f"{table}-{number}-{name}": value for name, value in values.items()}
    return sent | {f"{table}-TOTAL_FORMS": str(number + 1)}
