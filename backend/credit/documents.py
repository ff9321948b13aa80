"""Statements as documents: a verifiable credential (W3C VCDM 2.0, secured as vc+jwt), a presentation, a status list."""

import zlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from backend.credit.model import SHOWN_FOR, STATUS_PLACES, Showing, Statement, sentence
from backend.credit.signing import Signer, TokenRefused, claims_of, encoded, token

CREDENTIAL, PRESENTATION, STATUS = "vc+jwt", "gp-presentation+jwt", "statuslist+jwt"
CONTEXT = "https://www.w3.org/ns/credentials/v2"
LIST_GOOD_FOR = timedelta(hours=12)


class Place(NamedTuple):
    """Where the installation's passport lives, for `iss` and the status list: an address that others reach."""

    issuer: str
    city: str

    @property
    def status_list(self) -> str:
        return f"{self.issuer}/api/public/v1/passport/status-lists/{self.city}"


def credential(signer: Signer, place: Place, statement: Statement) -> str:
    """No subject is named: it says something of whoever it is shown by, and a presentation says to whom."""
    zh, en = sentence(statement.at_least)
    claims = {
        "@context": [CONTEXT],
        "type": ["VerifiableCredential", "GreenPurchasesStatement"],
        "id": f"urn:uuid:{statement.statement}",
        "issuer": place.issuer,
        "validFrom": statement.issued_at.isoformat(),
        "validUntil": statement.expires_at.isoformat(),
        "credentialSubject": {"city": place.city, **_said(statement), "statement": zh, "statement_en": en},
        "status": {"status_list": {"idx": statement.place, "uri": place.status_list}},
        "iss": place.issuer,
        "iat": int(statement.issued_at.timestamp()),
        "exp": int(statement.expires_at.timestamp()),
    }
    return token(signer, CREDENTIAL, claims)


def presentation(signer: Signer, place: Place, statement: Statement, showing: Showing, now: datetime) -> str:
    """Bound to recipient, purpose and nonce, for ten minutes."""
    zh, en = sentence(statement.at_least)
    claims = {
        "iss": place.issuer,
        "city": place.city,
        "aud": showing.recipient,
        "purpose": showing.purpose.value,
        "nonce": showing.nonce,
        "iat": int(now.timestamp()),
        "exp": int(min(now + SHOWN_FOR, statement.expires_at).timestamp()),
        "statement_id": statement.statement,
        **_said(statement),
        "statement": zh,
        "statement_en": en,
        "status": {"status_list": {"idx": statement.place, "uri": place.status_list}},
    }
    return token(signer, PRESENTATION, claims)


def shown(signer: Signer, text: str, recipient: str, nonce: str | None, now: datetime) -> dict[str, Any]:
    """The claims of a presentation made for `recipient`. Raises TokenRefused."""
    claims = claims_of(signer, PRESENTATION, text)
    if claims["aud"] != recipient or claims["exp"] <= now.timestamp() or nonce not in (None, claims["nonce"]):
        raise TokenRefused
    return claims


def status_list(signer: Signer, place: Place, revoked: Iterable[int], now: datetime) -> str:
    """IETF Token Status List, one bit each, 1 for void."""
    bits = bytearray(STATUS_PLACES // 8)
    for one in revoked:
        bits[one // 8] |= 1 << one % 8
    claims = {
        "sub": place.status_list,
        "iat": int(now.timestamp()),
        "exp": int((now + LIST_GOOD_FOR).timestamp()),
        "ttl": 300,
        "status_list": {"bits": 1, "lst": encoded(zlib.compress(bytes(bits), 9))},
    }
    return token(signer, STATUS, claims)


def _said(statement: Statement) -> dict[str, object]:
    return {"kind": "verified_green_purchases", "at_least": statement.at_least, "months": 12}
