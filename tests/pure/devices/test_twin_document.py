"""What may be desired of a till, and what it made of it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from backend.devices.twin.compare import agreement
from backend.devices.twin.document import NUMBERS, TEXTS, TwinInvalid, check, json_schema, read_words, text_of
from backend.devices.twin.message import desired_body, read_reported, sha256_of
from backend.devices.twin.model import Agreement, Desired, Reported

SHA = sha256_of('{"basket_timeout_s":90}')
DESIRED = Desired(3, '{"basket_timeout_s":90}', SHA, "ops", datetime(2026, 11, 27, tzinfo=UTC))

documents = st.dictionaries(
    st.sampled_from([*NUMBERS, *TEXTS, "broker_host", "outbox_path", ""]),
    st.integers(-5, 5_000)
    | st.sampled_from(["GPFIN", "GPX", "gpfin", "GPVOID\n", "6901234567892", 60.5, True, None, []]),
    max_size=4,
)


def is_good(document: dict[str, object]) -> bool:
    try:
        check(document)
    except TwinInvalid:
        return False
    return True


@given(documents)
@example({"void_code": "GPVOID\n"})
def test_the_schema_says_what_the_check_does_but_for_equal_codes(document: dict[str, object]) -> None:
    same = document.get("finish_code") == document.get("void_code") is not None

    assert is_good(document) == (Draft202012Validator(json_schema()).is_valid(document) and not same)


def golden(name: str) -> Any:
    return json.loads((Path(__file__).parents[2] / "contracts" / name).read_bytes())


@pytest.mark.parametrize(
    "case", golden("twin-documents.json") + golden("twin-windows.json"), ids=lambda case: case["document"]
)
def test_a_till_is_sent_what_it_takes(case: dict[str, Any]) -> None:
    assert is_good(json.loads(case["document"])) == case["good"]


def test_the_message_is_that_of_the_contract() -> None:
    sealed = (Path(__file__).parents[2] / "contracts" / "downlink-twin.bin").read_bytes()

    assert desired_body(7, text_of({"finish_code": "GPEND", "basket_timeout_s": 90})) == sealed[65:]


@pytest.mark.parametrize("case", golden("twin-reports.json"), ids=lambda case: case["status"])
def test_a_report_means_what_the_till_meant(case: dict[str, Any]) -> None:
    assert read_reported(case["report"]) == Reported(
        case["version"], case["applied_version"], case["sha256"], case["status"], case["error"]
    )


@pytest.mark.parametrize("name", ["broker_host", "outbox_path", "key_path", "tls", "source", "device_id", "pins"])
def test_what_could_cut_a_till_off_cannot_be_set(name: str) -> None:
    with pytest.raises(TwinInvalid) as refused:
        read_words({name: "1"})

    assert name in refused.value.sentence_zh


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(TwinInvalid) as refused:
        read_words({"basket_timeout_s": "0", "finish_code": "6901234567892", "void_code": "GPFIN"})

    assert refused.value.sentence_zh == (
        "终端设置有误：basket_timeout_s 须为 5-3600 的整数；finish_code 须为GP 加 2-30 个大写字母或数字。"
    )


def test_equal_settings_are_equal_bytes_and_travel_as_they_are_hashed() -> None:
    one = text_of(read_words({"void_code": "GPX1", "basket_timeout_s": "90"}))
    other = text_of(read_words({"basket_timeout_s": "90", "void_code": "GPX1"}))

    header, _, document = desired_body(3, one).partition(b"\n")

    assert one == other == document.decode()
    assert sha256_of(one).encode() in header


@pytest.mark.parametrize(
    ("desired", "reported", "expected"),
    [
        (None, None, Agreement.NOTHING),
        (None, Reported(0, 0, None, "none", None), Agreement.NOTHING),
        (None, Reported(4, 4, SHA, "applied", None), Agreement.DIFFERENT),
        (DESIRED, None, Agreement.WAITING),
        (DESIRED, Reported(2, 2, SHA, "applied", None), Agreement.WAITING),
        (DESIRED, Reported(3, 3, SHA, "applied", None), Agreement.APPLIED),
        (DESIRED, Reported(3, 3, SHA, "trial", None), Agreement.TRIAL),
        (DESIRED, Reported(3, 2, "0" * 64, "rejected", "finish_code"), Agreement.REJECTED),
        (DESIRED, Reported(3, 2, "0" * 64, "reverted", "offline"), Agreement.REVERTED),
        (DESIRED, Reported(3, 3, "0" * 64, "applied", None), Agreement.DIFFERENT),
        (DESIRED, Reported(4, 3, SHA, "applied", None), Agreement.DIFFERENT),
    ],
)
def test_desired_and_reported_are_compared(
    desired: Desired | None, reported: Reported | None, expected: Agreement
) -> None:
    assert agreement(desired, reported) is expected


@given(st.text(max_size=80))
def test_no_words_of_a_till_break_the_reading(text: str) -> None:
    assert read_reported(text) is None
    assert read_reported('{"version":1,"applied_version":true,"status":"applied"}') is None
