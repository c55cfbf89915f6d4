"""Bodies are bounded before anybody looks at them, whatever is said of their length; so are the spellings of a path."""

import asyncio
import json
from typing import Any

import pytest

from portal.asgi import application
from portal.bodies import LARGEST, LARGEST_PUSH, Bounded

PIECE = 256 * 1024


def scope(path: str, *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": [(b"host", b"127.0.0.1"), *headers], "client": ("192.0.2.1", 5), "scheme": "http",
        "http_version": "1.1", "asgi": {"version": "3.0"},
    }  # fmt: skip


def sent_to(path: str, *headers: tuple[bytes, bytes], pieces: int = 200) -> tuple[list[dict[str, Any]], int]:
    """Return what the portal answers to a body in pieces, and how many bytes of it were taken."""
    sent, taken = [], 0

    async def receive() -> dict[str, Any]:
        nonlocal taken
        taken += PIECE
        return {"type": "http.request", "body": b"x" * PIECE, "more_body": taken < pieces * PIECE}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(application(scope(path, *headers), receive, send))
    return sent, taken


LENGTHS = {"of no length": (), "of a length that is a lie": ((b"content-length", b"5"),)}
PATHS = {"/scim/v2/Users": LARGEST_PUSH, "/oidc/okta/backchannel-logout": LARGEST, "/login": LARGEST}


@pytest.mark.parametrize("headers", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize(("path", "most"), PATHS.items(), ids=PATHS)
def test_a_body_without_end_is_not_read_to_its_end(path: str, most: int, headers: Any) -> None:
    sent, taken = sent_to(path, *headers)
    assert (413, most + PIECE) == (sent[0]["status"], taken)
    assert (b"connection", b"close") in sent[0]["headers"]


@pytest.mark.parametrize("length", [b"%d" % (LARGEST + 1), b"-1", b"many", b"9" * 5000])
def test_a_body_that_says_how_large_it_is_is_not_read_at_all(length: bytes) -> None:
    sent, taken = sent_to("/login", (b"content-length", length))
    assert (413, 0) == (sent[0]["status"], taken)


def test_a_provisioning_client_is_told_in_its_own_words() -> None:
    sent, _ = sent_to("/scim/v2/Groups", (b"content-length", b"%d" % (LARGEST_PUSH + 1)))
    assert (b"content-type", b"application/scim+json") in sent[0]["headers"]
    said = json.loads(sent[1]["body"])
    assert (["urn:ietf:params:scim:api:messages:2.0:Error"], "413") == (said["schemas"], said["status"])


@pytest.mark.parametrize(("path", "most"), PATHS.items(), ids=PATHS)
def test_as_much_as_is_allowed_is_handed_on(path: str, most: int) -> None:
    said: list[dict[str, Any]] = [{"type": "http.request", "body": b"x" * most}, {"type": "http.disconnect"}]
    messages = list(said)

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    bounded = Bounded(scope(path, (b"content-length", b"%d" % most)), receive)
    assert said == [asyncio.run(bounded.receive()) for _ in said]
    assert not bounded.exceeded


@pytest.mark.parametrize(
    "path", ["/api%2Fv1/users", "/api/v1%2fusers", "/scim%2fv2/Users", "/login%5C", "/admin/%5c..", "/%2Fapi/v1/users"]
)
def test_a_hidden_slash_leads_nowhere(path: str) -> None:
    """A proxy's rule about private paths may not see it, and the portal would."""
    hidden = scope(path) | {"path": path.replace("%2F", "/").replace("%2f", "/"), "raw_path": path.encode()}
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(application(hidden, receive, send))
    assert 404 == sent[0]["status"]
