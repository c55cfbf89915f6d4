"""Proxies are trusted by a secret that is shown once, by networks, or by both."""

import hashlib
import re

import pytest

from audit.models import Entry
from authz.changes import proxies
from authz.models import Proxy
from tests.admin.cast import BY
from tests.admin.screen import errors, fields_of, revision

SECRET = "a secret of enough letters"


@pytest.fixture
def edge():
    return proxies.trust(name="edge", secret=SECRET, by=BY)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_secret_is_generated_and_shown_once(screen):
    answer = screen.send("authz_proxy", "add", name="edge", networks="10.1.0.0/16", shared="generate")

    assert "no-store" in answer["Cache-Control"]
    (text,) = re.findall(r'id="secret"[^>]* value="([^"]+)"', answer.content.decode())
    proxy = Proxy.objects.get()
    assert (digest(text), ["10.1.0.0/16"]) == (proxy.secret, proxy.networks)
    after = screen.get("authz_proxy").content + screen.get("authz_proxy", "change", proxy.pk).content
    assert text not in after.decode() + str(answer.cookies) + str(screen.client.cookies)
    assert not Entry.objects.filter(detail__contains=text).exists()


def test_a_secret_is_entered_and_never_shown_again(screen):
    assert 302 == screen.send("authz_proxy", "add", name="edge", shared="enter", text=SECRET).status_code

    proxy = Proxy.objects.get()
    assert digest(SECRET) == proxy.secret
    assert "" == fields_of(screen.get("authz_proxy", "change", proxy.pk))["text"][0]


def test_a_secret_is_not_repeated_when_its_form_is_refused(screen):
    answer = screen.send("authz_proxy", "add", name="", shared="enter", text=SECRET)

    assert ["name"] == list(errors(answer))
    assert SECRET not in answer.content.decode()


@pytest.mark.parametrize(
    ("sent", "field", "said"),
    [
        ({"name": "edge"}, "name", "already"),
        ({"shared": "none"}, "networks", "a secret, a network, or both"),
        ({"shared": "none", "networks": "0.0.0.0/0"}, "networks", "is everybody"),
        ({"networks": "here"}, "networks", "not a network"),
        ({"shared": "enter", "text": "short"}, "text", "at least 16"),
        ({"shared": "enter", "text": "sixteen letters ä"}, "text", "ASCII"),
        ({"shared": "generate", "text": SECRET}, "text", "leave it empty"),
        ({"shared": ""}, "shared", "required"),
        ({"shared": "keep"}, "shared", "valid choice"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(screen, edge, sent, field, said):
    before = revision()
    found = errors(screen.send("authz_proxy", "add", **{"name": "other"} | sent))

    assert [field] == list(found)
    assert said in found[field][0]
    assert before == revision()


def test_a_secret_is_kept_replaced_or_dropped(screen, edge):
    screen.send("authz_proxy", "change", edge.pk, networks="10.0.0.0/8")
    edge.refresh_from_db()
    assert (digest(SECRET), ["10.0.0.0/8"]) == (edge.secret, edge.networks)

    assert b"shown this once" in screen.send("authz_proxy", "change", edge.pk, shared="generate").content
    edge.refresh_from_db()
    assert digest(SECRET) != edge.secret

    screen.send("authz_proxy", "change", edge.pk, shared="none", enabled=[])
    edge.refresh_from_db()
    assert ("", False) == (edge.secret, edge.enabled)
    assert ["networks"] == list(errors(screen.send("authz_proxy", "change", edge.pk, networks="")))


def test_a_name_cannot_be_taken_from_another(screen, edge):
    other = proxies.trust(name="other", secret=SECRET, by=BY)

    assert ["name"] == list(errors(screen.send("authz_proxy", "change", other.pk, name=" edge ")))


def test_a_proxy_is_removed(screen, edge):
    assert 302 == screen.client.post(f"/admin/authz/proxy/{edge.pk}/delete/", {"_sure": "1"}).status_code
    assert 0 == Proxy.objects.count()
