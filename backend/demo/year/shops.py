"""Suzhou's invented shops and tills. `raises` and `sweeps` are the two that misuse the scheme."""

from dataclasses import dataclass

from backend.retailers.store import Store

SUZHOU = "320500"
FOOD, HOME, APPLIANCES, BUILDING = "food", "home", "appliances", "building"


@dataclass(frozen=True, slots=True)
class Shop:
    """`weight`: its part of all sales. `opens`: on which day of the year it joins."""

    store: Store
    kind: str
    tills: int
    weight: int
    opens: int = 0

    def device(self, number: int) -> str:
        return f"{self.store.store}-{number:02d}"


def _shop(name: str, retailer: str, name_zh: str, district: str) -> Store:
    return Store(SUZHOU, f"sz-demo-{name}", retailer, name_zh, district)


SHOPS = (
    Shop(_shop("market-gusu", "示例超市（苏州）有限公司", "示例超市（观前街）", "320508"), FOOD, 3, 26),
    Shop(_shop("market-wuzhong", "示例超市（苏州）有限公司", "示例超市（吴中）", "320506"), FOOD, 2, 18),
    Shop(_shop("market-wujiang", "示例鲜生商贸有限公司", "示例鲜生（吴江）", "320509"), FOOD, 2, 12, opens=70),
    Shop(_shop("home-huqiu", "示例日用百货有限公司", "示例日用（虎丘）", "320505"), HOME, 1, 12),
    Shop(_shop("home-xiangcheng", "示例日用百货有限公司", "示例日用（相城）", "320507"), HOME, 1, 8, opens=120),
    Shop(_shop("appliance-gusu", "示例家电（苏州）有限公司", "示例家电（石路）", "320508"), APPLIANCES, 1, 7),
    Shop(_shop("appliance-kunshan", "示例电器城有限公司", "示例电器城（昆山）", "320583"), APPLIANCES, 1, 5),
    Shop(_shop("building-wuzhong", "示例建材家居有限公司", "示例建材（吴中）", "320506"), BUILDING, 1, 4, opens=40),
)
DISTRICT_PLACES = {
    "320505": (31_296_000, 120_573_000),
    "320506": (31_263_000, 120_632_000),
    "320507": (31_369_000, 120_643_000),
    "320508": (31_311_000, 120_617_000),
    "320509": (31_160_000, 120_641_000),
    "320583": (31_385_000, 120_981_000),
}
"""About the middle of each district (WGS 84, millionths of a degree): where its invented shops stand."""
PARTNERS = (
    _shop("metro", "示例轨道交通集团有限公司", "示例轨道交通服务点（人民路）", "320508"),
    _shop("garden", "示例园林管理处", "示例园林售票处", "320508"),
)
RAISER = "sz-demo-appliance-kunshan"
"""Raises its prices in the weeks before the November sales, under the subsidy."""
SWEEPER, SWEPT_CASHIER = "sz-demo-market-wuzhong", "c09"
"""Where one cashier shows a friend's code at strangers' sales."""
