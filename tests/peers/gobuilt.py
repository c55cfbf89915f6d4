"""Builds the proxies that Debian has not, or only in versions that are not safe, from their Go modules.

Only the standard library is imported here: `install` runs before anything is installed. Each is built once on a machine
into the cache of its user, under a name that holds its version; building takes minutes, so no test does it.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
LEGO = "github.com/go-acme/lego/v5@v5.4.1"
"""What Traefik 3.7.13 asks for certificates with."""


def cache() -> Path:
    """Return the folder that holds what was built."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gatehouse" / "go"


def built(program: str, version: str) -> Callable[[], Path | None]:
    """Return a search for a program that was built in exactly this version."""

    def find() -> Path | None:
        found = cache() / f"{program}-{version}"
        return found if found.exists() else None

    return find


def build(package: str) -> str:
    """Build a command of a module, such as `example.com/module/cmd/program@v1.2.3`; return why that failed, or nothing.

    Which bytes a version has is checked by go against the checksum database.
    """
    go = shutil.which("go")
    if go is None:
        return "there is no Go"
    path, _, version = package.partition("@v")
    program = path.rpartition("/")[2]
    place = cache() / f"building-{os.getpid()}"
    place.mkdir(parents=True)
    try:
        if (HERE / program).is_dir():
            shutil.copytree(HERE / program, place / "module")
            said = _without_dns_providers(go, place / "module") or _run(
                [go, "build", "-mod=mod", "-ldflags=-s -w", "-o", str(place / program), path], place / "module"
            )
        else:
            said = _run([go, "install", package], place)
        if not said:
            (place / program).rename(cache() / f"{program}-{version}")
    finally:
        shutil.rmtree(place)
    return said


def _run(words: list[str], place: Path) -> str:
    """Run a command of go in a folder, into which it installs; return why it failed, or nothing."""
    env = {**os.environ, "GOBIN": str(place), "GOFLAGS": ""}
    done = subprocess.run(
        words, cwd=place, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if not done.returncode:
        return ""
    return (done.stderr.strip() or f"go ended with {done.returncode}").splitlines()[-1]


def _without_dns_providers(go: str, module: Path) -> str:
    """Copy lego into a module, but for its hundred clients of DNS providers; return why that failed, or nothing."""
    done = subprocess.run(
        [go, "mod", "download", "-json", LEGO], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        return done.stderr.strip() or f"{LEGO} cannot be downloaded"
    shutil.copytree(json.loads(done.stdout)["Dir"], module / "lego", ignore=shutil.ignore_patterns("*_test.go"))
    for each in (module / "lego").rglob("*"):
        each.chmod(0o755 if each.is_dir() else 0o644)  # the cache of modules is for reading only
    (module / "lego").chmod(0o755)
    providers = module / "lego" / "providers" / "dns"
    for each in providers.iterdir():
        if each.is_dir():
            shutil.rmtree(each)
    shutil.copy(module / "dns.go.txt", providers / "zz_gen_dns_providers.go")
    return ""
