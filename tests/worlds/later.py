"""What happens after the sale: the registry learns of products, a worker decides what waited, the books are verified."""

from datetime import datetime, timedelta

from backend.certificates.cache import RegistryCache
from backend.ledger import chart
from backend.policies.store import PolicyCache
from backend.storage.transaction import Database
from backend.usecases.resolve_products import Resolved, ResolveProducts
from backend.usecases.verify_ledger import verify_ledger
from tests.worlds import books
from tests.worlds.city import NOON, City

LATER = NOON + timedelta(days=3)
"""When the registry comes to know what was unknown."""


def resolver(database: Database) -> ResolveProducts:
    """A worker's own, with caches of its own."""
    return ResolveProducts(database, RegistryCache(), PolicyCache(chart.budget))


def resolve(city: City, now: datetime = LATER) -> Resolved:
    return resolver(city.database).resolve(city.code, now)


def open_codes(database: Database, city: str) -> list[str]:
    """Codes that are still looked for."""
    found = books.rows(
        database, "SELECT key FROM pending_products WHERE city = :c AND resolved_at IS NULL ORDER BY key", c=city
    )
    return [key for (key,) in found]


def assert_sound(database: Database, city: str) -> None:
    """The books balance and every invariant of the verification holds."""
    books.assert_balanced(database, city)
    assert_verified(database, city)


def assert_verified(database: Database, city: str) -> None:
    """Every invariant of the verification holds: for policies beyond what the tests' own books can add up."""
    broken = [finding for verified in verify_ledger(database, city) for finding in verified.findings if finding.broken]
    assert broken == [], broken
