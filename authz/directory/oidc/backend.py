"""mozilla-django-oidc's backend for one provider: its course of a sign-in, with every check our own."""

import time
from typing import Any

from django.http import HttpRequest
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from audit.context import Actor
from authz.changes.provider_sessions import Proof
from authz.directory.oidc import id_token, tokens
from authz.directory.oidc.claims import texts
from authz.directory.oidc.people import taken_over
from authz.directory.oidc.provider import Provider
from authz.errors import BadCredential
from authz.models import User


class Backend(OIDCAuthenticationBackend):
    """Turns a code into a person; `proof` then holds what the provider showed for it.

    The library believes any issuer and audience, fetches keys at each sign-in, takes one provider's settings from
    Django's and finds people by an e-mail that nobody verified. So what is left of it is the order of the steps in
    `authenticate`: tokens for the code, the ID token checked, the person found. It is called for one provider and is
    no AUTHENTICATION_BACKEND, which Django would ask with any credentials.
    """

    proof: Proof

    def __init__(self, provider: Provider, *, by: Actor) -> None:
        """Take the place of the library's settings."""
        self.provider, self.by, self.given = provider, by, dict[str, Any]()
        super().__init__()

    def get_settings(self, attr: str, *args: Any) -> Any:  # noqa: ANN401  the library's own signature
        """Return a setting of the library for this provider."""
        ours = {
            "OIDC_OP_TOKEN_ENDPOINT": self.provider.metadata.token_endpoint,
            "OIDC_OP_USER_ENDPOINT": self.provider.metadata.userinfo_endpoint,
            "OIDC_OP_JWKS_ENDPOINT": self.provider.metadata.jwks_uri,
            "OIDC_RP_CLIENT_ID": self.provider.settings.client_id,
            "OIDC_RP_CLIENT_SECRET": "",  # it would send it with any form; authz.directory.oidc.tokens does
            "OIDC_RP_SIGN_ALGO": self.provider.settings.algorithms[0],
            "OIDC_AUTHENTICATION_CALLBACK_URL": "login",  # it must exist; the address we give has a provider in it
        }
        return ours[attr] if attr in ours else args[0]

    def get_token(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Return the tokens for the code."""
        verifier = payload.get("code_verifier") or ""
        self.given = tokens.exchange(self.provider, code=payload["code"], verifier=verifier)
        return self.given

    def verify_token(self, token: object, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401  the library's own signature
        """Return the claims of the ID token."""
        nonce = kwargs.get("nonce")
        if not nonce:
            message = "a sign-in without a nonce cannot be told from another"
            raise BadCredential(message)
        access = self.given["access_token"]
        return id_token.verified(token, self.provider, nonce=nonce, access_token=access, at=time.time())

    def store_tokens(self, access_token: str, id_token: str) -> None:
        """Keep nothing in the browser; what is kept is wrapped and stands beside the session."""

    def get_or_create_user(self, access_token: str, id_token: str, payload: dict[str, Any]) -> User:
        """Return the person, found by the provider and its subject."""
        refresh_token = self.given.get("refresh_token")
        sid = payload.get("sid")
        if isinstance(sid, str) and not sid.isprintable():
            # Without it, the end of that session there would not be known for the end of this one.
            message = "the provider's session has a name that cannot be read"
            raise BadCredential(message)
        self.proof = Proof(
            subject=payload["sub"],
            sid=sid if isinstance(sid, str) else "",
            amr=texts(payload.get("amr")),
            acr=acr[:200] if isinstance(acr := payload.get("acr"), str) and acr.isprintable() else "",
            id_token=id_token,
            refresh_token=refresh_token if isinstance(refresh_token, str) else "",
        )
        return taken_over(self.provider, payload, access_token=access_token, by=self.by)


def person_of(provider: Provider, request: HttpRequest, *, nonce: str, verifier: str, by: Actor) -> tuple[User, Proof]:
    """Return who a callback's code names, and the proof of it; an AuthzError says why it names nobody."""
    backend = Backend(provider, by=by)
    person = backend.authenticate(request, nonce=nonce, code_verifier=verifier)
    if not isinstance(person, User):
        message = "the provider sent no code"
        raise BadCredential(message)
    return person, backend.proof
