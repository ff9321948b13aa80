"""A policy document as a form, and back: nothing is lost, whatever stands in it."""

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.policies.document import PolicyRefused, load_policy
from backend.policies.form import field_of, from_fields, nearest, to_fields
from backend.policies.form_acts import BLANK, acted
from backend.policies.form_parts import REST
from backend.policies.form_values import KINDS, Unfit, exactly, same
from tests.pure.policies.written import CANONICAL, Json, documents, text_of

EXAMPLES = 15
"""A whole document takes 50 ms to draw; 1,000 were looked at when this was written."""
DRAWN = settings(deadline=None, max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
NATIONAL: Json = json.loads(next(path for path in CANONICAL if path.stem == "p03-national-2026").read_text("utf-8"))

anything = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 10**15) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


def sent_by_a_browser(fields: dict[str, str]) -> dict[str, str]:
    """As a browser hands them back: lines end in CRLF, and a field of one line has none."""
    return {name: text.replace("\n", "\r\n") for name, text in fields.items()}


@DRAWN
@given(documents())
def test_a_document_is_the_same_after_a_visit_to_the_form(document: Json) -> None:
    fields = to_fields(document)
    read = from_fields(sent_by_a_browser(fields))

    assert read.faults == {}
    assert same(read.document, document)
    assert same(read.fields, sent_by_a_browser(fields))


@DRAWN
@given(documents(), st.data())
def test_what_the_form_does_not_know_is_kept(document: Json, data: st.DataObject) -> None:
    """Anything in the place of any part, and parts of which nobody has heard."""
    strange = copy.deepcopy(document)
    holder: Any = strange
    while isinstance(holder, dict | list) and holder:
        step = data.draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
        if not isinstance(holder[step], dict | list) or data.draw(st.booleans()):
            holder[step] = data.draw(anything)
            break
        holder = holder[step]
    strange["x-" + data.draw(st.text("abc", max_size=2))] = data.draw(anything)

    assert same(from_fields(sent_by_a_browser(to_fields(strange))).document, strange)


@pytest.mark.parametrize("path", CANONICAL, ids=lambda path: path.stem)
def test_the_form_shows_every_part_of_the_policies_that_cities_have(path: Any) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    fields = to_fields(document)

    assert [name for name in fields if REST in name or "_raw" in name] == []
    assert same(from_fields(fields).document, document)


def test_amounts_are_written_in_yuan_shares_in_per_cent_and_the_last_day_is_named() -> None:
    fields = to_fields(NATIONAL)

    assert fields["budgets.0.amount"] == "1000000000.00"
    assert fields["rules.0.rewards.0.cap_per_unit"] == "1500.00"
    assert fields["rules.0.rewards.0.percents.0.value"] == "15"
    assert fields["caps.0.limit"] == "1"
    assert fields["caps.0.per"] == "person,category"
    assert (fields["from"], fields["until"]) == ("2026-01-01", "2026-12-31")


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("money", "1,500.5", 150_050),
        ("money", "1 500 元", 150_000),
        ("percent", "7.5%", 750),
        ("whole", "3", 3),
        ("list", "冰箱，空调、 电视\n", ["冰箱", "空调", "电视"]),
        ("last", "2026-12-31", "2027-01-01T00:00:00+08:00"),
        ("last", "2026-12-31 18:00", "2026-12-31T18:00:00+08:00"),
    ],
)
def test_values_are_read_as_people_write_them(kind: str, text: str, value: object) -> None:
    assert KINDS[kind].read(text.strip()) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("money", "1.234"),
        ("money", "-1"),
        ("percent", "约15"),
        ("whole", "1.5"),
        ("first", "明年"),
        ("last", "9999-12-31"),
    ],
)
def test_what_is_no_such_value_is_said_at_its_field(kind: str, text: str) -> None:
    with pytest.raises(Unfit, match=" / "):
        KINDS[kind].read(text)


def test_a_true_is_no_one_and_a_list_with_a_comma_in_it_is_not_parted() -> None:
    assert exactly(KINDS["whole"], True) is None  # noqa: FBT003
    assert exactly(KINDS["list"], ["甲、乙"]) is None


def test_faults_of_the_form_stand_at_their_field_and_what_was_typed_stays() -> None:
    fields = {**to_fields(NATIONAL), "budgets.0.amount": "十亿", "rules.0.when.0.value": ""}
    read = from_fields(fields)

    assert set(read.faults) == {"budgets.0.amount", "rules.0.when.0"}
    assert read.fields["budgets.0.amount"] == "十亿"


def test_the_places_of_the_loader_and_the_linter_are_fields_of_the_form() -> None:
    fields = to_fields(NATIONAL)
    shown = {*fields, "rules.0.rates"}

    assert field_of("budget.amount") == "budgets.0.amount"
    assert field_of("rules.3.reward") == "rules.3.rewards.0"
    assert field_of("rules.0.when.1.2.0") == "rules.0.when.1.members.2.members.0"
    assert nearest("rules.0.rates.M.P0", shown) == "rules.0.rates"
    assert nearest("somewhere", shown) == ""


def test_rows_are_added_removed_and_moved_without_losing_what_was_typed() -> None:
    fields = {**to_fields(NATIONAL), "rules.0.name_zh": "半句"}
    two = from_fields(acted(fields, "add:rules")).fields
    assert two["rules.1.rule"] == "rule-1"
    assert two["rules.0.name_zh"] == "半句"

    moved = from_fields(acted(two, "up:rules.1")).fields
    assert (moved["rules.0.rule"], moved["rules.1.name_zh"]) == ("rule-1", "半句")

    left = from_fields(acted(moved, "remove:rules.0"))
    assert same(left.fields, fields)

    grouped = from_fields(acted(fields, "group:rules.0.when")).document["rules"][0]["when"]
    assert grouped == [*NATIONAL["rules"][0]["when"], {"any": [{"fact": "grade", "op": "<=", "value": ""}]}]


def test_one_reward_more_makes_a_list_of_them_and_one_less_a_single_one_again() -> None:
    fields = from_fields(acted(to_fields(NATIONAL), "add:rules.0.rewards")).fields
    rule = from_fields(fields).document["rules"][0]
    assert "reward" not in rule
    assert len(rule["rewards"]) == 2

    assert same(from_fields(acted(fields, "remove:rules.0.rewards.1")).document, NATIONAL)


def test_a_blank_form_becomes_the_national_policy_by_typing_alone() -> None:
    typed = to_fields(NATIONAL)
    empty = {name: "" for name in BLANK if name not in typed}
    document = from_fields({**BLANK, **empty, **typed}).document

    assert load_policy(text_of(document)) == load_policy(text_of(NATIONAL))


def test_a_blank_form_says_what_is_missing() -> None:
    document = from_fields(BLANK).document
    with pytest.raises(PolicyRefused) as refused:
        load_policy(text_of(document))

    assert {field_of(place) for place in refused.value.faults} >= {
        "title_zh",
        "document",
        "budgets.0.amount",
        "caps.0.limit",
    }
