"""Runs the TCP role: one process with its own World and its own connections."""

import asyncio
import logging
import os
import signal
import socket
import ssl
import threading
from contextlib import suppress

import uvloop

from authz.credentials.usage import keep_usage
from authz.edge.process import listen
from authz.edge.recording import close_spool
from authz.lookups.current import keep_current
from authz.sockets.process import connections_kept
from authz.sockets.rpc.tcp import Tcp

log = logging.getLogger(__name__)

BACKLOG = 1024


def run(host: str, port: int, *, tls: ssl.SSLContext | None) -> None:
    """Serve until SIGTERM or SIGINT."""
    uvloop.run(_work(host, port, tls))


def encryption(certificate: str, key: str) -> ssl.SSLContext:
    """Return what TLS needs, from files in PEM form; OSError if they cannot be read, or do not belong together."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key or None)
    return context


async def _work(host: str, port: int, tls: ssl.SSLContext | None) -> None:
    """Load the World, then listen; in the end tell every client to come back."""
    stop = asyncio.Event()
    ended = threading.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await asyncio.to_thread(keep_current, ended)
    usage = keep_usage(ended)
    server = Tcp(tls=tls)
    async with connections_kept():
        with listen(host, port) as listener:
            listener.listen(BACKLOG)
            work = asyncio.create_task(server.serve(listener))
            log.info("tcp.listening", extra={"host": host, "port": _port(listener), "pid": os.getpid()})
            await stop.wait()
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work
    await server.stop()
    ended.set()
    await asyncio.to_thread(usage.join, 5)
    close_spool()


def _port(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port
