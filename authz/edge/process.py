"""Runs the edge role: one process, or several on one port, each with its own World."""

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
from contextlib import suppress

import uvloop

from authz.credentials.usage import keep_usage
from authz.edge.memory import settle, use_large_pages
from authz.edge.recording import close_spool
from authz.edge.serve import serve
from authz.lookups.current import keep_current

log = logging.getLogger(__name__)

LONGEST_TURN = 0.0005
"""Seconds for which a thread may keep the interpreter while another waits for it."""
LARGE_PAGES_EVERY = 10.0
"""Seconds between two looks at what has been added to memory."""
STOPPING = (signal.SIGTERM, signal.SIGINT)


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket that several processes may share the port of."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind((host, port))
    listener.setblocking(False)  # noqa: FBT003  the socket's own way
    return listener


def run(host: str, port: int, *, workers: int = 1) -> None:
    """Serve until SIGTERM or SIGINT; a worker that dies is replaced."""
    if workers == 1:
        uvloop.run(_work(host, port))
        return
    stopping = False
    children: set[int] = set()

    def stop(_number: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True
        for child in children:
            os.kill(child, signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    while not stopping or children:
        while not stopping and len(children) < workers:
            # A signal that came between the fork and the note of it would miss the child.
            signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
            children.add(_fork(host, port))
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
        child, status = os.wait()
        children.discard(child)
        if not stopping:
            log.error("edge.worker_died", extra={"pid": child, "status": status})
            threading.Event().wait(1)  # a worker that cannot start must not be started in a tight circle


def _fork(host: str, port: int) -> int:
    """Start a worker; nothing that a fork would tear (threads, connections) exists in the parent."""
    if child := os.fork():
        return child
    for number in STOPPING:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
    try:
        uvloop.run(_work(host, port))
        os._exit(0)
    except BaseException:
        log.exception("edge.worker_failed")
        os._exit(1)


def _be_considerate() -> None:
    """Have requests answered in batches, and no thread of ours hold up an answer.

    A proxy on the same core writes several questions before it waits for answers. Linux would stop it after each to
    run us; SCHED_BATCH says that we are no task to interrupt another for, which saves most of the switches. And a
    thread that keeps something current must hand the interpreter back sooner than after the usual five milliseconds.
    """
    sys.setswitchinterval(LONGEST_TURN)
    if hasattr(os, "SCHED_BATCH"):
        with suppress(OSError):  # a sandbox may forbid it; we are a little slower then
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


async def _keep_in_large_pages() -> None:
    """Have what the process remembers join the World there."""
    while True:
        await asyncio.sleep(LARGE_PAGES_EVERY)
        await asyncio.to_thread(use_large_pages)


async def _work(host: str, port: int) -> None:
    """Load the World, then listen: until it is loaded, nobody connects to a process that could only deny."""
    stop = asyncio.Event()
    ended = threading.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    _be_considerate()
    await loop.run_in_executor(None, keep_current, ended)
    settle()
    growing = asyncio.create_task(_keep_in_large_pages())
    usage = keep_usage(ended)
    listener = listen(host, port)
    log.info("edge.listening", extra={"host": host, "port": port, "pid": os.getpid()})
    try:
        await serve([listener], stop)
    finally:
        growing.cancel()
        ended.set()
        await loop.run_in_executor(None, usage.join, 5)
        close_spool()
