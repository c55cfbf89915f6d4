"""The first start, as a newcomer meets it: lines that work when pasted."""

import re
import subprocess
import urllib.request

from tests.patience import HANG
from tests.peers.portal import Portal, PortalFactory
from tests.peers.processes import Process, free_port

GREETED = "Ctrl-C stops it."


def started(here: Portal, *words: str) -> tuple[str, Process]:
    """Start quickstart on a free port and return its address once it has greeted."""
    port = free_port()
    process = here.start("quickstart", "--port", str(port), *words)
    process.wait_for_words(GREETED)
    return f"http://127.0.0.1:{port}", process


def wait_for_the_last_line(process: Process) -> None:
    """Return when all is printed that is to be pasted."""
    process.wait_for(lambda: "tool=create_issue'\n" in process.said(), "its last line")


def lines_to_paste(said: str, *, at_least: int) -> list[str]:
    """Return the curl commands that were printed, each on one line."""
    found = re.findall(r"^  (curl .*?)(?:\n\n|\Z)", said.replace("\\\n", " "), re.DOTALL | re.MULTILINE)
    assert at_least <= len(found), said
    return found


def paste(line: str) -> str:
    """Run a line as a shell does."""
    return subprocess.run(["/bin/bash", "-c", line], capture_output=True, text=True, timeout=HANG, check=True).stdout  # noqa: S603  what the newcomer runs


def test_the_lines_that_are_printed_work_when_pasted(portal: PortalFactory) -> None:
    """Validate allows, the group check says yes, and explain says why not and what would change it."""
    here = portal(database="sqlite")
    address, process = started(here)
    wait_for_the_last_line(process)
    validate, check, explain = (paste(line) for line in lines_to_paste(process.said(), at_least=3))
    assert validate.startswith("HTTP/1.1 200 OK")
    assert "x-user-email: user@example.com" in validate
    assert "x-user-groups: mcp_basic,users" in validate
    assert '"is_member": true' in check
    assert '"allowed": false' in explain
    assert "add user@example.com to mcp_advanced" in explain
    with urllib.request.urlopen(f"{address}/login", timeout=HANG) as page:
        assert 200 == page.status
    for email in ("test@test.com", "user@example.com", "admin@example.com"):
        assert re.search(rf"^  {email} +\S{{12,}}$", process.said(), re.MULTILINE)
    process.stop()
    assert "intact" in here.manage("verify_audit").stdout


def test_a_second_start_keeps_the_data_and_prints_no_secret(portal: PortalFactory) -> None:
    """It says how to get new ones; and those replace the old."""
    here = portal(database="sqlite")
    _, first = started(here)
    wait_for_the_last_line(first)
    first.stop()
    _, second = started(here)
    second.wait_for_words("--new-secrets")
    assert "ghk_" not in second.said()
    second.stop()
    _, third = started(here, "--new-secrets")
    wait_for_the_last_line(third)
    old, new = (lines_to_paste(each.said(), at_least=3)[1] for each in (first, third))
    port = new.partition("127.0.0.1:")[2].partition("/")[0]
    assert '"is_member": true' in paste(new)
    assert "bad-credential" in paste(re.sub(r"127\.0\.0\.1:\d+", f"127.0.0.1:{port}", old))
    third.stop()
