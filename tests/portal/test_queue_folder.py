"""A message is there whole or not at all, is taken once, and what cannot be read is nobody's end."""

import threading
from pathlib import Path
from queue import Empty

import pytest
from celery import Celery
from kombu.connection import Connection

from portal import queue_folder
from tests.patience import HANG

BROKEN = {
    "an empty file": b"",
    "half a message": b'{"body": "eyJ',
    "a list": b"[]",
    "no message": b"{}",
    "no text": b"\xff\xfe",
    "what is nested without end": b"[" * 100_000,
    "more than any message": b" " * (queue_folder.LARGEST + 1),
}


@pytest.fixture
def channel(tmp_path):
    """Return a channel to a queue in a folder."""
    for name in ("tasks", "control"):
        (tmp_path / name).mkdir()
    options = {
        "data_folder_in": str(tmp_path / "tasks"),
        "data_folder_out": str(tmp_path / "tasks"),
        "control_folder": str(tmp_path / "control"),
    }
    with Connection(f"{queue_folder.NAME}://", transport_options=options) as connection:
        yield connection.channel()


def tasks(channel) -> Path:
    return Path(channel.data_folder_in)


def taken(channel, queue="celery"):
    """Take everything of a queue."""
    found = []
    while True:
        try:
            found.append(channel._get(queue)["body"])  # noqa: SLF001  what kombu calls
        except Empty:
            return found


def test_messages_are_taken_once_and_in_their_order(channel):
    for number in range(20):
        channel._put("celery", {"body": number})  # noqa: SLF001
    channel._put("other", {"body": "elsewhere"})  # noqa: SLF001
    assert [*range(20)] == taken(channel)
    assert [] == taken(channel)
    assert ["elsewhere"] == taken(channel, "other")
    assert [] == list(tasks(channel).iterdir())


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_read_is_taken_away_and_the_next_is_read(channel, content):
    """Such as what another program put there, or what a power cut left."""
    (tasks(channel) / "0_x.celery.msg").write_bytes(content)
    channel._put("celery", {"body": "a task"})  # noqa: SLF001
    assert ["a task"] == taken(channel)
    assert [] == list(tasks(channel).iterdir())


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_an_exchange_that_cannot_be_read_leads_nowhere_until_it_is_bound(channel, content):
    channel._exchange_file("celery").write_bytes(content)  # noqa: SLF001
    assert [] == channel.get_table("celery")
    for _ in range(2):
        channel._queue_bind("celery", "key", "", "celery")  # noqa: SLF001
    assert [("key", "", "celery")] == channel.get_table("celery")
    channel._delete("celery", "celery", "key", "")  # noqa: SLF001
    assert [] == channel.get_table("celery")


def test_many_who_put_and_take_at_once_lose_and_double_nothing(channel):
    """A reader never meets a message that is still being written."""
    found: list[list[str]] = [[], []]
    over = threading.Event()

    def put(name):
        for number in range(200):
            channel._put("celery", {"body": f"{name}{number}", "more": "x" * 20_000})  # noqa: SLF001

    def take(mine):
        while not over.is_set():
            mine += taken(channel)
        mine += taken(channel)

    writers = [threading.Thread(target=put, args=(name,)) for name in "ab"]
    readers = [threading.Thread(target=take, args=(mine,)) for mine in found]
    for thread in writers + readers:
        thread.start()
    for thread in writers:
        thread.join(HANG)
    over.set()
    for thread in readers:
        thread.join(HANG)
    assert sorted(f"{name}{number}" for name in "ab" for number in range(200)) == sorted(found[0] + found[1])


def test_a_task_goes_through_it_from_celery_to_celery(channel):
    with Celery("test", broker=f"{queue_folder.NAME}://") as app:
        app.conf.broker_transport_options = channel.connection.client.transport_options
        app.send_task("some.task", ["an argument"])
        (body,) = taken(channel)
        assert body
