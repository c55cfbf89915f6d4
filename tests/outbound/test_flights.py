"""A slow server keeps nobody waiting but those who wait for it, and takes no more threads than its share."""

import asyncio
import threading
from collections import Counter

import pytest

from authz.credentials.contract import Unsettled
from authz.credentials.settling import settling
from authz.errors import OutboundFailed
from authz.outbound.flights import Flights
from tests.patience import HANG, until


class Slow:
    """Servers that answer when the test lets them, and how often each was asked."""

    def __init__(self):
        self.asked: Counter[str] = Counter()
        self.now: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.over, self.guard = threading.Event(), threading.Lock()

    def fetch(self, host):
        """Return what fetches something from a host."""

        def work():
            with self.guard:
                self.asked[host] += 1
                self.now[host] += 1
                self.most[host] = max(self.most[host], self.now[host])
            assert self.over.wait(HANG)
            with self.guard:
                self.now[host] -= 1

        return work


@pytest.fixture
def slow():
    made = Slow()
    yield made
    made.over.set()


def test_many_who_wait_for_one_address_wait_for_one_fetch(slow):
    flights = Flights()
    waiting = [flights.begin("https://a.example/jwks", slow.fetch("a")) for _ in range(100)]
    assert 1 == len(set(map(id, waiting)))
    until(lambda: slow.asked["a"])
    slow.over.set()
    assert waiting[0].result(HANG) is None
    assert {"a": 1} == slow.asked
    flights.begin("https://a.example/jwks", slow.fetch("a")).result(HANG)
    assert {"a": 2} == slow.asked


def test_a_slow_host_has_its_share_of_threads_and_others_go_on(slow):
    flights = Flights(threads=4, per_host=2)
    many = [flights.begin(f"https://slow.example/{number}", slow.fetch("slow")) for number in range(20)]
    until(lambda: slow.asked["slow"] == 2)
    quick = threading.Event()
    assert flights.begin("https://quick.example/jwks", quick.set).result(HANG) is None
    assert quick.is_set()
    assert 2 == slow.most["slow"]
    slow.over.set()
    for each in many:
        each.result(HANG)
    assert (20, 2) == (slow.asked["slow"], slow.most["slow"])


@pytest.mark.parametrize(
    "other", ["https://SLOW.example/b", "https://user:word@slow.example/b", "https://slow.example/?c"]
)
def test_a_host_is_one_however_it_is_written(slow, other):
    flights = Flights(per_host=1)
    first = flights.begin("https://slow.example/a", slow.fetch("slow"))
    second = flights.begin(other, slow.fetch("slow"))
    until(lambda: slow.asked["slow"] == 1)
    slow.over.set()
    for each in (first, second):
        each.result(HANG)
    assert 1 == slow.most["slow"]


def test_all_threads_are_bounded_and_so_are_those_who_wait(slow):
    flights = Flights(threads=3, per_host=1, waiting=4)
    begun = [flights.begin(f"https://{number}.example/", slow.fetch("all")) for number in range(7)]
    until(lambda: slow.asked["all"] == 3)
    with pytest.raises(OutboundFailed, match="too many addresses"):
        flights.begin("https://8.example/", slow.fetch("all")).result(HANG)
    assert 3 == slow.most["all"]
    slow.over.set()
    for each in begun:
        each.result(HANG)
    assert (7, 3) == (slow.asked["all"], slow.most["all"])


def test_a_failure_is_told_to_all_who_wait_and_ends_nothing_else():
    def fail():
        raise OutboundFailed("nobody is there")

    flights = Flights()
    for _ in range(2):
        with pytest.raises(OutboundFailed, match="nobody is there"):
            flights.begin("https://[/", fail).result(HANG)
    assert flights.begin("https://[/", lambda: None).result(HANG) is None


def test_a_machine_without_threads_fails_a_fetch_and_remembers_none(monkeypatch):
    def none_left(_):
        raise RuntimeError("can't start new thread")

    flights = Flights(per_host=1)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", none_left)
        for _ in range(3):
            with pytest.raises(OutboundFailed, match="there is no thread"):
                flights.begin("https://a.example/", lambda: None).result(HANG)
    assert flights.begin("https://a.example/", lambda: None).result(HANG) is None


def test_one_who_gives_up_ends_it_for_nobody_else(slow):
    """A connection that is closed while it waits cancels its own waiting."""

    async def story():
        loop = asyncio.get_running_loop()
        unsettled = Unsettled(slow.fetch("a"), address="https://gives-up.example/jwks")
        one, other = settling(unsettled, loop), settling(unsettled, loop)
        one.cancel()
        slow.over.set()
        await asyncio.wait_for(other, HANG)
        assert one.cancelled()

    asyncio.run(story())
    assert {"a": 1} == slow.asked


def test_what_is_no_fetch_settles_in_the_loops_own_threads():
    async def story():
        found = []
        await settling(Unsettled(lambda: found.append(threading.current_thread().name)), asyncio.get_running_loop())
        return found

    (name,) = asyncio.run(story())
    assert "fetch" != name
