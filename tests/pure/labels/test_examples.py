import pytest

from backend.labels.model import Confidence, Scheme, Scope
from backend.labels.parse import parse

U, M, E, L, C, N = Scope.UNIT, Scope.MODEL, Scope.ENTERPRISE, Scope.LICENCE, Scope.CRITERIA, Scope.NONE
DIGITAL_LINK = "https://id.gs1.org/01/09521234543213"
ENERGY = "https://www.energylabel.com.cn/signDetails?productId=633881710439&tenantId=854&productTypeCode=32&isOld=1"


@pytest.mark.parametrize(
    ("text", "key", "scope"),
    [
        ("6939400204821", "gtin:06939400204821", M),
        ("036000291452", "gtin:00036000291452", M),
        ("96385074", "gtin:00000096385074", M),
        (DIGITAL_LINK + "/10/ABC123/21/12345", "sgtin:(01)09521234543213(21)12345", U),
        ("https://example.com/products/01/09521234543213", "gtin:09521234543213", M),
        (DIGITAL_LINK + "/10/ABC123?17=261231", "gtin:09521234543213", M),
        ("]C10106939400204821" + "10LOT1\x1d21SER", "sgtin:(01)06939400204821(21)SER", U),
        ("]C1800306939400204821CRATE7", "grai:(8003)06939400204821CRATE7", U),
        ("有机码：10012123456789012", "organic:010012123456789012", U),
        ("100OP1200293", "organic_certificate:100OP1200293", L),
        ("100OP1200519", "organic_certificate:100OP1200519", L),
        ("134OP1400173", "organic_certificate:134OP1400173", L),
        ("GF320583230001", "green_food_gf:GF320583230001", E),
        ("LB-15-19012700330A", "green_food_lb:LB-15-19012700330A", L),
        ("LB-50-1703081720A", "green_food_lb:LB-50-1703081720A", L),
        ("LB-15-1711196965A", "green_food_lb:LB-15-1711196965A", L),
        ("http://el.bbqk.com/abz1v/0.html", "energy_label:bbqk/abz1v", M),
        ("http://wl.bbqk.com/0ahkb/0.html", "water_label:bbqk/0ahkb", M),
        ("https://elm.bbqk.com/index2.html?a=x1Y2", "energy_label:elm/x1Y2", M),
        (ENERGY, "energy_label:633881710439", M),
        ("https://www.waterlabel.org.cn/signDetails?productId=77&tenantId=840", "water_label:77", M),
        ("202106-27-11027226-462651443728322560", "energy_filing:202106-27-11027226-462651443728322560", M),
        ("201710-14-1847-2457643120060", "energy_filing:201710-14-1847-2457643120060", M),
        ("201801-22-11021271-2751671104235", "energy_filing:201801-22-11021271-2751671104235", M),
        ("201607-14-1134954-11381977", "energy_filing:201607-14-1134954-11381977", M),
        ("91371323760038087M", "uscc:91371323760038087M", E),
        ("91110000600037341L", "uscc:91110000600037341L", E),
        ("https://eprel.ec.europa.eu/qr/1779994", "eprel:1779994", M),
        ("https://eprel.ec.europa.eu/qr/615687", "eprel:615687", M),
        ("https://eprel.ec.europa.eu/screen/product/dishwashers2019/1779994", "eprel:1779994", M),
        ("FSC-C192811", "fsc:FSC-C192811", E),
        ("FSC® C104928", "fsc:FSC-C104928", E),
        ("SGSHK-COC-350878", "fsc_certificate:SGSHK-COC-350878", E),
        ("PEFC/01-00-01", "pefc:PEFC/01-00-01", L),
        ("FR/016/001", "eu_ecolabel:FR/016/001", L),
        ("ES-CA/020/00001", "eu_ecolabel:ES-CA/020/00001", L),
    ],
)
def test_a_real_label_that_may_support_an_award(text: str, key: str, scope: Scope) -> None:
    reading = parse(text)

    assert (reading.key, reading.scope, reading.usable) == (key, scope, True)
    assert reading.confidence is not Confidence.REVIEW


