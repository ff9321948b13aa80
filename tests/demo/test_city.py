"""The demonstration's data hold together: everything on a counter can be read, and every certificate imported."""

import csv

import pytest

from backend.certificates.headings import find_columns
from backend.certificates.rows import Row, read_row, register
from backend.demo.city import CERTIFICATES, POLICY, POLICY_NAME, Goods, all_goods, picture_sales
from backend.labels.model import Scheme
from backend.labels.parse import parse
from backend.policies.document import load_policy

SCHEMES = [
    ("energy_label", "能源效率标识", "China Energy Label"),
    ("water_label", "水效标识", "China Water Efficiency Label"),
    ("organic", "有机产品认证", "Organic product"),
    ("green_food", "绿色食品", "Green Food"),
    ("china_green_product", "绿色产品认证", "China Green Product"),
    ("green_building_material", "绿色建材产品认证", "Green building material"),
    ("green_packaging", "快递包装绿色产品认证", "Green courier packaging"),
    ("environmental_label", "中国环境标志产品认证", "China Environmental Labelling"),
    ("water_saving", "节水产品认证", "Water-saving product"),
    ("carbon_footprint", "产品碳足迹标识认证", "Product carbon footprint"),
]
BODIES = [(f"CNCA-R-2002-{serial}", serial) for serial in ("001", "002", "005", "012")] + [
    ("CNIS", "中国标准化研究院"),
    ("CGFDC", "中国绿色食品发展中心"),
]


def _rows() -> list[Row]:
    lines = list(csv.reader(CERTIFICATES.read_text(encoding="utf-8").splitlines()))
    columns = find_columns(lines[0])
    assert not columns.ignored
    known = register(SCHEMES, BODIES)
    found = []
    for number, line in enumerate(lines[1:], start=2):
        values = {name: line[position] for name, position in columns.positions.items()}
        row = read_row(number, values, columns.headings, known)
        assert isinstance(row, Row), row
        found.append(row)
    return found


def test_every_certificate_of_the_city_can_be_imported() -> None:
    rows = _rows()

    assert len(rows) >= 30
    assert len({(row.key, row.number, row.body) for row in rows}) == len(rows)


def test_every_product_number_is_one_that_gs1_keeps_for_examples() -> None:
    gtins = [row.key for row in _rows() if row.key.startswith("gtin:")]

    assert gtins
    assert all(key.startswith("gtin:0952") for key in gtins)


def test_the_policy_is_a_valid_document() -> None:
    policy = load_policy(POLICY.read_text(encoding="utf-8"))

    assert policy.policy == POLICY_NAME
    assert policy.budgets[0].amount > 0


@pytest.mark.parametrize("goods", list(all_goods(1)), ids=lambda goods: goods.code[:24])
def test_what_lies_on_a_counter_is_in_the_registry_or_refused_by_name(goods: Goods) -> None:
    code = goods.code.replace("(", "").replace(")", "") if goods.symbology == "GS1_DATAMATRIX" else goods.code
    reading = parse(code, aim="]d2" if goods.symbology == "GS1_DATAMATRIX" else None)
    certified = {row.key for row in _rows()}

    if goods.expected.outcome == "pending_product":
        assert reading.usable
        assert not certified & set(reading.registry_keys)
    elif goods.expected.reason == "label_ccc":
        assert reading.scheme is Scheme.CCC
    else:
        assert certified & set(reading.registry_keys)


def test_each_run_sells_a_serial_number_of_its_own() -> None:
    first, second = ({goods.code for sale in picture_sales(run) for goods in sale.goods} for run in (1, 2))

    assert len(first ^ second) == 2
