"""A real nginx in front of whatever a test runs."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.peers.needs import need
from tests.peers.processes import Process, free_port, start

WHOLE = "worker_processes 1;\nevents {{ worker_connections 512; }}\nhttp {{\n{inside}\n}}\n"

OURS = re.compile(r"^\s*(user|pid|daemon|error_log)\s[^;{]*;", re.MULTILINE)
"""Directives of the outermost level that a throw-away nginx answers for itself."""

OUTER = re.compile(r"^(\s*http\s*\{)", re.MULTILINE)
"""The line that only a whole configuration has."""

TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")

Nginx = Callable[..., str]


def render(text: str, *, directory: Path, port: int, replace: Mapping[str, str] | None = None) -> str:
    """Return a whole configuration that keeps everything it writes in `directory`.

    `text` is a whole nginx.conf, or what stands inside its `http { }`. In it `@PORT@` is the port to listen on and
    `@DIR@` the directory. Each text in `replace` must occur: a shipped example that changes is noticed here.
    """
    for old, new in (replace or {}).items():
        if old not in text:
            message = f"the nginx configuration does not say {old!r}"
            raise AssertionError(message)
        text = text.replace(old, new)
    if "@PORT@" not in text:
        message = "the nginx configuration does not say where to listen: listen 127.0.0.1:@PORT@;"
        raise AssertionError(message)
    if not OUTER.search(text):
        text = WHOLE.format(inside=text)
    scratch = "".join(f"  {name}_temp_path @DIR@/{name};\n" for name in TEMPORARY)
    text = OURS.sub("", text)
    text = OUTER.sub(rf"\1\n  access_log @DIR@/access.log;\n{scratch}", text, count=1)
    # Root's workers would become another user, who may not enter the test's directory.
    text = ("user root;\n" if os.geteuid() == 0 else "") + "pid @DIR@/nginx.pid;\nerror_log stderr notice;\n" + text
    return text.replace("@DIR@", str(directory)).replace("@PORT@", str(port))


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Nginx]:
    """Return a function that starts nginx and returns its base URL.

        url = nginx("server { listen 127.0.0.1:@PORT@; location / { return 204; } }")
        url = nginx(Path("docker/nginx.conf").read_text(), replace={"portal:8000": f"127.0.0.1:{port}"})

    Several may run at once; each ends with the test.
    """
    yield from nginxes(tmp_path)


@pytest.fixture(scope="module")
def shared_nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """Return what `nginx` does, for a fixture that the tests of a file share."""
    yield from nginxes(tmp_path_factory.mktemp("nginx"))


def nginxes(place: Path) -> Iterator[Nginx]:
    """Yield the function of the fixture; what it started ends after that."""
    program = need("nginx")
    running: list[Process] = []

    def begin(text: str, *, replace: Mapping[str, str] | None = None) -> str:
        directory = place / f"nginx-{len(running)}"
        directory.mkdir()
        port = free_port()
        configuration = directory / "nginx.conf"
        configuration.write_text(render(text, directory=directory, port=port, replace=replace), encoding="utf-8")
        # The compiled-in error log, which an ordinary user may not open, is replaced before the file is read.
        command: list[str | Path] = [program, "-e", "stderr", "-p", directory, "-c", configuration, "-g", "daemon off;"]
        begun = start(command, log=directory / "error.log")
        running.append(begun)
        begun.wait_for_port(port)
        return f"http://127.0.0.1:{port}"

    yield begin
    for each in reversed(running):
        each.stop()
