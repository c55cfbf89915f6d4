"""The relay carries a WebSocket as it is, tells the application who it is, and holds next to nothing of it."""

import json
import os
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.acts import SECRET
from tests.patience import HANG, eventually, until
from tests.sockets.live import connected, ended, is_alive, refused
from tests.sockets.upstream import application as another_application

MEGABYTE = 1024**2


def told(here, served, path="/ws/search/room", **how):
    """Return what the application is told of somebody's handshake."""
    with connected(served, path, **(how or here.browser("alice"))) as client:
        client.send("who am I?")
        return json.loads(client.recv(timeout=HANG))


def test_the_application_is_told_who_it_is_as_the_proxy_would_tell_it(here, served):
    found = told(here, served)["headers"]
    assert "alice@example.com" == found["x-user-email"]
    assert "Alice" == found["x-user-name"]
    assert "engineering,interns,users" == found["x-user-groups"]
    assert "0" == found["x-user-groups-truncated"]
    assert float(found["x-auth-expires"]) > time.time()
    assert "127.0.0.1" == found["x-forwarded-for"]
    assert "http" == found["x-forwarded-proto"]


def test_what_a_client_made_up_does_not_reach_the_application(here, served):
    lies = {
        "X-User-Email": "carol@example.com", "x-user-groups": "admin", "X-Forwarded-For": "192.0.2.9", "X-Real-IP":
        "192.0.2.9", "X-Proxy-Secret": "guess", "Authz-Revision": "1", "X-Auth-Expires": "0", "Remote-User": "carol",
        "X-Forwarded-Proto": "https",
    }  # fmt: skip
    found = told(here, served, headers=here.bearer("alice") | lies)["headers"]
    assert "alice@example.com" == found["x-user-email"]
    assert "127.0.0.1" == found["x-forwarded-for"]
    assert "http" == found["x-forwarded-proto"]
    assert {"x-real-ip", "x-proxy-secret", "remote-user"}.isdisjoint(found)


def test_our_own_credentials_are_not_passed_on_and_the_others_are(here, served):
    cookie = f"a=1; {here.cookie('alice')['Cookie']}; b=2"
    found = told(
        here, served, headers={"Cookie": cookie, "Authorization": "Basic eDp5"}, origin="https://chat.example.com"
    )
    assert "a=1; b=2" == found["headers"]["cookie"]
    assert "Basic eDp5" == found["headers"]["authorization"]
    assert "authorization" not in told(here, served, headers=here.bearer("alice"))["headers"]


def test_behind_a_trusted_proxy_the_address_is_the_one_that_the_proxy_names(here, served):
    named = {"X-Proxy-Secret": SECRET, "X-Real-IP": "192.0.2.7", "X-Forwarded-Proto": "https"}
    found = told(here, served, headers=here.bearer("alice") | named)["headers"]
    assert ("192.0.2.7", "https") == (found["x-forwarded-for"], found["x-forwarded-proto"])


PATHS = {
    "/ws/search": "/ws",
    "/ws/search/": "/ws",
    "/ws/search/room": "/ws/room",
    "/ws/search/room/7?b=2&a=1": "/ws/room/7?b=2&a=1",
    "/ws/search/caf%C3%A9": "/ws/caf%C3%A9",
    "/ws/search?x=%20y": "/ws?x=+y",
}


@pytest.mark.parametrize(("path", "expected"), PATHS.items())
def test_the_rest_of_the_address_is_carried_on(path, expected, here, served):
    assert expected == told(here, served, path)["path"]


@pytest.mark.parametrize("message", ["", "text", "ünï¢ödé 🚪", b"", b"\x00\xff", "x" * 70_000, b"y" * 1_000_000])
def test_messages_come_back_as_they_were(message, here, served):
    with connected(served, "/ws/search", **here.browser("alice"), max_size=None) as client:
        client.send(message)
        assert message == client.recv(timeout=HANG)


def test_a_message_in_fragments_is_one_message(here, served):
    with connected(served, "/ws/search", **here.browser("alice")) as client:
        client.send(["in ", "three ", "pieces"])
        assert "in three pieces" == client.recv(timeout=HANG)


@pytest.mark.parametrize(
    ("offered", "expected"), [(["chat.v2"], "chat.v2"), (["x", "chat.v2"], "chat.v2"), (["x"], None)]
)
def test_the_application_chooses_the_subprotocol(offered, expected, here, served):
    with connected(served, "/ws/search", **here.browser("alice"), subprotocols=offered) as client:
        assert expected == client.subprotocol


def test_pings_are_carried_in_both_directions(here, served, application):
    with connected(served, "/ws/search", **here.browser("alice")) as client:
        before = application.pings
        assert client.ping().wait(HANG)
        eventually(lambda: application.pings > before, expected=True)
        client.send("ping me")
        assert "you are there" == client.recv(timeout=HANG)


