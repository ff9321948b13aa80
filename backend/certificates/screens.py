"""What pages show of the registry: searches by the beginning of a number or a name, each bounded; schemes, bodies."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from backend.storage.transaction import hot

FOUND_MAX = 50
PRODUCTS_MAX = 200

# Ordered from the text on by an index; what does not begin with it is left out, so that no collation matters.
CERTIFICATES = """
SELECT c.id::text, c.number, c.body, b.name_zh, c.scheme, s.name_zh, t.holder
FROM (SELECT * FROM certificates WHERE number >= %(text)s ORDER BY number, body LIMIT %(limit)s) c
JOIN bodies b ON b.code = c.body JOIN schemes s ON s.code = c.scheme
LEFT JOIN LATERAL (SELECT holder FROM certificate_terms WHERE certificate = c.id ORDER BY recorded_version DESC LIMIT 1) t ON true
ORDER BY c.number, c.body"""

OF_ENTERPRISE = """
SELECT c.id::text, c.number, c.body, b.name_zh, c.scheme, s.name_zh, t.holder
FROM (SELECT DISTINCT ON (certificate) certificate, holder FROM certificate_terms WHERE enterprise = %(uscc)s
      ORDER BY certificate, recorded_version DESC LIMIT %(limit)s) t
JOIN certificates c ON c.id = t.certificate JOIN bodies b ON b.code = c.body JOIN schemes s ON s.code = c.scheme
ORDER BY c.number"""

PRODUCTS = """
SELECT DISTINCT ON (p.registry_key, c.number) p.registry_key, p.product, p.model, p.category, p.grade, p.tier, c.id::text,
       c.number, c.body, p.listed
FROM certified_products p JOIN certificates c ON c.id = p.certificate
WHERE p.registry_key = ANY(%(keys)s::text[])
ORDER BY p.registry_key, c.number, p.recorded_version DESC LIMIT %(limit)s"""

PRODUCTS_NAMED = """
SELECT DISTINCT ON (p.registry_key, c.number) p.registry_key, p.product, p.model, p.category, p.grade, p.tier, c.id::text,
       c.number, c.body, p.listed
FROM (SELECT * FROM certified_products WHERE product >= %(text)s ORDER BY product LIMIT %(limit)s) p
JOIN certificates c ON c.id = p.certificate
ORDER BY p.registry_key, c.number, p.recorded_version DESC"""

ENTERPRISES = """
SELECT uscc, name, region FROM enterprises WHERE name >= %(text)s ORDER BY name LIMIT %(limit)s"""

ENTERPRISE = "SELECT uscc, name, region FROM enterprises WHERE uscc = %(uscc)s"

BODIES = """
SELECT code, name_zh, name_en, approved_from_on, approved_until_on, scope FROM bodies
WHERE code > %(after)s ORDER BY code LIMIT %(limit)s"""

SCHEMES = """
SELECT code, name_zh, name_en, level, max_rate_bp, tiers, valid_from_on, valid_until_on, successor, document
FROM schemes ORDER BY level, code"""

RECOGNITIONS = """
SELECT DISTINCT ON (r.from_scheme, r.to_scheme, r.region, r.from_on) r.from_scheme, f.name_zh, r.to_scheme, t.name_zh,
       r.region, r.from_on, r.until_on, r.document, c.recorded_at, c.recorded_by
