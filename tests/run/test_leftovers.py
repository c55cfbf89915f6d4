"""Whatever a test may leave behind is noticed, named, and forgotten once it has ended."""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from authz.lookups.current import CURRENT
from tests.run import leftovers


@contextmanager
def a_thread() -> Iterator[None]:
    over = threading.Event()
    thread = threading.Thread(target=over.wait, name="forgotten")
    thread.start()
    yield
    over.set()
    thread.join()


@contextmanager
def a_child() -> Iterator[None]:
    words = [sys.executable, "-c", "print(); input()"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()  # until then it has no name of its own
        yield
        child.kill()


@contextmanager
def a_child_that_nobody_waited_for() -> Iterator[None]:
    pid = os.posix_spawn(sys.executable, [sys.executable, "-S", "-c", ""], os.environ)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    yield
    os.waitpid(pid, 0)


@contextmanager
def a_handler_of_a_signal() -> Iterator[None]:
    before = signal.signal(signal.SIGALRM, lambda *_: None)
    yield
    signal.signal(signal.SIGALRM, before)


@contextmanager
def a_handler_of_a_logger() -> Iterator[None]:
    logger, handler = logging.getLogger("authz"), logging.StreamHandler()
    logger.addHandler(handler)
    yield
    logger.removeHandler(handler)


@contextmanager
def a_variable() -> Iterator[None]:
    os.environ["GATEHOUSE_FORGOTTEN"] = "1"
    yield
    del os.environ["GATEHOUSE_FORGOTTEN"]


@contextmanager
def a_listener() -> Iterator[None]:
    def hear(*_: object) -> None:
        """Hear nothing."""

    CURRENT.heard.append(hear)
    yield
    CURRENT.heard.remove(hear)


@contextmanager
def another_folder(folder) -> Iterator[None]:
    before = os.getcwd()  # noqa: PTH109  where to go back to
    os.chdir(folder)
    yield
    os.chdir(before)


LEFT = {
    "a thread: forgotten": a_thread,
    "a child: {pid} {python} -c print(); input()": a_child,
    "a child: {pid} ended, and not waited for": a_child_that_nobody_waited_for,
    "an open file: socket:": lambda: socket.create_server(("127.0.0.1", 0)),
    "an open file: {here}": lambda: open(__file__),  # noqa: SIM115, PTH123  what is left open
    "the signal handlers: SIGALRM": a_handler_of_a_signal,
    "handlers of loggers: authz": a_handler_of_a_logger,
    "the environment: GATEHOUSE_FORGOTTEN": a_variable,
    "who hears of a new World": a_listener,
    "the working directory": lambda: another_folder("/"),
}


@pytest.mark.parametrize(("told", "leave"), LEFT.items(), ids=LEFT)
def test_what_is_left_is_named_until_it_is_gone(told, leave):
    before = leftovers.now()
    with ExitStack() as stack:
        stack.enter_context(leave())
        (found,) = leftovers.left(before)
    beginning, _, end = told.partition("{pid} ")
    assert found.startswith(beginning.format(here=__file__))
    assert found.endswith(end.format(python=sys.executable))
    assert [] == leftovers.left(before)


def test_what_is_kept_for_the_next_tests_is_not_left():
    before = leftovers.now()
    with ExitStack() as stack:
        with leftovers.kept():
            for start in (a_thread, a_child, lambda: socket.create_server(("127.0.0.1", 0))):
                stack.enter_context(start())
        assert [] == leftovers.left(before)
        with a_thread():
            assert ["a thread: forgotten"] == leftovers.left(before)


def test_a_test_that_leaves_something_fails_and_one_that_ends_in_time_does_not(monkeypatch):
    monkeypatch.setattr(leftovers, "GRACE", 0.05)
    watch = leftovers._watch("the test")  # noqa: SLF001  what the fixture does
    next(watch)
    over = threading.Event()
    thread = threading.Thread(target=over.wait, name="slow to end")
    thread.start()
    with pytest.raises(pytest.fail.Exception, match="the test leaves behind\n  a thread: slow to end"):
        next(watch)
    over.set()
    thread.join()
    assert [] == leftovers.left(leftovers.now())
