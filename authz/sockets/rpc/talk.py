"""One conversation in JSON-RPC, whatever carries it: answers in the order of the questions, and news in between.

    --> {"jsonrpc": "2.0", "id": 1, "method": "subscribe", "params": {"topics": ["me"]}}
    <-- {"jsonrpc": "2.0", "id": 1, "result": {"subscribed": ["me"], "revision": "3f9c2a51.1042"}}
    <-- {"jsonrpc": "2.0", "method": "changed", "params": {"topic": "me", …}}
    <-- {"jsonrpc": "2.0", "method": "connection.ending", "params": {"code": 4002, "reason": "lifetime", "seconds": 60}}

Each message is answered whole before the next one is read, and at most one notification of each kind waits, so that a
client that asks much, or reads nothing, costs no more memory than one that behaves.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from django.db import connection

from authz.sockets.closing import LIMIT, Closing
from authz.sockets.held import Heard, Held
from authz.sockets.keeper import KEEPER
from authz.sockets.pace import Pace
from authz.sockets.rpc import jsonrpc
from authz.sockets.rpc.calls import Method, called
from authz.sockets.rpc.methods import METHODS
from authz.sockets.rpc.topics import Topics

BYTES_OF_ONE = 4096
"""A message counts once for each so many."""
LONGEST_WAIT = 3600.0
"""Seconds; whoever waits longer for the next look wakes once in between."""


class Talk:
    """A conversation over a connection; it belongs to the connection's event loop, and sets its three callbacks.

    Whoever carries it awaits `heard` with each message, runs `tell` in a task beside, and cancels that in the end.
    """

    def __init__(  # noqa: PLR0913  what a carrier decides
        self,
        held: Held,
        send: Callable[[str], Awaitable[None]],
        hang_up: Callable[[Closing], None],
        *,
        per_second: float,
        largest: int,
        methods: Mapping[str, Method] = METHODS,
        too_fast: str = "",
    ) -> None:
        """Begin to talk.

        `send` carries a text, and takes as long as the client does to read. `hang_up` says goodbye and sees to it that
        nothing is carried any more when it returns. A client may send `per_second` messages, those of a batch counted
        each, and `largest` bytes in each; one that sends faster is told `too_fast`, if anything, before the end.
        """
        self.held = held
        self._send = send
        self._per_message = largest
        self._methods = methods
        self._too_fast = too_fast
        self._pace = Pace(per_second)
        self._turn = asyncio.Lock()
        self._news = asyncio.Event()
        self._notice: tuple[Closing, float] | None = None
        self.topics = Topics(held, self._news.set)
        held.on_end = hang_up
        held.on_notice = self._noticed
        held.on_change = self._changed

    async def heard(self, data: str | bytes) -> None:
        """Answer one message; raises what `send` raises."""
        self.held.received += len(data)
        if len(data) > self._per_message:
            KEEPER.end(self.held, LIMIT)
            return
        # Reading costs what is read: a long message counts as many.
        message = jsonrpc.read(data) if self._pace.allows(1 + len(data) // BYTES_OF_ONE) else None
        if message is None or not self._pace.allows(len(message.parts) - 1):
            if self._too_fast:
                await self._say(self._too_fast)
            KEEPER.end(self.held, LIMIT)
            return
        KEEPER.used(self.held)
        async with self._turn:
            if (said := await self._answers(message)) is not None:
                await self._say(said)

    async def tell(self) -> None:
        """Tell what there is to tell, until cancelled; raises what `send` raises."""
        while self.held.ended is None:
            if (wait := self.topics.due - time.time()) > 0:
                try:
                    await asyncio.wait_for(self._news.wait(), min(wait, LONGEST_WAIT))
                except TimeoutError:
                    continue
            self._news.clear()
            if time.time() >= self.topics.due:
                await self.topics.look(time.time())
            async with self._turn:
                await self._tell()

    async def _tell(self) -> None:
        if self._notice is not None:
            (closing, until), self._notice = self._notice, None
            left = max(round(until - time.time(), 1), 0.0)
            told = {"code": closing.code, "reason": closing.reason, "seconds": left}
            await self._say(jsonrpc.notification("connection.ending", told))
        for method, params in self.topics.news(time.time()):
            await self._say(jsonrpc.notification(method, params))

    async def _answers(self, message: jsonrpc.Message) -> str | None:
        """Return the answer to a message; a call whose answer no longer fits into one fails."""
        call = partial(self._call)
        answers: list[str | None] = []
        left = self._per_message
        for part in message.parts:
            if isinstance(part, str):
                said: str | None = part
            elif (method := self._methods.get(part.method)) is not None and method.slow:
                said = await asyncio.to_thread(_aside, part, call)
            else:
                said = jsonrpc.outcome(part, call)
            if said is not None and len(said) > left and not isinstance(part, str):
                said = jsonrpc.refusal(part.id, jsonrpc.TOO_LARGE, "The answer is too large for one message.")
            left -= len(said or "")
            answers.append(said)
        return jsonrpc.joined(message, answers)

    def _call(self, name: str, params: jsonrpc.Params) -> dict[str, Any]:
        return called(self._methods, name, params, held=self.held, topics=self.topics)

    async def _say(self, text: str) -> None:
        if self.held.ended is None:
            self.held.sent += len(text)
            await self._send(text)

    def _noticed(self, closing: Closing, seconds: float) -> None:
        self._notice = (closing, time.time() + seconds)
        self._news.set()

    def _changed(self, heard: Heard) -> None:
        self.topics.heard(heard, time.time())


def _aside(request: jsonrpc.Request, call: jsonrpc.Call) -> str | None:
    """Return the answer to a slow request; in a thread, whose connection to the database nobody else looks after."""
    try:
        return jsonrpc.outcome(request, call)
    finally:
        connection.close()
