"""The JSON-RPC interface over a real WebSocket: who one is, what one may, and news of what concerns one."""

import json
from contextlib import suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.patience import HANG, eventually
from tests.sockets.live import connected, ended


class Asking:
    """A client that counts its questions."""

    def __init__(self, socket):
        self.socket, self.count, self.news = socket, 0, []

    def __call__(self, method, **params):
        """Return the result of a call, or its error; what comes in between is news."""
        self.count += 1
        self.socket.send(json.dumps({"jsonrpc": "2.0", "id": self.count, "method": method, "params": params}))
        while "method" in (said := json.loads(self.socket.recv(timeout=HANG))):
            self.news.append(said)
        assert self.count == said["id"]
        return said.get("result", said.get("error"))

    def next_news(self):
        """Return the next notification."""
        return self.news.pop(0) if self.news else json.loads(self.socket.recv(timeout=HANG))


def test_one_is_told_who_one_is_and_what_one_may(here, served):
    with connected(served, "/ws/rpc", **here.console("alice")) as socket:
        ask = Asking(socket)
        found = ask("whoami")
        assert ("alice@example.com", ["engineering", "interns", "users"], "session") == (
            found["email"], found["groups"], found["credential"],
        )  # fmt: skip
        assert "lifetime" != found["ends"]["reason"]  # her session of two hours ends before eight are over
        assert ask("authorize", server="search")["allowed"]
        assert not ask("authorize", server="crm")["allowed"]
        assert -32601 == ask("no.such.method")["code"]
        assert -32602 == ask("authorize", nonsense=1)["code"]


def test_a_service_checks_groups_and_a_batch_is_answered_as_one(here, served):
    with connected(served, "/ws/rpc", headers=here.bearer("chat")) as socket:
        ask = Asking(socket)
        assert ask("groups.check", user_id="Alice@Example.com", group_id="Engineering")["is_member"]
        assert not ask("groups.check", user_id="bob@example.com", group_id="engineering")["is_member"]
        batch = [
            {"jsonrpc": "2.0", "id": name, "method": "groups.check", "params": [f"{name}@example.com", "sales"]}
            for name in ("alice", "bob")
        ]
        socket.send(json.dumps(batch))
        answers = {each["id"]: each["result"]["is_member"] for each in json.loads(socket.recv(timeout=HANG))}
        assert {"alice": False, "bob": True} == answers


def test_news_of_ones_own_groups_arrive_and_of_others_do_not(here, served):
    with connected(served, "/ws/rpc", **here.console("alice")) as socket:
        ask = Asking(socket)
        assert ["me"] == ask("subscribe", topics=["me"])["subscribed"]
        here.do("join", "mallory", "sales")
        here.do("join", "alice", "sales")
        said = ask.next_news()
        assert "changed" == said["method"]
        assert ["engineering", "interns", "sales", "users"] == said["params"]["groups"]
        here.do("leave", "alice", "sales")
        assert ["engineering", "interns", "users"] == ask.next_news()["params"]["groups"]
        here.do("leave", "mallory", "sales")


def test_a_service_is_told_whose_groups_it_must_ask_for_again(here, served):
    with connected(served, "/ws/rpc", headers=here.bearer("chat")) as socket:
        ask = Asking(socket)
        assert ["everybody"] == ask("subscribe", topics=["everybody"])["subscribed"]
        here.do("join", "mallory", "sales")
        assert ["mallory@example.com"] == ask.next_news()["params"]["people"]
        here.do("leave", "mallory", "sales")
        assert ["mallory@example.com"] == ask.next_news()["params"]["people"]


def test_a_key_that_is_revoked_ends_the_conversation(here, served):
    with connected(served, "/ws/rpc", headers=here.bearer("bob")) as socket:
        assert "bob@example.com" == Asking(socket)("whoami")["email"]
        here.do("revoke_keys", "bob")
        assert (4001, "revoked") == ended(socket)


@pytest.mark.parametrize(("sent", "closing"), [
    (b"\x00", (1003, "text-only")), ("x" * (1024**2 + 1), (1009, None)),
])  # fmt: skip
def test_what_is_no_text_or_no_message_ends_it(sent, closing, here, served):
    with connected(served, "/ws/rpc", headers=here.bearer("chat"), max_size=None) as socket:
        socket.send(sent)
        found = ended(socket)
        assert closing[0] == found[0]
        assert closing[1] in {None, found[1]}


def test_whoever_speaks_too_fast_is_told_to_come_back_later(here):
    """One each second is so few that however slowly these come, they come too fast."""
    portal = here.serve(AUTHZ_SOCKET_MESSAGES_PER_SECOND="1")
    with connected(portal, "/ws/rpc", headers=here.bearer("chat")) as socket:
        with suppress(ConnectionClosed):
            for number in range(2500):
                socket.send(json.dumps({"jsonrpc": "2.0", "method": "whoami", "id": number}))
        assert (4008, "limit") == ended(socket)
    portal.stop()


def test_what_is_not_json_rpc_is_answered_and_nothing_more(here, served):
    with connected(served, "/ws/rpc", headers=here.bearer("chat")) as socket:
        for sent, code in (("{", -32700), ("[]", -32600), ('{"jsonrpc": "1.0"}', -32600), ("1", -32600)):
            socket.send(sent)
            assert code == json.loads(socket.recv(timeout=HANG))["error"]["code"]
        socket.send('{"jsonrpc": "2.0", "method": "whoami"}')  # a notification has no answer
        assert "chat@services.example.com" == Asking(socket)("whoami")["email"]


def test_the_roster_shows_the_conversation(here, served):
    with connected(served, "/ws/rpc", headers=here.bearer("chat")) as socket:
        Asking(socket)("whoami")
        found: dict[str, Any] = {}

        def shown():
            rows = [row for row in here.do("roster") if row["person"] == "chat@services.example.com"]
            found.update(rows[0] if rows else {})
            return bool(found) and found["received"] > 0 and found["sent"] > 0

        eventually(shown, expected=True)
        assert ("rpc", None, "lifetime") == (found["kind"], found["server"], found["because"])
    eventually(lambda: [row for row in here.do("roster") if row["kind"] == "rpc"], [])
