"""The parts of the machine that tests need: where each is found, and what is not tested without it.

Only the standard library is imported here: `install` runs before anything is installed.
"""

import importlib.util
import os
import shutil
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.peers.gobuilt import built

STRICT = os.environ.get("CI", "").lower() == "true"
"""Whether a missing part is a failure: on a build machine it is, on a laptop it is a skip with its reason."""


def on_path(*names: str) -> Callable[[], Path | None]:
    """Return a search of the PATH for the first of `names`, and of the folders that a user's PATH may lack."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])

    def find() -> Path | None:
        found = (shutil.which(name, path=path) for name in names)
        return next((Path(each) for each in found if each), None)

    return find


def newest_postgres() -> Path | None:
    """Return the postgres server: Debian keeps each version's in a folder of its own, outside the PATH."""
    versions = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    by_version = sorted(versions, key=lambda found: float(found.parts[-3]))
    if by_version:
        return by_version[-1]
    found = on_path("postgres")()
    return found if found and found.with_name("initdb").exists() else None


def file(*paths: str) -> Callable[[], Path | None]:
    """Return a search for the first of these files that is there."""
    return lambda: next((Path(each) for each in paths if Path(each).exists()), None)


def module(name: str) -> Callable[[], Path | None]:
    """Return a search for a module of this Python."""

    def find() -> Path | None:
        found = importlib.util.find_spec(name)
        return Path(found.origin) if found is not None and found.origin else None

    return find


@dataclass(frozen=True, slots=True)
class Part:
    """One program, the packages that carry it (the first that the distribution has is taken), and its purpose."""

    name: str
    find: Callable[[], Path | None]
    packages: tuple[str, ...]
    without: str
    module: str = ""
    """The command of a Go module that it is built from, if it is no package; nobody has to have Go."""


PARTS = (
    Part("PostgreSQL", newest_postgres, ("postgresql",), "nothing is tested on PostgreSQL"),
    Part("nginx", on_path("nginx"), ("nginx-light", "nginx"), "no request passes through a real nginx"),
    Part("OpenLDAP", on_path("slapd"), ("slapd",), "no directory is read, and nobody signs in by one"),
    Part("python-ldap", module("ldap"), (), "no directory is read, and nobody signs in by one"),
    Part("Redis", on_path("redis-server"), ("redis-server",), "no two processes tell one another of a change"),
    Part(
        "Chromium",
        on_path("chromium", "chromium-browser", "google-chrome"),
        ("chromium", "chromium-browser"),
        "no page is opened in a browser",
    ),
    Part("Node.js", on_path("node", "nodejs"), ("nodejs",), "nobody signs in by a real OpenID provider"),
    Part("npm", on_path("npm"), ("npm",), "the real OpenID provider is not installed, and nobody signs in by it"),
    Part("HAProxy", on_path("haproxy"), ("haproxy",), "docker/haproxy.cfg is not tested"),
    Part("Apache httpd", on_path("apache2", "httpd"), ("apache2-bin",), "docker/httpd.conf is not tested"),
    Part("LuaSocket", file("/usr/share/lua/5.3/socket/http.lua"), ("lua-socket",), "docker/httpd.conf is not tested"),
    Part(
        "Caddy",
        built("caddy", "2.11.9"),
        (),
        "docker/Caddyfile is not tested",
        module="github.com/caddyserver/caddy/v2/cmd/caddy@v2.11.9",
    ),
)

OPTIONAL_PARTS = (
    Part(
        "Traefik",
        built("traefik", "3.7.13"),
        (),
        "docker/traefik.yml is not tested",
        module="github.com/traefik/traefik/v3/cmd/traefik@v3.7.13",
    ),
)
"""What takes so long to build that nobody has to have it."""

LDAP_PARTS = (
    Part("C compiler", on_path("cc", "gcc"), ("gcc",), "python-ldap is not built"),
    Part("C library headers", file("/usr/include/stdlib.h"), ("libc6-dev",), "python-ldap is not built"),
    Part(
        "Python headers",
        file(f"{sysconfig.get_path('include')}/Python.h"),
        (f"python{sys.version_info[0]}.{sys.version_info[1]}-dev", "python3-dev"),
        "python-ldap is not built",
    ),
    Part("OpenLDAP headers", file("/usr/include/ldap.h"), ("libldap-dev", "libldap2-dev"), "python-ldap is not built"),
    Part("SASL headers", file("/usr/include/sasl/sasl.h"), ("libsasl2-dev",), "python-ldap is not built"),
)
"""What python-ldap, which has no wheels, is built with."""

BENCH_PARTS = (
    *PARTS[:3],
    Part("wrk", on_path("wrk"), ("wrk",), "no request rate is measured"),
)


def named(name: str) -> Part:
    """Return the part of this name."""
    return next(part for part in PARTS + OPTIONAL_PARTS + BENCH_PARTS + LDAP_PARTS if part.name == name)
