"""The shipped nginx configuration with its lines for TLS, as the command in its first comment leaves it."""

import http.client
import re
import socket
import ssl
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.patience import HANG
from tests.peers.processes import free_port
from tests.whole.test_nginx import CONFIGURATION, Gate

pytestmark = pytest.mark.peer("nginx")
COMMAND = re.compile(r"^#   sed -i (.*) nginx\.conf$", re.MULTILINE)


def with_tls(text):
    """Return the configuration after the command that it names."""
    found = COMMAND.search(text)
    assert found
    words = re.findall(r"-e '([^']*)'", found[1])
    scripts = [part for word in words for part in ("-e", word)]
    return subprocess.run(["sed", *scripts], input=text, capture_output=True, text=True, check=True).stdout  # noqa: S603, S607


@pytest.fixture
def certificate(tmp_path):
    """Return the files of a certificate for both hosts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gatehouse tests")])
    now = datetime.now(UTC)
    hosts = [x509.DNSName("chat.example.com"), x509.DNSName("portal.example.com")]
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = {each: tmp_path / f"{each}.pem" for each in ("fullchain", "privkey")}
    pem, encoded = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    files["fullchain"].write_bytes(made.public_bytes(pem))
    files["privkey"].write_bytes(key.private_bytes(pem, encoded, serialization.NoEncryption()))
    return files


@pytest.fixture
def both(install, nginx, echo, certificate):
    port = free_port()
    text = with_tls(CONFIGURATION.read_text())
    files = {f"/etc/nginx/tls/{name}.pem": str(path) for name, path in certificate.items()}
    return Gate(install, nginx, echo, text=text, **files, **{"listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;"}), port


def reply(port, certificate, path, host, **headers):
    """Return the answer over TLS."""
    context = ssl.create_default_context(cafile=certificate["fullchain"])
    with (
        closing(socket.create_connection(("127.0.0.1", port), timeout=HANG)) as bare,
        closing(context.wrap_socket(bare, server_hostname=host)) as wire,
    ):
        lines = "".join(f"{name}: {value}\r\n" for name, value in {"Host": host, **headers}.items())
        wire.sendall(f"GET {path} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode())
        answer = http.client.HTTPResponse(wire)
        answer.begin()
        with closing(answer):
            return answer.status, answer.headers, answer.read().decode()


HSTS = "max-age=31536000"


def test_http_leads_to_https_and_https_serves(both, certificate):
    gate, port = both
    for host in ("chat.example.com", "portal.example.com"):
        got = gate.get("/search/x?q=1", {"Host": host}, gate.here.cookie("alice"))
        assert (308, f"https://{host}/search/x?q=1") == (got.status, got.headers["location"])
        assert 308 == gate.get("/login", {"Host": host}, method="POST", body=b"password=x").status
    assert b"" == gate.raw(b"GET / HTTP/1.1\r\nHost: elsewhere.example.com\r\n\r\n")
    assert b"" == gate.raw(b"GET / HTTP/1.0\r\n\r\n")
    assert [] == gate.echo.seen

    # What is judged is the address as the browser has it.
    status, headers, body = reply(port, certificate, "/search/x", "chat.example.com", **gate.here.cookie("alice"))
    assert (200, [HSTS]) == (status, headers.get_all("Strict-Transport-Security"))
    assert '["X-User-Email", "alice@example.com"]' in body
    assert '["X-Forwarded-Proto", "https"]' in body
    refused = reply(port, certificate, "/search/x", "chat.example.com")
    assert (401, [HSTS]) == (refused[0], refused[1].get_all("Strict-Transport-Security"))
    page = reply(port, certificate, "/search/x", "chat.example.com", Accept="text/html")
    assert (302, [HSTS]) == (page[0], page[1].get_all("Strict-Transport-Security"))
    denied = reply(port, certificate, "/crm", "chat.example.com", **gate.here.cookie("alice"))
    assert (403, [HSTS]) == (denied[0], denied[1].get_all("Strict-Transport-Security"))
    form = reply(port, certificate, "/login", "portal.example.com")
    assert (200, [HSTS]) == (form[0], form[1].get_all("Strict-Transport-Security"))

    handshake = {
        "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Connection": "Upgrade",
    }  # fmt: skip
    for origin, expected in (("http://chat.example.com", 403), ("https://chat.example.com", 101)):
        shown = handshake | {"Origin": origin} | gate.here.cookie("alice")
        assert expected == reply(port, certificate, "/ws", "chat.example.com", **shown)[0], origin


def test_nobody_is_served_by_another_name_or_an_old_protocol(both, certificate):
    _, port = both
    with pytest.raises(ssl.SSLError):
        reply(port, certificate, "/", "elsewhere.example.com")
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with (
        closing(socket.create_connection(("127.0.0.1", port), timeout=HANG)) as bare,
        pytest.raises(ssl.SSLError, match=r"(?i)protocol|version"),
    ):
        old.wrap_socket(bare, server_hostname="chat.example.com")
