"""The judge: asks each rule in turn, and takes the first answer."""

from authz.decisions.rules import RULES
from authz.decisions.vocabulary import Decision, Effect, Question
from authz.decisions.world import World


def decide(question: Question, world: World) -> Decision:
    """Return the answer to a question in a World; pure, total, and the only place where a yes comes from."""
    for rule in RULES:
        if (decision := rule(world, question)) is not None:
            return decision
    # RULES ends with a rule that always answers; this line keeps the promise if somebody reorders them.
    return Decision(Effect.DENY, "silence_is_a_denial", "no-grant", "Nothing permits you to do this.")
