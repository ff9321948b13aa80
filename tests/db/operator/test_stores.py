"""A shop is entered once, in a district of its city."""

import json

import pytest

from tests.db.operator.typed import Run, add_store, done, listed, refused
from tests.worlds.city import NANJING, SUZHOU


def test_a_shop_is_entered_and_listed(run: Run) -> None:
    assert done(add_store(run)) == "门店 s1（新街口店）已登记\n"

    assert listed(run, "stores", "--city", NANJING) == [
        {
            "city": NANJING,
            "store": "s1",
            "retailer": "示例超市",
            "name_zh": "新街口店",
            "district": "320102",
            "latitude_e6": None,
            "longitude_e6": None,
        }
    ]
    assert "s1  320102  新街口店  示例超市" in done(run("stores", "list", "--city", NANJING))
    assert listed(run, "stores", "--city", SUZHOU) == []


def test_a_shop_gets_a_place_to_the_millionth_of_a_degree(run: Run) -> None:
    add_store(run)
    place = ("stores", "place", "s1", "--city", NANJING, "--at")

    assert "位置已登记" in done(run(*place, "32.0415,118.784"))

    (shop,) = listed(run, "stores", "--city", NANJING)
    assert (shop["latitude_e6"], shop["longitude_e6"]) == (32_041_500, 118_784_000)
    assert "示例超市  32.0415,118.784" in done(run("stores", "list", "--city", NANJING))
    assert "此前已登记" in done(add_store(run))
    assert refused(run("stores", "place", "s9", "--city", NANJING, "--at", "1,1")).code == "store-unknown"
    for wrong in ("91,0", "0,181", "32", "a,b", "nan,0", "1,2,3", "1e9,0"):
        assert run(*place, wrong).exit_code == 2


def test_who_placed_a_shop_and_when_is_kept(run: Run) -> None:
    add_store(run)
    for at, by in (("32.0415,118.784", "Li"), ("31.327,118.892", "Wang")):
        done(run("stores", "place", "s1", "--city", NANJING, "--at", at, "--by", by))

    later, before = json.loads(done(run("stores", "places", "s1", "--city", NANJING, "--json")))

    assert [(one["placed_by"], one["latitude_e6"]) for one in (before, later)] == [
        ("Li", 32_041_500),
        ("Wang", 31_327_000),
    ]
    assert before["placed_at"] < later["placed_at"]
    assert "31.327,118.892  Wang" in done(run("stores", "places", "s1", "--city", NANJING)).splitlines()[0]
    assert refused(run("stores", "places", "s9", "--city", NANJING)).code == "store-unknown"


def test_the_same_shop_again_changes_nothing(run: Run) -> None:
    add_store(run)

    again = add_store(run)

    assert done(again) == "门店 s1（新街口店）此前已登记，无需更改\n"
    assert len(listed(run, "stores", "--city", NANJING)) == 1


def test_a_shop_number_may_stand_in_two_cities(run: Run) -> None:
    assert "已登记" in done(add_store(run))
    assert "已登记" in done(add_store(run, city=SUZHOU))


@pytest.mark.parametrize(
    ("store", "changes", "sentence"),
    [
        ("s 1", {}, "编号须为"),
        ("", {}, "编号须为"),
        ("s" * 65, {}, "编号须为"),
        ("s1\n", {}, "编号须为"),
        ("s2", {"district": "320502"}, "区县代码不属于该城市"),
        ("s2", {"district": "3201"}, "区县代码不属于该城市"),
        ("s2", {"name": ""}, "名称须为"),
        ("s2", {"retailer": "店" * 101}, "名称须为"),
        ("s1", {"name": "夫子庙店"}, "该编号已登记为另一门店"),
    ],
)
def test_a_shop_that_cannot_be_entered_is_refused(run: Run, store: str, changes: dict[str, str], sentence: str) -> None:
    add_store(run)

    refusal = refused(add_store(run, store, **changes))

    assert refusal.code == "store-refused"
    assert sentence in refusal.sentence_zh
    assert [one["name_zh"] for one in listed(run, "stores", "--city", NANJING)] == ["新街口店"]
