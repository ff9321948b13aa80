"""A city's identity provider, as OpenID Connect has it: discovery, authorization code with PKCE, keys, signed ID tokens.

It is strict where a provider is: a code is good once, for its client, its redirect address and its verifier.
"""

import base64
import hashlib
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, jsonify, redirect, request
from joserfc import jwt
from joserfc.jwk import ECKey
from werkzeug.serving import make_server

CLIENT, SECRET = "console-of-nanjing", "a secret of both"


@dataclass
class IdentityProvider:
    """`login` is who sits at the browser; `claims` change what the next ID token says, `key` who signs it."""

    redirect_url: str
    now: datetime
    url: str = ""
    login: str = "li.na"
    subject: str = "s-1001"
    claims: dict[str, Any] = field(default_factory=dict)
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", auto_kid=True))
    published: list[ECKey] = field(default_factory=list)
    codes: dict[str, Mapping[str, str]] = field(default_factory=dict)
    is_away: bool = False

    def __post_init__(self) -> None:
        self.published.append(self.key)

    def document(self) -> Response:
        names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        return jsonify({"issuer": self.url} | {name: f"{self.url}/{path}" for name, path in names.items()})

    def authorize(self) -> Response:
        asked = request.args.to_dict()
        wanted = {
            "client_id": CLIENT,
            "redirect_uri": self.redirect_url,
            "response_type": "code",
            "code_challenge_method": "S256",
        }
        if any(asked.get(name) != value for name, value in wanted.items()) or "openid" not in asked["scope"].split():
            return Response("invalid_request", 400)
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        answer = redirect(f"{self.redirect_url}?{urlencode({'code': code, 'state': asked['state']})}")
        assert isinstance(answer, Response)
        return answer

    def token(self) -> Response:
        asked, given = self.codes.pop(request.form.get("code", ""), None), request.form
        who = request.authorization
        if who is None or (who.username, who.password) != (CLIENT, SECRET):
            return _refused("invalid_client", 401)
        hashed = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()
        if asked is None or asked["code_challenge"] != challenge or given.get("redirect_uri") != self.redirect_url:
            return _refused("invalid_grant", 400)
        return jsonify(
            {
                "access_token": secrets.token_urlsafe(8),
                "token_type": "Bearer",
                "id_token": self.id_token(asked["nonce"]),
            }
        )

    def id_token(self, nonce: str) -> str:
        said = {
            "iss": self.url,
            "sub": self.subject,
            "aud": CLIENT,
            "iat": int(self.now.timestamp()),
            "exp": int((self.now + timedelta(minutes=5)).timestamp()),
            "nonce": nonce,
            "preferred_username": self.login,
        }
        kept = {name: value for name, value in (said | self.claims).items() if value is not None}
        return jwt.encode({"alg": "ES256", "kid": self.key.kid}, kept, self.key)

    def keys(self) -> Response:
        return jsonify({"keys": [key.as_dict(private=False) for key in self.published]})


@contextmanager
def serving(redirect_url: str, now: datetime) -> Iterator[IdentityProvider]:
    provider, app = IdentityProvider(redirect_url, now), Flask(__name__)

    @app.before_request
    def away() -> Response | None:
        return Response("", 503) if provider.is_away else None

    app.add_url_rule("/.well-known/openid-configuration", view_func=provider.document)
    app.add_url_rule("/authorize", view_func=provider.authorize)
    app.add_url_rule("/token", view_func=provider.token, methods=["POST"])
    app.add_url_rule("/keys", view_func=provider.keys)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield provider
    server.shutdown()
    server.server_close()
    thread.join()


def _refused(error: str, status: int) -> Response:
    answer = jsonify({"error": error})
    answer.status_code = status
    return answer
