"""The edge role: answers the edge's paths straight from the socket, on uvloop with llhttp (httptools) as the parser.

A web framework, an ASGI server, or even a WSGI one costs more per request than everything this process has to do, and
CGI-style environments lose what matters here: whether a header came twice, or under a look-alike's name. So this is a
protocol class: llhttp reads HTTP/1.1 strictly, a Request collects, a judge answers, one write sends.

It speaks to proxies on a private network and to nobody else: no TLS, no files, small requests only.
"""

import asyncio
import logging
from functools import partial
from typing import Any, Final

import httptools

from authz.credentials import Unsettled
from authz.credentials.settling import settling
from authz.edge.answers import Answer, rendered
from authz.edge.paths import Judge, judge_of
from authz.edge.remembered import Recalled
from authz.edge.repeated import mark_of, repeat
from authz.edge.request import Request
from authz.edge.turns import Judgement, Turn

log = logging.getLogger(__name__)

LARGEST_HEAD: Final = 64 * 1024
"""Bytes of request line and headers; proxies allow less (nginx: 32 KB)."""
LARGEST_BODY: Final = 256 * 1024
"""Bytes of a body: a thousand group checks fit."""
PIECE: Final = 16 * 1024
"""Bytes that are parsed at a time: by so much may a request be larger than allowed, behind others."""
IDLE: Final = 75.0
"""Seconds a connection may lie unused, or a request may take to arrive."""
NOT_FOUND: Final = Answer(404, b"", b"", b"There is nothing here.\n")
MALFORMED: Final = Answer(400, b"", b"", b"This is not an HTTP request.\n")
TOO_LARGE: Final = Answer(431, b"", b"", b"This request is too large.\n")
AT_REST: Final = 0
"""Of a connection: its next byte begins a request, and nothing is under way."""
OWED: Final = 1
"""The answer to its last request is given at the end of this turn of the loop."""
READING: Final = 2
FAILED: Final = Answer(503, b"", b"", b"This cannot be answered now.\n")