FROM recognitions r JOIN schemes f ON f.code = r.from_scheme JOIN schemes t ON t.code = r.to_scheme
JOIN registry_changes c ON c.version = r.recorded_version
ORDER BY r.from_scheme, r.to_scheme, r.region, r.from_on, r.recorded_version DESC LIMIT %(limit)s"""

BY_ID = "SELECT number, body FROM certificates WHERE id = %(id)s"

TERMS = """
SELECT t.id::text, t.valid_from_on, t.valid_until_on, t.holder, t.enterprise, c.version, c.recorded_at, c.recorded_by
FROM certificate_terms t JOIN registry_changes c ON c.version = t.recorded_version
WHERE t.certificate = %(id)s ORDER BY t.recorded_version, t.valid_from_on LIMIT %(limit)s"""

STATES = """
SELECT s.id::text, s.state, s.from_on, s.until_on, s.reason, c.version, c.recorded_at, c.recorded_by, c.cause, i.source
FROM certificate_states s JOIN registry_changes c ON c.version = s.recorded_version
LEFT JOIN import_batches i ON i.id = c.batch
WHERE s.certificate = %(id)s ORDER BY s.recorded_version, s.from_on, s.id LIMIT %(limit)s"""


class FoundCertificate(NamedTuple):
    id: str
    number: str
    body: str
    body_name: str
    scheme: str
    scheme_name: str
    holder: str | None


class FoundProduct(NamedTuple):
    key: str
    product: str
    model: str | None
    category: str | None
    grade: int | None
    tier: int | None
    certificate: str
    number: str
    body: str
    listed: bool


class Enterprise(NamedTuple):
    uscc: str
    name: str
    region: str


class Body(NamedTuple):
    code: str
    name_zh: str
    name_en: str | None
    approved_from_on: date | None
    approved_until_on: date | None
    scope: str | None


class Scheme(NamedTuple):
    """`level` is what a scan of its label proves at best; no policy may pay more than `max_rate_bp` for it."""

    code: str
    name_zh: str
    name_en: str
    level: str
    max_rate_bp: int
    tiers: int | None
    valid_from_on: date | None
    valid_until_on: date | None
    successor: str | None
    document: str | None


class ShownRecognition(NamedTuple):
    from_scheme: str
    from_name: str
    to_scheme: str
    to_name: str
    region: str
    from_on: date
    until_on: date | None
    document: str
    recorded_at: datetime
    recorded_by: str


class TermRow(NamedTuple):
    row: str
    from_on: date
    until_on: date | None
    holder: str
    enterprise: str | None
    version: int
    recorded_at: datetime
    recorded_by: str


class StateRow(NamedTuple):
    row: str
    state: str
    from_on: date
    until_on: date | None
    reason: str | None
    version: int
    recorded_at: datetime
    recorded_by: str
    cause: str
    source: str | None


@dataclass(frozen=True, slots=True)
class Search:
    certificates: Sequence[FoundCertificate] = ()
    products: Sequence[FoundProduct] = ()
    enterprises: Sequence[Enterprise] = ()

    @property
    def empty(self) -> bool:
        return not (self.certificates or self.products or self.enterprises)


def search(connection: Connection, text: str, keys: Sequence[str]) -> Search:
    """What begins with `text`, or bears one of the registry keys that it was read as; fifty of each kind at most."""
    number = text.upper()
    certificates = _many(connection, CERTIFICATES, FoundCertificate, text=number)
    named = _many(connection, ENTERPRISES, Enterprise, text=text)
    coded = _many(connection, ENTERPRISE, Enterprise, uscc=number)
    products = _many(connection, PRODUCTS, FoundProduct, keys=list(keys)) if keys else []
    if not products:
        products = [
            one for one in _many(connection, PRODUCTS_NAMED, FoundProduct, text=text) if one.product.startswith(text)
        ]
    return Search(
        [one for one in certificates if one.number.startswith(number)],
        products,
        [*coded, *(one for one in named if one.name.startswith(text))],
    )


def enterprise(connection: Connection, uscc: str) -> Enterprise | None:
    found = _many(connection, ENTERPRISE, Enterprise, uscc=uscc)
    return found[0] if found else None


def certificates_of(connection: Connection, uscc: str) -> list[FoundCertificate]:
    """Of an enterprise; two hundred at most."""
    return _many(connection, OF_ENTERPRISE, FoundCertificate, limit=PRODUCTS_MAX, uscc=uscc)


def bodies(connection: Connection, after: str, limit: int) -> list[Body]:
    return _many(connection, BODIES, Body, after=after, limit=limit)


def schemes(connection: Connection) -> list[Scheme]:
    """All: a few dozen."""
    return _many(connection, SCHEMES, Scheme)


def recognitions(connection: Connection) -> list[ShownRecognition]:
    """Those in the map now; two hundred at most."""
    return _many(connection, RECOGNITIONS, ShownRecognition, limit=PRODUCTS_MAX)


def number_of(connection: Connection, certificate: str) -> tuple[str, str] | None:
    """Number and body of a certificate by its id."""
    row = hot(connection, BY_ID, {"id": certificate}).fetchone()
    return None if row is None else (row[0], row[1])


def terms(connection: Connection, certificate: str) -> list[TermRow]:
    """All that was recorded, in that order; two hundred at most."""
    return _many(connection, TERMS, TermRow, limit=PRODUCTS_MAX, id=certificate)


def states(connection: Connection, certificate: str) -> list[StateRow]:
    """All that was recorded, in that order; two hundred at most."""
    return _many(connection, STATES, StateRow, limit=PRODUCTS_MAX, id=certificate)


def _many(connection: Connection, statement: str, made: Any, *, limit: int = FOUND_MAX, **given: object) -> list[Any]:
    return [made(*row) for row in hot(connection, statement, {"limit": limit, **given})]
