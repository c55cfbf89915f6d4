"""Who may provision: the holder of a directory's token, as long as the directory is listened to."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from authz.changes import api_keys, people, sources
from authz.decisions.scopes import is_scope
from authz.errors import Conflict
from authz.models import Identity, User
from tests.directory.scim.pushing import BY, USER

pytestmark = pytest.mark.django_db
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


def get(path: str = "Users", **headers: str) -> Any:
    """Return the answer to somebody with these headers."""
    return Client().get(f"/scim/v2/{path}", headers=headers)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_token_is_a_key_of_a_service_account(okta: Any) -> None:
    """One account for a directory, however many tokens; each is for the directory alone, and may end."""
    later = timezone.now() + timedelta(days=30)
    issued = sources.issue_token(okta.source, by=BY, until=later)
    account = User.objects.get(email="scim-okta@services.internal")
    assert (False, "SCIM client of okta", 2) == (account.is_human, account.name, account.api_keys.count())
    assert (["scim:okta"], later) == (issued.row.scopes, issued.row.until)
    assert [200, 200] == [get(**bearer(token)).status_code for token in (issued.text, okta.token)]
    api_keys.revoke(issued.row, by=BY)
    assert [401, 200] == [get(**bearer(token)).status_code for token in (issued.text, okta.token)]


def test_only_scim_has_tokens(db: None) -> None:
    """And a person is no service account, whatever their address."""
    oidc = sources.add(
        name="login", kind="oidc", settings={"issuer": "https://login.example.com", "client_id": "x"}, by=BY
    )
    with pytest.raises(Conflict):
        sources.issue_token(oidc, by=BY)
    people.create(email="scim-x@services.internal", by=BY)
    with pytest.raises(Conflict):
        sources.issue_token(sources.add(name="x", kind="scim", settings={}, by=BY), by=BY)


def test_strangers_are_refused(okta: Any) -> None:
    """With a challenge, and in the form of SCIM."""
    for shown in (
        {},
        bearer("ghk_nonsense"),
        bearer(""),
        {"X-API-Key": okta.token},
        {"Authorization": f"Basic {okta.token}"},
    ):
        for path in ("Users", "Groups/x", "ServiceProviderConfig", "nothing"):
            answer = get(path, **shown)
            assert (401, "application/scim+json") == (answer.status_code, answer["Content-Type"])
            assert 'Bearer realm="gatehouse"' == answer["WWW-Authenticate"]
            assert ([ERROR], "401") == (answer.json()["schemas"], answer.json()["status"])


def refused(token: str) -> str:
    """Return why a token is not enough."""
    answer = get(**bearer(token))
    assert (403, [ERROR]) == (answer.status_code, answer.json()["schemas"])
    return str(answer.json()["detail"])


def test_a_key_without_the_scope(okta: Any) -> None:
    """Whatever else it may."""
    chat = people.create(email="chat@example.com", is_human=False, by=BY)
    for scopes in (["use", "administer", "groups:read"], ["use:okta"], ["scim:okta", "scim:entra"]):
        assert "scope" in refused(api_keys.issue(person=chat, name="k", scopes=scopes, by=BY).text)
    assert "no SCIM directory" in refused(api_keys.issue(person=chat, name="k", scopes=["scim:nowhere"], by=BY).text)


def test_a_key_of_a_person(okta: Any) -> None:
    """A person provisions nobody, even an administrator."""
    carol = people.create(email="carol@example.com", by=BY)
    assert "person" in refused(api_keys.issue(person=carol, name="k", scopes=["scim:okta"], by=BY).text)


def test_a_suspended_account(okta: Any) -> None:
    """Its tokens rest."""
    people.suspend(User.objects.get(email="scim-okta@services.internal"), by=BY)
    assert "suspended" in refused(okta.token)


def test_a_directory_that_is_switched_off(okta: Any) -> None:
    """Or is of another kind by now."""
    sources.edit(okta.source, enabled=False, by=BY)
    assert "switched off" in refused(okta.token)
    sources.edit(okta.source, enabled=True, by=BY)
    assert 200 == get(**bearer(okta.token)).status_code
    sources.add(name="corp", kind="oidc", settings={"issuer": "https://x.example", "client_id": "x"}, by=BY)
    account = User.objects.get(email="scim-okta@services.internal")
    assert "no SCIM directory" in refused(api_keys.issue(person=account, name="k", scopes=["scim:corp"], by=BY).text)


def test_a_removed_directory_takes_its_tokens_along(okta: Any) -> None:
    """One that is called the same later is another one."""
    held = api_keys.issue(
        person=people.create(email="x@example.com", is_human=False, by=BY), name="k", scopes=["scim:okta"], by=BY
    )
    sources.edit(okta.source, enabled=False, by=BY)
    sources.forget(okta.source, by=BY)
    assert [401, 401] == [get(**bearer(token)).status_code for token in (okta.token, held.text)]
    again = sources.add(name="okta", kind="scim", settings={}, by=BY)
    assert [401, 401] == [get(**bearer(token)).status_code for token in (okta.token, held.text)]
    assert 200 == get(**bearer(sources.issue_token(again, by=BY).text)).status_code


def test_a_token_opens_nothing_else(okta: Any) -> None:
    """Not the JSON interface, and a directory cannot remove its own account."""
    assert 403 == Client(headers=bearer(okta.token)).get("/api/v1/users/a@example.com/groups").status_code
    answer = okta.ask("POST", "Users", {"schemas": [USER], "userName": "scim-okta@services.internal"})
    assert 409 == answer.status_code


SCOPES = {
    "scim:okta": True,
    "scim:okta-2": True,
    "scim:": False,
    "scim:Okta": False,
    "scim:a b": False,
    "scim:*": False,
    "scim": False,
}


@pytest.mark.parametrize(("scope", "known"), SCOPES.items())
def test_what_is_a_scope(scope: str, known: bool) -> None:
    """The name of a directory, as directories are named."""
    assert known == is_scope(scope)


def test_a_write_may_demand_a_revision(okta: Any) -> None:
    """As in the JSON interface."""
    answer = okta.ask("GET", "Users", Authz_At_Least="00000000.1")
    assert (503, [ERROR]) == (answer.status_code, answer.said["schemas"])
    assert 400 == okta.ask("GET", "Users", Authz_At_Least="yesterday").status_code


ADDRESSES = {
    ("POST", "Users/x"): 405, ("PUT", "Users"): 405, ("GET", "Users/.search"): 405,
    ("POST", "ServiceProviderConfig"): 405,
    ("DELETE", "Schemas"): 405, ("GET", "Me"): 501, ("POST", "Bulk"): 501, ("POST", ".search"): 501, ("GET", ""): 404,
    ("GET", "Printers"): 404, ("GET", "Users/x/y"): 404, ("GET", "Schemas/x"): 404, ("OPTIONS", "Users"): 405,
    ("GET", "Users/%00"): 404, ("GET", "Groups/%00"): 404, ("GET", "Users/%ff"): 404, ("DELETE", "Users/%00"): 404,
}  # fmt: skip


@pytest.mark.parametrize(("asked", "status"), ADDRESSES.items(), ids=map(str, ADDRESSES))
def test_addresses_and_methods_that_there_are_not(okta: Any, asked: tuple[str, str], status: int) -> None:
    """Each is told in the form of SCIM."""
    answer = okta.ask(*asked)
    assert (status, [ERROR], str(status)) == (answer.status_code, answer.said["schemas"], answer.said["status"])
    assert (status == 405) == ("Allow" in answer)


def test_what_nobody_thought_of_is_told_in_the_form_of_scim(okta: Any, caplog: pytest.LogCaptureFixture) -> None:
    """And with its cause in the log alone."""
    key = okta.user("alice")
    Identity.objects.update(resource=5)
    answer = okta.get(f"Users/{key}")
    assert (500, [ERROR], "500") == (answer.status_code, answer.said["schemas"], answer.said["status"])
    assert "int" not in answer.said["detail"]
    assert ["scim.failed"] == [
        each.message for each in caplog.records if each.exc_info and each.name.startswith("authz")
    ]


def test_the_server_says_what_it_can(okta: Any) -> None:
    """A filter on that is refused (RFC 7644 §4); a slash at the end does not matter."""
    said = okta.get("ServiceProviderConfig").said
    can = {name: said[name]["supported"] for name in ("patch", "bulk", "filter", "sort", "etag", "changePassword")}
    assert {"patch": True, "bulk": False, "filter": True, "sort": True, "etag": True, "changePassword": False} == can
    assert 3 == okta.get("Schemas").said["totalResults"]
    assert {"User", "Group"} == {each["name"] for each in okta.get("ResourceTypes/").said["Resources"]}
    assert USER == okta.get(f"Schemas/{USER.upper()}").said["id"]
    assert "/Users" == okta.get("ResourceTypes/User").said["endpoint"]
    assert 403 == okta.get("Schemas", filter="id pr").status_code
    assert 200 == okta.ask("GET", "Users/").status_code
