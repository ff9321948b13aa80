"""Writes of claims, certificates and keys (they cross cities by nature: ids name no city), of boots and of alarms."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection

from backend.devices.enrolment.clones import Birth
from backend.devices.enrolment.model import OLD_KEY_VALIDITY, Claim, Issued
from backend.storage.columns import numbers, words
from backend.storage.transaction import hot

SUPERSEDE = """
UPDATE device_claims SET superseded_at = %(now)s
WHERE device = %(device)s AND superseded_at IS NULL AND used_at IS NULL"""

INSERT_CLAIM = """
INSERT INTO device_claims (claim_hash, city, store, device, replaces, issued_at, expires_at)
VALUES (%(claim_hash)s, %(city)s, %(store)s, %(device)s, %(replaces)s, %(issued_at)s, %(expires_at)s)"""

LOCK_CLAIM = """
SELECT city, store, device, issued_at, expires_at, superseded_at IS NOT NULL, keys_sha256
FROM device_claims WHERE claim_hash = %(claim_hash)s FOR UPDATE"""

USE_CLAIM = """
UPDATE device_claims SET used_at = %(now)s, keys_sha256 = %(keys_sha256)s, hw_serial = %(hw_serial)s
WHERE claim_hash = %(claim_hash)s AND used_at IS NULL"""

INSERT_CERTIFICATE = """
INSERT INTO device_certificates (device, keys_sha256, key_id, certificate, not_after, issued_at)
VALUES (%(device)s, %(keys_sha256)s, %(key_id)s, %(certificate)s, %(not_after)s, %(now)s)"""

CERTIFICATE = """
SELECT device, key_id, certificate, not_after FROM device_certificates
WHERE device = %(device)s AND keys_sha256 = %(keys_sha256)s"""

LIFE = """
SELECT issued_at, not_after FROM device_certificates WHERE device = %(device)s AND key_id = %(key_id)s
ORDER BY issued_at DESC LIMIT 1"""

SUPERSEDE_KEYS = """
UPDATE device_keys SET retires_at = %(until)s
WHERE device = %(device)s AND key_id <> %(key_id)s AND (retires_at IS NULL OR retires_at > %(until)s)"""

RETIRE_KEYS = """
UPDATE device_keys SET retires_at = %(now)s WHERE device = %(device)s AND retires_at > %(now)s"""

SAVE_BOOTS = """
INSERT INTO device_boots (city, device, stream, boot, session)
SELECT %(city)s, t.device, t.stream, t.boot, t.session
FROM unnest(%(devices)s::text[], %(streams)s::text[], %(boots)s::text[], %(sessions)s::bigint[])
     t(device, stream, boot, session)
ON CONFLICT (city, device, stream, boot)
DO UPDATE SET session = excluded.session WHERE excluded.session > device_boots.session"""

ALARM = """
INSERT INTO device_alarms (city, device, kind, subject, times, first_at, last_at)
VALUES (%(city)s, %(device)s, %(kind)s, %(subject)s, 1, %(now)s, %(now)s)
ON CONFLICT (city, device, kind, subject)
DO UPDATE SET times = device_alarms.times + 1, last_at = excluded.last_at"""


class Alarm(StrEnum):
    """Used a claim that another till has taken; sent other content under a used number; lives twice at a time; changed its
    keys long before it had to; signs by a key that has ended.
    """

    CLAIM_REUSED = "claim_reused"
    STREAM_CONFLICT = "stream_conflict"
    STREAM_IN_TWO_PLACES = "stream_in_two_places"
    EARLY_ROTATION = "early_rotation"
    RETIRED_KEY = "retired_key"


def insert_claim(connection: Connection, claim_hash: bytes, claim: Claim, *, replaces: str | None) -> None:
    """The only claim of its device from now on that may be taken."""
    hot(connection, SUPERSEDE, {"device": claim.device, "now": claim.issued_at})
    hot(connection, INSERT_CLAIM, {**claim._asdict(), "claim_hash": claim_hash, "replaces": replaces})


def lock_claim(connection: Connection, claim_hash: bytes) -> Claim | None:
    """The claim, locked until COMMIT."""
    row = hot(connection, LOCK_CLAIM, {"claim_hash": claim_hash}).fetchone()
    if row is None:
        return None
    *facts, taken_by = row
    return Claim(*facts, None if taken_by is None else bytes(taken_by))  # type: ignore[call-arg]  # as selected


def use_claim(connection: Connection, claim_hash: bytes, keys_sha256: bytes, hw_serial: str, now: datetime) -> None:
    facts = {"claim_hash": claim_hash, "keys_sha256": keys_sha256, "hw_serial": hw_serial, "now": now}
    assert hot(connection, USE_CLAIM, facts).rowcount == 1


def insert_certificate(connection: Connection, issued: Issued, keys_sha256: bytes, now: datetime) -> None:
    hot(connection, INSERT_CERTIFICATE, {**issued._asdict(), "keys_sha256": keys_sha256, "now": now})


def certificate_of(connection: Connection, device: str, keys_sha256: bytes) -> Issued | None:
    row = hot(connection, CERTIFICATE, {"device": device, "keys_sha256": keys_sha256}).fetchone()
    return Issued(*row) if row else None


def life_of(connection: Connection, device: str, key_id: str) -> tuple[datetime, datetime] | None:
    """When the certificate that came with a key was issued, and when it ends; None for a key that was entered by hand."""
    row = hot(connection, LIFE, {"device": device, "key_id": key_id}).fetchone()
    return (row[0], row[1]) if row else None


def supersede_keys(connection: Connection, device: str, key_id: str, now: datetime) -> None:
    """Every other key of the device ends within 30 days."""
    hot(connection, SUPERSEDE_KEYS, {"device": device, "key_id": key_id, "until": now + OLD_KEY_VALIDITY})


def retire_keys(connection: Connection, device: str, now: datetime) -> None:
    """What was superseded ends now: the new key was used."""
    hot(connection, RETIRE_KEYS, {"device": device, "now": now})


def save_boots(connection: Connection, city: str, births: Iterable[Birth]) -> None:
    """Keeps the latest session of each boot, whatever came first."""
    latest = sorted({birth[:3]: birth for birth in sorted(births)}.values())
    facts = {
        "city": city,
        "devices": words([birth.device for birth in latest]),
        "streams": words([birth.stream for birth in latest]),
        "boots": words([birth.boot for birth in latest]),
        "sessions": numbers([birth.session for birth in latest]),
    }
    hot(connection, SAVE_BOOTS, facts)


def raise_alarm(connection: Connection, city: str, device: str, kind: Alarm, subject: str, now: datetime) -> None:
    """`subject`: what it is about, such as the till's stream."""
    facts = {"city": city, "device": device, "kind": kind.value, "subject": subject, "now": now}
    hot(connection, ALARM, facts)
