"""A real OpenLDAP with a small organisation in it: overlays for memberOf and references, TLS, a reader with limits."""

import base64
import datetime as dt
import ipaddress
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.patience import HANG
from tests.peers.needs import need
from tests.peers.processes import DidNotStart, Process, free_port, start
from tests.run.leftovers import kept

BASE = "dc=example,dc=com"
PEOPLE, GROUPS = f"ou=people,{BASE}", f"ou=groups,{BASE}"
ROOT, ROOT_PASSWORD = f"cn=root,{BASE}", "root's password"
READER, READER_PASSWORD = f"cn=reader,{BASE}", "reader's password"
NOBODY = f"cn=nobody,{BASE}"

TRIES = 4
CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
moduleload refint
pidfile {folder}/slapd.pid
argsfile {folder}/slapd.args
sizelimit 500
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
TLSCACertificateFile {folder}/ca.pem
database mdb
maxsize 1073741824
suffix "{base}"
rootdn "{root}"
rootpw "{root_password}"
directory {folder}/db
dbnosync
index objectClass,uid,cn,mail,member,entryUUID,modifyTimestamp eq
limits dn.exact="{reader}" size.soft=500 size.hard=500 size.prtotal=unlimited
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{reader}" read by self read by * none
overlay memberof
memberof-group-oc groupOfNames
memberof-dangling ignore
memberof-refint TRUE
overlay refint
refint_attributes member manager
refint_nothing "{nobody}"
"""


@dataclass
class Slapd:
    """One server; its people are changed through `ldap`, as an administrator of theirs would."""

    folder: Path
    program: Path
    port: int = field(default_factory=free_port)
    tls_port: int = field(default_factory=free_port)
    process: Process | None = None

    @property
    def url(self) -> str:
        """Its address in the clear, or for StartTLS."""
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def tls_url(self) -> str:
        """Its address under TLS."""
        return f"ldaps://127.0.0.1:{self.tls_port}"

    @property
    def ca(self) -> str:
        """The certificate that signed its own."""
        return (self.folder / "ca.pem").read_text()

    @property
    def settings(self) -> dict[str, Any]:
        """How to read it."""
        return {
            "urls": [self.url], "tls": "none", "bind_dn": READER, "people_base": PEOPLE, "groups_base": GROUPS,
            "kept_attributes": ["departmentNumber", "title"], "patience": HANG,
        }  # fmt: skip

    def prepare(self, *, names: Iterable[str] = ("127.0.0.1",), days: int = 2) -> None:
        """Write its configuration and a certificate for these names, good for so many days."""
        (self.folder / "db").mkdir(exist_ok=True)
        certificates(self.folder, names, days=days)
        words = {
            "folder": self.folder, "base": BASE, "root": ROOT, "root_password": ROOT_PASSWORD, "reader": READER,
            "nobody": NOBODY,
        }  # fmt: skip
        (self.folder / "slapd.conf").write_text(CONFIGURATION.format(**words))

    def start(self) -> None:
        """Start it, and wait until it answers."""
        addresses = f"{self.url} {self.tls_url}"
        words = [str(self.program), "-f", str(self.folder / "slapd.conf"), "-h", addresses, "-d", "0"]
        self.process = start(words, log=self.folder / "slapd.log")
        self.process.wait_for(self.answers, "slapd")

    def begin(self) -> None:
        """Start it for the first time: a port that was free a moment ago may be somebody else's by now."""
        for left in reversed(range(TRIES)):
            try:
                self.start()
            except DidNotStart:
                if not left:
                    raise
                self.stop()
                self.port, self.tls_port = free_port(), free_port()
            else:
                return

    def answers(self) -> bool:
        """Tell whether it answers."""
        import ldap  # noqa: PLC0415  only where it is installed

        try:
            with closing_ldap(self):
                return True
        except ldap.SERVER_DOWN:
            return False

    def stop(self, *, kill: bool = False) -> None:
        """Stop it."""
        if self.process is not None:
            self.process.stop(kill=kill)
            self.process = None

    def fill(self) -> None:
        """Put the people we know in."""
        top = [
            ("dn", BASE),
            ("objectClass", "dcObject"),
            ("objectClass", "organization"),
            ("dc", "example"),
            ("o", "E"),
        ]
        self.load([top, *(ou(name) for name in ("people", "groups")), role("reader", READER_PASSWORD), role("nobody")])
        self.load(
            [
                inet("alice", departmentNumber="R&D", title="Intern"),
                inet("bob", departmentNumber="Sales"),
                inet("carol", departmentNumber="IT"),
                inet("mallory"),
                names("interns", dn_of("alice")),
                names("engineering", group_dn("interns")),
                names("sales", dn_of("bob")),
            ]
        )

    def size(self) -> int:
        """Return how many entries it has."""
        with closing_ldap(self) as connection:
            return len(connection.search_s(BASE, 2, attrlist=["1.1"]))

    def empty(self) -> None:
        """Delete every entry, the deepest first."""
        with closing_ldap(self) as connection:
            names = [dn for dn, _ in connection.search_s(BASE, 2, attrlist=["1.1"])]
            for dn in sorted(names, key=lambda name: (-name.count(","), name)):
                connection.delete_s(dn)

    def load(self, entries: Iterable[list[tuple[str, str]]]) -> None:
        """Add entries over the wire, so that every overlay sees them."""
        with closing_ldap(self) as connection:
            for entry in entries:
                found: dict[str, list[bytes]] = {}
                for name, value in entry[1:]:
                    found.setdefault(name, []).append(value.encode("utf-8", "surrogateescape"))
                connection.add_s(entry[0][1], list(found.items()))

    def fill_quickly(self, entries: Iterable[list[tuple[str, str]]]) -> None:
        """Add many entries while it stands still, past the overlays (slapadd -q)."""
        told = (
            "\n".join(f"{name}:: {base64.b64encode(value.encode()).decode()}" for name, value in entry)
            for entry in entries
        )
        (self.folder / "more.ldif").write_text("\n\n".join(told))
        self.stop()
        words = [str(self.program), "-T", "add", "-q", "-f", str(self.folder / "slapd.conf")]
        subprocess.run([*words, "-l", str(self.folder / "more.ldif")], check=True, capture_output=True)
        self.start()

    def change(self, dn: str, **wanted: str | bytes | list[str] | None) -> None:
        """Replace attributes of an entry; None removes one."""
        import ldap  # noqa: PLC0415  only where it is installed

        def values(value: str | bytes | list[str] | None) -> list[bytes] | None:
            if value is None:
                return None
            many = value if isinstance(value, list) else [value]
            return [each if isinstance(each, bytes) else each.encode() for each in many]

        with closing_ldap(self) as connection:
            connection.modify_s(dn, [(ldap.MOD_REPLACE, name, values(value)) for name, value in wanted.items()])

    def rename(self, dn: str, to: str) -> None:
        """Give an entry another name."""
        with closing_ldap(self) as connection:
            connection.rename_s(dn, to)

    def delete(self, dn: str) -> None:
        """Delete an entry."""
        with closing_ldap(self) as connection:
            connection.delete_s(dn)


