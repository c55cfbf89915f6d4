"""What production refuses to start with, and what it says to set."""

import subprocess
from pathlib import Path

import pytest

from tests.patience import HANG
from tests.peers.portal import MANAGE, ROOT, PortalFactory

SAFE = {
    "PORTAL_MODE": "production",
    "SECRET_KEY": "x" * 50,
    "PORTAL_URL": "https://portal.example.com",
    "ALLOWED_HOSTS": "portal.example.com",
}
UNSAFE = {
    "no secret key": ({"SECRET_KEY": ""}, "SECRET_KEY is missing or short", "Set SECRET_KEY"),
    "a short secret key": ({"SECRET_KEY": "secret"}, "SECRET_KEY is missing or short", "50 or more random characters"),
    "debugging": ({"DEBUG": "1"}, "DEBUG is on", "Unset DEBUG"),
    "cookies in the clear": ({"COOKIE_SECURE": "0"}, "plain HTTP", "Unset COOKIE_SECURE"),
    "no address of its own": ({"PORTAL_URL": ""}, "PORTAL_URL is not an https", "Set PORTAL_URL"),
    "an address in the clear": ({"PORTAL_URL": "http://x"}, "PORTAL_URL is not an https", "Set PORTAL_URL"),
    "any host": ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS", "Set ALLOWED_HOSTS"),
    "a cookie for another domain": ({"AUTHZ_COOKIE_DOMAIN": "example.org"}, "drop the session cookie", "share"),
    "a cookie for everybody": ({"AUTHZ_COOKIE_DOMAIN": "com"}, "public suffix", "such as example.com"),
    "a cookie for an address": ({"AUTHZ_COOKIE_DOMAIN": "https://example.com"}, "without a scheme", "or to nothing"),
    "a host that is not its own": (
        {"ALLOWED_HOSTS": "www.example.com"},
        "refuse its own address",
        "Add portal.example",
    ),
    "an unknown family of headers": ({"AUTHZ_IDENTITY_HEADERS": "x-who"}, "AUTHZ_IDENTITY_HEADERS", "x-auth-request"),
    "a number that is none": ({"AUTHZ_SESSION_IDLE": "soon"}, "AUTHZ_SESSION_IDLE is 'soon'", "whole number"),
    "a number that is too small": ({"AUTHZ_POLL_INTERVAL_MS": "1"}, "AUTHZ_POLL_INTERVAL_MS is 1", "at least 10"),
    "a key that signs nothing": ({"AUTHZ_ASSERTION_KEY": "x"}, "AUTHZ_ASSERTION_KEY is not a private", "openssl"),
    "another database": ({"DATABASE_URL": "mysql://x/y"}, "neither SQLite nor PostgreSQL", "postgresql://"),
    "a flag that is none": ({"DEBUG": "maybe"}, "DEBUG is 'maybe'", "yes or no"),
    "a mode that is none": ({"PORTAL_MODE": "test"}, "PORTAL_MODE is 'test'", "production, local"),
    "a secret twice": ({"SECRET_KEY_FILE": "/dev/null"}, "SECRET_KEY and SECRET_KEY_FILE are both set", ""),
}


def check(folder: Path, env: dict[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    """Run a command with an environment of its own."""
    whole = {"PATH": "/usr/bin:/bin", "DATA_DIR": str(folder), "DATABASE_URL": f"sqlite:///{folder}/x.sqlite3", **env}
    command = [*MANAGE, *(words or ("check",))]
    return subprocess.run(  # noqa: S603  our own command
        command, env=whole, cwd=ROOT, capture_output=True, text=True, timeout=HANG, check=False
    )


@pytest.mark.parametrize(("wrong", "what", "hint"), UNSAFE.values(), ids=UNSAFE)
def test_an_unsafe_setting_stops_the_start(wrong: dict[str, str], what: str, hint: str, tmp_path: Path) -> None:
    """The message says what is wrong and what to set."""
    done = check(tmp_path, SAFE | wrong)
    assert 0 != done.returncode
    assert what in done.stderr
    assert hint in done.stderr


@pytest.mark.parametrize("more", [{}, {"AUTHZ_COOKIE_DOMAIN": "example.com", "ALLOWED_HOSTS": ".example.com"}])
def test_the_safe_settings_are_accepted(more: dict[str, str], tmp_path: Path) -> None:
    """So that the table above fails for the reason it names."""
    assert 0 == check(tmp_path, SAFE | more).returncode


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    """As container platforms hand them over."""
    (tmp_path / "key").write_text("y" * 60 + "\n")
    env = {name: value for name, value in SAFE.items() if name != "SECRET_KEY"}
    assert 0 == check(tmp_path, env | {"SECRET_KEY_FILE": str(tmp_path / "key")}).returncode
    missing = check(tmp_path, env | {"SECRET_KEY_FILE": str(tmp_path / "nothing")})
    assert "which cannot be read" in missing.stderr


@pytest.mark.parametrize("command", ["serve", "serve_edge"])
def test_production_does_not_serve_before_a_proxy_is_trusted(command: str, tmp_path: Path) -> None:
    """It says which command to run first; with a trusted proxy it starts."""
    assert 0 == check(tmp_path, SAFE, "migrate", "-v0").returncode
    done = check(tmp_path, SAFE, command)
    assert 1 == done.returncode
    assert "No proxy is trusted" in done.stderr
    assert "manage.py trust_proxy" in done.stderr
    assert 0 == check(tmp_path, SAFE, "trust_proxy", "nginx", "--network", "10.0.0.5/32").returncode
    assert 0 == check(tmp_path, SAFE, "trust_proxy", "nginx", "--network", "10.0.0.6/32").returncode
    assert 0 != check(tmp_path, SAFE, "trust_proxy", "all", "--network", "0.0.0.0/0").returncode


@pytest.mark.parametrize("command", ["serve", "serve_edge"])
def test_local_mode_serves_this_machine_alone(portal: PortalFactory, command: str) -> None:
    """Its settings are not fit for others."""
    done = portal().manage(command, "--host", "0.0.0.0", check=False)  # noqa: S104  what must be refused
    assert 1 == done.returncode
    assert "serves this machine alone" in done.stderr


def test_quickstart_is_not_for_production(tmp_path: Path) -> None:
    """Nobody gets a demonstration organisation by accident."""
    assert "quickstart is for looking around" in check(tmp_path, SAFE, "quickstart").stderr
