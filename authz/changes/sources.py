"""Directories and their rules: add, change, switch, remove; a secret is wrapped, and never told."""

from datetime import datetime
from typing import Any

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import Q
from pydantic import BaseModel

from audit import events
from audit.context import Actor
from authz.changes import api_keys, people, runs, sessions
from authz.changes.change import change
from authz.changes.edits import assign, differences
from authz.conf import signing_key
from authz.decisions.scopes import SCIM
from authz.errors import Conflict, InvalidName
from authz.formats import sources as formats
from authz.formats.labels import parse_label
from authz.formats.wrapped import unwrap, wrap
from authz.models import ApiKey, Group, Identity, Membership, Nesting, Rule, Run, Session, Source, User


def add(  # noqa: PLR0913  one argument for each thing there is to say about a directory
    *, name: str, kind: str, settings: dict[str, Any], by: Actor, title: str = "", secret: str = ""
) -> Source:
    """Add a directory; InvalidName or Conflict says why not. It reads nothing until it is asked to, or due."""
    if kind not in formats.KINDS:
        message = f"a directory is one of {', '.join(formats.KINDS)}, not {kind!r}"
        raise InvalidName(message)
    if not formats.NAME.fullmatch(name):
        message = f"{name!r} is not a name for a directory: small letters, digits and hyphens, at most 40"
        raise InvalidName(message)
    parsed = formats.parse(kind, settings)
    with change(by) as draft:
        if Source.objects.filter(name=name).exists():
            message = f"a directory is called {name} already"
            raise Conflict(message)
        source = Source.objects.create(
            name=name,
            kind=kind,
            title=parse_label(title, what="title") if title.strip() else "",
            settings=plain(parsed),
            secret=wrap(secret, key=signing_key("source"), purpose=f"source/{name}"),
        )
        draft.say(events.DirectoryAdded(directory=str(source), settings=source.settings))
    return source


def edit(source: Source, /, *, by: Actor, secret: str | None = None, **wanted: Any) -> Source:  # noqa: ANN401  fields of the row, by name
    """Change title, settings, secret (None keeps it), or whether it is enabled; its sign-ins end if it is not."""
    if "settings" in wanted:
        wanted["settings"] = plain(formats.parse(source.kind, wanted["settings"]))
        _refuse_another(source, wanted["settings"])
    if wanted.get("title", "").strip():
        wanted["title"] = parse_label(wanted["title"], what="title")
    with change(by) as draft:
        source = Source.objects.get(pk=source.pk)
        changes = differences(source, wanted)
        switched = changes.pop("enabled", None)
        if "settings" in changes:
            before, after = changes.pop("settings")
            changes |= {
                name: (before.get(name), after.get(name))
                for name in before.keys() | after.keys()
                if before.get(name) != after.get(name)
            }
            # What was read by other settings may mean something else by these.
            wanted["cursor"] = ""
        if secret is not None:
            wanted["secret"] = wrap(secret, key=signing_key("source"), purpose=f"source/{source.name}")
            changes["secret"] = ("…", "…")
        if not changes and switched is None:
            return source
        assign(source, wanted)
        if changes:
            draft.say(events.DirectoryChanged(directory=str(source), changes=changes))
        if switched is not None:
            kind = events.DirectoryEnabled if source.enabled else events.DirectoryDisabled
            draft.say(kind(directory=str(source)))
            if not source.enabled:
                end_sign_ins(source, by=by, because=f"{source} was switched off")
        if "settings" in wanted and source.enabled:
            _follow(source, by=by)
    return source


LASTING = ("issuer", "client_id", "id_attribute")
"""Settings by which people are known again: with others, somebody else may have the same name there."""


def _refuse_another(source: Source, settings: dict[str, Any]) -> None:
    held = Source.objects.get(pk=source.pk).settings
    changed = [name for name in LASTING if held.get(name) != settings.get(name)]
    if changed and Identity.objects.filter(source=source).exists():
        message = (
            f"{', '.join(changed)} cannot change: people are known by it, and whoever has the same id elsewhere would "
            "become one of them; add another directory instead"
        )
        raise Conflict(message)


def end_sign_ins(source: Source, *, by: Actor, because: str) -> int:
    """End every open session that was begun by a directory; return how many there were."""
    with change(by):
        open_ones = Session.objects.filter(ended_at=None)
        begun = Q(provider__source=source)
        if source.kind == Source.LDAP:
            # Whoever has no password here, and was led here by no provider, has shown the one that LDAP knows.
            elsewhere = Q(person__identities__source=source, person__password__startswith=UNUSABLE_PASSWORD_PREFIX)
            begun |= elsewhere & Q(provider=None)
        found = list(open_ones.filter(begun).distinct().order_by("pk"))
        for session in found:
            sessions.end(session, by=by, because=because)
    return len(found)


