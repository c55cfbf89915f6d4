"""What a provider gives for a code or a refresh token (RFC 6749 §3.2), and for an access token (Core 1.0 §5.3)."""

import re
from base64 import b64encode
from typing import Any
from urllib.parse import quote_plus

from authz.directory.oidc.provider import Provider
from authz.errors import BadCredential, DirectoryFailed
from authz.outbound import http

OK, BAD_REQUEST, UNAUTHORIZED = 200, 400, 401
PRINTABLE = re.compile(r"[\x20-\x7e]+")
"""What access and refresh tokens are made of (RFC 6749 appendix A.12 and A.17)."""


class Refused(BadCredential):
    """The provider does not honour a code or a refresh token: invalid_grant (RFC 6749 §5.2)."""


def exchange(provider: Provider, *, code: str, verifier: str) -> dict[str, Any]:
    """Return the tokens for a code (Core 1.0 §3.1.3); Refused if it is not good, or no longer."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": provider.redirect_uri,
        "code_verifier": verifier,
    }
    return _tokens(provider, form)


def refresh(provider: Provider, refresh_token: str) -> dict[str, Any]:
    """Return new tokens (Core 1.0 §12); Refused if the provider no longer vouches for whoever had the old ones."""
    return _tokens(provider, {"grant_type": "refresh_token", "refresh_token": refresh_token})


def userinfo(provider: Provider, access_token: str, *, subject: str) -> dict[str, Any]:
    """Return what userinfo says of this subject and of nobody else; empty if the provider has none."""
    url = provider.metadata.userinfo_endpoint
    if not url or not access_token:
        return {}
    answer = http.get(url, headers={"Authorization": f"Bearer {access_token}"})
    if answer.status != OK:
        message = f"{url} answered {answer.status}"
        raise DirectoryFailed(message)
    said = answer.json(url)
    # Else tokens could be substituted (Core 1.0 §5.3.2).
    if said.get("sub") != subject:
        message = "the provider's userinfo is about somebody else than its ID token"
        raise BadCredential(message)
    return said


def ask(provider: Provider, form: dict[str, str]) -> http.Answered:
    """Send a form to the token endpoint as the client that we are."""
    headers = {}
    form = dict(form)
    if provider.metadata.auth_method == "client_secret_basic":
        # Each is form-encoded first (RFC 6749 §2.3.1), or a colon in it would be read as the border between them.
        pair = f"{quote_plus(provider.settings.client_id)}:{quote_plus(provider.secret)}"
        headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode('ascii')}"
    else:
        form |= {"client_id": provider.settings.client_id, "client_secret": provider.secret}
    return http.post(provider.metadata.token_endpoint, form, headers=headers)


def error_of(answer: http.Answered, url: str) -> str:
    """Return the error that an answer names (RFC 6749 §5.2), or its status."""
    try:
        error = answer.json(url).get("error")
    except DirectoryFailed:
        error = None
    return error if isinstance(error, str) and error.isprintable() else str(answer.status)


def _tokens(provider: Provider, form: dict[str, str]) -> dict[str, Any]:
    url = provider.metadata.token_endpoint
    answer = ask(provider, form)
    if answer.status == OK:
        said = answer.json(url)
        if str(said.get("token_type", "")).lower() != "bearer" or not isinstance(said.get("access_token"), str):
            message = f"{url} did not give a bearer token"
            raise DirectoryFailed(message)
        for name in ("access_token", "refresh_token"):
            token = said.get(name)
            if isinstance(token, str) and token and not PRINTABLE.fullmatch(token):
                message = f"{url} gave a {name} that is not made of printable ASCII"
                raise DirectoryFailed(message)
        return said
    error = error_of(answer, url)
    if answer.status in {BAD_REQUEST, UNAUTHORIZED} and error == "invalid_grant":
        message = "the provider does not honour what it gave us (invalid_grant)"
        raise Refused(message)
    message = f"{url} refused us: {error[:100]}"
    raise DirectoryFailed(message)