class Edge(asyncio.Protocol):
    """One connection from a proxy or a service; its requests are answered in order, one at a time."""

    __slots__ = (
        "between", "body", "busy", "following", "loop", "mark", "open", "owes", "parser", "peer", "recalled",
        "request", "requests", "seen", "size", "state", "stuffed", "transport", "turn", "url", "waiting",
    )  # fmt: skip

    def __init__(self, loop: asyncio.AbstractEventLoop, turn: Turn, open_ones: set["Edge"]) -> None:
        """Belong to a loop and its turns, and to the set of open connections."""
        self.loop = loop
        self.turn = turn
        self.open = open_ones
        self.transport: asyncio.Transport
        self.peer = ""
        self.request: Request | None = None
        self.busy = False
        """Whether a request is being settled elsewhere; what arrives meanwhile waits."""
        self.stuffed = False
        """Whether whoever asks does not read the answers."""
        self.waiting = b""
        self.following: list[tuple[Request, bool] | Answer] = []
        """What the parser had found behind that request already, in order."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin a connection."""
        self.transport = transport  # type: ignore[assignment]  # a stream's transport
        peer = transport.get_extra_info("peername")
        self.peer = peer[0] if isinstance(peer, tuple) else ""
        self.mark = mark_of(self.peer)
        self.parser = httptools.HttpRequestParser(self)
        self.size = 0
        self.between = True
        """Whether the next byte begins a request."""
        self.state = AT_REST
        self.owes = False
        """Whether the answer to a request that was read is given at the end of this turn of the loop."""
        self.requests = 0
        self.recalled: Recalled | None = None
        self.seen = self.loop.time()
        self.open.add(self)

    def connection_lost(self, _error: Exception | None) -> None:
        """Forget a connection."""
        self.open.discard(self)

    def pause_writing(self) -> None:
        """Read no more from whoever does not read: answers would pile up."""
        self.stuffed = True
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """Read on."""
        self.stuffed = False
        if not self.busy:
            self.transport.resume_reading()

    @property
    def waited_for(self) -> bool:
        """Whether an answer is under way."""
        return self.busy or self.owes or self.state is OWED

    def data_received(self, data: bytes) -> None:
        """Take what came: a request that came before is known by its bytes, everything else is read."""
        if self.state is AT_REST and self.turn.takes(self, data):
            self.state = OWED
            return None
        if self.state is OWED:
            self.turn.end()  # answers go back in the order of the requests
            if self.state is OWED:
                return self.abandon()
        return self.read(data)

    def give(self, whole: bytes, now: float, *, last: bool = False) -> None:
        """Send the answer that is owed."""
        self.owes = False
        if self.state is OWED:
            self.state, self.seen = AT_REST, now
        if not self.transport.is_closing():
            self.transport.write(whole)
            if last:
                self.transport.close()

    def again(self, request: Request, *, last: bool, settled: bool) -> None:
        """Answer a request anew, whose answer was not given."""
        self.owes = False
        self._answer(request, last=last, settled=settled)
        self._rest()

    def abandon(self) -> None:
        """End at once: without an answer that is owed, the next one would be taken for it."""
        self.transport.abort()

    def read(self, data: bytes) -> None:
        """Parse what came; anything that is not strict HTTP/1.1 ends the connection."""
        if self.busy:
            self.waiting += data
            if len(self.waiting) > LARGEST_HEAD + LARGEST_BODY:
                self.transport.close()
            return
        if not self.size:
            self.seen = self.loop.time()  # of a request's first byte: one that drips in has no longer than others
        whole = self.between and not self.size
        self._parse(data)
        if self.recalled is not None and whole and self.requests == 1 and self.between:
            repeat(self.mark, data, self.recalled)
        self._rest()

    def _rest(self) -> None:
        self.recalled = None  # a connection that lies idle keeps no World
        if self.between and not self.size and not self.busy:
            self.state = OWED if self.owes else AT_REST
        else:
            self.state = READING

    def _parse(self, data: bytes) -> None:
        """Parse what came by and by, so that the size of one request is not taken for that of another beside it."""
        self.requests, self.recalled = 0, None
        for begin in range(0, len(data), PIECE):
            piece = data[begin : begin + PIECE]
            self.size += len(piece)
            try:
                self.parser.feed_data(piece)
            except httptools.HttpParserUpgrade:
                # The request itself has its answer; the connection ends with it, for what follows would not be HTTP.
                return
            except httptools.HttpParserError:
                self._refuse(MALFORMED)
                return
            if self.size > LARGEST_HEAD + LARGEST_BODY:
                self._refuse(TOO_LARGE)
                return

    def on_message_begin(self) -> None:
        """Begin a request; the parser calls this."""
        self.requests += 1
        self.recalled = None
        self.between = False
        self.url = b""
        self.body: list[bytes] = []
        self.request = None

    def on_url(self, url: bytes) -> None:
        """Take the request target, which may come in pieces."""
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        if self.request is None:
            self.request = Request("", "", self.peer)
        self.request.add(name, value)

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self.body.append(body)

    def on_message_complete(self) -> None:
        """Answer a request that is complete."""
        request = self.request or Request("", "", self.peer)
        request.method = self.parser.get_method().decode("ascii")
        request.target = self.url.decode("latin-1")
        request.body = b"".join(self.body)
        self.request, self.body = None, []  # nor anybody's credentials
        parser, size = self.parser, self.size
        last = not parser.should_keep_alive() or parser.should_upgrade()
        self.between = True
        self.size = 0
        self._catch_up()
        if size > LARGEST_HEAD and (len(request.body) > LARGEST_BODY or size - len(request.body) > LARGEST_HEAD):
            self._refuse(TOO_LARGE)
            return
        if self.busy:
            self.following.append((request, last))
            return
        self._answer(request, last=last)

    def _answer(self, request: Request, *, last: bool, settled: bool = False) -> None:
        judge = judge_of(request.target)
        if judge is None:
            self._send(NOT_FOUND, request, last=last)
            return
        try:
            self._judge(judge, request, last=last, settled=settled)
        except Unsettled as error:
            self._settle(error, judge, request, last=last)
            return
        if request.method != "HEAD" and not last:
            self.recalled = request.recalled

    def _judge(self, judge: Judge, request: Request, *, last: bool, settled: bool) -> None:
        """Find the answer to a request; it is given as soon as its decisions are recorded."""
        turn = self.turn
        turn.begin()
        recorded = len(turn.new)
        try:
            answer = judge(request, settled=settled, record=turn.record)
        except Exception as error:
            if isinstance(error, Unsettled) and not settled:
                raise
            log.exception("edge.failed")
            answer = FAILED
        if len(turn.new) == recorded:
            self._send(answer, request, last=last)
        else:
            self.owes = True
            whole = rendered(answer, head_only=request.method == "HEAD", last=last)
            turn.owe(Judgement(self, request, whole, last, settled))

    def _send(self, answer: Answer, request: Request, *, last: bool) -> None:
        if not self.transport.is_closing():
            self.transport.write(rendered(answer, head_only=request.method == "HEAD", last=last))
            if last:
                self.transport.close()

    def _catch_up(self) -> None:
        """Give what is owed before anything else: answers go back in the order of the requests (RFC 9112 §9.3.2)."""
        if self.owes:
            self.turn.end()

    def _refuse(self, answer: Answer) -> None:
        """Say what is wrong, after whatever was asked before, and end the connection."""
        self._catch_up()
        if self.busy:
            self.following.append(answer)
            return
        if not self.transport.is_closing():
            self.transport.write(rendered(answer, head_only=False, last=True))
            self.transport.close()

    def _settle(self, unsettled: Unsettled, judge: Judge, request: Request, *, last: bool) -> None:
        """Let something slow happen in a thread, then judge once more; other connections are served meanwhile."""
        self.busy = True
        self.transport.pause_reading()
        work = settling(unsettled, self.loop)
        work.add_done_callback(partial(self._settled, judge, request, last))

    def _settled(self, judge: Judge, request: Request, last: bool, work: "asyncio.Future[Any]") -> None:  # noqa: FBT001  a callback's shape
        if (error := work.exception()) is not None:
            log.warning("edge.not_settled", extra={"error": str(error)})
        self._judge(judge, request, last=last, settled=True)
        self.busy = False
        while self.following:
            self._catch_up()
            if self.busy:
                break
            following = self.following.pop(0)
            if isinstance(following, Answer):
                self._refuse(following)
            else:
                self._answer(following[0], last=following[1])
        if self.busy:
            return
        waiting, self.waiting = self.waiting, b""
        if not self.transport.is_closing():
            if not self.stuffed:
                self.transport.resume_reading()
            if waiting:
                self.read(waiting)
        self._rest()


async def serve(sockets: list[Any], stop: asyncio.Event) -> None:
    """Answer on listening sockets until `stop` is set, then let requests under way finish."""
    loop = asyncio.get_running_loop()
    open_ones: set[Edge] = set()
    turn = Turn(loop)
    servers = [
        await loop.create_server(lambda: Edge(loop, turn, open_ones), sock=socket, backlog=1024) for socket in sockets
    ]
    while not stop.is_set():
        try:
            await asyncio.wait_for(stop.wait(), timeout=IDLE / 5)
        except TimeoutError:
            oldest = loop.time() - IDLE
            for connection in [each for each in open_ones if each.seen < oldest and not each.waited_for]:
                if connection.transport.is_closing():
                    connection.abandon()  # it had its time to read what was left
                else:
                    connection.transport.close()
    for server in servers:
        server.close()
    deadline = loop.time() + 5
    while any(each.busy for each in open_ones) and loop.time() < deadline:  # noqa: ASYNC110  threads set no event
        await asyncio.sleep(0.02)
    turn.end()
    for connection in list(open_ones):
        connection.transport.close()
