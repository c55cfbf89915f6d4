"""Clients that mean harm, or are broken: they get nowhere, and nobody else notices them."""

import base64
import os
import socket
import struct
import threading
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from tests.patience import HANG, eventually, until
from tests.sockets.live import CONSOLE, connected, is_alive, refused
from tests.sockets.test_relay import MEGABYTE, memory


@pytest.fixture
def other(here, served, application):
    """Bob, who is connected all the while; at the end of every story he still is.

    Then the application hangs up on whoever is left: one that was flooded needs seconds to read the end of it.
    """
    with connected(served, "/ws/crm", **here.browser("bob")) as client:
        assert is_alive(client)
        yield client
        assert is_alive(client)
        assert served.process.child.poll() is None
    application.hang_up()


def dialled(served):
    """Return a bare connection to the served."""
    port = int(served.url.rpartition(":")[2])
    return socket.create_connection(("127.0.0.1", port), timeout=HANG)


def handshake(here, path="/ws/search"):
    """Return the bytes of Alice's handshake."""
    key = base64.b64encode(os.urandom(16)).decode()
    cookie = here.cookie("alice")["Cookie"]
    page = CONSOLE if path == "/ws/rpc" else "https://chat.example.com"
    return (
        f"GET {path} HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
        f"Sec-WebSocket-Version: 13\r\nOrigin: {page}\r\nCookie: {cookie}\r\n\r\n"
    ).encode()


def opened(here, served, path="/ws/search", *, sent=b"", buffer=0):
    """Return a bare connection after its handshake, which is Alice's unless something else is to be sent."""
    raw = dialled(served)
    if buffer:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    raw.sendall(sent or handshake(here, path))
    got = b""
    while b"\r\n\r\n" not in got:
        got += raw.recv(1)
    assert b" 101 " in got.split(b"\r\n")[0], got
    return raw


def frame(opcode, payload, *, fin=True, masked=True, length=None):
    """Return a frame (RFC 6455 §5.2); `length` may lie."""
    size = len(payload) if length is None else length
    head = bytes([(0x80 if fin else 0) | opcode])
    bit = 0x80 if masked else 0
    if size < 126:
        head += bytes([bit | size])
    elif size < 65536:
        head += bytes([bit | 126]) + struct.pack("!H", size)
    else:
        head += bytes([bit | 127]) + struct.pack("!Q", size)
    return head + (b"\0\0\0\0" if masked else b"") + payload


def last_words(raw):
    """Return the close code that a connection ends with; 0 for none."""
    got = b""
    with suppress(OSError):
        while piece := raw.recv(65536):
            got += piece
    at = got.rfind(b"\x88")
    return struct.unpack("!H", got[at + 2 : at + 4])[0] if at >= 0 and len(got) >= at + 4 else 0


TEXT, BINARY, CONTINUATION, PING, CLOSE = 1, 2, 0, 9, 8
MALFORMED = {
    "not masked": (frame(TEXT, b"hello", masked=False), 1002),
    "an opcode that does not exist": (frame(3, b""), 1002),
    "a reserved bit": (bytes([0xC1, 0x80, 0, 0, 0, 0]), 1002),
    "a continuation of nothing": (frame(CONTINUATION, b"x"), 1002),
    "a text within a text": (frame(TEXT, b"x", fin=False) + frame(TEXT, b"y"), 1002),
    "a ping in pieces": (frame(PING, b"x", fin=False), 1002),
    "a ping that is too long": (frame(PING, b"x" * 126), 1002),
    "a text that is none": (frame(TEXT, b"\xff\xfe"), 1007),
    "a close code that may not be sent": (frame(CLOSE, struct.pack("!H", 1005)), 1002),
    "a giant": (frame(BINARY, b"", length=2**62), 1009),
    "a large one": (frame(BINARY, b"", length=MEGABYTE + 1), 1009),
    "a large one in pieces": (
        frame(TEXT, b"x" * 60_000, fin=False) + frame(CONTINUATION, b"x" * 60_000, fin=False) * 18, 1009,
    ),
}  # fmt: skip