@pytest.mark.parametrize(("code", "reason"), [(1000, "bye"), (1001, ""), (1011, "broken"), (4123, "its own")])
def test_close_codes_are_carried_in_both_directions(code, reason, here, served, application):
    with connected(served, "/ws/search", **here.browser("alice")) as client:
        client.send(f"close {code} {reason}")
        assert (code, reason) == ended(client)
    with connected(served, "/ws/search", **here.browser("alice")) as client:
        assert is_alive(client)
        before = len(application.closes)
        client.close(code, reason)
    eventually(lambda: (code, reason) in application.closes[before:], expected=True)


def test_an_application_that_is_not_there_is_a_clean_refusal(here, served):
    here.do("relay", "crm", {"upstream": "ws://127.0.0.1:9/ws"})
    eventually(lambda: refused(served, "/ws/crm", **here.browser("bob")), (502, "upstream"))


def test_an_application_that_dies_is_a_clean_close(here, served):
    with connected(served, "/ws/search", **here.browser("alice")) as client:
        client.send("die")
        assert (1014, "upstream") == ended(client)


def test_the_application_learns_that_a_client_went_away(here, served, application):
    with connected(served, "/ws/search", **here.browser("alice")) as client:
        assert is_alive(client)
        before = len(application.closes)
        client.socket.shutdown(socket.SHUT_RDWR)
    eventually(lambda: len(application.closes) > before, expected=True)


def test_a_message_that_is_too_large_ends_the_connection_that_sent_it(here, served):
    with connected(served, "/ws/search", **here.browser("alice")) as other:
        with connected(served, "/ws/search", **here.browser("alice"), max_size=None) as client:
            with suppress(ConnectionClosed):
                client.send("x" * (MEGABYTE + 1))
            assert 1009 == ended(client)[0]
        with connected(served, "/ws/search", **here.browser("alice"), max_size=None) as client:
            client.send(f"say {MEGABYTE + 1} 1")
            assert ended(client)[0] in {1009, 1011, 1014}
        assert is_alive(other)


def memory(served):
    """Return the resident memory of a process, in bytes."""
    pages = int(Path(f"/proc/{served.process.child.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def stands_still(count):
    """Return what a count has come to when it has not moved for a second: long enough for whatever goes on to go on."""
    found, since = count(), time.monotonic()
    ends = since + HANG
    while time.monotonic() < since + 1:
        assert time.monotonic() < ends, "it goes on and on"
        time.sleep(0.05)
        if (now := count()) != found:
            found, since = now, time.monotonic()
    return found


def test_a_client_that_does_not_read_holds_up_the_application_and_not_our_memory(here, served, application):
    with connected(served, "/ws/search", **here.browser("alice")) as other:
        before, said = memory(served), application.said
        with connected(served, "/ws/search", **here.browser("alice"), max_queue=1) as client:
            client.send("say 500000 400")  # 200 MB that nobody reads
            until(lambda: application.said > said)
            assert stands_still(lambda: application.said) < said + 400
            assert memory(served) - before < 40 * MEGABYTE
            assert is_alive(other)
            read = sum(len(client.recv(timeout=HANG)) for _ in range(400))
            assert 200_000_000 == read


def test_an_application_that_does_not_read_holds_up_the_client_and_not_our_memory(here, served):
    with another_application() as slow:
        here.do("relay", "crm", {"upstream": slow.url})
        eventually(lambda: refused(served, "/ws/crm", **here.browser("bob"))[0], 101)
        with (
            connected(served, "/ws/search", **here.browser("alice")) as other,
            connected(served, "/ws/crm", **here.browser("bob")) as client,
        ):
            assert is_alive(client)
            slow.stalled = True
            before, sent = memory(served), []

            def send():
                with suppress(OSError, ConnectionClosed):
                    for number in range(400):
                        client.send("x" * 500_000)
                        sent.append(number)

            sender = threading.Thread(target=send)
            sender.start()
            try:
                until(lambda: sent)
                assert stands_still(lambda: len(sent)) < 400
                assert memory(served) - before < 40 * MEGABYTE
                assert is_alive(other)
            finally:
                client.socket.shutdown(socket.SHUT_RDWR)
                sender.join(HANG)
            assert not sender.is_alive()
            slow.stalled = False


def test_a_connection_that_was_refused_leaves_nothing_behind(here, served):
    for _ in range(5):
        with pytest.raises(InvalidStatus):
            connected(served, "/ws/crm", **here.browser("alice"))
    eventually(lambda: [each for each in here.do("roster") if each["person"] == "mallory@example.com"], [])