@pytest.mark.parametrize(
    ("text", "scheme", "warning"),
    [
        ("2009010702358369", Scheme.CCC, "ccc_is_safety"),
        ("2021010901402658", Scheme.CCC, "ccc_is_safety"),
        ("00114E22766R2L/3502", Scheme.SYSTEM_CERTIFICATE, "system_not_product"),
        ("00216Q10097R1S", Scheme.SYSTEM_CERTIFICATE, "system_not_product"),
        ("10416Q20770R1S", Scheme.SYSTEM_CERTIFICATE, "system_not_product"),
        ("001FSMS1200123", Scheme.SYSTEM_CERTIFICATE, "system_not_product"),
        ("CNCA-R-2002-001", Scheme.CNCA_BODY, "names_a_body"),
        ("CNCA-RF-2003-05", Scheme.CNCA_BODY, "names_a_body"),
        ("CNCA-CGP-04-2020", Scheme.RULE, "names_a_rule"),
        ("ECC-1020EL", Scheme.RULE, "names_a_rule"),
        ("FSC® F000100", Scheme.FSC, "fsc_office"),
        ("FSC-N003385", Scheme.FSC, "fsc_promotional"),
        ("DE-UZ 195", Scheme.BLUE_ANGEL, "criteria_only"),
        ("DE-UZ 14a", Scheme.BLUE_ANGEL, "criteria_only"),
        ("EL608", Scheme.KOREA_ECOLABEL, "criteria_only"),
        ("2012345678903", Scheme.RCN, "restricted_circulation"),
        ("20123451", Scheme.RCN, "restricted_circulation"),
        ("10000020123458", Scheme.RCN, "restricted_circulation"),  # ten of them in a box
        ("9800000000007", Scheme.COUPON, "refund_receipt"),
        ("9912345678909", Scheme.COUPON, "coupon"),
        ("]C100106141412345678908", Scheme.SSCC, "logistic_unit"),
        ("]C10209521234543213" + "3712", Scheme.GS1, "contained_items"),
        ("https://id.gs1.org/AQnYUc1gmiCTMTI", Scheme.URL, "digital_link_compressed"),
        ("ecode:100036930100123", Scheme.ECODE, "ecode"),
    ],
)
def test_a_look_alike_is_refused_by_name(text: str, scheme: Scheme, warning: str) -> None:
    reading = parse(text)

    assert (reading.scheme, reading.usable) == (scheme, False)
    assert reading.scope in {Scope.NONE, Scope.CRITERIA}
    assert warning in reading.warnings


@pytest.mark.parametrize(
    "text", ["CQC20701123456", "证书编号：CQC20701123456", "CNPC/2021-0042", "Certificate No: AB-12/34"]
)
def test_a_number_without_a_national_grammar_is_kept_for_the_registry_and_for_review(text: str) -> None:
    reading = parse(text)

    assert (reading.scheme, reading.confidence) == (Scheme.CERTIFICATE, Confidence.REVIEW)
    assert reading.registry_keys == (reading.key,)


def test_an_old_lb_number_without_its_grade_needs_review() -> None:
    assert parse("LB-15-0901080123").confidence is Confidence.REVIEW


def test_a_lb_number_newer_than_the_enterprise_code_raises_suspicion() -> None:
    assert "lb_after_2012" in parse("LB-15-19012700330A").warnings
    assert "lb_after_2012" not in parse("LB-15-1207270033A").warnings


def test_a_green_food_code_of_an_abolished_county_is_still_read() -> None:
    assert parse("GF320283100001").confidence is Confidence.CERTAIN


def test_a_green_food_code_of_no_county_needs_review() -> None:
    assert parse("GF999999100001").confidence is Confidence.REVIEW


def test_gs1_parts_explain_the_item() -> None:
    reading = parse("]d20106939400204821" + "17261231" + "10LOT1\x1d21S-7\x1d7230EM1234")

    assert dict(reading.parts) == {"expiry": "261231", "batch": "LOT1", "serial": "S-7", "certification_0": "EM1234"}


def test_a_digital_link_in_a_plain_or_gs1_symbol_is_the_same_unit() -> None:
    link = DIGITAL_LINK + "/21/12345"

    assert {parse(aim + link).key for aim in ("]Q1", "]d1", "]Q3", "]d2")} == {parse(link).key}


def test_a_retail_symbol_with_an_add_on_is_its_product() -> None:
    assert parse("978155860497190000", "EAN13").key == parse("9781558604971", "EAN-13").key


def test_a_databar_symbol_holds_element_strings() -> None:
    assert parse("0120358468019312", "DATABAR").key == "gtin:20358468019312"


def test_a_machine_read_string_without_fnc1_is_at_most_a_product() -> None:
    reading = parse("0106939400204821" + "21SER", "CODE128")

    assert (reading.scope, reading.confidence) == (Scope.MODEL, Confidence.REVIEW)
    assert reading.key == "gtin:06939400204821"


def test_typed_digits_are_never_taken_apart_as_element_strings() -> None:
    assert parse("210123401234").scheme is Scheme.GTIN
    assert parse("0106939400204821").scheme is Scheme.CERTIFICATE
