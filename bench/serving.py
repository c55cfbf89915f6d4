"""Measures the servers: through nginx, alone, the group check, and the ASGI default for comparison."""

import json
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from bench import servers
from bench.load import Measured, free_port, wrk
from bench.organisation import PROXY_SECRET, Organisation, Visitor
from bench.report import Report, median

HERE: Final = Path(__file__).parent
ROUNDS: Final = 5
SECONDS: Final = 2.0
LEAST_RATE: Final = 0.8
MOST_TAIL: Final = 1.5
REFERENCES: Final = (
    ("/static", "to a static 200", LEAST_RATE),
    ("/alike", "to a static 200 that says the same", LEAST_RATE),
    ("/inside", "to a static 200 of the proxy's own process", None),
)
"""Ways through the proxy, what they ask, and the budget against it. The last one is nobody else, which no service can
be: what it costs to speak to another process is not in it."""
MOST_MEMORY_MB: Final = 400
VISITORS: Final = 1000
"""People who come in turn."""


def measure(report: Report, organisation: Organisation, folder: Path) -> None:
    """Start everything and measure reference and ours in turn."""
    visitors = folder / "visitors"
    visitors.write_text("".join(f"{each.url_path}\t{each.token}\n" for each in organisation.visitors[:VISITORS]))
    edge_port = free_port()
    edge = f"http://127.0.0.1:{edge_port}"
    with (
        servers.edge(folder, edge_port) as pid,
        servers.static(folder / "static", told=_told(edge, organisation)) as static_port,
        servers.proxy(folder / "proxy", edge=edge_port, static=static_port) as proxy_port,
    ):
        proxy, static = f"http://127.0.0.1:{proxy_port}", f"http://127.0.0.1:{static_port}"
        visit = HERE / "visit.lua"
        for reference, static_reply, budget in REFERENCES:
            for title, fresh in (("each URL asked before", ""), ("every URL new", "fresh")):
                _pair(
                    report,
                    f"through nginx: auth_request to the edge / {static_reply}, {title}",
                    partial(wrk, proxy, seconds=SECONDS, script=visit, words=(str(visitors), reference, fresh)),
                    partial(wrk, proxy, seconds=SECONDS, script=visit, words=(str(visitors), "/edge", fresh)),
                    budget=None if fresh else budget,
                )
        asked = _script(folder / "asked.lua", _validate_headers(organisation.visitors[0]))
        _pair(
            report,
            "alone: validate at the edge / a static nginx 200",
            lambda: wrk(f"{static}/auth/validate", seconds=SECONDS, script=asked),
            lambda: wrk(f"{edge}/auth/validate", seconds=SECONDS, script=asked),
        )
        emails = folder / "emails"
        emails.write_text("".join(f"{each.email}\n" for each in organisation.visitors[:VISITORS]))
        for title, new in (("each asked before", ""), ("every one new", "new")):
            words = (str(emails), organisation.service_key, new)
            _pair(
                report,
                f"alone: group check at the edge / a static nginx 200, {title}",
                partial(wrk, f"{static}/api/v1/groups/check", seconds=SECONDS, script=HERE / "check.lua", words=words),
                partial(wrk, f"{edge}/api/v1/groups/check", seconds=SECONDS, script=HERE / "check.lua", words=words),
            )
        memory = _peak_memory(pid)
        report.add("memory of the edge process, peak", f"{memory:.0f} MB", "400 MB", kept=memory <= MOST_MEMORY_MB)
        portal_port = free_port()
        with servers.portal(folder, portal_port):
            _pair(
                report,
                "alone: validate in the ASGI default / a static nginx 200",
                lambda: wrk(f"{static}/auth/validate", seconds=SECONDS, script=asked),
                lambda: wrk(f"http://127.0.0.1:{portal_port}/auth/validate", seconds=SECONDS, script=asked),
            )


def _pair(
    report: Report,
    what: str,
    reference: Callable[[], Measured],
    ours: Callable[[], Measured],
    *,
    budget: float | None = None,
) -> None:
    """Measure reference and ours alternately; the ratio is taken round by round, so drift hits both."""
    rates, tails, ours_seen, wrong = [], [], [], 0
    reference()
    ours()
    for _ in range(ROUNDS):
        first, second = reference(), ours()
        rates.append(second.per_second / first.per_second)
        tails.append(second.p99_ms / first.p99_ms)
        ours_seen.append(second.per_second)
        wrong += first.wrong + second.wrong
    rate, tail = median(rates), median(tails)
    measured = f"{rate:.2f} of its rate, {tail:.1f} times its p99"
    if wrong:
        report.add(what, f"{wrong} wrong answers", "none", kept=False)
    elif budget is None:
        report.add(what, measured)
    else:
        report.add(what, measured, "0.80 and 1.5 times", kept=rate >= budget and tail <= MOST_TAIL)


def _told(edge: str, organisation: Organisation) -> dict[str, str]:
    """Return the headers of the edge's answer about a typical visitor, the one in the middle by length."""
    found = []
    for visitor in organisation.visitors[:101]:
        asked = urllib.request.Request(f"{edge}/auth/validate", headers=_validate_headers(visitor))  # noqa: S310  loopback
        with urllib.request.urlopen(asked, timeout=5) as answer:  # noqa: S310  loopback
            found.append(
                {name: value for name, value in answer.headers.items() if name not in {"Connection", "Content-Length"}}
            )
    return sorted(found, key=lambda told: len(str(told)))[len(found) // 2]


def _validate_headers(visitor: Visitor) -> dict[str, str]:
    return {
        "Cookie": f"theme=dark; gatehouse={visitor.token}",
        "X-Original-URL": f"https://mcp.example.com{visitor.url_path}",
        "X-Original-Method": "GET",
        "X-Real-IP": "127.0.0.1",
        "X-Proxy-Secret": PROXY_SECRET,
    }


def _script(path: Path, headers: dict[str, str]) -> Path:
    """Write a wrk script that sends one request again and again."""
    path.write_text("".join(f"wrk.headers[{json.dumps(n)}] = {json.dumps(v)}\n" for n, v in headers.items()))
    return path


def _peak_memory(pid: int) -> float:
    """Return the most memory a process has had resident, in MB."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.partition("VmHWM:")[2].split()[0]) / 1024
