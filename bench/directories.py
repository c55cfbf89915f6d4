"""Measures bringing a large directory in step: the first time, when nothing changed, and when a hundred things did."""

import http.client
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from django.db import connections

from audit.context import Actor
from authz.changes import sources
from authz.models import Membership, Run, User
from bench import directory, servers
from bench.load import free_port
from bench.organisation import PROXY_SECRET, Organisation
from bench.report import Report, percentile

BY: Final = Actor.command("bench")
IDLE: Final = 5.0
"""Seconds for which the edge is asked with nothing else going on."""
MOST_MS: Final = 250.0
PAUSE: Final = 0.002
"""Seconds between two questions: enough of them to find the slow ones, and few enough to leave the work its core."""


def measure(report: Report, organisation: Organisation, folder: Path, database: str, *, small: bool) -> None:
    """Bring a directory in step beside everything that is there, while the edge goes on answering."""
    people, groups = (1000, 100) if small else (50_000, 5000)
    with directory.slapd(folder / "slapd", people=people, groups=groups) as url:
        settings = {
            "urls": [url], "tls": "none", "bind_dn": directory.READER,
            "people_base": f"ou=people,{directory.BASE}", "groups_base": f"ou=groups,{directory.BASE}",
        }  # fmt: skip
        source = sources.add(name="bench", kind="ldap", settings=settings, secret=directory.PASSWORD, by=BY)
        connections.close_all()
        port = free_port()
        with servers.edge(folder, port):
            asked = _Asked(port, organisation)
            asked.ask_until(time.monotonic() + IDLE)
            idle = percentile(asked.taken(), 0.99)
            seconds, peak = _synced(asked)
            meanwhile = asked.taken()
        given = Membership.objects.filter(source=str(source)).count()
        taken = User.objects.filter(source=str(source)).count()
        if taken != people:
            message = f"{taken} of {people} people were taken: {Run.objects.first().failure}"  # type: ignore[union-attr]
            raise RuntimeError(message)
        report.add(
            f"first sync from slapd, {database}: {taken:,} people, {groups:,} groups",
            f"{seconds:.0f} s, {peak:.0f} MB peak",
        )
        report.add("", f"{given:,} memberships, {given / seconds:,.0f} a second")
        slow = percentile(meanwhile, 0.99)
        report.add(
            f"validate at the edge meanwhile, {database}",
            f"p99 {slow:.1f} ms, before {idle:.1f}",
            f"p99 {MOST_MS:.0f} ms",
            kept=slow <= MOST_MS,
        )
        seconds, peak = _synced()
        report.add(f"a full sync that finds nothing, {database}", f"{seconds:.1f} s, {peak:.0f} MB peak")
        directory.shuffle(url, 100, groups)
        seconds, peak = _synced(None, "--changes")
        report.add(f"a sync of what changed, 100 changes, {database}", f"{seconds:.1f} s, {peak:.0f} MB peak")


class _Asked:
    """Asks the edge one question after the other, and keeps how long each took, in milliseconds."""

    def __init__(self, port: int, organisation: Organisation) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self._visitors = organisation.visitors
        self._taken: list[float] = []

    def ask_until(self, ends: float) -> None:
        """Ask until a moment of the monotonic clock."""
        while time.monotonic() < ends:
            visitor = self._visitors[len(self._taken) % len(self._visitors)]
            headers = {
                "Cookie": f"gatehouse={visitor.token}",
                "X-Original-URL": f"https://mcp.example.com{visitor.url_path}",
                "X-Original-Method": "GET",
                "X-Proxy-Secret": PROXY_SECRET,
            }
            begun = time.perf_counter()
            self._connection.request("GET", "/auth/validate", headers=headers)
            answer = self._connection.getresponse()
            answer.read()
            self._taken.append((time.perf_counter() - begun) * 1000)
            if answer.status not in {http.client.OK, http.client.UNAUTHORIZED, http.client.FORBIDDEN}:
                message = f"the edge answered {answer.status}"
                raise RuntimeError(message)
            time.sleep(PAUSE)

    def taken(self) -> list[float]:
        """Return how long each question took since this was last asked."""
        found, self._taken = self._taken, []
        return found


def _synced(asked: _Asked | None = None, *words: str) -> tuple[float, float]:
    """Run the command in a process of its own; return the seconds it took and its peak memory in MB."""
    begun = time.monotonic()
    command = [sys.executable, "manage.py", "sync_directory", "bench", *words]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=dict(os.environ))
    while True:
        if asked is not None:
            asked.ask_until(time.monotonic() + 0.2)
        pid, status, usage = os.wait4(child.pid, os.WNOHANG if asked is not None else 0)
        if pid:
            break
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        message = f"sync_directory ended with {child.returncode}"
        raise RuntimeError(message)
    return time.monotonic() - begun, usage.ru_maxrss / 1024
