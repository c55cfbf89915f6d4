"""What is revoked in one process is refused by another, and nobody else is."""

import json
import time
from functools import partial

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from tests.patience import eventually
from tests.peers.portal import PortalFactory
from tests.whole.edge import connected, organise, status

KEY = ECKey.generate_key("P-256", {"kid": "one", "use": "sig"}, private=True)
JWKS = json.dumps({"keys": [KEY.as_dict(private=False)]})


def token(name: str) -> str:
    """Return a JWT of the trusted issuer."""
    now = int(time.time())
    claims = {"iss": "https://idp.example.com", "aud": "gatehouse", "email": f"{name}@example.com", "exp": now + 600}
    return jwt.encode({"alg": "ES256", "kid": "one"}, claims, KEY)


SUSPEND = "people.suspend(User.objects.get(email='{p}@example.com'), by=by)"
GIVE_AGAIN = "grants.give(server=Server.objects.get(name='search'), group=Group.objects.get(name='engineering'), by=by)"
SWITCH_ON = "servers.edit(Server.objects.get(name='search'), enabled=True, by=by)"

REVOCATIONS = {
    "suspend a person": (SUSPEND, "session", 401, ""),
    "suspend a person with a key": (SUSPEND, "key", 403, ""),
    "suspend a person with a JWT": (SUSPEND, "jwt", 403, ""),
    "end a session": (
        "sessions.end(Session.objects.get(person__email='{p}@example.com'), by=by, because='test')",
        "session",
        401,
        "",
    ),
    "revoke a key": ("api_keys.revoke(ApiKey.objects.get(person__email='{p}@example.com'), by=by)", "key", 401, ""),
    "remove a membership": (
        "memberships.remove(Membership.objects.get(person__email='{p}@example.com'), by=by)",
        "session",
        403,
        "",
    ),
    "delete a person": ("people.remove(User.objects.get(email='{p}@example.com'), by=by)", "session", 401, ""),
    "disable an issuer": ("issuers.edit(Issuer.objects.get(), enabled=False, by=by)", "jwt", 401, ""),
    "disable a server": (SWITCH_ON.replace("True", "False"), "session", 403, SWITCH_ON),
    "take a grant back": ("grants.remove(Grant.objects.get(group__name='engineering'), by=by)", "key", 403, GIVE_AGAIN),
    "distrust the proxy": (
        "proxies.edit(Proxy.objects.get(), enabled=False, by=by)",
        "session",
        403,
        "proxies.edit(Proxy.objects.get(), enabled=True, by=by)",
    ),
}
"""What is done, what the person shows, the status afterwards, and how it is undone where it meant everybody."""


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_revocation_is_seen_by_another_process(portal: PortalFactory, database: str) -> None:
    """One after another, each with its own victim where there is one; Bob, who is not meant, stays allowed."""
    names = [f"person{n}" for n in range(len(REVOCATIONS))]
    organisation = organise(portal(database=database), *names, "bob", "mallory", jwks=JWKS)
    edge = organisation.here.serve("serve_edge", "--port", "{port}", ready="/readyz")

    def shows(name: str, kind: str) -> dict[str, str]:
        if kind == "session":
            return {"Cookie": f"gatehouse={organisation.shown[name]['session']}"}
        text = token(name) if kind == "jwt" else organisation.shown[name]["key"]
        return {"Authorization": f"Bearer {text}"}

    with connected(edge) as connection:
        for (title, (code, kind, refused, undo)), name in zip(REVOCATIONS.items(), names, strict=True):
            ask = partial(status, connection, shows(name, kind))
            ask_for_bob = partial(status, connection, shows("bob", "session"))
            assert 200 == ask(), f"before: {title}"
            assert 403 == status(connection, shows("mallory", "session"))
            organisation.run(code.format(p=name))
            eventually(ask, refused)
            if undo:
                assert refused == ask_for_bob(), title
                organisation.run(undo)
                eventually(ask_for_bob, 200)
            else:
                assert 200 == ask_for_bob(), f"Bob, after: {title}"


def test_a_session_is_good_at_the_edge_the_moment_it_has_begun(portal: PortalFactory) -> None:
    """An edge that polls once an hour does not refuse the first request after a sign-in, nor lets nonsense pass."""
    organisation = organise(portal(), "alice", jwks=JWKS)
    env = {"AUTHZ_POLL_INTERVAL_MS": "3600000", "AUTHZ_STALENESS_LIMIT": "36000"}
    edge = organisation.here.serve("serve_edge", "--port", "{port}", ready="/readyz", env=env)
    code = """
from datetime import timedelta
day = timedelta(days=1)
alice = User.objects.get(email="alice@example.com")
begun = sessions.begin(person=alice, device="", address="", lifetime=day, idle=day, by=by)
open({path!r}, "w").write(begun.token)
"""
    path = organisation.here.folder / "token"
    organisation.run(code.format(path=str(path)))
    with connected(edge) as connection:
        fresh = path.read_text()
        assert 401 == status(connection, {"Cookie": f"gatehouse={fresh[:-1]}x"})
        assert 200 == status(connection, {"Cookie": f"gatehouse={fresh}"})