@contextmanager
def closing_ldap(slapd: Slapd) -> Iterator[Any]:
    """Connect as the one who may do anything."""
    import ldap  # noqa: PLC0415  only where it is installed

    connection = ldap.initialize(slapd.url, bytes_mode=False)
    try:
        connection.simple_bind_s(ROOT, ROOT_PASSWORD)
        yield connection
    finally:
        connection.unbind_s()


def dn_of(name: str) -> str:
    """Return the DN of a person."""
    return f"uid={name},{PEOPLE}"


def group_dn(name: str) -> str:
    """Return the DN of a group."""
    return f"cn={name},{GROUPS}"


def ou(name: str) -> list[tuple[str, str]]:
    """Return a folder."""
    return [("dn", f"ou={name},{BASE}"), ("objectClass", "organizationalUnit"), ("ou", name)]


def role(name: str, password: str = "x") -> list[tuple[str, str]]:
    """Return an account that is nobody."""
    return [
        ("dn", f"cn={name},{BASE}"), ("objectClass", "organizationalRole"), ("objectClass", "simpleSecurityObject"),
        ("cn", name), ("userPassword", password),
    ]  # fmt: skip


def inet(name: str, **more: str) -> list[tuple[str, str]]:
    """Return a person whose password is "<name>'s password"."""
    told = {"cn": name.title(), "sn": name.title(), "mail": f"{name}@example.com", "userPassword": f"{name}'s password"}
    return [
        ("dn", dn_of(name)), ("objectClass", "inetOrgPerson"), ("uid", name), *(told | more).items(),
    ]  # fmt: skip


