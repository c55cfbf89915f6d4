"""The invariants of ARCHITECTURE.md, kept by reading the code and not by running it.

A line that only looks like an offence says so: `cache.save()  # house: a cache, not a row`.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("portal", "authz", "audit")
LONGEST_FILE = 400

EXEMPT = re.compile(r"#\s*house:\s*\w")

PROXY_HEADER = re.compile(
    r"\b(http[-_])?x[-_](original|forwarded|rewrite|envoy|auth[-_]request|ssl|client[-_]cert)[-_]\w+"
    r"|\b(http[-_])?x[-_](real[-_]ip|client[-_]cert)\b"
    r"|^(http_)?forwarded$|\bssl[-_]client[-_]\w+|\bremote[-_]user\b",
    re.IGNORECASE,
)

CERTAIN_WRITES = frozenset({"bulk_create", "bulk_update", "get_or_create", "update_or_create"})
CERTAIN_WRITES |= {f"a{name}" for name in CERTAIN_WRITES | {"create", "delete", "save", "update"}}
POSSIBLE_WRITES = frozenset({"create", "delete", "save", "update"})
MANAGERS = frozenset({"objects", "_base_manager", "_default_manager"})
QUERIES = frozenset({"all", "annotate", "exclude", "filter", "get_queryset", "order_by", "select_for_update", "using"})
WRITING_SQL = re.compile(r"\s*(insert|update|delete|replace|truncate|alter|drop|create)\b", re.IGNORECASE)

CLOCKS_AND_DICE = frozenset({"os", "random", "secrets", "time", "uuid"})
MOCKS = frozenset({"mock", "pytest_mock", "unittest.mock"})


# Reading the code


def modules(*folders: str) -> list[Path]:
    """Return every Python file of these folders but migrations, which Django writes."""
    found = (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))
    return [path for path in found if "migrations" not in path.parts]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(text_of(path), filename=str(path))


def exempt(path: Path, node: ast.expr) -> bool:
    lines = text_of(path).splitlines()[node.lineno - 1 : node.end_lineno]
    return any(EXEMPT.search(line) for line in lines)


def imports(tree: ast.AST) -> dict[str, str]:
    """Return what each imported name stands for: `{"groups": "authz.changes.groups"}`."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                known[each.asname or each.name.partition(".")[0]] = each.name
        elif isinstance(node, ast.ImportFrom):
            known.update({each.asname or each.name: f"{node.module}.{each.name}" for each in node.names})
    return known


def defines(path: Path, name: str) -> bool:
    """Tell whether a module has a function of this name."""
    return any(isinstance(node, ast.FunctionDef) and node.name == name for node in tree_of(path).body)


def root_of(node: ast.expr) -> str:
    """Return the name at the left end of `a.b(c).d`, or nothing."""
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def words_of(tree: ast.Module) -> Iterator[tuple[ast.Constant, str]]:
    """Return every text and byte text but those that stand alone: docstrings may speak of anything."""
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in alone:
            if isinstance(node.value, str):
                yield node, node.value
            elif isinstance(node.value, bytes):
                yield node, node.value.decode("latin-1")


def says(page: str, word: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(word)}(?![\w]|\.\w)", page) is not None


def page(name: str) -> str:
    path = ROOT / name
    if not path.is_file():
        pytest.fail(f"{name} does not exist", pytrace=False)
    return text_of(path)


def none(offenders: Iterable[str], promise: str) -> None:
    if found := list(offenders):
        pytest.fail(f"{promise}; these do not keep to it:\n  " + "\n  ".join(found), pytrace=False)


# Telling a write from what only sounds like one


def are_rows(node: ast.expr, known: frozenset[str]) -> bool:
    """Tell whether an expression is a manager or a query, such as `Group.objects.filter(...)`."""
    if isinstance(node, ast.Name):
        return node.id in known
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr in QUERIES:
            return True
        return are_rows(node.func, known)
    if isinstance(node, ast.Attribute):
        return node.attr in MANAGERS or node.attr.endswith("_set") or are_rows(node.value, known)
    return isinstance(node, ast.Subscript) and are_rows(node.value, known)


def names_of_rows(tree: ast.AST) -> frozenset[str]:
    """Return the names that a query is assigned to anywhere in a module."""
    return frozenset(
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and are_rows(node.value, frozenset())
        for target in node.targets
        if isinstance(target, ast.Name)
    )