@pytest.mark.parametrize("path", ["/ws/search", "/ws/rpc"])
@pytest.mark.parametrize(("sent", "code"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_frame_ends_its_connection_with_a_reason(sent, code, path, here, served, other):  # noqa: PLR0917  a table
    with closing(opened(here, served, path)) as raw:
        with suppress(OSError):
            raw.sendall(sent)
        assert code == last_words(raw)


GOOD = (
    b"GET /ws/search HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
HANDSHAKES = {
    "no key": b"GET /ws/search HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\n\r\n",
    "another version": b"GET /ws/search HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 7\r\n\r\n",
    "another method": b"POST /ws/search HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nContent-Length: 0\r\n\r\n",
    "a body": GOOD + b"Content-Length: 5\r\n\r\nhello",
    "a body that never comes": GOOD + b"Content-Length: 5\r\n\r\n",
    "a body in chunks": GOOD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "a body in chunks without an end": GOOD + b"Transfer-Encoding: chunked\r\n\r\n",
    "140 headers": GOOD + b"".join(b"X-%d: 1\r\n" % n for n in range(140)) + b"\r\n",
    "a header of 9 KB": GOOD + b"X-Long: " + b"x" * 9000 + b"\r\n\r\n",
    "an address of 9 KB": GOOD.replace(b"search", b"search/" + b"x" * 9000) + b"\r\n",
    "a key that came twice": GOOD + b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    "extensions that are none": GOOD + b"Sec-WebSocket-Extensions: ;;;\r\n\r\n",
    "protocols that are none": GOOD + b"Sec-WebSocket-Protocol: ,,(\r\n\r\n",
    "nonsense": b"\x16\x03\x01\x02\x00nonsense\r\n\r\n",
}


@pytest.mark.parametrize("sent", HANDSHAKES.values(), ids=HANDSHAKES)
def test_a_malformed_handshake_opens_nothing_and_breaks_nothing(sent, served, other):
    with closing(dialled(served)) as raw:
        raw.sendall(sent)
        got = b""
        with suppress(OSError):
            while piece := raw.recv(65536):
                got += piece
        assert got.startswith(b"HTTP/1.1 4"), got[:80]


@pytest.mark.parametrize("lacking", ["Sec-WebSocket-Key", "Sec-WebSocket-Version", "both"])
def test_who_sends_a_broken_handshake_is_judged_first(lacking, here, served, other):
    """A stranger is told to show a credential, and hears nothing of what else is wrong; Alice hears it."""

    def status(sent):
        lines = [
            line for line in sent.split(b"\r\n")
            if not line.startswith(b"Sec-WebSocket-" if lacking == "both" else lacking.encode())
        ]  # fmt: skip
        with closing(dialled(served)) as raw:
            raw.sendall(b"\r\n".join(lines))
            return raw.recv(65536).split()[1]

    assert b"401" == status(GOOD + b"\r\n")
    assert b"400" == status(handshake(here))
    assert b"403" == status(handshake(here).replace(b"https://chat.example.com", b"https://evil.example"))
    assert b"404" == status(handshake(here, "/ws/nowhere"))


def test_a_handshake_that_never_ends_is_given_up(served, other):
    with closing(dialled(served)) as raw:
        raw.sendall(b"GET /ws/search HTTP/1.1\r\nHost: h\r\n")
        raw.settimeout(0.5)

        def is_gone():
            try:
                raw.sendall(b"X-More: 1\r\n")
                return raw.recv(1) == b""
            except TimeoutError:
                return False
            except OSError:
                return True

        until(is_gone)  # it would go on for ever


def test_pings_that_are_never_read_fill_no_memory(here, served, other):
    with closing(opened(here, served)) as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        before = memory(served)
        flood = frame(PING, b"x" * 125) * 1000
        with suppress(OSError):
            for _ in range(400):
                raw.sendall(flood)
        assert memory(served) - before < 30 * MEGABYTE


@contextmanager
def flooded(raw, flood):
    """Send the same again and again, for as long as the block takes or until the server hangs up."""

    def send():
        with suppress(OSError):
            while True:
                raw.sendall(flood)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        with suppress(OSError):
            raw.shutdown(socket.SHUT_RDWR)
        sender.join(HANG)
    assert not sender.is_alive()


def test_a_flood_of_small_messages_disturbs_nobody(here, served, other):
    """It never ends, so whoever had to wait for its end would never be answered."""
    with closing(opened(here, served)) as raw:
        before = memory(served)
        with flooded(raw, frame(TEXT, b"x") * 5000):
            for _ in range(50):
                assert is_alive(other)
            assert memory(served) - before < 30 * MEGABYTE


def test_somebody_revoked_who_does_not_read_is_cut_off(here, served, other):
    here.do("join", "mallory", "interns")

    def opens():
        with suppress(Exception), connected(served, "/ws/search", **here.browser("mallory")):
            return True
        return False

    def hers():
        return [each for each in here.do("roster") if each["person"] == "mallory@example.com"]

    until(opens)
    until(lambda: not hers())
    cookie = here.cookie("mallory")["Cookie"].encode()
    sent = handshake(here).replace(here.cookie("alice")["Cookie"].encode(), cookie)
    with closing(opened(here, served, sent=sent, buffer=4096)) as raw:
        raw.sendall(frame(TEXT, b"say 500000 100"))
        until(lambda: any(each["sent"] for each in hers()))
        here.do("suspend", "mallory")
        eventually(hers, [])


def test_half_a_connection_is_missed(here, served, other):
    """A client that vanished without a word is noticed by the pings that it does not answer; here it hangs up half."""
    with closing(opened(here, served)) as raw:
        raw.shutdown(socket.SHUT_WR)
        eventually(lambda: [each["person"] for each in here.do("roster") if each["person"].startswith("alice")], [])


def files(served):
    """Return how many files and sockets a process has open."""
    return len(list(Path(f"/proc/{served.process.child.pid}/fd").iterdir()))


def test_whoever_leaves_during_the_handshake_leaves_nothing_behind(here, served, application, other):
    before, open_before = files(served), len(application.open)
    for path in ("/ws/search", "/ws/rpc"):
        for _ in range(40):
            with closing(dialled(served)) as raw:
                raw.sendall(handshake(here, path))
            with closing(opened(here, served, path)) as raw:
                raw.sendall(frame(TEXT, b'{"jsonrpc": "2.0", "id": 1, "method": "whoami"}') + frame(CLOSE, b"\x03\xe8"))
    eventually(lambda: len(application.open) <= open_before, expected=True)
    eventually(lambda: files(served) <= before + 5, expected=True)


FLOODS = {
    "pongs": frame(10, b"") * 40_000,
    "pieces of one byte": frame(TEXT, b"x", fin=False) + frame(CONTINUATION, b"x", fin=False) * 40_000,
    "pieces of nothing": frame(TEXT, b"", fin=False) + frame(CONTINUATION, b"", fin=False) * 40_000,
    "messages of one byte": frame(TEXT, b"x") * 40_000,
}


@pytest.mark.parametrize("path", ["/ws/search", "/ws/rpc"])
@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
def test_tiny_frames_hold_up_nobody_and_take_no_memory(flood, path, here, served, other):
    """How far the server reads at once is counted in test_wire.py."""
    before = memory(served)
    with closing(opened(here, served, path)) as raw, flooded(raw, flood):
        for _ in range(20):
            assert is_alive(other)
        assert memory(served) - before < 30 * MEGABYTE


def test_a_message_in_many_pieces_takes_no_more_than_its_size(here, served, other):
    before = memory(served)
    pieces = [frame(TEXT, b"x" * 600, fin=False), *[frame(CONTINUATION, b"x" * 600, fin=False)] * 1500]
    with closing(opened(here, served)) as raw:
        raw.sendall(b"".join(pieces) + frame(PING, b""))
        assert b"\x8a\0" == raw.recv(2)  # the pong: all that came before it has been read
        assert memory(served) - before < 10 * MEGABYTE
        raw.sendall(frame(CONTINUATION, b"y"))
        got = b""
        while len(got) < 600 * 1501:
            got += raw.recv(65536)


@pytest.mark.parametrize(
    "last", [frame(CLOSE, b"\x03\xe8"), frame(3, b""), b""], ids=["closes", "breaks", "is hung up"]
)
def test_whoever_does_not_read_is_cut_off_however_it_ends(last, here, served, other):
    before = files(served)
    stalled = []
    for _ in range(10):
        raw = opened(here, served, buffer=4096)
        raw.sendall(frame(TEXT, b"say 500000 20"))
        stalled.append(raw)
    until(lambda: len([each for each in here.do("roster") if each["server"] == "search" and each["sent"]]) >= 10)
    assert files(served) >= before + 10
    for raw in stalled:
        raw.sendall(last)
    if not last:
        here.do("hang_up", "alice")
    eventually(lambda: files(served) <= before + 2, expected=True)
    for raw in stalled:
        raw.close()


def test_a_body_that_never_comes_is_given_up(served, other):
    with closing(dialled(served)) as raw:
        raw.sendall(b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n")
        with suppress(ConnectionResetError):
            assert b"" == raw.recv(1)


def test_a_ticket_that_was_not_used_is_in_no_log(here, served):
    ticket = here.ticket("alice", "search")
    for more in ({"X_Real_IP": "192.0.2.1"}, {"X-Nothing": "1"}):
        assert refused(served, f"/ws/crm?ticket={ticket}", headers=more)[0] in {401, 403}
    log = served.process.log.read_text()
    assert "/ws/crm" in log
    assert ticket not in log
