"""A state of the registry whose year was a slip is drawn all the same, within the days that the calendar has."""

from datetime import UTC, date, datetime

import pytest

from backend.certificates.picture import picture
from backend.certificates.screens import StateRow


@pytest.mark.parametrize("slipped", [date.min, date.max])
def test_a_day_at_the_calendars_end_is_drawn(slipped: date) -> None:
    at = datetime(2026, 11, 22, 4, tzinfo=UTC)
    usual = StateRow("1", "valid", date(2026, 1, 1), None, None, 1, at, "张三", "import", None)

    drawn = picture([usual, usual._replace(row="2", state="withdrawn", from_on=slipped, version=2)], date(2026, 11, 22))

    assert [line.version for line in drawn.lines] == [2, 1]
    assert 0 <= drawn.today <= 1_000
