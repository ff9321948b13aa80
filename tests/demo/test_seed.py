"""The city is filled by the same doors that real cities use, and filling it twice changes nothing."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from backend.demo import seed
from backend.demo.people import OFFICIALS, add_officials
from backend.storage.transaction import Database

NOW = datetime.now(UTC)
COUNTED = (
    "certificates",
    "certified_products",
    "policy_versions",
    "stores",
    "catalogue_versions",
    "officials",
)


@pytest.fixture
def owner(database_url: str) -> Iterator[Database]:
    database = Database(database_url, role=None, pool_size=2)
    yield database
    database.close()


def _fill(database_url: str, owner: Database, token: Path) -> dict[str, int]:
    seed.import_certificates(owner, NOW)
    seed.publish(database_url, owner, NOW)
    seed.open_shops(owner, token, NOW)
    seed.publish_goods(owner, NOW)
    add_officials(owner, token.with_name("password"), NOW)
    with owner.read() as connection:
        return {table: connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in COUNTED}


def test_filling_the_city_twice_changes_nothing(database_url: str, owner: Database, tmp_path: Path) -> None:
    first = _fill(database_url, owner, tmp_path / "token")

    again = _fill(database_url, owner, tmp_path / "token")

    assert again == first
    assert first["certified_products"] >= 30
    assert first["catalogue_versions"] == 10
    assert first["officials"] == len(OFFICIALS) + 1, "and a retailer's manager"


def test_data_of_an_earlier_release_keep_the_policy_and_the_shops_that_they_have(
    database_url: str, owner: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = tmp_path / "earlier.json"
    earlier.write_text(seed.POLICY.read_text(encoding="utf-8").replace("（", "("), encoding="utf-8")
    with monkeypatch.context() as before:
        before.setattr(seed, "POLICY", earlier)
        before.setattr(seed, "PARTNERS", [replace(shop, name_zh="旧店名") for shop in seed.PARTNERS])
        first = _fill(database_url, owner, tmp_path / "token")

    again = _fill(database_url, owner, tmp_path / "token")

    assert again == first


def test_no_line_of_the_citys_registry_is_refused(owner: Database) -> None:
    assert seed.import_certificates(owner, NOW).errors == ()
