"""What a till makes of offered settings, whatever comes in whatever order."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.wire.errors import WireError
from firmware_bridge.wire.twin import DesiredTwin, TwinStatus, decode_desired, decode_document, encode_desired
from scanner.chaos import Chaos
from scanner.twin.file import TwinFile
from scanner.twin.state import (
    STARTS_MAX,
    TwinState,
    fault_of,
    left,
    offered,
    passed,
    reported,
    reverted,
    started,
)

FRESH = TwinState()


def twin(version: int, document: bytes = b'{"basket_timeout_s":90}') -> DesiredTwin:
    return decode_desired(encode_desired(version, document))


def offer(state: TwinState, version: int, document: bytes = b'{"basket_timeout_s":90}') -> TwinState:
    wanted = twin(version, document)
    return offered(state, wanted, fault_of(wanted), boot="b1")


steps = st.lists(
    st.one_of(
        st.tuples(st.just("offer"), st.integers(1, 6), st.sampled_from([b"{}", b'{"void_code":"GPX1"}', b"poison"])),
        st.sampled_from([("pass",), ("revert",), ("die",), ("cut",), ("leave",)]),
    ),
    max_size=30,
)


def walk(state: TwinState, step: tuple[object, ...]) -> TwinState:
    match step:
        case ("offer", int(version), bytes(document)):
            return offer(state, version, document)
        case ("pass",) if state.trial is not None:
            return passed(state)
        case ("revert",) if state.trial is not None:
            return reverted(state, "offline")
        case ("die",):
            return started(state, boot="b1")
        case ("cut",):
            return started(state, boot="b2")
        case ("leave",):
            return left(state)
    return state


@given(steps)
def test_versions_only_grow_and_what_runs_is_always_whole(story: list[tuple[object, ...]]) -> None:
    state = FRESH
    for step in story:
        before, state = state, walk(state, step)
        assert state.version >= before.version
        assert state.current is None or decode_document(state.current) is not None
        # What was good stays until something else has passed its trial, or is the very same settings.
        if state.good != before.good:
            assert step[0] in ("pass", "offer")
            assert state.good is not None
            assert step[0] == "pass" or before.good is not None
            assert step[0] == "pass" or state.good.sha256 == before.good.sha256
    said = reported(state)
    assert (said.applied_version, said.sha256) == (
        (0, None) if state.current is None else (state.current.version, state.current.sha256)
    )


@given(steps)
def test_what_is_kept_is_what_is_found(
    tmp_path_factory: pytest.TempPathFactory, story: list[tuple[object, ...]]
) -> None:
    state = FRESH
    for step in story:
        state = walk(state, step)
    file = TwinFile(tmp_path_factory.mktemp("twin") / "twin", Chaos())

    file.save(state)

    assert file.load().state == state


def test_an_older_version_or_the_same_again_changes_nothing() -> None:
    state = passed(offer(FRESH, 5))

    assert offer(state, 5, b"{}") == offer(state, 4, b"{}") == state


def test_equal_bytes_of_a_newer_version_need_no_trial() -> None:
    state = offer(passed(offer(FRESH, 5)), 6)

    assert (state.status, state.trial, reported(state).applied_version) == (TwinStatus.APPLIED, None, 6)


@pytest.mark.parametrize(
    ("document", "error"),
    [
        (b"", "not_json"),
        (b"[]", "not_json"),
        (b'{"basket_timeout_s":"90"}', "bad_field basket_timeout_s"),
        (b'{"basket_timeout_s":true}', "bad_field basket_timeout_s"),
        (b'{"basket_timeout_s":1e3}', "bad_field basket_timeout_s"),
        (b'{"basket_timeout_s":0}', "bad_field basket_timeout_s"),
        (b'{"basket_timeout_s":90,"basket_timeout_s":91}', "duplicate_key"),
        (b'{"broker_host":"evil"}', "bad_field broker_host"),
        (b'{"outbox_path":"/dev/null"}', "bad_field outbox_path"),
        (b'{"finish_code":"6901234567892"}', "bad_field finish_code"),
        (b'{"\\u001b[2J":1}', "bad_field ?[2J"),
        (b'{"x":' + b"[" * 21 + b"]" * 21 + b"}", "not_json"),
        (b'{"finish_code":"' + b"G" * 5_000 + b'"}', "bad_field document"),
    ],
)
def test_a_poisoned_document_is_rejected_by_name_and_leaves_the_good_one(document: bytes, error: str) -> None:
    good = passed(offer(FRESH, 1))

    state = offer(good, 2, document)

    assert (state.status, state.error, state.version, state.current) == (TwinStatus.REJECTED, error, 2, good.good)


def test_a_document_that_is_not_what_was_hashed_is_rejected() -> None:
    wanted = twin(2)

    assert fault_of(DesiredTwin(2, wanted.sha256, b"{}")) == "bad_field sha256"


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reading_of_a_message(body: bytes) -> None:
    try:
        fault = fault_of(decode_desired(body))
    except WireError as refusal:
        fault = refusal.code

    assert fault is None or fault.isprintable()


def test_the_till_that_died_in_a_trial_is_not_started_with_it_again() -> None:
    state = started(offer(passed(offer(FRESH, 1)), 2, b"{}"), boot="b1")

    assert (state.trial, state.status, state.error) == (None, TwinStatus.REVERTED, "crashed")
    assert reported(state).applied_version == 1


def test_a_power_cut_or_a_clean_end_says_nothing_of_a_trial_but_not_for_ever() -> None:
    state = offer(FRESH, 1)
    for boot in range(2, STARTS_MAX + 1):
        state = started(left(state) if boot == 2 else state, boot=f"b{boot}")
        assert state.trial is not None

    assert started(state, boot="b9").error == "restarted"


def test_the_end_of_a_trial_is_no_news_of_a_newer_version_that_was_rejected() -> None:
    state = passed(offer(offer(FRESH, 1), 2, b"poison"))

    assert (state.status, state.version, reported(state).applied_version) == (TwinStatus.REJECTED, 2, 1)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff" * 99, b"{}", b"[" * 99_999, b'{"v":2}', b'{"v":1,"version":1,"status":"new"}']
)
def test_a_broken_file_is_put_aside_and_stops_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "outbox.sqlite.twin"
    path.write_bytes(content)

    loaded = TwinFile(path, Chaos()).load()

    assert loaded.state == FRESH
    assert loaded.set_aside is not None
    assert loaded.set_aside.read_bytes() == content
    assert not path.exists()


def test_what_cannot_be_written_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    file = TwinFile(tmp_path / "twin", Chaos())
    file.save(passed(offer(FRESH, 1)))
    (tmp_path / "twin.partial").mkdir()

    with pytest.raises(OSError, match=r"twin\.partial"):
        file.save(offer(FRESH, 2))

    assert file.load().state == passed(offer(FRESH, 1))
