"""A small OpenID provider on loopback, over real HTTP, which says whatever a test wants it to say."""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

from tests.credentials.issuer import KINDS, key_for, published, signed
from tests.peers.serving import Serving

CLIENT, SECRET = "gatehouse", "a secret: with a colon & an ampersand"
EVENT = "http://schemas.openid.net/event/backchannel-logout"
ALICE = {"sub": "alice-1", "email": "alice@example.com", "email_verified": True, "name": "Alice", "groups": ["interns"]}


class Provider:
    """Holds a key, publishes it, and gives tokens for codes; every part of an answer can be changed."""

    def __init__(self, **metadata: Any) -> None:
        self.key = key_for("ES256")
        self.published = [self.key]
        self.alter: Callable[[dict[str, Any]], dict[str, Any]] = lambda claims: claims
        """Changes the claims of the next ID tokens."""
        self.sign: Callable[[dict[str, Any]], str] = self.signed
        self.userinfo: dict[str, Any] = {}
        self.more: dict[str, Any] = {}
        """What token answers hold besides."""
        self.refreshed: Callable[[dict[str, str]], tuple[int, dict[str, Any]]] | None = None
        self.asked: list[str] = []
        self.codes: dict[str, dict[str, Any]] = {}
        self.skew = 0
        """Seconds by which its clock is ahead of ours."""
        self.breaks: dict[str, tuple[int, bytes, dict[str, str]]] = {}
        """Paths that answer with this status, body and headers instead."""
        self.drip = 0.0
        self._server = Serving(self._handler())
        self.issuer = f"http://127.0.0.1:{self._server.port}"
        self.metadata = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/jwks",
            "end_session_endpoint": f"{self.issuer}/end",
            "id_token_signing_alg_values_supported": list(KINDS),
            "code_challenge_methods_supported": ["S256"],
            "backchannel_logout_supported": True,
        } | metadata

    def stop(self) -> None:
        self._server.stop()

    def signed(self, claims: dict[str, Any], **header: Any) -> str:
        return signed(claims, self.key.alg or "ES256", key=self.key, **header)

    def allows(self, location: str, who: dict[str, Any] | None = None) -> dict[str, str]:
        """Return the parameters of the callback, as after a sign-in at the address that a browser was led to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked | {"who": ALICE if who is None else who}
        back = {"code": code, "state": asked["state"]}
        announced = self.metadata.get("authorization_response_iss_parameter_supported")
        return back | ({"iss": self.issuer} if announced else {})

    def claims(self, who: dict[str, Any], **more: Any) -> dict[str, Any]:
        now = int(time.time()) + self.skew
        said = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300} | who | more
        return {name: value for name, value in said.items() if value is not None}

    def logout_token(
        self, *, header: dict[str, Any] | None = None, shift: dict[str, float] | None = None, **more: Any
    ) -> str:
        """Return a good logout token for Alice; claims and parts of the header that are None are left out.

        `shift` says how many seconds from now a claim is.
        """
        said = {"sub": "alice-1", "jti": secrets.token_hex(8), "events": {EVENT: {}}} | more
        said |= {name: time.time() + seconds for name, seconds in (shift or {}).items()}
        return signed(self.claims(said), key=self.key, **{"typ": "logout+jwt"} | (header or {}))

    def _tokens(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        if authorization:
            pair = base64.b64decode(authorization.partition(" ")[2]).decode()
            form = form | dict(zip(("client_id", "client_secret"), map(unquote_plus, pair.split(":", 1)), strict=True))
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            return 401, {"error": "invalid_client"}
        if form["grant_type"] == "refresh_token" and self.refreshed is not None:
            return self.refreshed(form)
        asked = self.codes.pop(form.get("code", ""), None)
        challenge = (
            base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).decode().rstrip("=")
        )
        if asked is None or (asked["code_challenge"], asked["redirect_uri"]) != (challenge, form["redirect_uri"]):
            return 400, {"error": "invalid_grant"}
        claims = self.alter(self.claims(asked["who"], nonce=asked["nonce"]))
        tokens = {"access_token": "access", "token_type": "Bearer", "id_token": self.sign(claims)} | self.more
        return 200, tokens

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                said: Any = {
                    "/.well-known/openid-configuration": outer.metadata,
                    "/jwks": json.loads(published(*outer.published)),
                    "/userinfo": {"sub": "alice-1"} | outer.userinfo,
                }.get(self.path)
                self._say(200 if said else 404, said or {})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = {name: values[0] for name, values in parse_qs(body).items()}
                self._say(*outer._tokens(form, self.headers.get("Authorization", "")))

            def _say(self, status: int, said: dict[str, Any]) -> None:
                outer.asked.append(self.path)
                status, body, headers = outer.breaks.get(self.path, (status, json.dumps(said).encode(), {}))
                try:
                    self.send_response(status)
                    for name, value in {"Content-Type": "application/json", **headers}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    for at in range(0, len(body), 1 if outer.drip else max(len(body), 1)):
                        self.wfile.write(body[at : at + 1] if outer.drip else body)
                        outer._server.stopping.wait(outer.drip)
                except OSError:
                    return  # whoever asked hung up

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler
