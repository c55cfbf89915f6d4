"""The book can be read in the admin, by those who may, and by nobody rewritten."""

import pytest
from django.contrib import admin
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.admin import EntryAdmin
from audit.context import Actor
from audit.events import MembershipGiven, PersonCreated
from audit.models import Entry
from audit.record import Draft, append_many

pytestmark = pytest.mark.django_db
PAGES = EntryAdmin(Entry, admin.site)


class Visitor:
    """Somebody with a browser, who may do what is listed."""

    is_active = is_staff = is_authenticated = True

    def __init__(self, *may: str) -> None:
        self.may = may

    def has_perm(self, permission: str) -> bool:
        return permission in self.may


def request(visitor, **query):
    asked = RequestFactory().get("/", query)
    asked.user = visitor
    return asked


@pytest.fixture
def carol():
    return Visitor("audit.view_entry")


@pytest.fixture(autouse=True)
def _book():
    by, at = Actor.person("carol@example.com"), timezone.now()
    append_many([
        Draft(event=PersonCreated(person="alice@example.com", name="Älice <b>"), by=by, at=at),
        Draft(event=PersonCreated(person="bob@example.com"), by=by, at=at),
        Draft(event=MembershipGiven(person="alice@example.com", group="interns"), by=by, at=at),
    ])  # fmt: skip


def listed(visitor, **query) -> list[int]:
    return [entry.number for entry in PAGES.get_changelist_instance(request(visitor, **query)).result_list]


def test_only_those_who_may_read_the_book_see_it(carol):
    for visitor, expected in ((carol, True), (Visitor(), False), (Visitor("audit.change_entry"), False)):
        assert expected == PAGES.has_view_permission(request(visitor)) == PAGES.has_module_permission(request(visitor))


def test_nobody_adds_changes_or_deletes():
    everything = request(Visitor(*(f"audit.{verb}_entry" for verb in ("view", "add", "change", "delete"))))

    assert not PAGES.has_add_permission(everything)
    assert not PAGES.has_change_permission(everything)
    assert not PAGES.has_delete_permission(everything)
    assert {} == PAGES.get_actions(everything)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [3, 2, 1]),
        ({"kind": "person.created"}, [2, 1]),
        ({"kind": "no.such"}, [3, 2, 1]),
        ({"effect": "deny"}, []),
        ({"actor_kind": "person"}, [3, 2, 1]),
        ({"q": "alice"}, [3, 1]),
        ({"q": "interns"}, [3]),
        ({"q": "Älice"}, [1]),
        ({"kind": "person.created", "q": "bob"}, [2]),
    ],
)
def test_entries_are_found_newest_first(carol, query, expected):
    assert expected == listed(carol, **query)


def test_the_list_never_counts_the_table(carol):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        listed(carol)

    assert 1 == len(queries)
    assert "COUNT(" not in queries[0]["sql"]


def test_an_entry_is_shown_whole_and_harmless(carol):
    shown = PAGES.readable_detail(Entry.objects.get(number=1))

    assert "  &quot;name&quot;: &quot;Älice &lt;b&gt;&quot;,\n" in shown
    assert {"number", "hash", "readable_detail"} <= set(PAGES.get_readonly_fields(request(carol)))


@pytest.mark.parametrize(("detail", "expected"), [('{"a":"\\udc80"}', "\\udc80"), ("not JSON", "not JSON")])
def test_a_detail_that_no_browser_could_take_is_shown_all_the_same(detail, expected):
    assert expected in PAGES.readable_detail(Entry(detail=detail)).encode().decode()
