"""Live connections, noted as the process that holds them would."""

import time
import uuid
from datetime import timedelta
from typing import Any

from django.utils import timezone

from authz.changes import connections
from authz.models import Connection, Server, SocketProcess, User

HOUR = 3600.0


def connected(person: User, server: Server | None = None, *, process: str = "this", **more: Any) -> Connection:
    """Return a connection that has been open for an hour, and has another to live."""
    now = time.time()
    told = {
        "id": uuid.uuid4().hex,
        "kind": "rpc" if server is None else "relay",
        "person": person.pk,
        "server": server.pk if server is not None else 0,
        "credential": "session:1",
        "address": "192.0.2.7",
        "origin": "https://chat.example.com",
        "opened": now - HOUR,
        "ends": now + HOUR,
        "because": "lifetime",
    } | more
    connections.note(process, opened=[connections.Opened(**told)], moved=[], closed=[])
    return Connection.objects.get(pk=told["id"])


def carried(connection: Connection, *, received: int, sent: int) -> None:
    """Let a connection have carried so many bytes of messages."""
    moved = connections.Moved(connection.pk, received, sent, connection.ends_at.timestamp(), connection.ends_because)
    connections.note(connection.process, opened=[], moved=[moved], closed=[])


def closed(connection: Connection) -> None:
    """Let a connection end by itself."""
    connections.note(connection.process, opened=[], moved=[], closed=[connection.pk])


def killed(process: str) -> None:
    """Let a process have been killed some seconds ago: it says nothing any more, and its rows are left."""
    SocketProcess.objects.filter(name=process).update(seen_at=timezone.now() - timedelta(seconds=10))
