"""Directories are added, tried, previewed, approved and removed by an administrator."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from authz.changes import groups, runs, sources
from authz.directory.run import work
from authz.directory.taken import take
from authz.models import ApiKey, Rule, Run, Source
from tests.admin.cast import BY
from tests.admin.screen import errors, fields_of, kinds_since, row, told
from tests.directory.cast import LDAP, OIDC, person, read
from tests.peers.slapd import READER_PASSWORD, dn_of


def added(screen, kind: str, **changes: Any) -> Any:
    """Fill in the form for a new directory, as a browser would."""
    path = f"{reverse('admin:authz_source_add')}?kind={kind}"
    return screen.client.post(path, fields_of(screen.client.get(path)) | changes)


@pytest.fixture
def corp():
    return sources.add(name="corp", kind="ldap", settings=LDAP, secret="reader's", by=BY)


@pytest.mark.parametrize(
    ("kind", "sent", "settings"),
    [
        ("ldap", {"urls": "ldaps://a.example.com\nldaps://b.example.com", "people_base": "dc=example"}, {
            "urls": ["ldaps://a.example.com", "ldaps://b.example.com"], "people_base": "dc=example",
        }),
        ("oidc", OIDC | {"required_acr": "phr\nphrh"}, OIDC | {"required_acr": ["phr", "phrh"]}),
        ("scim", {"most_share": "50", "joins": "link"}, {"most_share": 50.0, "joins": "link"}),
    ],
)  # fmt: skip
def test_a_directory_is_added_with_what_differs_from_the_ordinary(screen, kind, sent, settings):
    assert 302 == added(screen, kind, name="corp", title="Corp", **sent).status_code
    source = Source.objects.get()
    assert (kind, settings, "Corp", True) == (source.kind, source.settings, source.title, source.enabled)


def test_what_kind_it_is_is_asked_first(screen):
    page = screen.get("authz_source", "add").content.decode()
    assert all(title in page for title in ("OpenLDAP", "Active Directory", "OpenID Connect", "SCIM 2.0"))
    assert "objectGUID" in page


@pytest.mark.parametrize(
    ("kind", "sent", "field", "said"),
    [
        ("ldap", {"urls": ""}, "urls", "required"),
        ("ldap", {"urls": "https://example.com"}, "urls", "is not an address like ldaps://"),
        ("ldap", {"page": "5000"}, "page", "less than or equal to 1000"),
        ("ldap", {"id_attribute": "(objectGUID)"}, "id_attribute", "not the name of an attribute"),
        ("ldap", {"tls": "none"}, "tls", "in the clear"),
        ("ldap", {"urls": "ldaps://a.example.com:99999"}, "urls", "Port out of range"),
        ("ldap", {"ca": "not a certificate"}, "ca", "no certificate in PEM"),
        ("ldap", {"people_base": "people"}, "people_base", "is not a DN"),
        ("ldap", {"groups_base": "groups"}, "groups_base", "is not a DN"),
        ("ldap", {"bind_dn": "reader"}, "bind_dn", "is not a DN"),
        ("ldap", {"people_filter": "(objectClass="}, "people_filter", "not closed"),
        ("ldap", {"groups_filter": "x"}, "groups_filter", "no part of a filter"),
        ("ldap", {"disabled_attribute": "x)("}, "disabled_attribute", "not the name of an attribute"),
        ("oidc", {"issuer": "http://login.example.com"}, "issuer", "is not an https address"),
        ("oidc", {"scopes": "email"}, "scopes", "hold openid"),
        ("oidc", {"extra_parameters": "prompt"}, "extra_parameters", "name=value"),
        ("oidc", {"algorithms": ["HS256"]}, "algorithms", "valid choice"),
        ("scim", {"most_share": "101"}, "most_share", "less than or equal to 100"),
        ("scim", {"name": "Corp_Inc"}, "name", "Small letters"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(screen, kind, sent, field, said):
    good = {"name": "corp"} | ({"urls": "ldaps://a.example.com", "people_base": "dc=x"} if kind == "ldap" else {})
    found = errors(added(screen, kind, **(good | (OIDC if kind == "oidc" else {}) | sent)))
    assert [field or "__all__"] == list(found)
    assert said in found[field or "__all__"][0]
    assert 0 == Source.objects.count()


def test_the_secret_is_kept_wrapped_and_shown_to_nobody(screen, corp):
    page = screen.get("authz_source", "change", corp.pk).content.decode()
    assert "reader's" not in page
    assert corp.secret not in page
    screen.send("authz_source", "change", corp.pk, title="Corp Inc.")
    corp.refresh_from_db()
    assert ("Corp Inc.", "reader's") == (corp.title, sources.secret_of(corp))
    entries = told()
    screen.send("authz_source", "change", corp.pk, new_secret="another")
    corp.refresh_from_db()
    assert "another" == sources.secret_of(corp)
    assert ["directory.changed"] == kinds_since(entries)


def test_rules_are_added_and_taken_away(screen, corp):
    ours = groups.create(name="mcp_advanced", by=BY)
    rule = row("rules", 0, kind="attribute", attribute="Department", pattern="R&D", group=ours.pk)
    screen.send("authz_source", "change", corp.pk, **rule)
    assert "everybody whose department is R&D in ldap:corp is in mcp_advanced" == str(Rule.objects.get())
    wrong = row("rules", 1, kind="group", attribute="department", pattern="x", group=ours.pk)
    assert ["rules-1-attribute"] == list(errors(screen.send("authz_source", "change", corp.pk, **wrong)))
    screen.send("authz_source", "change", corp.pk, **{"rules-0-DELETE": "on"})
    assert 0 == Rule.objects.count()


def test_a_client_gets_its_token_once(screen):
    okta = sources.add(name="okta", kind="scim", settings={}, by=BY)
    shown = screen.client.post(reverse("admin:authz_source_token", args=(okta.pk,)), {"_sure": "1"})
    key = ApiKey.objects.get()
    assert key.prefix in shown.content.decode()
    assert (["scim:okta"], False) == (key.scopes, key.person.is_human)


def test_what_fails_or_waits_is_on_the_overview_and_in_health(screen, corp, bob):
    anybody = Client()
    assert (200, True) == ((answer := anybody.get("/healthz")).status_code, answer.json()["healthy"])
    okta = sources.add(name="okta", kind="scim", settings={"free_number": 0, "most_number": 0}, by=BY)
    take(okta, read(person("dora"), complete=False), by=BY)
    runs.hold_push(okta, reasons=["1 of 1 people would be suspended"], grave=frozenset({"x"}), preview={}, by=BY)
    run = runs.ask(corp, by=BY)
    assert runs.claim(worker="w") == run
    runs.fail(run, worker="w", why="ldaps://ldap.example.com cannot be reached", by=BY)
    page = screen.client.get(reverse("admin:index")).content.decode()
    assert "ldap:corp is failing" in page
    assert "ldaps://ldap.example.com cannot be reached" in page
    assert "scim:okta waits for approval" in page
    answer = anybody.get("/healthz")
    assert (503, [("ldap:corp", "failing"), ("scim:okta", "waiting")]) == (
        answer.status_code,
        [(each["directory"], each["state"]) for each in answer.json()["directories"]],
    )
    assert "ldap.example.com" not in answer.content.decode()


@pytest.mark.parametrize("mallorys", ["change", "preview", "sync", "test", "token", "delete"])
def test_nobody_else_sees_or_does_any_of_it(signed_in, corp, bob, mallorys):
    path = reverse(f"admin:authz_source_{mallorys}", args=(corp.pk,))
    assert 403 == signed_in(bob).post(path, {"_sure": "1"}).status_code
    assert 0 == Run.objects.count()


@pytest.mark.peer("OpenLDAP")
@pytest.mark.django_db(transaction=True)
def test_a_day_with_a_directory(screen, slapd):
    """Tried, previewed, brought in step; a folder is deleted there, and the brake waits for Carol."""
    corp = sources.add(
        name="corp", kind="ldap", settings=slapd.settings | {"free_number": 1, "joins": "link"},
        secret=READER_PASSWORD, by=BY,
    )  # fmt: skip
    page = screen.client.get(reverse("admin:authz_source_test", args=(corp.pk,))).content.decode()
    assert "alice@example.com (Alice)" in page
    assert "engineering" in page
    asked = screen.client.post(reverse("admin:authz_source_preview", args=(corp.pk,)), {"_sure": "1"})
    run = Run.objects.get()
    assert reverse("admin:authz_run_change", args=(run.pk,)) == asked.url
    assert "3" == screen.client.get(asked.url).headers["Refresh"]
    work()
    page = screen.client.get(asked.url).content.decode()
    assert "3 people created" in page
    assert "alice@example.com: new" in page
    assert "carol@example.com: linked" in page
    screen.client.post(reverse("admin:authz_source_sync", args=(corp.pk,)), {"_sure": "1"})
    work()
    for name in ("alice", "bob", "mallory"):
        slapd.delete(dn_of(name))
    screen.client.post(reverse("admin:authz_source_sync", args=(corp.pk,)), {"_sure": "1"})
    work()
    held = Run.objects.get(state=Run.WAITING)
    page = screen.get("authz_run", "change", held.pk).content.decode()
    assert "3 of 3 people would be suspended" in page
    assert "waits for approval" in screen.get("authz_source").content.decode()
    answer = screen.client.post(
        reverse("admin:authz_run_approve", args=(held.pk,)), {"_sure": "1", "seen": runs.seal(held)}
    )
    assert 302 == answer.status_code
    work()
    held.refresh_from_db()
    assert ("done", "carol@example.com") == (held.state, held.approved_by)


@pytest.mark.django_db(transaction=True)
def test_a_removal_is_shown_before_it_is_done_and_can_be_dismissed(screen):
    okta = sources.add(name="okta", kind="scim", settings={}, by=BY)
    take(okta, read(person("dora"), complete=False), by=BY)
    screen.client.post(reverse("admin:authz_source_delete", args=(okta.pk,)), {"_sure": "1"})
    work()
    run = Run.objects.get()
    assert ("waiting", "removal") == (run.state, run.mode)
    assert "dora@example.com: their directory was removed" in screen.get("authz_run", "change", run.pk).content.decode()
    screen.client.post(reverse("admin:authz_run_dismiss", args=(run.pk,)), {"_sure": "1"})
    work()
    assert Source.objects.exists()
