from hypothesis import given
from hypothesis import strategies as st

from backend.certificates.model import FOREVER_MS, Recognition
from backend.certificates.recognition import covers, recognised_as

JIANGSU, NANJING, SUZHOU, SHANGHAI = "320000", "320100", "320500", "310100"
IN_JIANGSU = Recognition("low_carbon", "china_green_product", JIANGSU, 100, 200, "苏文一号")


def test_a_province_covers_its_cities_and_no_others() -> None:
    assert covers(JIANGSU, NANJING)
    assert covers(NANJING, NANJING)
    assert not covers(JIANGSU, SHANGHAI)
    assert not covers(NANJING, SUZHOU)


@given(st.from_regex(r"[1-9][0-9]{5}", fullmatch=True))
def test_the_country_covers_every_region(region: str) -> None:
    assert covers("000000", region)


def test_a_recognition_holds_in_its_region_during_its_period() -> None:
    assert recognised_as("low_carbon", NANJING, 100, [IN_JIANGSU]) == {"china_green_product": IN_JIANGSU}
    assert recognised_as("low_carbon", NANJING, 99, [IN_JIANGSU]) == {}
    assert recognised_as("low_carbon", NANJING, 200, [IN_JIANGSU]) == {}
    assert recognised_as("low_carbon", SHANGHAI, 100, [IN_JIANGSU]) == {}


def test_a_recognition_is_neither_mutual_nor_passed_on_by_itself() -> None:
    onward = Recognition("china_green_product", "eu_ecolabel", JIANGSU, 0, FOREVER_MS, "协议")

    assert recognised_as("china_green_product", NANJING, 150, [IN_JIANGSU]) == {}
    assert set(recognised_as("low_carbon", NANJING, 150, [IN_JIANGSU, onward])) == {"china_green_product"}


def test_the_narrowest_region_explains_an_acceptance() -> None:
    national = Recognition("low_carbon", "china_green_product", "000000", 0, FOREVER_MS, "国文")

    found = recognised_as("low_carbon", NANJING, 150, [national, IN_JIANGSU])

    assert found["china_green_product"].document == "苏文一号"
