"""What watches compare a sale with: the usual price of its code, and the journey since its person's last sale. Pure."""

from collections.abc import Mapping
from datetime import date, timedelta
from math import asin, cos, radians, sin, sqrt
from typing import NamedTuple

from backend.labels.model import Reading

PRICED_AS = """CASE WHEN left(d.label_key, 10) = 'sgtin:(01)' THEN 'gtin:' || substr(d.label_key, 11, 14)
  WHEN left(d.label_key, 11) = 'grai:(8003)' THEN left(d.label_key, 25) ELSE d.label_key END"""
"""SQL for `priced_as` of a decision `d`."""

KMH_MAX = 99_999
"""Said of what is farther than any speed explains, as two places at one moment."""
CLOCKS_S = 60
"""Added to the time between two sales: two tills' clocks need not agree to the second."""
_EARTH_M = 6_371_009
_WEEK = timedelta(days=7)


def priced_as(reading: Reading) -> str | None:
    """Under which key the usual price of its goods is reckoned: of a label of one piece that of its model, as each piece is
    sold but once.
    """
    return reading.registry_keys[0] if reading.registry_keys else reading.key


class Place(NamedTuple):
    """A shop's position (WGS 84), in millionths of a degree."""

    latitude_e6: int
    longitude_e6: int


class Signals(NamedTuple):
    """Of a batch: medians by (label key, first day of a week), journeys by basket in km an hour. What is absent is unknown."""

    medians: Mapping[tuple[str, date], int]
    journeys: Mapping[str, int]

    def of(self, basket: str, label_key: str | None, sold_on: date) -> tuple[int | None, int | None]:
        """The median of a sale's own week, or of the week before where that is not reckoned yet; and its journey."""
        median = None
        if label_key is not None and self.medians:
            week = week_of(sold_on)
            median = self.medians.get((label_key, week)) or self.medians.get((label_key, week - _WEEK))
        return median, self.journeys.get(basket)


def week_of(on: date) -> date:
    """The Monday of the civil week that holds `on`."""
    return on - timedelta(days=on.weekday())


def weeks_before(on: date) -> tuple[date, date]:
    """The weeks whose medians a sale of the day `on` may be compared with, the later first."""
    week = week_of(on)
    return week, week - _WEEK


def kmh(one: Place, other: Place, between_s: int) -> int:
    """The speed of a straight journey from `one` to `other` in `between_s` seconds, in km an hour, rounded down."""
    return min(distance_m(one, other) * 3_600 // (1_000 * (max(between_s, 0) + CLOCKS_S)), KMH_MAX)


def distance_m(one: Place, other: Place) -> int:
    """The great-circle distance in metres, rounded down, by the haversine formula on the mean radius of WGS 84."""
    north, east, north2, east2 = (radians(degrees_e6 / 1_000_000) for degrees_e6 in (*one, *other))
    chord = sin((north2 - north) / 2) ** 2 + cos(north) * cos(north2) * sin((east2 - east) / 2) ** 2
    return int(2 * _EARTH_M * asin(sqrt(min(chord, 1.0))))
