"""The people we know, as a World in memory: Alice the intern, Bob of sales, Carol the administrator, and Mallory."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from authz.conf import signing_key
from authz.credentials import Unsettled
from authz.decisions import facts as f
from authz.decisions.applied import applied
from authz.decisions.built import Everything, built
from authz.decisions.world import World
from authz.edge.answers import Answer, pairs
from authz.edge.paths import judge_of
from authz.edge.request import Request
from authz.formats import api_key, session_token
from authz.lookups.current import CURRENT

EPOCH = "3f9c2a51"
SECRET = "a proxy's shared secret"
PROXY = "10.0.0.5"
"""The address of the proxy; nothing is known by it, only by the secret."""

ALICE, BOB, CAROL, MALLORY, EVE, CHAT, RETIRED = 1, 2, 3, 4, 5, 6, 7
USERS, ENGINEERING, INTERNS, SALES, ADMIN = 1, 2, 3, 4, 5
PORTAL, SEARCH, JIRA, CRM, CLOSED, FILES = 1, 2, 3, 4, 5, 6

PEOPLE = (
    f.PersonIs(ALICE, "a" * 32, "alice@example.com", "Alice", True, True),
    f.PersonIs(BOB, "b" * 32, "bob@example.com", "Bob Ärztemann, Sales", True, True),
    f.PersonIs(CAROL, "c" * 32, "carol@example.com", "Carol", True, True),
    f.PersonIs(MALLORY, "d" * 32, "mallory@example.com", "Mallory", True, True),
    f.PersonIs(EVE, "e" * 32, "eve@example.com", "Eve, suspended", False, True),
    f.PersonIs(CHAT, "f" * 32, "chat@services.example.com", "Chat UI", True, False),
    f.PersonIs(RETIRED, "0" * 32, "retired@services.example.com", "A suspended service", False, False),
)
GROUPS = (
    f.GroupIs(USERS, "users", True),
    f.GroupIs(ENGINEERING, "engineering", False),
    f.GroupIs(INTERNS, "Interns", False),
    f.GroupIs(SALES, "R&D, Sales", False),
    f.GroupIs(ADMIN, "admin", False),
)
SERVERS = (
    f.ServerIs(PORTAL, "portal", "portal", True, "", (), ()),
    f.ServerIs(SEARCH, "search", "mcp", True, "", (("mcp.example.com", "/search"),), ("find", "read"), True),
    f.ServerIs(JIRA, "jira", "mcp", True, "mcp", (("mcp.example.com", "/jira"),), ("get_issue",), True),
    f.ServerIs(CRM, "crm", "web", True, "", (("crm.example.com", "/"),), ()),
    f.ServerIs(CLOSED, "closed", "web", False, "", (("closed.example.com", "/"),), ()),
    f.ServerIs(FILES, "files", "web", True, "", (("*", "/files"),), ()),
)
GRANTS = (
    f.GrantIs(1, ADMIN, None, "administer", PORTAL, None, None, ()),
    f.GrantIs(2, ENGINEERING, None, "use", SEARCH, None, None, ()),
    f.GrantIs(3, ENGINEERING, None, "use", JIRA, ("get_*", "søk"), None, ()),
    f.GrantIs(4, SALES, None, "use", CRM, None, None, ()),
    f.GrantIs(5, ENGINEERING, None, "use", CLOSED, None, None, ()),
    f.GrantIs(6, SALES, None, "use", FILES, None, None, ("192.0.2.0/24",)),
)

SEARCH_URL = "https://mcp.example.com/search"
JIRA_URL = "https://mcp.example.com/jira/mcp"
CRM_URL = "https://crm.example.com/deals"
FILES_URL = "https://anything.example.com/files/a"


def token_of(person: int, number: int = 0, *, revision: int = 1) -> str:
    """Return the session cookie of somebody; each number is another session."""
    seed = hashlib.sha256(f"{person}/{number}".encode()).digest()
    return session_token.make(revision, seed, key=signing_key("session"))


def key_of(person: int, number: int = 0) -> str:
    """Return an API key of somebody."""
    return api_key.make(hashlib.sha512(f"{person}/{number}".encode()).digest())


def session(person: int, *, number: int = 0, until: float = 4e9, idle: float = 4e9, seen: float = 0.0) -> f.SessionIs:
    """Return the fact that somebody is signed in."""
    return f.SessionIs(person * 10 + number, session_token.digest(token_of(person, number)), person, until, idle, seen)


def key(person: int, *scopes: str, number: int = 0, until: float | None = None) -> f.KeyIs:
    """Return the fact that somebody has an API key."""
    return f.KeyIs(person * 10 + number, api_key.digest(key_of(person, number)), person, scopes, until)


def world(*more: f.Fact, revision: int = 100) -> World:
    """Return the World of the people we know, after `more` facts."""
    proxy = f.ProxyIs(1, "nginx", hashlib.sha256(SECRET.encode()).hexdigest(), ())
    everything = Everything(
        people=PEOPLE,
        groups=GROUPS,
        members=((ALICE, INTERNS, None), (BOB, SALES, None), (CAROL, ADMIN, None), (EVE, ENGINEERING, None)),
        nests=((INTERNS, ENGINEERING),),
        servers=SERVERS,
        grants=GRANTS,
        keys=[
            *(key(person, "use") for person in (ALICE, BOB, MALLORY, EVE)),
            *(key(person, "groups:check", "groups:read", "explain") for person in (CHAT, RETIRED)),
        ],
        sessions=[session(person) for person in (ALICE, BOB, CAROL, MALLORY, EVE)],
        proxies=[proxy],
    )
    made = built(everything, revision=revision - 1, epoch=EPOCH)
    return applied(made, more, revision=revision)


def live_in(here: World) -> World:
    """Let this process decide by a World in memory, as one does that serves; conftest forgets it after the test."""
    CURRENT.world, CURRENT.looked_at, CURRENT.kept = here, time.monotonic() + 3600, True
    return here


def cookie(person: int, number: int = 0) -> dict[str, str]:
    """Return the header that a browser of somebody sends."""
    return {"Cookie": f"gatehouse={token_of(person, number)}"}


def bearer(token: str) -> dict[str, str]:
    """Return the header that a script sends."""
    return {"Authorization": f"Bearer {token}"}


def request(
    headers: dict[str, Any] | list[tuple[str, Any]], *, target: str = "/auth/validate", method: str = "GET",
    peer: str = PROXY, body: bytes = b"",
) -> Request:  # fmt: skip
    """Return a request as the edge receives it."""
    made = Request(method, target, peer)
    for name, value in headers.items() if isinstance(headers, dict) else headers:
        made.add(name.encode("latin-1"), value if isinstance(value, bytes) else value.encode("latin-1"))
    made.body = body
    return made


def judged(asked: Request) -> Answer:
    """Return the answer to a request, as both adapters find it."""
    judge = judge_of(asked.target)
    assert judge is not None, f"{asked.target} is not a path of the edge"
    try:
        return judge(asked)
    except Unsettled as error:
        error.settle()
        return judge(asked, settled=True)


def nginx(url: str | None, *shown: dict[str, str], method: str = "GET", **more: str) -> dict[str, str]:
    """Return the headers by which nginx asks about a URL."""
    asked = {"X-Proxy-Secret": SECRET}
    if url is not None:
        asked |= {"X-Original-URL": url, "X-Original-Method": method}
    for each in shown:
        asked |= each
    return asked | {name.replace("_", "-"): value for name, value in more.items()}


def ask(url: str | None, *shown: dict[str, str], method: str = "GET", **more: str) -> Answer:
    """Return the answer to nginx."""
    return judged(request(nginx(url, *shown, method=method, **more)))


def headers_of(answer: Answer) -> dict[str, str]:
    """Return the headers of an answer by their names in lower case; one that came twice fails the test."""
    found = pairs(answer.identity) + pairs(answer.own)
    assert len(found) == len({name for name, _ in found}), f"a header came twice: {found}"
    return {name.decode("ascii"): value.decode("ascii") for name, value in found}


def reason(answer: Answer) -> str:
    """Return why the answer is no, as a word; empty for a yes."""
    return headers_of(answer).get("x-auth-reason", "")


@contextmanager
def at(patch: Any, moment: float) -> Iterator[None]:
    """Let the clock stand at a moment, in seconds since the epoch."""
    with patch.context() as clock:
        clock.setattr(time, "time", lambda: moment)
        yield
