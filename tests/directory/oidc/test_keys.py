"""A provider's keys and metadata: remembered, fetched again when they change, and never from anybody else."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest
from django.test import Client
from joserfc.jwk import ECKey

from authz.directory.oidc import discovery
from authz.errors import DirectoryFailed, InvalidName
from authz.formats.sources import OidcSettings, read
from authz.outbound import http, key_sets
from authz.outbound.remembered import Remembered
from tests.credentials.issuer import published
from tests.directory.oidc.cast import okta, sign_in
from tests.directory.oidc.provider import CLIENT
from tests.patience import HANG, eventually

NOW = 1_760_000_000.0


def new_key(name: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": name, "use": "sig"})


def remembered_keys() -> Remembered[key_sets.Keys]:
    return Remembered(key_sets.fetch, oldest=lambda: 86_400, what="keys")


def remembered_metadata() -> Remembered[discovery.Metadata]:
    return Remembered(discovery.fetch, oldest=lambda: 86_400, what="discovery")


def kids(keys) -> list[str]:
    return [key["kid"] for key in keys]


@pytest.mark.django_db
def test_a_sign_in_after_a_rotation_works_and_one_by_the_old_key_does_not(provider):
    okta(provider)
    assert 302 == sign_in(Client(), provider).status_code
    old = provider.key
    provider.key = new_key("new")
    provider.published = [provider.key]
    assert 302 == sign_in(Client(), provider).status_code
    provider.key = old
    assert 403 == sign_in(Client(), provider).status_code
    assert 2 == provider.asked.count("/jwks")


@pytest.mark.django_db
def test_a_key_replaced_under_the_same_name_is_found_too(provider):
    okta(provider)
    assert 302 == sign_in(Client(), provider).status_code
    provider.key = new_key(provider.key.kid)
    provider.published = [provider.key]
    assert 302 == sign_in(Client(), provider).status_code


def test_forgeries_make_us_fetch_keys_once_in_a_while(provider):
    keys, url = remembered_keys(), provider.metadata["jwks_uri"]
    keys.of(url, NOW)
    found = [keys.newer(url, NOW + second, than=keys.of(url, NOW + second)) is not None for second in range(61)]
    assert [0, 30, 60] == [second for second, fetched in enumerate(found) if fetched]
    assert 4 == provider.asked.count("/jwks")


def test_keys_are_fetched_again_after_an_hour_so_that_a_withdrawn_one_is_forgotten(provider):
    keys, url = remembered_keys(), provider.metadata["jwks_uri"]
    first = keys.of(url, NOW)
    provider.published = [new_key("next")]
    assert first == keys.of(url, NOW + 3599)
    assert ["next"] == kids(keys.of(url, NOW + 3600))


def test_keys_outlast_a_provider_that_is_down_by_a_day_and_no_longer(provider):
    keys, url = remembered_keys(), provider.metadata["jwks_uri"]
    first = keys.of(url, NOW)
    provider.breaks["/jwks"] = (503, b"", {})
    assert first == keys.of(url, NOW + 7200)
    assert first == keys.of(url, NOW + 7201)
    assert 2 == provider.asked.count("/jwks")
    assert keys.newer(url, NOW + 7300, than=first) is None
    with pytest.raises(DirectoryFailed, match="answered 503"):
        keys.of(url, NOW + 86_400)


def test_metadata_is_remembered_for_an_hour_and_outlasts_a_provider_that_is_down_by_a_day(provider):
    found, path = remembered_metadata(), "/.well-known/openid-configuration"
    first = found.of(provider.issuer, NOW)
    assert first is found.of(provider.issuer, NOW + 3599)
    assert first is not found.of(provider.issuer, NOW + 3600)
    provider.breaks[path] = (500, b"", {})
    for later in (10_000, 10_001, 90_000):
        assert provider.issuer == found.of(provider.issuer, NOW + later - 3600).issuer
    with pytest.raises(DirectoryFailed, match="answered 500"):
        found.of(provider.issuer, NOW + 3600 + 86_400)


WRONG = {
    "another issuer": ({"issuer": "https://evil.example.com"}, "calls itself 'https://evil.example.com'"),
    "no issuer": ({"issuer": None}, "calls itself None"),
    "no token endpoint": ({"token_endpoint": None}, "no token_endpoint"),
    "no keys": ({"jwks_uri": ""}, "no jwks_uri"),
    "an address that is no text": ({"token_endpoint": ["x"]}, "not an https address"),
    "an address without TLS": ({"token_endpoint": "http://idp.example.com/token"}, "not an https address"),
    "a userinfo without TLS": ({"userinfo_endpoint": "http://idp.example.com/me"}, "not an https address"),
    "a file": ({"jwks_uri": "file:///etc/passwd"}, "not an https address"),
    "an authentication we cannot do": (
        {"token_endpoint_auth_methods_supported": ["private_key_jwt"]},
        "neither client_secret_basic nor client_secret_post",
    ),
}


@pytest.mark.parametrize(("said", "words"), WRONG.values(), ids=WRONG)
def test_metadata_that_cannot_be_used_is_refused(provider, said, words):
    provider.metadata |= said
    with pytest.raises(DirectoryFailed, match=words):
        discovery.fetch(provider.issuer)


def test_a_provider_with_tls_does_not_send_us_to_this_machine(provider):
    said = provider.metadata | {"issuer": "https://idp.example.com"}
    with pytest.raises(DirectoryFailed, match="on the machine of whoever asks"):
        discovery.parse(said, issuer="https://idp.example.com")


@pytest.mark.parametrize(("issuer", "address"), [
    ("https://idp.example.com", "https://idp.example.com/.well-known/openid-configuration"),
    ("https://idp.example.com/", "https://idp.example.com/.well-known/openid-configuration"),
    ("https://idp.example.com/realms/a", "https://idp.example.com/realms/a/.well-known/openid-configuration"),
])  # fmt: skip
def test_metadata_is_where_the_standard_says(issuer, address):
    assert address == discovery.address_of(issuer)


BROKEN = {
    "a redirect": (302, b"", {"Location": "http://127.0.0.1:1/"}, "wants to send us elsewhere"),
    "too much": (200, b" " * 600_000, {}, "more than 524288 bytes"),
    "no JSON": (200, b"<html>", {}, "JSON object"),
    "a list": (200, b"[]", {}, "JSON object"),
    "what is nested without end": (200, b"[" * 100_000, {}, "JSON object"),
    "an error": (500, b"{}", {}, "answered 500"),
}


@pytest.mark.parametrize(("status", "body", "headers", "words"), BROKEN.values(), ids=BROKEN)
def test_an_answer_that_is_none_is_refused(provider, status, body, headers, words):
    provider.breaks["/.well-known/openid-configuration"] = (status, body, headers)
    with pytest.raises(DirectoryFailed, match=words):
        discovery.fetch(provider.issuer)


@pytest.mark.parametrize("keys", [b'{"keys": []}', b"{}", b"x", b'{"keys": [{"kty": "oct", "k": "AAAA"}]}'])
def test_keys_that_are_none_are_refused(provider, keys):
    provider.breaks["/jwks"] = (200, keys, {})
    with pytest.raises(DirectoryFailed, match="JWK set"):
        remembered_keys().of(provider.metadata["jwks_uri"], NOW)


@pytest.mark.parametrize("headers", [{}, {"Content-Length": "1000000"}], ids=["without a length", "with a length"])
def test_an_answer_that_drips_is_given_up(provider, headers, monkeypatch):
    monkeypatch.setattr(http, "PATIENCE", 1.0)
    drips_for_an_hour(provider, headers)
    with pytest.raises(DirectoryFailed, match="took longer than 1 s"):
        http.get(provider.metadata["jwks_uri"])


def drips_for_an_hour(provider, headers) -> None:
    provider.drip = 0.05
    provider.breaks["/jwks"] = (200, published(provider.key).encode() + b" " * 100_000, headers)


def test_a_connection_that_opens_after_the_time_is_shut_at_once(provider, monkeypatch):
    """As when a name is looked up for longer than all of it may take; else it would drip on for as long as it likes."""
    monkeypatch.setattr(http, "PATIENCE", 0.3)
    found, over = socket.getaddrinfo, threading.Event()

    class Watch(http._Watch):  # noqa: SLF001  to know when it has hung up
        def _hang_up(self) -> None:
            super()._hang_up()
            over.set()

    def slowly(*address, **more):
        assert over.wait(HANG)
        return found(*address, **more)

    monkeypatch.setattr(http, "_Watch", Watch)  # house: itself, which says when it has hung up
    monkeypatch.setattr(socket, "getaddrinfo", slowly)
    drips_for_an_hour(provider, {})
    with pytest.raises(DirectoryFailed, match="took longer than"):
        http.get(provider.metadata["jwks_uri"])


NAMES = {
    "a part that is too long": f"https://{'a' * 64}.example.com/x",
    "an empty part": "https://a..example.com/x",
    "a port that there is not": "https://example.com:99999/x",
    "half a bracket": "https://[::1/x",
    "a space": "https://exa mple.com/x",
}


@pytest.mark.parametrize("url", NAMES.values(), ids=NAMES)
def test_an_address_that_cannot_be_is_told_as_such(url):
    with pytest.raises(DirectoryFailed):
        http.get(url)


@pytest.mark.parametrize("issuer", [*NAMES.values(), "https://example.com:0", "https://exämple.com"])
def test_an_issuer_that_cannot_be_is_refused_by_the_settings(issuer):
    with pytest.raises(InvalidName, match="issuer"):
        read(OidcSettings, {"issuer": issuer, "client_id": "x"})


@pytest.fixture
def silent() -> Iterator[tuple[str, list[socket.socket]]]:
    """Return the address of somebody who takes connections and says nothing, and those that came."""
    with socket.socket() as listening, ExitStack() as stack:
        listening.bind(("127.0.0.1", 0))
        listening.listen(50)
        came: list[socket.socket] = []

        def take() -> None:
            with suppress(OSError):
                while True:
                    came.append(stack.enter_context(listening.accept()[0]))

        taking = threading.Thread(target=take)
        taking.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", came
        listening.shutdown(socket.SHUT_RDWR)
        taking.join(HANG)
        assert not taking.is_alive()


@pytest.mark.parametrize("remembering", [remembered_metadata, remembered_keys])
def test_those_who_wait_for_a_silent_provider_wait_once_and_together(silent, monkeypatch, remembering):
    """And whoever comes soon after is told at once; then it is tried again."""
    monkeypatch.setattr(http, "PATIENCE", 0.5)
    url, came = silent
    remembered, told = remembering(), []

    def one(at: float) -> None:
        with pytest.raises(DirectoryFailed) as error:
            remembered.of(url, at)
        told.append(str(error.value))

    threads = [threading.Thread(target=one, args=(NOW + number / 100,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG)
    one(NOW + 25)
    assert (1, 1, 7) == (len(came), len(set(told)), len(told))
    one(NOW + 31)
    eventually(lambda: len(came), 2)


def test_whoever_waited_for_newer_keys_has_them_too(provider):
    """A rotation is no reason to refuse the second who comes."""
    keys, url = remembered_keys(), provider.metadata["jwks_uri"]
    old = keys.of(url, NOW)
    provider.published = [new_key("new")]
    assert [["new"], ["new"]] == [kids(keys.newer(url, NOW + 1, than=old) or []) for _ in range(2)]
    assert 2 == provider.asked.count("/jwks")


def test_nobody_there_is_said(provider):
    provider.stop()
    with pytest.raises(DirectoryFailed, match="cannot be reached"):
        discovery.fetch(provider.issuer)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/token", "/jwks", "/userinfo", "/.well-known/openid-configuration"])
def test_a_provider_that_breaks_is_said_without_its_addresses(provider, path):
    okta(provider, kept_claims=["department"])
    if path != "/.well-known/openid-configuration":
        provider.breaks[path] = (500, b"internal.example.com failed", {})
        answer = sign_in(Client(), provider)
    else:
        provider.breaks[path] = (500, b"internal.example.com failed", {})
        answer = Client().get("/oidc/okta/begin")
    assert 502 == answer.status_code
    assert "127.0.0.1" not in answer.content.decode()
    assert CLIENT != answer.content.decode()
