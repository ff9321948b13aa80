"""Whether a till is there, from what it said and when."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.devices.health.model import Condition, Health, Presence
from backend.devices.health.read import health_of, presence_of, read_state
from backend.devices.health.standing import standing

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
BORN = NOW - timedelta(hours=5)
ALIVE, DEAD = (Presence(online, 7, BORN, "1.0", None) for online in (True, False))


def health(ago_s: int, every_s: int = 60) -> Health:
    return health_of(f'{{"every_s":{every_s}}}', NOW - timedelta(seconds=ago_s))


@pytest.mark.parametrize(
    ("presence", "said", "condition", "since"),
    [
        (None, None, Condition.NEVER, None),
        (ALIVE, health(179), Condition.ONLINE, BORN),
        (ALIVE, health(180), Condition.ONLINE, BORN),
        (ALIVE, health(181), Condition.SILENT, NOW - timedelta(seconds=181)),
        (ALIVE, health(181, every_s=600), Condition.ONLINE, BORN),
        (ALIVE, health(6, every_s=1), Condition.SILENT, NOW - timedelta(seconds=6)),
        (ALIVE, None, Condition.SILENT, BORN),
        (ALIVE._replace(since=NOW), health(9_999), Condition.ONLINE, NOW),
        (DEAD, health(1), Condition.OFFLINE, BORN),
        (None, health(1), Condition.ONLINE, NOW - timedelta(seconds=1)),
    ],
)
def test_three_missed_words_are_silence_and_a_death_is_final(
    presence: Presence | None, said: Health | None, condition: Condition, since: datetime | None
) -> None:
    assert standing(presence, said, NOW) == (condition, since)


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_no_bytes_break_the_reading_of_a_state(payload: bytes) -> None:
    found = read_state(payload)

    assert found is None or found.session >= 0


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=5),
        lambda inner: st.dictionaries(
            st.sampled_from(["every_s", "outbox", "clk", "src", "baskets", "cert_ends_s", "fw", "source", "open"]),
            inner,
            max_size=6,
        ),
        max_leaves=12,
    )
)
def test_no_report_breaks_the_reading_of_health_and_none_steers_a_terminal(value: object) -> None:
    import json

    text = json.dumps({"fw": value, "clk": value, "outbox": value, "every_s": value, "source": value})

    said, born = health_of(text, NOW), presence_of(text, session=1, online=True, since=NOW)

    assert 1 <= said.every_s <= 3_600
    assert all(word is None or word.isprintable() for word in (said.clock, said.source, born.firmware))
