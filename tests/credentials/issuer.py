"""A foreign issuer on loopback: signs tokens, and publishes its keys over real HTTP."""

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from authz.decisions import facts as f
from tests.peers.serving import Serving

NAME = "https://idp.example.com"
AUDIENCE = "gatehouse"
NOW = 1_760_000_000
KINDS: dict[str, Callable[[], Any]] = {
    "RS256": lambda: RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"}),
    "PS256": lambda: RSAKey.generate_key(2048, {"kid": "pss", "use": "sig"}),
    "ES256": lambda: ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"}),
    "ES384": lambda: ECKey.generate_key("P-384", {"kid": "ec384", "use": "sig"}),
    "EdDSA": lambda: OKPKey.generate_key("Ed25519", {"kid": "okp", "use": "sig"}),
}
ALGORITHMS = tuple(KINDS)
MADE: dict[str, Any] = {}


def key_for(algorithm: str) -> Any:
    """Return the key that this issuer signs with; making one takes a while, so it is made once."""
    if algorithm not in MADE:
        MADE[algorithm] = KINDS[algorithm]()
    return MADE[algorithm]


def claims(**more: Any) -> dict[str, Any]:
    """Return what a good token for Alice says; a claim that is None is left out."""
    said = {"iss": NAME, "aud": AUDIENCE, "email": "alice@example.com", "iat": NOW, "exp": NOW + 300} | more
    return {name: value for name, value in said.items() if value is not None}


def signed(said: dict[str, Any] | bytes, algorithm: str = "ES256", *, key: Any = None, **header: Any) -> str:
    """Return a token; a part of the header that is None is left out."""
    key = key or key_for(algorithm)
    head = {"alg": algorithm, "kid": key.kid, "typ": "JWT"} | header
    payload = said if isinstance(said, bytes) else json.dumps(said).encode()
    registry = jws.JWSRegistry(algorithms=[*ALGORITHMS, "HS256"], strict_check_header=False)
    return jws.serialize_compact(
        {name: value for name, value in head.items() if value is not None}, payload, key, registry=registry
    )


def published(*keys: Any) -> str:
    """Return a JWK set with the public halves of keys."""
    return json.dumps(KeySet(list(keys)).as_dict(private=False))


def trusted(number: int = 1, *, url: str = "", jwks: str = "", **more: Any) -> f.IssuerIs:
    """Return the fact that this issuer is trusted, with its keys or with where they are fetched."""
    if not url and not jwks:
        jwks = published(*(key_for(algorithm) for algorithm in ALGORITHMS))
    return f.IssuerIs(number, NAME, (AUDIENCE,), "email", ALGORITHMS, url, jwks)._replace(**more)


class Server:
    """Publishes keys on a loopback port, and counts how often they are asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.body: bytes = published(key_for("ES256")).encode()
        self.status = 200
        self.headers: dict[str, str] = {}
        self.pause = 0.0
        """Seconds between two bytes; with one, the answer drips."""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                self.send_response(outer.status)
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(outer.body)))
                self.end_headers()
                try:
                    for start in range(0, len(outer.body), 1 if outer.pause else len(outer.body) or 1):
                        self.wfile.write(outer.body[start : start + 1] if outer.pause else outer.body)
                        outer._server.stopping.wait(outer.pause)
                except OSError:
                    return  # whoever asked hung up

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = Serving(Handler)
        self.url = f"http://127.0.0.1:{self._server.port}/jwks"

    def stop(self) -> None:
        """Close the port, and hang up on everybody."""
        self._server.stop()
