"""GB/T 2260 codes, abolished ones too: a certificate or a person keeps the code of the day it was issued."""

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
