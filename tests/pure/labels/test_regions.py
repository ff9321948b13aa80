from backend.labels.regions import cities_within, counties_within, region_name


def test_a_citys_counties_are_those_that_share_its_first_four_digits() -> None:
    nanjing = counties_within("320100")

    assert "320102" in nanjing
    assert list(nanjing) == sorted(nanjing)
    assert {code[:4] for code in nanjing} == {"3201"}
    assert "320100" not in nanjing


def test_a_provinces_cities_have_no_county_among_them() -> None:
    jiangsu = cities_within("32")

    assert {"320000", "320100", "320500"} <= set(jiangsu)
    assert all(code.endswith("00") and region_name(code) for code in jiangsu)


def test_a_place_that_is_none_has_none() -> None:
    assert counties_within("999900") == cities_within("99") == ()
