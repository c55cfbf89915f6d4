"""Every list loads at any size with few queries, finds, filters, and shows names as text."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authz.changes import api_keys, grants, groups, issuers, memberships, people, proxies, servers
from authz.changes.change import change
from authz.models import User
from tests.admin.cast import BY
from tests.roster import connected

NOUNS = ("user", "group", "membership", "server", "grant", "apikey", "session", "connection", "issuer", "proxy")
MOST_QUERIES = 8
"""Who asks, how many rows there are, the rows, and what a filter or a column adds."""
WRONG = "<script>alert(2)</script>"


@pytest.fixture
def many(screen, signed_in):
    """Fill every list with more rows than a page of a smaller one would have."""
    soon = timezone.now() + timedelta(days=3)
    with change(BY):
        for n in range(30):
            person = people.create(email=f"p{n:02}@example.com", name=f"{WRONG} {n}", by=BY)
            group = groups.create(name=f"{WRONG} {n}", description=WRONG, by=BY)
            memberships.give(person=person, group=group, until=soon, reason=WRONG, by=BY)
            server = servers.create(name=f"{WRONG} {n}", description=WRONG, by=BY)
            servers.add_route(server, host=f"h{n}.example.com", prefix="/", by=BY)
            servers.add_tool(server, name=WRONG, description=WRONG, by=BY)
            grants.give(group=group, server=server, tools=[WRONG], reason=WRONG, by=BY)
            api_keys.issue(person=person, name=WRONG, scopes=["use", f"use:{WRONG}"], by=BY)
            issuers.trust(
                name=f"{WRONG} {n}",
                issuer=f"{WRONG} {n}",
                audiences=[WRONG],
                jwks_url="https://idp.example.com/<b>",
                by=BY,
            )
            proxies.trust(name=f"{WRONG} {n}", networks=[f"10.{n}.0.0/16"], by=BY)
            connected(person, server, origin=WRONG, credential=f"jwt:{n}")
    signed_in(User.objects.get(email="p00@example.com"))


@pytest.mark.parametrize("noun", NOUNS)
def test_a_list_asks_few_questions_and_shows_names_as_text(many, screen, served, noun):
    with CaptureQueriesContext(connection) as queries:
        answer = screen.get(f"authz_{noun}")

    assert 200 == answer.status_code
    assert len(queries) <= MOST_QUERIES, [each["sql"] for each in queries]
    assert b"<script>alert" not in answer.content


@pytest.mark.parametrize("noun", NOUNS)
def test_a_form_asks_few_questions_and_shows_names_as_text(many, screen, served, noun):
    last = screen.get(f"authz_{noun}").context["cl"].result_list[0]
    with CaptureQueriesContext(connection) as queries:
        answer = screen.get(f"authz_{noun}", "change", last.pk)

    assert 200 == answer.status_code
    assert len(queries) <= 16, [each["sql"] for each in queries]
    assert b"<script>alert" not in answer.content


def test_a_group_of_many_shows_a_page_of_them_with_as_few_questions(
    screen, engineering, served, django_assert_max_num_queries
):
    with change(BY):
        for n in range(60):
            memberships.give(person=people.create(email=f"p{n}@example.com", by=BY), group=engineering, by=BY)
    with django_assert_max_num_queries(16):
        answer = screen.get("authz_group", "change", engineering.pk)

    assert 20 == len(answer.context["inline_admin_formsets"][0].formset.initial_forms)
    assert 60 == answer.context["inline_admin_formsets"][0].formset.paginator.count


@pytest.mark.parametrize("noun", [noun for noun in NOUNS if noun not in {"session", "connection"}])
def test_the_form_for_something_new_holds_no_list_of_everybody(many, screen, noun):
    answer = screen.get(f"authz_{noun}", "add")

    assert 200 == answer.status_code
    assert b"p07@example.com" not in answer.content


def test_people_groups_and_servers_are_searched_for_and_not_listed(many, screen):
    for model, field, term, expected in (
        ("grant", "person", "p07", ["p07@example.com"]),
        ("grant", "group", '"> 7"', [f"{WRONG} 7"]),
        ("grant", "server", "h7.", [f"{WRONG} 7"]),
        ("apikey", "person", "nobody", []),
    ):
        query = {"app_label": "authz", "model_name": model, "field_name": field, "term": term}
        found = json.loads(screen.client.get("/admin/autocomplete/", query).content)["results"]
        assert expected == [each["text"] for each in found], (model, field)


@pytest.mark.parametrize(
    ("noun", "query", "expected"),
    [
        ("user", {"q": "ALICE"}, ["alice@example.com"]),
        ("user", {"state": "suspended"}, ["bob@example.com"]),
        ("user", {"kind": "service"}, ["chat@example.com"]),
        ("user", {"kind": "person", "state": "active", "q": "example"}, ["alice@example.com", "carol@example.com"]),
        ("user", {"state": "nonsense", "q": "alice"}, ["alice@example.com"]),
        ("user", {"source": "ldap:corp"}, []),
        ("membership", {"ends": "past"}, ["alice@example.com in engineering"]),
        ("membership", {"ends": "soon"}, ["chat@example.com in engineering"]),
        ("membership", {"ends": "never"}, ["carol@example.com in gatehouse-admins"]),
        ("membership", {"ends": "later"}, ["chat@example.com in engineering", "carol@example.com in gatehouse-admins"]),
        ("server", {"kind": "portal"}, ["portal"]),
        ("server", {"enabled__exact": "0"}, ["search"]),
        ("grant", {"holder": "person"}, ["alice@example.com may use search"]),
        ("grant", {"holder": "group", "action": "administer"}, ["gatehouse-admins may administer portal"]),
        ("grant", {"server__kind__exact": "mcp"}, ["alice@example.com may use search"]),
        ("session", {"state": "open"}, ["carol@example.com"]),
        ("session", {"state": "ended"}, ["bob@example.com"]),
    ],
)
def test_filters_and_search_keep_what_is_meant(  # noqa: PLR0917  a test names every fixture that it uses
    screen, alice, bob, service, engineering, search, signed_in, noun, query, expected
):
    now = timezone.now()
    signed_in(bob)
    people.suspend(bob, by=BY)
    memberships.give(person=alice, group=engineering, until=now - timedelta(days=1), by=BY)
    memberships.give(person=service, group=engineering, until=now + timedelta(days=1), by=BY)
    grants.give(person=alice, server=search, by=BY)
    servers.edit(search, enabled=False, by=BY)

    found = [str(each) for each in screen.get(f"authz_{noun}", **query).context["cl"].result_list]

    assert expected == [each.partition(" since")[0] for each in found]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("active", ["keeps", "soon"]),
        ("soon", ["soon"]),
        ("expired", ["late"]),
        ("revoked", ["gone"]),
        ("unused", ["gone", "keeps", "late", "soon"]),
    ],
)
def test_keys_are_found_by_their_state(screen, alice, state, expected):
    now = timezone.now()
    for name, until in (
        ("keeps", None),
        ("soon", now + timedelta(days=9)),
        ("late", now - timedelta(1)),
        ("gone", None),
    ):
        issued = api_keys.issue(person=alice, name=name, scopes=["use"], until=until, by=BY)
        if name == "gone":
            api_keys.revoke(issued.row, by=BY)

    assert expected == sorted(key.name for key in screen.get("authz_apikey", state=state).context["cl"].result_list)