def writes(tree: ast.AST, *, models: bool = False) -> Iterator[ast.Call]:
    """Return every call that writes a row; `models` allows the `super().save()` of a model's own method."""
    known, rows = imports(tree), names_of_rows(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        receiver, verb = node.func.value, node.func.attr
        origin = known.get(root_of(receiver), "")
        if origin.startswith("authz.changes") or (models and ast.unparse(receiver) == "super()"):
            continue
        if verb in CERTAIN_WRITES or (verb in POSSIBLE_WRITES and are_rows(receiver, rows)):
            yield node
        elif verb in {"execute", "executemany"}:
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Constant) and WRITING_SQL.match(str(first.value)):
                yield node
        elif verb in POSSIBLE_WRITES and sounds_like_a_row(node, receiver, verb, origin):
            yield node


def sounds_like_a_row(call: ast.Call, receiver: ast.expr, verb: str, origin: str) -> bool:
    """Judge by how the ORM's verbs are called: never with a positional argument."""
    if ast.unparse(receiver) == "super()":
        return True  # a form or an admin that saves by itself, whatever it hands on
    if call.args:
        return False
    given = {each.arg: each.value for each in call.keywords}
    if isinstance(receiver, ast.Name) and origin:
        return origin.startswith("authz.models")  # a function of some other module
    if verb == "update":
        return bool(given) and isinstance(receiver, ast.Attribute)  # a plain name is a dict or a hash
    commit = given.get("commit")
    return not (isinstance(commit, ast.Constant) and commit.value is False)


@pytest.mark.parametrize(
    "line",
    [
        "Group.objects.create(name=name)",
        "Group.objects.filter(name=name).update(name=other)",
        "Group.objects.all().delete()",
        "rows = Group.objects.filter(a=1)\nrows.update(a=2)",
        "person.memberships.create(group=group)",
        "person.session_set.update(ended=now)",
        "person.save()",
        "person.save(update_fields=['name'])",
        "self.instance.delete()",
        "super().save(*args)",
        "Group.objects.bulk_create(rows)",
        "Group.objects.get_or_create(name=name)",
        "await person.asave()",
        "from authz.models import Group\nGroup.create(name=name)",
        "cursor.execute('UPDATE authz_group SET name = 1')",
    ],
)
def test_a_write_is_recognised(line: str) -> None:
    tree = ast.parse(line if "await" not in line else f"async def f():\n    {line}")
    assert 1 == len(list(writes(tree)))


@pytest.mark.parametrize(
    "line",
    [
        "digest.update(data)",
        "hashlib.sha256().update(data)",
        "found.update({'a': 1})",
        "context.update(title='Groups')",
        "from authz.changes import groups\ngroups.create(name=name, by=by)",
        "from authz import changes\nchanges.people.update(person=person, by=by)",
        "import cachetools\ncachetools.delete()",
        "cache.delete('key')",
        "client.delete(url)",
        "form.save(commit=False)",
        "cursor.execute('SELECT 1')",
        "Group.objects.filter(name=name).exists()",
        "queue.save(name, content)",
    ],
)
def test_what_only_sounds_like_a_write_is_left_alone(line: str) -> None:
    assert [] == [ast.unparse(each) for each in writes(ast.parse(line))]


# The promises


def test_every_module_opens_with_one_sentence() -> None:
    def problem(path: Path) -> str:
        # A question may stand before the sentence that answers it: "May they? Pure functions over plain values."
        first = (ast.get_docstring(tree_of(path)) or "").partition("\n")[0]
        if not first:
            return "no docstring"
        if not first.endswith("."):
            return f"does not end with a period: {first}"
        return f"more than one sentence: {first}" if re.search(r"[.!] +[A-Z]", first) else ""

    none(
        (f"{name_of(path)}: {why}" for path in modules(*ROOMS) if (why := problem(path))),
        "a module opens with one sentence that says what it is for",
    )


def test_no_file_is_longer_than_one_can_read() -> None:
    lengths = {name_of(path): len(text_of(path).splitlines()) for path in modules(*ROOMS, "tests", "bench", "client")}
    none((f"{name}: {n} lines" for name, n in lengths.items() if n > LONGEST_FILE), f"no file exceeds {LONGEST_FILE}")


def test_only_changes_writes() -> None:
    allowed = (ROOT / "authz" / "changes", ROOT / "audit")
    none(
        (
            f"{name_of(path)}:{call.lineno}: {ast.unparse(call)[:90]}"
            for path in modules(*ROOMS)
            if not any(path.is_relative_to(folder) for folder in allowed)
            for call in writes(tree_of(path), models=path.is_relative_to(ROOT / "authz" / "models"))
            if not exempt(path, call)
        ),
        "only authz/changes writes rows, so that every write is recorded",
    )


