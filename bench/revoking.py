"""Measures from the commit of a revocation in one process to the first refusal by another, by poll alone."""

import http.client
import time
from pathlib import Path
from typing import Final

from audit.context import Actor
from authz.changes import people, sessions
from authz.models import Session, User
from bench import servers
from bench.load import free_port
from bench.organisation import PROXY_SECRET, Organisation
from bench.report import Report, percentile

REVOCATIONS: Final = 120
MOST_MS: Final = 250.0
BY: Final = Actor.command("bench")


def measure(report: Report, organisation: Organisation, folder: Path, database: str) -> None:
    """Suspend people and end sessions, and ask the edge until it refuses."""
    port = free_port()
    waits: list[float] = []
    with servers.edge(folder, port):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for n, visitor in enumerate(organisation.visitors[:REVOCATIONS]):
            headers = {
                "Cookie": f"gatehouse={visitor.token}",
                "X-Original-URL": f"https://mcp.example.com{visitor.url_path}",
                "X-Original-Method": "GET",
                "X-Proxy-Secret": PROXY_SECRET,
            }
            if _status(connection, headers) != http.client.OK:
                message = f"{visitor.email} is refused before anything was revoked"
                raise RuntimeError(message)
            person = User.objects.get(email=visitor.email)
            if n % 2:
                people.suspend(person, by=BY)
            else:
                sessions.end(Session.objects.get(person=person, ended_at=None), by=BY, because="bench")
            committed = time.perf_counter()
            while _status(connection, headers) == http.client.OK:
                pass
            waits.append((time.perf_counter() - committed) * 1000)
    p50, p99 = percentile(waits, 0.5), percentile(waits, 0.99)
    report.add(
        f"revocation, commit to first refusal elsewhere, {database}, poll alone",
        f"p50 {p50:.0f}, p99 {p99:.0f} ms",
        "p99 250 ms",
        kept=p99 <= MOST_MS,
    )


def _status(connection: http.client.HTTPConnection, headers: dict[str, str]) -> int:
    connection.request("GET", "/auth/validate", headers=headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status
