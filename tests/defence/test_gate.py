"""A gate lets so many in and so many wait, and nobody else stands before it."""

import threading

import pytest

from authz.defence.gate import Gate
from authz.errors import TooBusy
from tests.patience import HANG, until


class Crowd:
    """People who go through a gate and stay inside until they are told to leave."""

    def __init__(self, gate):
        self.gate, self.inside, self.most, self.refused = gate, 0, 0, 0
        self.leave, self.guard, self.threads = threading.Event(), threading.Lock(), []

    def comes(self, patience=HANG):
        """Let one more come."""
        thread = threading.Thread(target=self._goes_through, args=(patience,))
        self.threads.append(thread)
        thread.start()

    def _goes_through(self, patience):
        try:
            with self.gate.passage(patience):
                with self.guard:
                    self.inside += 1
                    self.most = max(self.most, self.inside)
                assert self.leave.wait(HANG)
                with self.guard:
                    self.inside -= 1
        except TooBusy:
            with self.guard:
                self.refused += 1

    def ends(self):
        """Let everybody leave, and wait for them."""
        self.leave.set()
        for thread in self.threads:
            thread.join(HANG)
            assert not thread.is_alive()


@pytest.fixture
def crowd():
    made = Crowd(Gate(2, waiting=3))
    yield made
    made.ends()


def waiting(crowd):
    return crowd.gate._places  # noqa: SLF001  how many places to wait are left


def test_so_many_are_in_so_many_wait_and_the_rest_is_turned_away_at_once(crowd):
    for _ in range(2):
        crowd.comes()
    until(lambda: crowd.inside == 2)
    for _ in range(3):
        crowd.comes()
    until(lambda: waiting(crowd) == 0)
    for _ in range(5):
        crowd.comes()
    until(lambda: crowd.refused == 5)
    assert 2 == crowd.inside
    crowd.ends()
    assert (2, 5, 3) == (crowd.most, crowd.refused, waiting(crowd))


def test_who_waits_for_too_long_is_turned_away_and_takes_no_place(crowd):
    for _ in range(2):
        crowd.comes()
    until(lambda: crowd.inside == 2)
    for _ in range(3):
        crowd.comes(patience=0.05)
    until(lambda: crowd.refused == 3)
    assert 3 == waiting(crowd)


def test_who_fails_inside_leaves_all_the_same():
    gate = Gate(1, waiting=0)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), gate.passage(1):
            raise ZeroDivisionError
    with gate.passage(1), pytest.raises(TooBusy), gate.passage(1):
        pass
    with gate.passage(1):
        pass
