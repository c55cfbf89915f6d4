"""Lists: filtered, sorted, a page at a time, and with the attributes that were asked for."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authz.lookups.current import CURRENT
from authz.models import ForeignGroup, ForeignMember, Identity, User
from tests.directory.scim.pushing import ENTERPRISE, SEARCH, USER
from tests.people import live_in

pytestmark = pytest.mark.django_db
NAMES = ("alice", "bob", "carol", "mallory")


@pytest.fixture
def cast(okta: Any) -> dict[str, str]:
    """Return the ids of the people we know, who differ in all that one can filter by."""
    titles = {"alice": "Intern", "bob": "Sales lead", "carol": "Administrator"}
    ids = {}
    for number, name in enumerate(NAMES):
        more: dict[str, Any] = {
            "externalId": f"E-{number}",
            "emails": [{"value": f"{name}@corp.local", "type": "work"}],
        }
        if name in titles:
            more |= {"title": titles[name], ENTERPRISE: {"department": "Engineering" if name == "alice" else "Sales"}}
        ids[name] = okta.user(name, active=name != "mallory", **more)
    ids["engineering"] = okta.group("engineering", ids["alice"])
    ids["sales"] = okta.group("Sales & more", ids["bob"], ids["carol"], externalId="x")
    ids["staff"] = okta.group("staff", ids["alice"], ids["bob"])
    return ids


FILTERS: dict[str, set[str]] = {
    'userName eq "Alice@EXAMPLE.com"': {"alice"},
    f'{USER}:userName eq "alice@example.com"': {"alice"},
    'userName ne "alice@example.com"': {"bob", "carol", "mallory"},
    'userName sw "b"': {"bob"},
    'userName co "example"': set(NAMES),
    'userName ew "y@example.com"': {"mallory"},
    'userName gt "bob@example.com"': {"carol", "mallory"},
    'externalId eq "E-1"': {"bob"},
    'externalId eq "e-1"': set(),
    'id eq "<carol>"': {"carol"},
    'displayName eq "ALICE"': {"alice"},
    "title pr": {"alice", "bob", "carol"},
    "not (title pr)": {"mallory"},
    'title co "lead" or title sw "int"': {"alice", "bob"},
    f'{ENTERPRISE}:department eq "sales"': {"bob", "carol"},
    f'{ENTERPRISE}:department eq "sales" and title co "admin"': {"carol"},
    "active eq false": {"mallory"},
    'active eq "True" and userName sw "a"': {"alice"},
    'emails[type eq "work" and value co "corp"]': set(NAMES),
    'emails[type eq "work"].value eq "bob@corp.local"': {"bob"},
    'emails[type eq "home"].value eq "bob@corp.local"': set(),
    'emails.type eq "work" and userName eq "bob@example.com"': {"bob"},
    'groups.value eq "<engineering>"': {"alice"},
    'groups.display co "sales"': {"bob", "carol"},
    'groups eq "<sales>" or userName eq "bob@example.com"': {"bob", "carol"},
    'groups eq "<engineering>" or groups eq "<sales>"': {"alice", "bob", "carol"},
    'groups eq "<staff>" and groups eq "<sales>"': {"bob"},
    'groups.value eq "<staff>" and groups.value eq "<engineering>"': {"alice"},
    "meta.created gt null": set(),
    'meta.created gt "2020-01-01T00:00:00+05:30"': set(NAMES),
    'meta.lastModified gt "2020-01-01T00:00:00Z"': set(NAMES),
    'meta.lastModified lt "2020-01-01T00:00:00Z"': set(),
    'meta.resourceType eq "User"': set(NAMES),
    'userName eq "alice@example.com" or userName eq "bob@example.com"': {"alice", "bob"},
    'userName eq "alice@example.com" or title eq "administrator"': {"alice", "carol"},
    'userName eq "alice@example.com" and externalId eq "E-1"': set(),
    'not (userName eq "alice@example.com")': {"bob", "carol", "mallory"},
    'userName eq "100%"': set(),
    'emails.value eq "%"': set(),
    'displayName eq "_lice"': set(),
    'displayName eq "a\\"b"': set(),
    'userName eq "é"': set(),
}


@pytest.mark.parametrize(("text", "expected"), FILTERS.items(), ids=FILTERS)
def test_a_filter_finds(okta: Any, cast: dict[str, str], text: str, expected: set[str]) -> None:
    """The same by address and by search, sorted or not."""
    for name, key in cast.items():
        text = text.replace(f"<{name}>", key)
    found = okta.found(filter=text)
    assert {f"{name}@example.com" for name in expected} == set(found)
    assert set(found) == set(okta.found(filter=text, sortBy="title"))
    searched = okta.ask("POST", "Users/.search", {"schemas": [SEARCH], "filter": text}).said
    assert (len(expected), len(expected)) == (searched["totalResults"], len(searched["Resources"]))


GROUPS: dict[str, set[str]] = {
    'displayName eq "ENGINEERING"': {"engineering"},
    'displayName co "&"': {"Sales & more"},
    'id eq "<sales>" and members eq "<bob>"': {"Sales & more"},
    'id eq "<sales>" and members.value eq "<alice>"': set(),
    'members[value eq "<carol>"]': {"Sales & more"},
    'members eq "<alice>" and members eq "<bob>"': {"staff"},
    'members.type eq "User"': {"engineering", "Sales & more", "staff"},
    'not (members eq "<alice>")': {"Sales & more"},
    'externalId eq "x"': {"Sales & more"},
    "externalId pr": {"Sales & more"},
}


@pytest.mark.parametrize(("text", "expected"), GROUPS.items(), ids=GROUPS)
def test_a_filter_finds_groups(okta: Any, cast: dict[str, str], text: str, expected: set[str]) -> None:
    """By name, and by who is in them."""
    for name, key in cast.items():
        text = text.replace(f"<{name}>", key)
    assert expected == set(okta.found("Groups", filter=text))


BAD = (
    "userName eq",
    "userName",
    "shoeSize eq 43",
    'userName xx "a"',
    "active gt true",
    'active eq "perhaps"',
    "(",
    'userName eq "a',
    "",
    "not (" * 20_000 + 'userName eq "a"' + ")" * 20_000,
    'meta.created gt "yesterday"',
    'meta.created gt "2020-01-01T00:00:00"',
    'not (meta.created gt "2020-01-01")',
    'meta.created lt "0001-01-01T00:00:00+14:00"',
    "meta.lastModified ge 5",
    'userName eq "\\u0000"',
    'title co "\\ud800"',
    'userName eq "\\ud800"',
    " or ".join(f'id eq "{n}"' for n in range(51)),
    " or ".join(f'title eq "{n}"' for n in range(51)),
)


@pytest.mark.parametrize("text", BAD, ids=[text[:30] for text in BAD])
def test_a_bad_filter_is_told(okta: Any, text: str) -> None:
    """And not taken for none: it would find everybody."""
    answer = okta.ask("POST", "Users/.search", {"filter": text})
    assert 400 == answer.status_code, answer.said
    assert answer.said["scimType"] in {"invalidFilter", "invalidSyntax", "invalidValue", "tooMany"}
    if len(text) < 1000:
        assert 400 == okta.get("Users", filter=text).status_code


def test_pages_and_order(okta: Any, cast: dict[str, str]) -> None:
    """By what the database sorts by, and by what it does not."""
    everybody = [f"{name}@example.com" for name in NAMES]
    assert everybody == okta.found() == okta.found(sortBy="userName") == okta.found(sortBy="meta.created")
    assert everybody[::-1] == okta.found(sortBy="userName", sortOrder="descending")
    by_title = ["carol@example.com", "alice@example.com", "bob@example.com", "mallory@example.com"]
    assert by_title == okta.found(sortBy="title")
    assert by_title[1:3] == okta.found(sortBy="title", startIndex=2, count=2)
    assert everybody[2:] == okta.found(startIndex=3)
    assert everybody[:1] == okta.found(startIndex=-5, count=1)
    assert [] == okta.found(startIndex=5)
    said = okta.get("Users", count=0).said
    assert (4, 0, []) == (said["totalResults"], said["itemsPerPage"], said["Resources"])
    huge = 10**30
    assert 4 == okta.get("Users", startIndex=huge, count=huge).said["totalResults"]
    assert [] == okta.found(startIndex=huge, count=huge, sortBy="title")
    said = okta.get("Users", startIndex=4, count=1000).said
    assert (4, 4, 1) == (said["totalResults"], said["startIndex"], said["itemsPerPage"])
    for query in (
        {"count": "many"},
        {"startIndex": "x"},
        {"sortBy": "shoeSize"},
        {"sortBy": "name"},
        {"sortOrder": "up"},
    ):
        assert 400 == okta.get("Users", **query).status_code


def test_only_what_is_asked_for(okta: Any, cast: dict[str, str]) -> None:
    """`id` and `schemas` always; the two parameters exclude each other."""
    user = f"Users/{cast['alice']}"
    assert {"schemas", "id", "userName"} == set(okta.get(user, attributes="userName").said)
    assert {"schemas", "id", "emails", ENTERPRISE} == set(
        okta.get(user, attributes=f"EMAILS,{ENTERPRISE}:department").said
    )
    whole = set(okta.get(user).said)
    assert whole - {"emails", "groups"} == set(okta.get(user, excludedAttributes="emails, groups,id").said)
    assert {"schemas", "id", "groups"} == set(okta.get("Users", attributes="groups.display").said["Resources"][0])
    group = f"Groups/{cast['engineering']}"
    assert "members" not in okta.get(group, excludedAttributes="members").said
    assert "members" not in okta.get(group, attributes="displayName").said
    assert [{"value": cast["alice"]}] == okta.get(group, attributes="members.value").said["members"]
    assert {"value", "type"} == set(okta.get(group, excludedAttributes="members.$ref").said["members"][0])
    assert 400 == okta.get(user, attributes="userName", excludedAttributes="emails").status_code
    said = okta.ask("POST", "Users/.search", {"attributes": ["userName"], "count": 1}).said["Resources"]
    assert {"schemas", "id", "userName"} == set(said[0])
    put = {"schemas": [USER], "userName": "alice@example.com"}
    assert {"schemas", "id", "title"} >= set(okta.ask("PUT", user, put, query={"attributes": "title"}).said)


def queries(act: Any) -> int:
    """Return how many queries something takes in a process that serves, whose World is in memory."""
    live_in(CURRENT.look())
    with CaptureQueriesContext(
        connection,
    ) as captured:
        act()
    return len(captured)


def fill(okta: Any, number: int, *, members: int = 0) -> str:
    """Put people in the tables as pushes would have, and some of them in a group; return its id."""
    people = User.objects.bulk_create(
        User(email=f"p{n}@example.com", source="scim:okta", external_id=f"p{n}") for n in range(number)
    )
    rows = Identity.objects.bulk_create(
        Identity(
            source=okta.source,
            external_id=f"p{n}",
            person=each,
            locator=each.email,
            resource={"userName": each.email, "active": True},
        )
        for n, each in enumerate(people)
    )
    group = ForeignGroup.objects.create(
        source=okta.source, external_id="big", name="big", resource={"displayName": "big"}
    )
    ForeignMember.objects.bulk_create(ForeignMember(group=group, identity=row) for row in rows[:members])
    return group.external_id


def test_a_list_takes_as_many_queries_as_one(okta: Any) -> None:
    """Whatever is listed: a hundred people, or a group of a thousand."""
    key = okta.user("alice")
    okta.group("engineering", key)
    for path in ("Users", "Groups", f"Users/{key}"):
        okta.get(path)
    few = [queries(lambda path=path: okta.get(path)) for path in ("Users", "Groups", f"Users/{key}")]
    assert [4, 7, 3] == few
    fill(okta, 1000, members=1000)
    said = okta.get("Users", count=100).said
    assert (1001, 100) == (said["totalResults"], said["itemsPerPage"])
    assert few == [queries(lambda path=path: okta.get(path)) for path in ("Users?count=100", "Groups", f"Users/{key}")]
    assert 1000 == len(okta.get("Groups/big").said["members"])


def test_one_of_ten_thousand_is_added_and_removed_at_the_same_price(okta: Any) -> None:
    """None of the others is read, and none is where they are not asked for."""
    key = okta.user("alice")
    small = okta.group("small", okta.user("bob"))
    add, remove = ({"op": op, "path": "members", "value": [{"value": key}]} for op in ("add", "remove"))
    quiet = "?excludedAttributes=members"
    okta.patch(f"Groups/{small}{quiet}", add)
    okta.patch(f"Groups/{small}{quiet}", remove)
    cheap = [queries(lambda op=op: okta.patch(f"Groups/{small}{quiet}", op)) for op in (add, remove)]
    big = fill(okta, 10_000, members=10_000)
    okta.patch(f"Groups/{big}{quiet}", add)  # makes the group of ours that mirrors it
    okta.patch(f"Groups/{big}{quiet}", remove)
    with CaptureQueriesContext(connection) as captured:
        okta.get(f"Groups/{big}{quiet}")
    assert [] == [each["sql"] for each in captured if "authz_identity" in each["sql"]]
    assert cheap == [queries(lambda op=op: okta.patch(f"Groups/{big}{quiet}", op)) for op in (add, remove)]
    assert 10_000 == len(okta.get(f"Groups/{big}").said["members"])


def test_what_the_database_cannot_be_asked_is_bounded(okta: Any) -> None:
    """A filter that looks at everybody is refused where there are too many, and one that it can be asked is not."""
    fill(okta, 10_001)
    answer = okta.get("Users", filter='title co "x"')
    assert (400, "tooMany") == (answer.status_code, answer.said["scimType"])
    assert 400 == okta.get("Users", sortBy="title").status_code
    assert 0 == okta.get("Users", filter="active eq false").said["totalResults"]
    assert 1 == okta.get("Users", filter='userName sw "P10000@" and active eq true').said["totalResults"]
    okta.user("müller")
    assert ["müller@example.com"] == okta.found(filter='userName eq "MÜLLER@example.com"')
    assert ["p7@example.com"] == okta.found(filter='userName eq "p7@example.com" and active eq true', sortBy="title")
    assert 200 == len(okta.found(sortBy="userName"))
