"""Certificates of invented enterprises in Suzhou's districts, so that their counts have something to count; none is sold."""

import random
from collections.abc import Mapping
from datetime import date, timedelta

from stdnum.cn import uscc
from stdnum.ean import calc_check_digit

DISTRICTS = ("320505", "320506", "320507", "320508", "320509", "320581", "320582", "320583", "320585")
SIZES = (2, 3, 2, 2, 4, 2, 3, 5, 2)
KINDS = (
    ("green_food", "粮食", "绿色食品 大米", 5),
    ("china_green_product", "洗涤用品", "绿色产品 洗衣液", 4),
    ("environmental_label", "文具", "环境标志 打印纸", 3),
    ("green_building_material", "涂料", "绿色建材 内墙涂料", 3),
    ("water_saving", "水嘴", "节水水嘴", 2),
)
CERTIFICATES = 160
LONGEST_AGO, TERM = 1_500, 1_096
"""Days: when the first began before the year's end, and how long each holds."""
WITHDRAWN_BP, SUSPENDED_BP = 700, 400
_BODIES = {"green_food": "CGFDC"}


def register_rows(ends: date, on: date) -> list[Mapping[str, str]]:
    """What the register says on the day `on` of a year that ends before `ends`."""
    rng = random.Random(5)  # noqa: S311 - a play, no secret
    rows = (_row(number, ends, on, rng) for number in range(CERTIFICATES))
    return [row for row in rows if row["valid_from"] <= on.isoformat()]


def _row(number: int, ends: date, on: date, rng: random.Random) -> Mapping[str, str]:
    (district,) = rng.choices(DISTRICTS, SIZES)
    ((scheme, category, product, _),) = rng.choices(KINDS, [kind[3] for kind in KINDS])
    # More begin the nearer the year's end is.
    begins = ends - timedelta(days=int(LONGEST_AGO * (1 - rng.random() ** 0.7)) + 1)
    drawn, after = rng.randrange(10_000), rng.randrange(60, 700)
    changes = begins + timedelta(days=after)
    state = "撤销" if drawn < WITHDRAWN_BP else "暂停" if drawn < WITHDRAWN_BP + SUSPENDED_BP else "有效"
    changed = {"state": state, "state_from": changes.isoformat()} if state != "有效" and changes <= on else {}
    code, holder = f"95212350{number:04d}", f"91{district}MA1{number:06d}"
    return {
        "scheme": scheme,
        "certificate_no": f"LB-03-2402{number:06d}A" if scheme == "green_food" else f"DEMO-SZR-{number:06d}",
        "body": _BODIES.get(scheme, "CNCA-R-2002-001"),
        "holder": f"示例制造{number + 1:03d}号（苏州）有限公司",
        "uscc": holder + uscc.calc_check_digit(holder),
        "valid_from": begins.isoformat(),
        "valid_until": (begins + timedelta(days=TERM)).isoformat(),
        "state": "有效",
        "product": f"{product} {number + 1:03d}",
        "category": category,
        "code": code + calc_check_digit(code),
        "grade": "",
        "tier": "2" if scheme == "green_building_material" else "",
        **changed,
    }
