"""What was fetched is fresh for an hour, good for its age, and asked for no more than once in a while."""

import pytest

from authz.errors import OutboundFailed
from authz.outbound.remembered import FRESH, MOST, SPACING, Remembered

NOW = 1_760_000_000.0
A = "https://a.example/jwks"


class Server:
    """Somebody who answers with another value each time, or fails."""

    def __init__(self, oldest=86_400.0):
        self.asked, self.fails = [], False
        self.remembered = Remembered(self.fetch, oldest=lambda: oldest, what="test")

    def fetch(self, address):
        self.asked.append(address)
        if self.fails:
            raise OutboundFailed(f"{len(self.asked)} failed")
        return [len(self.asked)]


@pytest.fixture
def server():
    return Server()


def test_nothing_is_known_before_it_is_fetched_and_nobody_waits_to_learn_that(server):
    kept = server.remembered
    assert (None, True, True) == (kept.peek(A, NOW), kept.is_stale(A, NOW), kept.may_fetch(A, NOW))
    assert [] == server.asked
    kept.refresh(A, NOW)
    held = kept.peek(A, NOW)
    assert held is not None
    assert ([1], False, False) == (held.value, kept.is_stale(A, NOW), kept.may_fetch(A, NOW))


@pytest.mark.parametrize("fails", [False, True])
def test_refreshing_again_and_again_asks_once_in_a_while(server, fails):
    server.fails = fails
    for second in range(100):
        server.remembered.refresh(A, NOW + second)
    assert 4 == len(server.asked), f"at 0, {SPACING:g}, 60 and 90"


def test_another_fetch_is_another_generation(server):
    kept, seen = server.remembered, []
    for hour in range(3):
        kept.refresh(A, NOW + hour * FRESH)
        held = kept.peek(A, NOW + hour * FRESH)
        assert held is not None
        seen.append(held.generation)
    assert 3 == len(set(seen))


def test_what_fails_takes_nothing_away_until_it_is_too_old():
    server = Server(oldest=2 * FRESH)
    kept = server.remembered
    assert [1] == kept.of(A, NOW)
    server.fails = True
    assert [1] == kept.of(A, NOW + FRESH)
    assert [1] == kept.of(A, NOW + 2 * FRESH - 1)
    assert kept.peek(A, NOW + 2 * FRESH) is None
    with pytest.raises(OutboundFailed, match="failed"):
        kept.of(A, NOW + 2 * FRESH)
    server.fails = False
    with pytest.raises(OutboundFailed, match="failed"):
        kept.of(A, NOW + 2 * FRESH + SPACING - 2)
    assert [4] == kept.of(A, NOW + 2 * FRESH + SPACING)


def test_a_failure_is_told_again_as_long_as_nobody_asks_anew(server):
    server.fails = True
    for later in (0, 1, SPACING - 1):
        with pytest.raises(OutboundFailed, match="1 failed"):
            server.remembered.of(A, NOW + later)
    with pytest.raises(OutboundFailed, match="2 failed"):
        server.remembered.of(A, NOW + SPACING)


def test_something_newer_is_looked_for_at_once_and_then_once_in_a_while(server):
    kept = server.remembered
    first = kept.of(A, NOW)
    newer = kept.newer(A, NOW + 1, than=first)
    assert ([2], [2]) == (newer, kept.newer(A, NOW + 2, than=first))
    assert kept.newer(A, NOW + 2, than=newer) is None
    assert [3] == kept.newer(A, NOW + 1 + SPACING, than=newer)
    assert kept.newer("https://unknown.example/", NOW, than=first) is None


def test_what_is_forgotten_is_fetched_anew(server):
    assert [1] == server.remembered.of(A, NOW)
    server.remembered.forget(A)
    assert [2] == server.remembered.of(A, NOW)


def test_the_number_of_addresses_is_bounded(server):
    for number in range(3 * MOST):
        server.remembered.of(f"https://{number}.example/", NOW)
    assert len(server.remembered._held) <= MOST + 1  # noqa: SLF001  what is bounded
    assert len(server.remembered._alone) <= MOST + 1  # noqa: SLF001
