"""An explanation as plain words and values, the same for the API, the command line and a page."""

from datetime import UTC, datetime
from typing import Any

from authz.decisions.explain import Explanation, Opening, grant_sentence, sentence
from authz.decisions.vocabulary import ANY_TOOL, FOREVER
from authz.decisions.world import World


def told(explanation: Explanation, world: World) -> dict[str, Any]:
    """Return an explanation as JSON values: the answer, the rule, every way to a yes, and what would change it."""
    question, decision = explanation.question, explanation.decision
    return {
        "allowed": decision.allowed,
        "rule": decision.rule,
        "code": decision.code,
        "reason": decision.reason,
        "action": str(question.action),
        "tool": question.tool if question.tool is not ANY_TOOL else None,
        "until": moment(decision.until),
        "because": [_way(way, world) for way in explanation.openings],
        "to_revoke": [sentence(fact, world) for fact in explanation.revoke],
        "to_allow": [sentence(fact, world) for fact in explanation.allow],
    }


def _way(way: Opening, world: World) -> dict[str, Any]:
    return {
        "grant": way.grant.number,
        "says": grant_sentence(way.grant, world),
        "groups": [world.groups[number].name for number in way.groups],
        "membership": "none" if not way.groups else "every active person" if way.given else "direct",
        "until": moment(way.until),
    }


def moment(at: float) -> str | None:
    """Return seconds since the epoch as ISO 8601 in UTC, or None for "never"."""
    return None if at == FOREVER else datetime.fromtimestamp(at, tz=UTC).isoformat()
