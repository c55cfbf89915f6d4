"""Starts what is measured: nginx as proxy, upstream and reference, and our own servers, all pinned to one core."""

import os
import string
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

from bench.load import SERVER_CORE, free_port, on
from bench.organisation import PROXY_SECRET

HERE: Final = Path(__file__).parent
PATIENCE: Final = 120.0


@contextmanager
def running(command: list[str], *, ready: str, env: dict[str, str] | None = None, log: Path) -> Iterator[int]:
    """Run a command on the server core until the block ends; yield its process id once `ready` answers."""
    with log.open("ab") as out:
        child = subprocess.Popen([*on(SERVER_CORE), *command], env=env, stdout=out, stderr=out)
        try:
            _wait(ready, child, log)
            yield child.pid
        finally:
            child.terminate()
            child.wait(timeout=30)


def _wait(url: str, child: "subprocess.Popen[bytes]", log: Path) -> None:
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        if child.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310  loopback
                return
        except OSError:
            time.sleep(0.1)
    message = f"{url} does not answer:\n{log.read_text()[-2000:]}"
    raise RuntimeError(message)


@contextmanager
def edge(folder: Path, port: int) -> Iterator[int]:
    """Run the edge role."""
    command = [sys.executable, "manage.py", "serve_edge", "--port", str(port)]
    with running(
        command, ready=f"http://127.0.0.1:{port}/readyz", env=dict(os.environ), log=folder / "edge.log"
    ) as pid:
        yield pid


@contextmanager
def portal(folder: Path, port: int) -> Iterator[int]:
    """Run the default, everything in one ASGI process."""
    command = [sys.executable, "manage.py", "serve", "--port", str(port), "--no-sequencer"]
    with running(
        command, ready=f"http://127.0.0.1:{port}/readyz", env=dict(os.environ), log=folder / "portal.log"
    ) as pid:
        yield pid


@contextmanager
def static(folder: Path, *, told: dict[str, str]) -> Iterator[int]:
    """Run an nginx that answers always the same, or what the edge told of somebody; yield its port."""
    port = free_port()
    folder.mkdir(exist_ok=True)
    (folder / "alike.conf").write_text("".join(f'add_header {name} "{value}";\n' for name, value in told.items()))
    values = {"static": str(port), "dir": str(folder)}
    (folder / "nginx.conf").write_text(string.Template((HERE / "static.conf").read_text()).substitute(values))
    with _nginx(folder, port):
        yield port


@contextmanager
def proxy(folder: Path, *, edge: int, static: int) -> Iterator[int]:
    """Run an nginx that asks one of them; yield its port."""
    ports = {"proxy": free_port(), "inside": free_port(), "application": free_port(), "edge": edge, "static": static}
    folder.mkdir(exist_ok=True)
    # Asked as docker/nginx.conf asks: with what is needed, and nothing else of the client's.
    (folder / "ask.conf").write_text(
        "proxy_pass_request_body off; proxy_pass_request_headers off;\n"
        'proxy_set_header Content-Length ""; proxy_set_header Connection "";\n'
        f"proxy_set_header X-Proxy-Secret {PROXY_SECRET};\n"
        "proxy_set_header X-Original-URL https://mcp.example.com$bare;\n"
        "proxy_set_header X-Original-Method $request_method; proxy_set_header X-Real-IP $remote_addr;\n"
        "proxy_set_header Cookie $http_cookie; proxy_set_header Authorization $http_authorization;\n"
        "proxy_set_header X-API-Key $http_x_api_key; proxy_set_header Mcp-Method $http_mcp_method;\n"
        "proxy_set_header MCP-Protocol-Version $http_mcp_protocol_version; proxy_set_header Mcp-Name $http_mcp_name;\n"
    )
    (folder / "pass.conf").write_text(
        "auth_request_set $email $upstream_http_x_user_email; auth_request_set $groups $upstream_http_x_user_groups;\n"
        "proxy_set_header X-User-Email $email; proxy_set_header X-User-Groups $groups;\n"
        'proxy_set_header Connection ""; proxy_pass http://application;\n'
    )
    values = {**{name: str(port) for name, port in ports.items()}, "dir": str(folder)}
    text = string.Template((HERE / "nginx.conf").read_text()).safe_substitute(values)
    # Each way leads through a prefix that only this bench has; the rest is the URL that is asked about.
    text = text.replace(
        "http {", 'http {\n  map $request_uri $bare { "~^/(?:static|alike|inside|edge)(?<rest>/.*)$" $rest; }', 1
    )
    (folder / "nginx.conf").write_text(text)
    with _nginx(folder, ports["application"]):
        yield ports["proxy"]


def _nginx(folder: Path, port: int) -> AbstractContextManager[int]:
    """Run nginx by the configuration in a folder until the block ends, once it answers on a port."""
    command = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    return running(command, ready=f"http://127.0.0.1:{port}/", log=folder / "nginx.log")
