"""How many certificates are valid, by kind, county and month: counted from what was imported, never typed in."""

from collections.abc import Collection
from datetime import date

from flask import Response, request

from backend.certificates import count_pages, queries
from backend.certificates.count_pages import Standing
from backend.kernel.periods import civil_date, milliseconds
from backend.officials.model import PROVINCE_SUFFIX
from backend.web.console import here
from backend.web.console.answers import render
from backend.web.console.connection import read
from backend.web.console.declare import EVERYONE, Topic, page
from backend.web.context import now

SPANS = (12, 36, 60)
"""Months."""


@page(
    "/registry/counts",
    title=("证书统计", "Certificates counted"),
    topic=Topic.REGISTRY,
    roles=EVERYONE,
    menu=("证书统计", "Counts"),
)
def certificates_counted() -> Response:
    city, months = here.city(), _months()
    with read(city) as connection:
        schemes = queries.scheme_names(connection)
        names = {code: here.say(zh, en) for code, zh, en in schemes}
        scheme = _one_of(request.args.get("scheme", ""), names)
        span = _span(months)
        below = [one.key for one in count_pages.by_region(connection, city, None, span) if one.key != city]
        region = here.district() or _one_of(request.args.get("region", ""), below) or city
        by_month = count_pages.by_month(connection, region, scheme, span)
        by_scheme = count_pages.by_scheme(connection, region, scheme, span)
        by_region = count_pages.by_region(connection, region, scheme, span)
        nowhere = count_pages.without_region(connection, scheme, span[1])
        counted_at = count_pages.counted_at(connection)
    return render(
        "registry/counts.html",
        months=months,
        spans=SPANS,
        scheme=scheme or "",
        region=region,
        city=city,
        schemes=[("", here.say("全部认证项目", "Every certification")), *sorted(names.items())],
        regions=[(city, here.say("全部", "All")), *((code, _short(code, city)) for code in below)],
        bound=here.district() is not None,
        names=names,
        by_month=by_month,
        by_scheme=[one for one in by_scheme if _shows(one)],
        by_region=[(_short(one.key, city), one) for one in by_region if _shows(one)],
        whole_span=Standing(
            "",
            by_month[-1].valid,
            sum(one.added for one in by_month),
            sum(one.withdrawn for one in by_month),
            sum(one.expired for one in by_month),
        ),
        nowhere=nowhere,
        counted_at=counted_at,
        at_province=city.endswith(PROVINCE_SUFFIX),
    )


def _months() -> int:
    given = request.args.get("months", "")
    return int(given) if given in map(str, SPANS) else SPANS[0]


def _span(months: int) -> tuple[date, date]:
    """The first and last month, the present one the last."""
    last = civil_date(milliseconds(now())).replace(day=1)
    index = last.year * 12 + last.month - months
    return date(index // 12, index % 12 + 1, 1), last


def _short(code: str, city: str) -> str:
    """What is registered with the city itself is said so."""
    return here.say("市级登记", "The city itself") if code == city else here.district_name(code)


def _one_of(given: str, known: Collection[str]) -> str | None:
    return given if given in known else None


def _shows(one: Standing) -> bool:
    return any(one[1:])
