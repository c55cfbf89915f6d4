"""Which groups of ours somebody of a directory is in, by mirrored groups and by rules."""

from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase

from authz.decisions.names import fold
from authz.directory.known import Given

MIRRORED = ""
"""The reason of a membership that a mirrored group gives: there is nothing to add to where it comes from."""


def above(start: Iterable[str], parents: Mapping[str, Collection[str]]) -> frozenset[str]:
    """Return some groups and every group above them; a cycle ends the walk, it does not trap it."""
    found = list(dict.fromkeys(start))
    seen = set(found)
    for key in found:
        for parent in parents.get(key, ()):
            if parent not in seen:
                seen.add(parent)
                found.append(parent)
    return frozenset(seen)


def fits(rule: Given, attributes: Mapping[str, tuple[str, ...]], groups: Iterable[str]) -> bool:
    """Return whether somebody with these attributes, in groups of these names, fits a rule; case does not matter."""
    pattern = fold(rule.pattern).replace("[", "[[]").replace("?", "[?]")  # of a shell's patterns only * is ours
    values = attributes.get(rule.attribute, ()) if rule.kind == "attribute" else groups
    return any(fnmatchcase(fold(value), pattern) for value in values)


def reasons(
    rules: Iterable[Given], attributes: Mapping[str, tuple[str, ...]], groups: Collection[str]
) -> dict[int, str]:
    """Return the groups of ours that rules put somebody in, each with the sentences of the rules that do."""
    found: dict[int, list[str]] = {}
    for rule in rules:
        if fits(rule, attributes, groups):
            found.setdefault(rule.group, []).append(rule.sentence)
    return {group: "; ".join(sentences)[:300] for group, sentences in found.items()}