def test_only_edge_knows_what_a_proxy_is() -> None:
    none(
        (
            f"{name_of(path)}:{node.lineno}: {said[:90]!r}"
            for path in modules(*ROOMS)
            if not path.is_relative_to(ROOT / "authz" / "edge") and path != ROOT / "portal" / "settings.py"
            for node, said in words_of(tree_of(path))
            if PROXY_HEADER.search(said) and not exempt(path, node)
        ),
        "only authz/edge names a proxy's headers",
    )


@pytest.mark.parametrize(
    "name", ["X-Original-URL", "x-forwarded-for", "HTTP_X_FORWARDED_PROTO", "X-Real-IP", "x-envoy-a"]
)
def test_a_proxy_header_is_recognised(name: str) -> None:
    assert PROXY_HEADER.search(name)


@pytest.mark.parametrize(
    "name", ["X-API-Key", "Authorization", "X-User-Email", "forwarded to the owner", "X-Request-Id"]
)
def test_another_header_is_left_alone(name: str) -> None:
    assert not PROXY_HEADER.search(name)


def test_every_kind_of_credential_has_its_tests() -> None:
    folder = ROOT / "authz" / "credentials"
    kinds = [path.stem for path in sorted(folder.glob("*.py")) if defines(path, "read")]
    none(
        (
            f"authz/credentials/{kind}.py has no tests/credentials/test_{kind}.py"
            for kind in kinds
            if not (ROOT / "tests" / "credentials" / f"test_{kind}.py").exists()
        ),
        "a kind of credential is one file and its test file",
    )


def test_deciding_reads_no_clock_and_throws_no_dice() -> None:
    def looks(path: Path) -> Iterator[str]:
        yield from {name.partition(".")[0] for name in imports(tree_of(path)).values()} & CLOCKS_AND_DICE
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Attribute) and node.attr in {"now", "today", "utcnow"}:
                yield f"{ast.unparse(node)} in line {node.lineno}"

    none(
        (f"{name_of(path)}: {what}" for path in modules("authz/decisions") for what in looks(path)),
        "a decision is told the time and draws no lots",
    )


def test_no_test_replaces_a_part_of_ours() -> None:
    def replaced(path: Path) -> Iterator[str]:
        known = imports(tree_of(path))
        yield from (f"imports {name}" for name in known.values() if name in MOCKS or name.rpartition(".")[0] in MOCKS)
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.arg) and node.arg == "mocker":
                yield f"asks for mocker in line {node.lineno}"
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "setattr":
                first = node.args[0] if node.args else node
                named = [str(arg.value) for arg in node.args[:2] if isinstance(arg, ast.Constant)]
                target = ".".join(filter(None, [known.get(root_of(first), ""), *named[:1]]))
                limit = target.rpartition(".")[2].isupper()  # a smaller limit is no mock
                if target.partition(".")[0] in ROOMS and not limit and not exempt(path, node):
                    yield f"replaces {target} in line {node.lineno}"

    none(
        (f"{name_of(path)}: {what}" for path in modules("tests") for what in replaced(path)),
        "no test mocks a part of ours: the function would be in the wrong room",
    )


def test_every_room_is_on_the_map() -> None:
    architecture = page("ARCHITECTURE.md")
    packages = [path.parent for path in modules(*ROOMS) if path.name == "__init__.py"]
    files = [path for room in ROOMS for path in sorted((ROOT / room).glob("*.py")) if path.stem != "__init__"]
    none(
        [
            *(name_of(each) + "/" for each in packages if not re.search(rf"(?<!\w){each.name}/", architecture)),
            *(name_of(each) for each in files if not re.search(rf"(?<!\w){re.escape(each.name)}(?!\w)", architecture)),
        ],
        "ARCHITECTURE.md names every package, and every module that stands directly in a room",
    )


def test_every_setting_is_documented() -> None:
    body = tree_of(ROOT / "portal" / "settings.py").body
    described = [
        target.id
        for setting, after in pairwise(body)
        if isinstance(setting, ast.Assign | ast.AnnAssign)
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
        for target in (setting.targets if isinstance(setting, ast.Assign) else [setting.target])
        if isinstance(target, ast.Name)
    ]
    assert described
    settings = page("docs/settings.md")
    none((name for name in described if not says(settings, name)), "docs/settings.md names every setting")


def test_every_rule_is_documented() -> None:
    from authz.decisions.rules import RULES  # noqa: PLC0415  the other checks only read the code

    decisions = page("docs/decisions.md")
    none((rule.__name__ for rule in RULES if not says(decisions, rule.__name__)), "docs/decisions.md names every rule")


def test_every_event_is_documented() -> None:
    from audit.events import KINDS  # noqa: PLC0415  the other checks only read the code

    assert KINDS
    audit = page("docs/audit.md")
    none((kind for kind in KINDS if not says(audit, kind)), "docs/audit.md names every kind of event")
