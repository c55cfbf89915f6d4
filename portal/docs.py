"""Makes documentation from the code: the settings, the rules, and the map of the modules.

`manage.py write_docs` writes it and tests/test_docs.py fails when it is stale. Everything is read as text, so that a
page can be made without a database and without the settings that production demands.
"""

import ast
import inspect
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from authz import problems
from authz.decisions import rules, scopes

ROOT: Final = Path(__file__).resolve().parent.parent
ROOMS: Final = ("portal", "authz", "audit")
MADE: Final = "<!-- Made by `manage.py write_docs`; edit the code instead. -->\n"
BEGIN: Final = "<!-- code map: made by `manage.py write_docs` -->"
END: Final = "<!-- end of the code map -->"
ANSWERED: Final = re.compile(rb"X-Auth-Reason: ([a-z-]+)")

READS: Final = {
    "choice": "one of a few words",
    "flag": "1 or 0, true or false, yes or no, on or off",
    "integer": "a whole number",
    "seconds": "a whole number of seconds",
    "secret": "a secret",
    "text": "a text",
    "words": "words separated by commas",
}
"""The readers of portal.env, and what each takes."""


def pages() -> dict[Path, str]:
    """Return each generated file with the text it should have."""
    architecture = ROOT / "ARCHITECTURE.md"
    return {
        ROOT / "docs" / "settings.md": settings_page(),
        ROOT / "docs" / "decisions.md": decisions_page(),
        architecture: with_code_map(architecture.read_text(encoding="utf-8")),
    }


# Settings


def settings_page() -> str:
    """Return the page of every setting that a docstring follows, in the order of portal/settings.py."""
    source = (ROOT / "portal" / "settings.py").read_text(encoding="utf-8")
    tree = ast.parse(source)
    text = [
        MADE,
        "# Settings",
        "",
        "Every setting is an environment variable, read once at the start by `portal/settings.py`. A value that cannot",
        "be understood stops the start. A secret may instead be put in a file that the same name with `_FILE` at its",
        "end points to; setting both is an error.",
        "",
    ]
    for name, said in _described(tree):
        text += [f"## `{name}`", "", _read_as(source, tree, name), "", inspect.cleandoc(said), ""]
    return "\n".join(text)


