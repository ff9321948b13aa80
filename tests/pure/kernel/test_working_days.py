"""The day by which an appeal, or a report, is answered."""

from datetime import date

import pytest

from backend.kernel.periods import working_days_after


@pytest.mark.parametrize(
    ("filed", "days", "due"),
    [
        ("2026-11-23", 1, "2026-11-24"),
        ("2026-11-27", 1, "2026-11-30"),
        ("2026-11-28", 1, "2026-11-30"),
        ("2026-11-29", 5, "2026-12-04"),
        ("2026-11-23", 15, "2026-12-14"),
        ("2026-12-31", 1, "2027-01-01"),
    ],
)
def test_only_mondays_to_fridays_count(filed: str, days: int, due: str) -> None:
    assert working_days_after(date.fromisoformat(filed), days) == date.fromisoformat(due)
