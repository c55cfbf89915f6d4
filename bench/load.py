"""Drives wrk from one core against servers on the other, and reads what it measured."""

import os
import re
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SERVER_CORE: Final = {0}
LOAD_CORE: Final = {1} if (os.cpu_count() or 1) > 1 else {0}
UNITS: Final = {"us": 1e-3, "ms": 1.0, "s": 1e3}


@dataclass(frozen=True, slots=True)
class Measured:
    """One round of load."""

    per_second: float
    p50_ms: float
    p99_ms: float
    wrong: int
    """Answers other than 2xx and 3xx, and connections that failed."""


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def on(cores: set[int]) -> list[str]:
    """Return the words that pin a command to cores."""
    return ["taskset", "-c", ",".join(map(str, sorted(cores)))]


def wrk(
    url: str, *, seconds: float, connections: int = 16, script: Path | None = None, words: tuple[str, ...] = ()
) -> Measured:
    """Load a URL for some seconds from the load core."""
    command = [*on(LOAD_CORE), "wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency"]
    if script is not None:
        command += ["-s", str(script)]
    command += [url, *(["--", *words] if words else [])]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    wrong = sum(int(n) for n in re.findall(r"Non-2xx or 3xx responses: (\d+)", said))
    wrong += sum(int(n) for line in re.findall(r"Socket errors: (.*)", said) for n in re.findall(r"\d+", line))
    return Measured(
        per_second=float(re.findall(r"Requests/sec:\s+([\d.]+)", said)[0]),
        p50_ms=_latency(said, "50"),
        p99_ms=_latency(said, "99"),
        wrong=wrong,
    )


def _latency(said: str, percentile: str) -> float:
    number, unit = re.findall(rf"^\s+{percentile}%\s+([\d.]+)(us|ms|s)\s*$", said, re.MULTILINE)[0]
    return float(number) * UNITS[unit]
