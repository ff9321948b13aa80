"""Counts follow the registry: each version once, what it changed and nothing else, wherever the job was stopped."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from backend.certificates import amend, count_pages, counting
from backend.certificates.amend import StateChange
from backend.certificates.imports import Report
from backend.certificates.model import CertificateState
from backend.storage.transaction import Database
from backend.usecases.count_certificates import count_certificates

Take = Callable[..., Report]
NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
YEAR = date(2026, 1, 1), date(2026, 12, 1)


def _withdraw(database: Database, number: str) -> None:
    change = StateChange(number, None, CertificateState.WITHDRAWN, date(2026, 6, 10), "监督抽查不合格", "李四", NOW)
    amend.change_state(database, change)


def _months(database: Database, region: str) -> list[tuple[int, int, int]]:
    with database.read() as connection:
        found = count_pages.by_month(connection, region, None, YEAR)
    return [(one.valid, one.added, one.withdrawn) for one in found]


def test_a_certificate_counts_in_its_holders_county_city_and_province_until_it_is_withdrawn(
    take: Take, engine_db: Database, fridge: dict[str, str]
) -> None:
    take(fridge)
    assert count_certificates(engine_db) == 1

    county = _months(engine_db, "371323")
    assert county == [(1, 1, 0)] + [(1, 0, 0)] * 11
    assert _months(engine_db, "371300") == _months(engine_db, "370000") == county
    assert _months(engine_db, "371400") == _months(engine_db, "371322") == [(0, 0, 0)] * 12

    _withdraw(engine_db, fridge["certificate_no"])
    assert count_certificates(engine_db) == 1
    assert _months(engine_db, "371300")[4:7] == [(1, 0, 0), (0, 0, 1), (0, 0, 0)]
    assert count_certificates(engine_db) == 0


def test_a_job_that_is_stopped_goes_on_where_it_was(
    take: Take, engine_db: Database, fridge: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [f"202601-27-10000001-1000000{n:05d}" for n in range(5)]
    take(*(fridge | {"certificate_no": number} for number in numbers))
    _withdraw(engine_db, numbers[1])
    monkeypatch.setattr(counting, "BATCH", 2)
    asked = iter([False, True])

    assert count_certificates(engine_db, lambda: next(asked)) == 2
    assert count_certificates(engine_db) == 4
    assert _months(engine_db, "371300") == [(5, 5, 0)] + [(5, 0, 0)] * 4 + [(4, 0, 1)] + [(4, 0, 0)] * 6