def names(name: str, *members: str) -> list[tuple[str, str]]:
    """Return a group."""
    inside = members or (NOBODY,)
    return [("dn", group_dn(name)), ("objectClass", "groupOfNames"), ("cn", name), *(("member", dn) for dn in inside)]


def certificates(folder: Path, hosts: Iterable[str], *, days: int) -> None:
    """Write an authority of our own, and a certificate of its for a server; fewer than no days is expired."""
    now = dt.datetime.now(dt.UTC)
    authority = ec.generate_private_key(ec.SECP256R1())
    server = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Tests")])

    def begun(subject: x509.Name, key: ec.EllipticCurvePrivateKey, ends: dt.datetime) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject).issuer_name(issuer).public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=10)).not_valid_after(ends)
        )  # fmt: skip

    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    root = (
        begun(issuer, authority, now + dt.timedelta(days=10))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority.public_key()), critical=False)
        .sign(authority, hashes.SHA256())
    )
    shown: list[x509.GeneralName] = []
    for host in hosts:
        try:
            shown.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            shown.append(x509.DNSName(host))
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "slapd")])
    signed = (
        begun(subject, server, now + dt.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(shown), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), critical=False)
        .sign(authority, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(root.public_bytes(pem))
    (folder / "server.pem").write_bytes(signed.public_bytes(pem))
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "server.key").write_bytes(server.private_bytes(pem, *plain))


@contextmanager
def running(folder: Path, **certificate: Any) -> Iterator[Slapd]:
    """Run one with the people we know, until the block ends."""
    made = Slapd(folder, need("OpenLDAP"))
    made.prepare(**certificate)
    made.begin()
    try:
        made.fill()
        yield made
    finally:
        made.stop()


class _OfThisWorker:
    """The server that the tests of one worker share; one that a test stopped or set up otherwise is replaced."""

    def __init__(self) -> None:
        self._slapd: Slapd | None = None
        self._begun: tuple[Process | None, str] = (None, "")

    def ready(self, folder: Path) -> Slapd:
        """Return a server that holds the people we know and nothing else."""
        if self._slapd is None:
            folder.mkdir()
            with kept():
                made = Slapd(folder, need("OpenLDAP"))
                made.prepare()
                made.begin()
            self._slapd, self._begun = made, (made.process, _configuration(made))
        else:
            self._slapd.empty()
        self._slapd.fill()
        return self._slapd

    def is_as_it_was(self) -> bool:
        """Tell whether the server is the one that was started, as it was started."""
        made = self._slapd
        if made is None or made.process is None or made.process.child.poll() is not None:
            return False
        return (made.process, _configuration(made)) == self._begun and made.size() < WORTH_EMPTYING

    def leave(self) -> None:
        """Stop it."""
        if self._slapd is not None:
            self._slapd.stop()
            self._slapd = None


def _configuration(slapd: Slapd) -> str:
    return (slapd.folder / "slapd.conf").read_text()


WORTH_EMPTYING = 300
"""Entries; more are gone sooner with their server."""


@pytest.fixture(scope="session")
def slapd_of_this_worker() -> Iterator[_OfThisWorker]:
    """Return the one server, which the first test that asks for it starts."""
    made = _OfThisWorker()
    yield made
    made.leave()


@pytest.fixture
def slapd(slapd_of_this_worker: _OfThisWorker, tmp_path: Path) -> Iterator[Slapd]:
    """Return one that runs, with the people we know in it and nothing else."""
    yield slapd_of_this_worker.ready(tmp_path / "slapd")
    if not slapd_of_this_worker.is_as_it_was():
        slapd_of_this_worker.leave()
