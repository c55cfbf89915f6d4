"""A real slapd with a large organisation in it, filled from a file before it starts."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import ldap

from bench.load import free_port

BASE: Final = "dc=example,dc=com"
READER, PASSWORD = f"cn=reader,{BASE}", "reader"
EACH: Final = 10
"""Groups that everybody is directly in."""
PATIENCE: Final = 30.0
PROGRAM: Final = shutil.which("slapd", path="/usr/sbin:/usr/local/sbin:/usr/bin")

CONFIGURATION: Final = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/slapd.pid
argsfile {folder}/slapd.args
sizelimit 500
database mdb
maxsize 4294967296
suffix "{base}"
rootdn "cn=root,{base}"
rootpw root
directory {folder}/db
dbnosync
index objectClass,uid,cn,mail,entryUUID,modifyTimestamp eq
limits dn.exact="cn=reader,{base}" size.soft=500 size.hard=500 size.prtotal=unlimited
access to attrs=userPassword by anonymous auth by * none
access to * by * read
"""


def person(number: int) -> str:
    """Return the DN of somebody."""
    return f"uid=p{number:06d},ou=people,{BASE}"


def group(number: int) -> str:
    """Return the DN of a group."""
    return f"cn=g{number:05d},ou=groups,{BASE}"


def ldif(people: int, groups: int) -> Iterator[str]:
    """Yield the entries: groups are nested up to eight deep, and everybody is directly in ten of them."""
    begun = datetime(2026, 1, 1, tzinfo=UTC)

    def entry(dn: str, *lines: str, number: int) -> str:
        # As if each had been changed a few seconds after the one before: reading on since the last finds few.
        at = (begun + timedelta(seconds=number % 10_000_000)).strftime("%Y%m%d%H%M%SZ")
        stamps = (f"entryUUID: {UUID(int=number)}", f"modifyTimestamp: {at}", f"createTimestamp: {at}")
        return "\n".join((f"dn: {dn}", *lines, *stamps, "", ""))

    yield entry(BASE, "objectClass: dcObject", "objectClass: organization", "dc: example", "o: Example", number=1)
    for number, name in enumerate(("people", "groups"), 2):
        yield entry(f"ou={name},{BASE}", "objectClass: organizationalUnit", f"ou: {name}", number=number)
    role = ("objectClass: organizationalRole", "objectClass: simpleSecurityObject", "cn: reader")
    yield entry(READER, *role, f"userPassword: {PASSWORD}", number=9)
    for number in range(people):
        words = (f"uid: p{number:06d}", f"cn: Person {number}", f"sn: P{number}", f"mail: p{number:06d}@example.com")
        yield entry(person(number), "objectClass: inetOrgPerson", *words, number=1000 + number)
    inside: list[list[int]] = [[] for _ in range(groups)]
    for number in range(people):
        for turn in range(EACH):
            inside[(number * 31 + turn * (groups // EACH) + turn * number) % groups].append(number)
    for number in range(groups):
        members = [f"member: {person(each)}" for each in sorted(set(inside[number]))]
        if number % 8:
            members.append(f"member: {group(number - 1)}")
        lines = ["objectClass: groupOfNames", f"cn: g{number:05d}", *(members or [f"member: {READER}"])]
        yield entry(group(number), *lines, number=10_000_000 + number)


@contextmanager
def slapd(folder: Path, *, people: int, groups: int) -> Iterator[str]:
    """Run one with so many people in so many groups, and give its address."""
    if PROGRAM is None:
        message = "slapd is not installed"
        raise RuntimeError(message)
    (folder / "db").mkdir(parents=True)
    configuration, port = folder / "slapd.conf", free_port()
    configuration.write_text(CONFIGURATION.format(folder=folder, base=BASE))
    with (folder / "all.ldif").open("w") as file:
        file.writelines(f"{each}" for each in ldif(people, groups))
    adding = [PROGRAM, "-T", "add", "-q", "-f", str(configuration), "-l", str(folder / "all.ldif")]
    subprocess.run(adding, check=True, stdout=subprocess.DEVNULL)
    url = f"ldap://127.0.0.1:{port}"
    server = subprocess.Popen([PROGRAM, "-f", str(configuration), "-h", url, "-d", "0"], stderr=subprocess.DEVNULL)
    try:
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            with suppress(ldap.SERVER_DOWN):
                connected(url).unbind_s()
                break
            time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        server.wait()


def connected(url: str) -> ldap.ldapobject.LDAPObject:
    """Return a connection of one who may do anything."""
    connection = ldap.initialize(url)
    connection.simple_bind_s(f"cn=root,{BASE}", "root")
    return connection


def shuffle(url: str, changes: int, groups: int) -> None:
    """Change so many things: half of them names, half of them who is in a group."""
    connection = connected(url)
    for number in range(changes // 2):
        connection.modify_s(person(number * 7), [(ldap.MOD_REPLACE, "cn", [f"Renamed {number}".encode()])])
        dn = group((number * 13) % groups)
        with suppress(ldap.TYPE_OR_VALUE_EXISTS):
            connection.modify_s(dn, [(ldap.MOD_ADD, "member", [person(40 + number * 11).encode()])])
    connection.unbind_s()
