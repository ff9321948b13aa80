import csv
import io
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

import pytest

from backend.certificates import imports
from backend.certificates.headings import HEADINGS
from backend.certificates.imports import Report, Source
from backend.storage.transaction import Database

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
FRIDGE = {
    "scheme": "energy_label",
    "certificate_no": "202601-27-10000001-100000000001",
    "body": "CNIS",
    "holder": "示例电器有限公司",
    "uscc": "91371323760038087M",
    "product": "家用电冰箱",
    "model": "BCD-500W",
    "code": "9521234543213",
    "category": "冰箱",
    "grade": "1",
    "valid_from": "2026-01-01",
    "valid_until": "2028-12-31",
    "state": "有效",
}
Cells = Mapping[str, str]


@pytest.fixture
def fridge() -> dict[str, str]:
    return dict(FRIDGE)


@pytest.fixture
def as_csv() -> Callable[[Iterable[Cells]], bytes]:
    def write(rows: Iterable[Cells]) -> bytes:
        text = io.StringIO()
        lines = csv.writer(text)
        lines.writerow([heading.zh for heading in HEADINGS.values()])
        lines.writerows([row.get(name, "") for name in HEADINGS] for row in rows)
        return text.getvalue().encode()

    return write


@pytest.fixture
def take(engine_db: Database, as_csv: Callable[[Iterable[Cells]], bytes]) -> Callable[..., Report]:
    """Imports rows as a CSV file; keyword `now` for when."""

    def run(*rows: Cells, now: datetime = NOW, dry_run: bool = False) -> Report:
        return imports.import_file(
            engine_db, as_csv(rows), Source("能效标识备案", "fridges.csv", "张三", now), dry_run=dry_run
        )

    return run
