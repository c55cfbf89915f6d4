"""The pages say what the code does now: what is made from it is fresh, and what is written by hand points somewhere."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command, get_commands

from authz.decisions.rules import RULES
from authz.edge.answers import FAMILIES
from authz.edge.paths import EXACT
from authz.edge.request import KNOWN
from authz.sockets.closing import CLOSINGS, RESTART
from portal.docs import BEGIN, ROOT, outcomes, pages, scope_rows, with_code_map

PAGES = sorted(path for folder in (ROOT, ROOT / "docs", ROOT / "docs" / "adr") for path in folder.glob("*.md"))
LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<to>[^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} (?P<text>.+)$", re.MULTILINE)
CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"manage\.py ([a-z_]+)")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def anchors_of(page: str) -> set[str]:
    """Return what a link may name in a page, as GitHub makes it of the headings."""
    headings = (found["text"].strip().lower() for found in HEADING.finditer(CODE.sub("", page)))
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in headings}


def test_what_is_made_from_the_code_is_fresh() -> None:
    stale = [name_of(path) for path, text in pages().items() if not path.is_file() or text_of(path) != text]
    if stale:
        pytest.fail(f"stale: {', '.join(stale)}; run manage.py write_docs", pytrace=False)


def test_the_command_says_that_all_is_fresh_and_writes_nothing(capsys) -> None:
    before = {path: path.stat().st_mtime_ns for path in pages()}
    call_command("write_docs", check=True)
    assert ("", before) == (capsys.readouterr().out, {path: path.stat().st_mtime_ns for path in before})


def test_a_map_without_its_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="markers"):
        with_code_map(f"{BEGIN} and no end")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    def broken() -> Iterator[str]:
        for found in LINK.finditer(CODE.sub("", text_of(page))):
            target, _, anchor = found["to"].partition("#")
            if "://" in target or target.startswith("mailto:"):
                continue
            file = (page.parent / target).resolve() if target else page
            if not file.exists() or (anchor and anchor not in anchors_of(text_of(file))):
                yield found["to"]

    assert [] == list(broken())


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_exists(page: Path) -> None:
    known = get_commands()
    assert [] == [name for name in COMMAND.findall(text_of(page)) if name not in known]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_target_of_make_exists(page: Path) -> None:
    known = re.findall(r"^([a-z-]+):", text_of(ROOT / "Makefile"), re.MULTILINE)
    written = re.findall(r"`make ([a-z-]+)|^make ([a-z-]+)", text_of(page), re.MULTILINE)
    assert [] == [name for pair in written for name in pair if name and name not in known]


def test_every_header_that_is_read_or_sent_is_documented() -> None:
    said = text_of(ROOT / "docs" / "validate.md").lower()
    sent = {name for family in FAMILIES.values() for name in family}
    assert [] == sorted(name for name in sent | KNOWN if f"`{name.lower()}`" not in said)


def test_every_path_of_the_edge_is_documented() -> None:
    said = "".join(text_of(ROOT / "docs" / f"{name}.md") for name in ("validate", "group-check", "api"))
    assert [] == [path for path in EXACT if f"`{path}`" not in said]


def test_every_rule_has_an_outcome() -> None:
    assert {rule.__name__ for rule in RULES} == {each.rule for each in outcomes()} - {"/auth/validate"}


def test_every_scope_is_described() -> None:
    assert all(opens for _, opens in scope_rows())


def test_nothing_points_out_of_the_project() -> None:
    assert [] == [name_of(page) for page in PAGES if re.search(r"(?<![\w.])/(work|home|root|tmp)/", text_of(page))]


def test_every_way_in_which_a_connection_ends_is_documented() -> None:
    said = text_of(ROOT / "docs" / "sockets.md")
    rows = {(int(code), word) for code, word in re.findall(r"^\| (\d{4}) \| (?:`([a-z-]+)`)? ?\|", said, re.MULTILINE)}
    assert {closing.code for closing in CLOSINGS} <= {code for code, _ in rows}
    assert {tuple(closing) for closing in CLOSINGS} - {tuple(RESTART)} <= rows
