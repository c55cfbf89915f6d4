"""Tries a provider out without signing anybody in, and says of each thing whether it is right."""

import secrets
from collections.abc import Iterator

from authz.changes.sources import secret_of
from authz.directory.oidc import discovery, tokens
from authz.directory.oidc.discovery import DISCOVERED, Metadata, texts
from authz.directory.oidc.provider import Provider, address_of
from authz.directory.tried import Tried
from authz.errors import AuthzError, DirectoryFailed
from authz.formats.claims import is_true
from authz.formats.sources import OidcSettings, read
from authz.models import Source
from authz.outbound import key_sets

KEY_TYPES = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "ES384": "EC", "EdDSA": "OKP"}


def tried(source: Source) -> list[Tried]:
    """Try everything that can be tried without a person; the first failure that hides the rest ends the list."""
    found: list[Tried] = []
    try:
        found.extend(_tried(source))
    except AuthzError as error:
        found.append(Tried("Reaching the provider", fine=False, words=str(error)))
    return found


def _tried(source: Source) -> Iterator[Tried]:
    settings = read(OidcSettings, source.settings)
    DISCOVERED.forget(settings.issuer)
    metadata = discovery.fetch(settings.issuer)
    yield Tried("Discovery", fine=True, words=f"{discovery.address_of(settings.issuer)} names the issuer as entered")
    yield from _announced(metadata, settings)
    yield _keys(metadata, settings)
    yield _client(Provider(source, settings, metadata, secret_of(source)))
    yield _signing_out(metadata, source)


def _announced(metadata: Metadata, settings: OidcSettings) -> Iterator[Tried]:
    said = metadata.said
    algorithms = texts(said, "id_token_signing_alg_values_supported")
    common = [each for each in settings.algorithms if each in algorithms]
    if common:
        words = f"its ID tokens may be signed by {', '.join(common)}"
    else:
        allowed = ", ".join(settings.algorithms)
        words = f"it signs ID tokens by {', '.join(algorithms) or 'nothing it tells'}; allowed are {allowed}"
    yield Tried("Signatures", fine=bool(common), words=words)
    methods = texts(said, "code_challenge_methods_supported")
    if not methods:
        words = "it does not say whether it knows PKCE (RFC 7636); it is used anyway"
    elif "S256" in methods:
        words = "it knows S256"
    else:
        words = f"it knows {', '.join(methods)} only, and not S256"
    yield Tried("PKCE", fine=not methods or "S256" in methods, words=words)
    scopes = texts(said, "scopes_supported")
    strange = [each for each in settings.scopes if scopes and each not in scopes]
    words = f"it does not know {', '.join(strange)}" if strange else f"asked for are {', '.join(settings.scopes)}"
    yield Tried("Scopes", fine=not strange, words=words)
    if settings.required_acr and (values := texts(said, "acr_values_supported")):
        missing = [each for each in settings.required_acr if each not in values]
        words = f"it never says {', '.join(missing)}" if missing else f"it can say {', '.join(settings.required_acr)}"
        yield Tried("Assurance", fine=len(missing) < len(settings.required_acr), words=words)


def _keys(metadata: Metadata, settings: OidcSettings) -> Tried:
    try:
        found = key_sets.fetch(metadata.jwks_uri)
    except DirectoryFailed as error:
        return Tried("Keys", fine=False, words=str(error))
    kinds = {KEY_TYPES[each] for each in settings.algorithms}
    usable = [key for key in found if key.get("kty") in kinds]
    words = f"{len(usable)} of {len(found)} published keys fit the allowed algorithms"
    return Tried("Keys", fine=bool(usable), words=words)


def _client(provider: Provider) -> Tried:
    """Ask for tokens with a code that nobody gave: whoever believes that we are the client complains about the code."""
    form = {
        "grant_type": "authorization_code",
        "code": secrets.token_urlsafe(16),
        "redirect_uri": provider.redirect_uri,
        "code_verifier": secrets.token_urlsafe(48),
    }
    what, url = "Client and secret", provider.metadata.token_endpoint
    try:
        answer = tokens.ask(provider, form)
    except DirectoryFailed as error:
        return Tried(what, fine=False, words=str(error))
    said = tokens.error_of(answer, url)
    if said == "invalid_grant":
        return Tried(
            what, fine=True, words=f"they are accepted; register {provider.redirect_uri} as redirect URI there"
        )
    if said in {"invalid_client", "unauthorized_client", "401"}:
        return Tried(what, fine=False, words=f"the provider does not accept them ({said})")
    return Tried(what, fine=False, words=f"the provider answered {said} to a code that it did not give")


def _signing_out(metadata: Metadata, source: Source) -> Tried:
    told = []
    if metadata.end_session_endpoint:
        told.append(f"register {address_of(source, 'signed-out')} as post-logout redirect URI")
    else:
        told.append("it has no end_session_endpoint, so that signing out ends our session alone")
    if is_true(metadata.said.get("backchannel_logout_supported")):
        told.append(f"register {address_of(source, 'backchannel-logout')} as back-channel logout URI")
    else:
        told.append("it does not announce back-channel logout, so that its end of a session is seen by re-checks alone")
    return Tried("Signing out", fine=True, words="; ".join(told))
