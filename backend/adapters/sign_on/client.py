"""Asks a city's identity provider who is there: discovery, the redirect, the exchange of the code, the ID token."""

import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import httpx
import structlog
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from backend.sign_on_file import Provider
from backend.usecases.sign_on import Identity, SignOnAway, SignOnRefused, Started

TIMEOUT_S = 5.0
KEPT_S = 600.0
"""How long discovery and keys are believed; an unknown key asks for them anew at once."""
LEEWAY_S = 60
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
"""None that an attacker could make with what is public."""
SCOPE = "openid profile"

log = structlog.get_logger()


class SignOnClient:
    """Of one provider; shared by the threads of a process."""

    def __init__(self, provider: Provider, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.provider = provider
        self._http = httpx.Client(timeout=TIMEOUT_S, trust_env=False, follow_redirects=False)
        self._clock, self._lock = clock, threading.Lock()
        self._known: dict[str, tuple[float, Any]] = {}

    def close(self) -> None:
        self._http.close()

    def start(self, state: str, nonce: str, verifier: str) -> Started:
        """Where the browser is sent, and what it must bring back. Raises SignOnAway."""
        address = prepare_grant_uri(
            self._endpoint("authorization_endpoint"),
            client_id=self.provider.client_id,
            response_type="code",
            redirect_uri=self.provider.redirect_url,
            scope=SCOPE,
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )
        return Started(address, state, nonce, verifier)

    def identity(self, code: str, started: Started, now: datetime) -> Identity:
        """Who the code is of. Raises SignOnAway, SignOnRefused."""
        asked = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.provider.redirect_url,
            "code_verifier": started.verifier,
        }
        secret = (self.provider.client_id, self.provider.client_secret)
        answer = self._call("POST", self._endpoint("token_endpoint"), data=asked, auth=secret)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise SignOnRefused
        claims = self._claims(token, started.nonce, now)
        login = claims.get(self.provider.login_claim)
        if not isinstance(login, str) or not login:
            log.warning("sign_on_without_login", city=self.provider.city, claim=self.provider.login_claim)
            raise SignOnRefused
        return Identity(self.provider.city, claims["sub"], login.lower())

    def _claims(self, token: str, nonce: str, now: datetime) -> Mapping[str, Any]:
        try:
            decoded = self._decoded(token)
            options: dict[str, Any] = {
                "iss": {"essential": True, "value": self.provider.issuer},
                "aud": {"essential": True, "value": self.provider.client_id},
            }
            params = {"nonce": nonce, "client_id": self.provider.client_id}
            claims = CodeIDToken(decoded.claims, decoded.header, options, params)
            claims.validate(now=int(now.timestamp()), leeway=LEEWAY_S)
        except (JoseError, ValueError, KeyError) as fault:
            log.warning("sign_on_token_refused", city=self.provider.city, fault=type(fault).__name__)
            raise SignOnRefused from None
        return dict(claims)

    def _decoded(self, token: str) -> jwt.Token:
        """An unknown key may be a new one: the keys are asked for once more."""
        try:
            return jwt.decode(token, self._keys(), algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            self._forget("keys")
            return jwt.decode(token, self._keys(), algorithms=ALGORITHMS)

    def _keys(self) -> KeySet:
        found = self._kept("keys", lambda: self._call("GET", self._endpoint("jwks_uri")))
        return KeySet.import_key_set(found)

    def _endpoint(self, name: str) -> str:
        """Raises SignOnAway where the provider does not name itself and its endpoints as it must."""
        where = f"{self.provider.issuer.rstrip('/')}/.well-known/openid-configuration"
        document = self._kept("document", lambda: self._call("GET", where))
        endpoint = document.get(name)
        if document.get("issuer") != self.provider.issuer or not isinstance(endpoint, str):
            log.error("sign_on_misconfigured", city=self.provider.city, endpoint=name)
            raise SignOnAway
        return endpoint

    def _kept(self, what: str, ask: Callable[[], dict[str, Any]]) -> Any:
        with self._lock:
            found = self._known.get(what)
        if found is not None and found[0] > self._clock():
            return found[1]
        value = ask()
        with self._lock:
            self._known[what] = (self._clock() + KEPT_S, value)
        return value

    def _forget(self, what: str) -> None:
        with self._lock:
            self._known.pop(what, None)

    def _call(self, method: str, url: str, **more: Any) -> dict[str, Any]:
        try:
            answer = self._http.request(method, url, headers={"Accept": "application/json"}, **more)
            body = answer.json()
        except (httpx.HTTPError, ValueError):
            log.warning("sign_on_away", city=self.provider.city)
            raise SignOnAway from None
        if answer.status_code in (400, 401, 403):
            raise SignOnRefused
        if answer.is_error or not isinstance(body, dict):
            raise SignOnAway
        return body