def secret_of(source: Source) -> str:
    """Return the secret of a directory; BadCredential if it cannot be read any more."""
    return unwrap(source.secret, key=signing_key("source"), purpose=f"source/{source.name}")


def forget(source: Source, *, by: Actor) -> None:
    """Forget a directory from which nothing is left but its name; whom it owned is a local person from now on."""
    with change(by) as draft:
        label = str(source)
        gives = Membership.objects.filter(source=label).exists() or Nesting.objects.filter(source=label).exists()
        if gives or Source.objects.filter(pk=source.pk, enabled=True).exists():
            message = f"{label} still gives something, or may; it is switched off and taken back first"
            raise Conflict(message)
        for person in User.objects.filter(source=label).order_by("pk"):
            people.edit(person, by=by, source="local", external_id="")
        end_sign_ins(source, by=by, because=f"{source} was removed")
        end_tokens(source, by=by, because=f"{source} was removed")
        if Source.objects.filter(pk=source.pk).delete()[0]:
            draft.say(events.DirectoryRemoved(directory=label))


def issue_token(source: Source, /, *, by: Actor, until: datetime | None = None) -> api_keys.Issued:
    """Give a provisioning client (RFC 7644) a new token, for this directory and nothing else; others stay as they are.

    It is an API key of a service account that is made with the first one.
    """
    if source.kind != Source.SCIM:
        message = f"{source} is not provisioned by SCIM, and so has no token"
        raise Conflict(message)
    with change(by):
        email = account_of(source)
        account = User.objects.filter(email=email).first()
        if account is None:
            account = people.create(email=email, name=f"SCIM client of {source.name}", is_human=False, by=by)
        if account.is_human:
            message = f"{email} is a person, and a token is held by a service account"
            raise Conflict(message)
        scopes = [f"{SCIM}{source.name}"]
        return api_keys.issue(person=account, name=f"SCIM {source.name}", scopes=scopes, until=until, by=by)


def end_tokens(source: Source, /, *, by: Actor, because: str) -> None:
    """Revoke every token of a directory, whoever holds it: another one may have its name one day."""
    with change(by):
        scope = f"{SCIM}{source.name}"
        for key in ApiKey.objects.filter(revoked_at=None).order_by("pk"):
            if scope in key.scopes:
                api_keys.revoke(key, by=by, reason=because)


def account_of(source: Source) -> str:
    """Return the name of the service account that holds a directory's tokens; nobody on the internet is .internal."""
    return f"scim-{source.name}@services.internal"


def add_rule(  # noqa: PLR0913  one argument for each thing a rule says
    source: Source, *, group: Group, kind: str, pattern: str, by: Actor, attribute: str = ""
) -> Rule:
    """Give whoever fits a membership, by a run that is asked for; InvalidName or Conflict says why not."""
    pattern, attribute = pattern.strip(), attribute.strip().lower()
    if kind not in dict(Rule.KINDS) or not pattern or bool(attribute) != (kind == Rule.ATTRIBUTE):
        message = "a rule names an attribute and its value, or a group of the directory"
        raise InvalidName(message)
    if group.everyone:
        message = f"every active person is in {group} without a membership"
        raise Conflict(message)
    with change(by) as draft:
        rule, new = Rule.objects.get_or_create(
            source=source, group=group, kind=kind, attribute=attribute, pattern=pattern
        )
        if new:
            draft.say(events.RuleAdded(directory=str(source), group=group.name, rule=str(rule)))
            _follow(source, by=by)
    return rule


def remove_rule(rule: Rule, *, by: Actor) -> None:
    """Take a rule away, and ask for a run that takes back what it gave."""
    with change(by) as draft:
        source, group, words = rule.source, rule.group.name, str(rule)
        if Rule.objects.filter(pk=rule.pk).delete()[0]:
            draft.say(events.RuleRemoved(directory=str(source), group=group, rule=words))
            _follow(source, by=by)


def _follow(source: Source, *, by: Actor) -> None:
    """Ask for what follows from other rules or settings; an LDAP directory is read anew as well."""
    if Source.objects.filter(pk=source.pk, enabled=True).exists():
        runs.ask(source, by=by, mode=Run.RULES)
        Source.objects.filter(pk=source.pk, kind=Source.LDAP, cursor="").update(due_at=None)


def plain(settings: BaseModel) -> dict[str, Any]:
    """Return settings as they are stored: what is as it would be anyway is left out."""
    return settings.model_dump(mode="json", exclude_defaults=True)
