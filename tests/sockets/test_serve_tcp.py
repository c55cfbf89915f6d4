"""The process that serves lines over TCP: with TLS, with revocation from elsewhere, and with a clean end."""

import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.installation import Installation
from tests.patience import HANG
from tests.peers.processes import free_port


@pytest.fixture
def here(portal) -> Iterator[Installation]:
    """Return an installation with the people we know in it."""
    made = Installation(portal())
    yield made
    made.stop()


@pytest.fixture
def certificate(tmp_path: Path) -> dict[str, Path]:
    """Return the files of a certificate for localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, encoded = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (tmp_path / "cert").write_bytes(made.public_bytes(pem))
    (tmp_path / "key").write_bytes(key.private_bytes(pem, encoded, serialization.NoEncryption()))
    return {"cert": tmp_path / "cert", "key": tmp_path / "key"}


class Line:
    """A client that waits for each line."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._file = connection, connection.makefile("rwb")

    def ask(self, method: str, **params: Any) -> Any:
        self._file.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode() + b"\n")
        self._file.flush()
        return self.hear()

    def hear(self) -> Any:
        """Return the next line as a value, None at the end."""
        line = self._file.readline()
        return json.loads(line) if line else None

    def close(self) -> None:
        self._file.close()
        self._connection.close()


def served(here: Installation, *words: str) -> tuple[Any, int]:
    port = free_port()
    process = here.portal.start("serve_tcp", "--port", str(port), *words)
    process.wait_for_words("tcp.listening")
    return process, port


def connected(port: int, key: str, tls: ssl.SSLContext | None = None) -> Line:
    connection: socket.socket = socket.create_connection(("127.0.0.1", port), timeout=HANG)
    if tls is not None:
        connection = tls.wrap_socket(connection, server_hostname="localhost")
    line = Line(connection)
    assert {"authenticated": True} == line.ask("authenticate", token=key)["result"]
    return line


def last_words(line: Line) -> tuple[int, str]:
    params = line.hear()["params"]
    assert line.hear() is None
    return params["code"], params["reason"]


@pytest.mark.parametrize("encrypted", [False, True])
def test_what_is_revoked_elsewhere_ends_here_and_a_restart_says_so(here, certificate, encrypted):
    words = ("--tls-cert", str(certificate["cert"]), "--tls-key", str(certificate["key"])) if encrypted else ()
    tls = ssl.create_default_context(cafile=certificate["cert"]) if encrypted else None
    process, port = served(here, *words)
    with (
        closing(connected(port, here.keys["alice"], tls)) as alice,
        closing(connected(port, here.keys["bob"], tls)) as bob,
    ):
        assert "alice@example.com" == alice.ask("whoami")["result"]["email"]
        assert ["me"] == bob.ask("subscribe", topics=["me"])["result"]["subscribed"]
        here.do("suspend", "alice")
        assert (4001, "revoked") == last_words(alice)
        assert "bob@example.com" == bob.ask("whoami")["result"]["email"]
        process.child.terminate()
        assert (1012, "restart") == last_words(bob)
    assert 0 == process.child.wait(HANG)


def test_a_client_that_does_not_speak_tls_is_told_nothing(here, certificate):
    _, port = served(here, "--tls-cert", str(certificate["cert"]), "--tls-key", str(certificate["key"]))
    with socket.create_connection(("127.0.0.1", port), timeout=HANG) as plain:
        plain.sendall(b'{"jsonrpc": "2.0", "id": 1, "method": "whoami"}\n')
        got = plain.recv(4096)
    assert b"jsonrpc" not in got  # at most an alert of TLS
    tls = ssl.create_default_context(cafile=certificate["cert"])
    connected(port, here.keys["alice"], tls).close()


UNSAFE: dict[str, tuple[dict[str, str], tuple[str, ...], str]] = {
    "others, from a machine that serves itself": ({}, ("--host", "192.0.2.1"), "PORTAL_MODE=local"),
    "a certificate that is not there": ({}, ("--tls-cert", "/nowhere"), "TLS cannot be served"),
}


@pytest.mark.parametrize(("env", "words", "why"), UNSAFE.values(), ids=UNSAFE)
def test_an_unsafe_start_is_refused(here, env, words, why):
    process = here.portal.start("serve_tcp", "--port", str(free_port()), *words, env=env)
    assert 1 == process.child.wait(HANG)
    assert why in process.said()
