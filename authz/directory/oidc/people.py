"""Takes over what a provider said of somebody who signs in, or of whom it still vouches."""

import logging
from collections.abc import Mapping
from typing import Any

from audit.context import Actor
from authz.directory.observed import Observed
from authz.directory.oidc import claims as claims_module
from authz.directory.oidc import tokens
from authz.directory.oidc.provider import Provider
from authz.directory.taken import take
from authz.errors import NotAllowed
from authz.models import User

log = logging.getLogger(__name__)

NOTHING: Mapping[str, Any] = {}


def taken_over(
    provider: Provider, claims: Mapping[str, Any], *, access_token: str, by: Actor, before: Mapping[str, Any] = NOTHING
) -> User:
    """Return the person of an ID token, in step with it and with userinfo; NotAllowed says to them why it is nobody.

    ImplausiblePlan if an administrator has to approve it first. `before` is what an earlier ID token said: it holds
    for what userinfo leaves out, where a refresh brought no new one.
    """
    settings, source = provider.settings, provider.source
    said: dict[str, Any] = {}
    if claims_module.lacks(claims, settings):
        said = tokens.userinfo(provider, access_token, subject=claims["sub"])
    older = {name: value for name, value in before.items() if name not in said}
    if claims_module.VOUCHED_FOR in said:
        older.pop("email_verified", None)  # that was another
    said = older | said
    told = claims_module.told(claims, said, settings)
    if told.unknown:
        log.info("oidc.unknown_claims", extra={"directory": str(source), "claims": sorted(told.unknown)})
    observed = Observed(people={told.person.key: told.person}, groups=told.groups, problems=told.problems)
    taken = take(source, observed, by=by)
    for problem in dict.fromkeys((*told.problems, *taken.problems)):
        extra = {"directory": str(source), "subject": problem.subject, "why": problem.why}
        log.warning("oidc.problem", extra=extra)
    person = taken.people.get(told.person.key)
    if person is None:
        # The reason may name somebody else's account, and so is for the log and not for whoever signs in.
        why = "; ".join(each.why for each in taken.problems if each.subject in {told.person.key, told.person.email})
        raise LeftOut(told.person.email, why)
    return person


class LeftOut(NotAllowed):
    """Somebody of a provider who does not become a person of ours."""

    def __init__(self, email: str, why: str) -> None:
        """Keep whom and why, for the book."""
        self.email, self.why = email, why
        super().__init__("your account there has no account here; an administrator finds the reason in the log")