def _described(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for setting, after in pairwise(tree.body):
        if (
            isinstance(setting, ast.Assign)
            and isinstance(setting.targets[0], ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
        ):
            yield setting.targets[0].id, str(after.value.value)


def _read_as(source: str, tree: ast.Module, name: str) -> str:
    """Return how a setting is read from the environment, and its default as it is written."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in READS
            and node.args
            and isinstance(node.args[0], ast.Constant)
            and node.args[0].value == name
        ):
            given = {each.arg: ast.get_source_segment(source, each.value) or "" for each in node.keywords}
            kind = READS[node.func.id]
            if among := given.get("among"):
                kind = f"one of {', '.join(f'`{word}`' for word in ast.literal_eval(among))}"
            if least := given.get("least"):
                kind += f", at least `{least}`"
            if node.func.id == "secret":
                kind += f"; or `{name}_FILE`"
            default = given.get("default")
            return f"Default: {f'`{default}`' if default else 'empty'}. Takes {kind}."
    message = f"{name} has a docstring and is not read from the environment"
    raise ValueError(message)


# Decisions


class Outcome(NamedTuple):
    """One way in which a rule answers."""

    rule: str
    effect: str
    code: str


def decisions_page() -> str:
    """Return the page of the rules, the reason codes, the scopes and the errors."""
    text = [
        MADE,
        "# Decisions",
        "",
        "Every question is judged by these rules, in this order. The first that has an answer wins; the last always",
        "has one. The name is what the book calls it (`rule`); the code is what the proxy is told (`X-Auth-Reason`),",
        "and stands in the audit log as well.",
        "",
        "| | rule | what it says |",
        "|---|---|---|",
    ]
    for number, rule in enumerate(rules.RULES, 1):
        text.append(f"| {number} | `{rule.__name__}` | {' '.join(inspect.cleandoc(rule.__doc__ or '').split())} |")
    text += [
        "",
        "There is no rule, and no grant, that denies one person what a grant gives their group: take the membership",
        "away.",
        "",
        "## Reason codes",
        "",
        "| code | effect | who says so |",
        "|---|---|---|",
        *(f"| `{each.code}` | {each.effect} | `{each.rule}` |" for each in outcomes()),
        "",
        "An answer of `200` carries no `X-Auth-Reason`; its code stands in the audit log. `/auth/validate` writes four",
        "codes itself: see [validate.md](validate.md#reason-codes).",
        "",
        "## Scopes of API keys",
        "",
        "| scope | what it opens |",
        "|---|---|",
        *(f"| `{scope}` | {opens} |" for scope, opens in scope_rows()),
        "",
        "A key can never do more than its owner; a scope only takes away.",
        "",
        "## Errors of the JSON interface",
        "",
        "| `error` | status | when |",
        "|---|---|---|",
        *(f"| `{word}` | {status} | {kind.__doc__} |" for kind, (status, word) in problems.PROBLEMS.items()),
        "",
    ]
    return "\n".join(text)


def outcomes() -> list[Outcome]:
    """Return every answer that a rule or the hot path can give, read from their source, in the order of the rules."""
    found = [
        *_outcomes_of(ROOT / "authz" / "decisions" / "rules.py"),
        *(each._replace(rule="/auth/validate") for each in _outcomes_of(ROOT / "authz" / "edge" / "upgrade.py")),
        *_replaced_codes(ROOT / "authz" / "edge" / "validate.py"),
    ]
    order = [rule.__name__ for rule in rules.RULES]
    return sorted(dict.fromkeys(found), key=lambda each: order.index(each.rule) if each.rule in order else len(order))


def _outcomes_of(path: Path) -> Iterator[Outcome]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        words = [each.value if isinstance(each, ast.Constant) else ast.unparse(each) for each in node.args]
        if node.func.id == "_deny" and len(words) == 3:  # noqa: PLR2004  rule, code, reason
            yield Outcome(str(words[0]), "deny", str(words[1]))
        elif node.func.id == "Decision" and str(words[0]).startswith("Effect.") and "rule" not in words:
            effect = str(words[0]).removeprefix("Effect.").lower().replace("_", "-")
            yield Outcome(str(words[1]), effect, str(words[2]))


def _replaced_codes(path: Path) -> Iterator[Outcome]:
    """Yield the codes that the hot path writes over a rule's, or in place of a decision."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.keyword) and node.arg == "code" and isinstance(node.value, ast.Constant):
            yield Outcome("/auth/validate", "sign-in", str(node.value.value))
        elif isinstance(node, ast.Constant) and isinstance(node.value, bytes) and (code := ANSWERED.search(node.value)):
            yield Outcome("/auth/validate", "deny", code[1].decode())


def scope_rows() -> list[tuple[str, str]]:
    """Return each scope and what it opens, from the table in the docstring of authz.decisions.scopes."""
    table = re.findall(r"^(\S+) {2,}(\S.*)$", inspect.cleandoc(scopes.__doc__ or ""), re.MULTILINE)
    if missing := set(scopes.WHOLE) - {scope for scope, _ in table}:
        message = f"the docstring of authz.decisions.scopes leaves out {', '.join(sorted(missing))}"
        raise ValueError(message)
    return table


# The map of the modules


def with_code_map(architecture: str) -> str:
    """Return ARCHITECTURE.md with the code map between its markers made anew."""
    before, begin, rest = architecture.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        message = f"ARCHITECTURE.md has lost its markers {BEGIN} and {END}"
        raise ValueError(message)
    return f"{before}{BEGIN}\n\n{code_map()}\n{END}{after}"


def code_map() -> str:
    """Return a table of each package with its modules, each with the first line of its docstring."""
    text = []
    for room in ROOMS:
        for folder in sorted(path.parent for path in (ROOT / room).rglob("__init__.py")):
            if "migrations" in folder.parts:
                continue
            name = folder.relative_to(ROOT).as_posix()
            text += [f"### `{name}/`", "", caption(folder / "__init__.py"), ""]
            modules = [path for path in sorted(folder.glob("*.py")) if path.stem != "__init__"]
            if modules:
                text += ["| module | what it is for |", "|---|---|"]
                text += [f"| `{path.name}` | {caption(path)} |" for path in modules]
                text.append("")
    return "\n".join(text)


def caption(path: Path) -> str:
    """Return the first line of a module's docstring."""
    said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return said.partition("\n")[0].replace("|", "\\|")
