"""Asks somebody else's server over HTTP: one address, bounded in bytes and in seconds, never sent elsewhere."""

import json
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple, Self

import httpx

from authz.errors import OutboundFailed
from authz.outbound.waiting import leave_database

PATIENCE = 5.0
"""Seconds that an answer may take, however slowly it drips."""
LARGEST = 512 * 1024
"""Bytes of an answer; Microsoft's set of keys, the largest in use, has some 20 KB."""


class Answered(NamedTuple):
    """What it said, whatever its status."""

    status: int
    text: str

    def json(self, url: str) -> dict[str, Any]:
        """Return the JSON object that it is; OutboundFailed if it is none."""
        try:
            said = json.loads(self.text)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            message = f"{url} did not answer with a JSON object"
            raise OutboundFailed(message)
        return said


def get(url: str, *, headers: Mapping[str, str] | None = None) -> Answered:
    """Fetch an address; OutboundFailed says why there is no answer."""
    return _ask("GET", url, headers=headers)


def post(url: str, form: Mapping[str, str], *, headers: Mapping[str, str] | None = None) -> Answered:
    """Send a form; OutboundFailed says why there is no answer."""
    return _ask("POST", url, headers=headers, data=dict(form))


class _Watch:
    """Hangs up when the time is over: a timeout of httpx counts anew with every byte, and so never ends a drip."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(PATIENCE, self._hang_up)
        self._timer.daemon = True
        self.over = False

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def see(self, name: str, info: Mapping[str, Any]) -> None:
        """Learn of a connection as httpcore opens it."""
        if name in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
            self._sockets.append(info["return_value"].get_extra_info("socket"))
            if self.over:  # a name that took its time to be found: nobody is left to hang up this one
                self._shut()

    def _hang_up(self) -> None:
        self.over = True
        self._shut()

    def _shut(self) -> None:
        for each in list(self._sockets):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


def _ask(method: str, url: str, **more: Any) -> Answered:  # noqa: ANN401  what httpx takes, by name
    # Nothing is unpacked: a few bytes could become as much as there is memory.
    more["headers"] = {"Accept": "application/json", "Accept-Encoding": "identity"} | dict(more["headers"] or {})
    too_late = f"{url} took longer than {PATIENCE:g} s"
    leave_database()
    with _Watch() as watch:
        try:
            with (
                httpx.Client(timeout=PATIENCE, follow_redirects=False) as client,
                client.stream(method, url, extensions={"trace": watch.see}, **more) as answer,
            ):
                answered = Answered(answer.status_code, _body(answer, url).decode("utf-8", "replace"))
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            # ValueError and UnicodeError are a host's name with an empty part, or a header that cannot be sent.
            words = str(error) or type(error).__name__
            raise OutboundFailed(too_late if watch.over else f"{url} cannot be reached: {words}") from error
    # Without a length, an answer that was cut short looks like one that ended.
    if watch.over:
        raise OutboundFailed(too_late)
    return answered


def _body(answer: httpx.Response, url: str) -> bytes:
    if answer.is_redirect:
        message = f"{url} wants to send us elsewhere ({answer.status_code})"
        raise OutboundFailed(message)
    body = b""
    for piece in answer.iter_raw():
        body += piece
        if len(body) > LARGEST:
            message = f"{url} sent more than {LARGEST} bytes"
            raise OutboundFailed(message)
    return body
