"""GB/T 2260 codes, abolished ones too: a certificate or a person keeps the code of the day it was issued."""

from functools import cache

from stdnum import numdb


def _load() -> dict[str, str]:
    """Every code of six digits with its latest name. The table ships inside python-stdnum (`cn/loc`)."""
    names: dict[str, str] = {}
    for _, province, _, properties, counties in numdb.get("cn/loc").prefixes:
        for _, county, _, county_properties, _ in counties:
            name = county_properties.get("county", "").rpartition("]")[2]
            names[province + county] = properties["province"] + name
        names[f"{province}0000"] = properties["province"]
    return names


REGIONS = _load()
PROVINCES = frozenset(code[:2] for code in REGIONS)


def region_name(code: str) -> str | None:
    return REGIONS.get(code)


@cache
def counties_within(city: str) -> tuple[str, ...]:
    """The codes of all counties, in order, of a city of six digits. Among some four thousand they are looked for once."""
    return tuple(sorted(code for code in REGIONS if code.startswith(city[:4]) and not code.endswith("00")))


@cache
def cities_within(province: str) -> tuple[str, ...]:
    """The codes of all cities, in order, of a province of two digits, with the province's own and what it runs itself (90)."""
    return tuple(sorted(code for code in REGIONS if code.startswith(province) and code.endswith("00")))
