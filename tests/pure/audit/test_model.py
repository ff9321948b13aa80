from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from backend.audit.acting import NobodyActsError, acting, actor
from backend.audit.acts import What
from backend.audit.mask import masked
from backend.audit.model import Act, Actor, WordlessError, recorded, snapshot
from tests.worlds.threads import Threads

AT = datetime(2026, 11, 27, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("请回拨13812345678。", "请回拨138****5678。"),
        ("身份证 32010219900307123X", "身份证 320102************"),
        ("身份证 320102900307123", "身份证 320102************"),
        ("证书 CGP-2026-0001，条码 6901234567892", "证书 CGP-2026-0001，条码 6901234567892"),
        ("0190f0a0-0000-7000-8000-138123456789", "0190f0a0-0000-7000-8000-138123456789"),
    ],
)
def test_numbers_of_people_are_masked_and_no_others(text: str, kept: str) -> None:
    assert masked(text) == kept


def test_a_snapshot_is_canonical_and_names_nobody() -> None:
    facts = {"z": [1, "13812345678"], "a": {"phone": "1", "state": "open"}, "none": None}

    assert snapshot(facts) == '{"a":{"phone":"***","state":"open"},"none":null,"z":[1,"138****5678"]}'


def test_a_snapshot_that_is_too_long_is_kept_as_its_hash() -> None:
    kept = snapshot({"text": "x" * 5_000})

    assert kept is not None
    assert kept.startswith('{"sha256":"')
    assert kept.endswith('"size_bytes":5011}')


def test_an_act_bears_who_acts_and_a_bounded_reason() -> None:
    act = Act(What.STORE_OPENED, "320100", "store", "S1", AT, "因" * 900)

    row = recorded("id", act, Actor("command:alice", "command", "request-1"))

    assert (row.who, row.role, row.request) == ("command:alice", "command", "request-1")
    assert row.reason == "因" * 500


@pytest.mark.parametrize(
    "changes", [{"kind": "shopp"}, {"before": {"sates": 1}}, {"after": {"state": 1, "sates": 1}}, {"after": {"": 1}}]
)
def test_whoever_reads_the_log_reads_no_code(changes: dict[str, Any]) -> None:
    act = replace(Act(What.STORE_OPENED, "320100", "store", "S1", AT), **changes)

    with pytest.raises(WordlessError):
        recorded("id", act, Actor("command:alice", "command"))


def test_nothing_is_done_in_nobodys_name() -> None:
    with Threads(1) as own, acting(Actor("job:x", "job")):
        assert own.submit(actor).result() == Actor("job:x", "job")

    with ThreadPoolExecutor(1) as nobodys, pytest.raises(NobodyActsError):
        nobodys.submit(actor).result()


def test_every_code_says_what_it_is_in_both_languages() -> None:
    assert [one for one in What if not (one.zh and one.en and one.value == one.value.lower())] == []
    assert len({one.zh for one in What}) == len(What)
