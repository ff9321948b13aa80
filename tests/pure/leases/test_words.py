"""A promise is told of as it went, in the resident's own words."""

import pytest

from backend.leases.model import Fault
from backend.leases.words import KeptPromise, promise_words


@pytest.mark.parametrize(
    ("promises", "waits", "said"),
    [
        ([KeptPromise("points", 20, 20, None)], False, "终端离线时为您预留了 20 分，已从预留中支付。"),
        ([KeptPromise("points", 20, 5, None)], False, "终端离线时为您预留了 20 分，其中 5 分已从预留中支付。"),
        ([KeptPromise("fen", 1250, 0, None)], False, "终端离线时为您预留了 12.50 元，本次按规则未用到。"),
        (
            [KeptPromise("points", 15, 0, None), KeptPromise("points", 5, 0, None)],
            True,
            "终端离线时为您预留了 20 分，核定前一直保留。",
        ),
        (
            [KeptPromise("points", 20, 0, "late")],
            False,
            "终端离线时曾为您预留，但购物记录上传过晚，预留已收回，因此按核定时的预算办理。",
        ),
        (
            [KeptPromise(None, 20, 0, "unknown")],
            False,
            "终端离线时曾为您预留，但终端所称的预留查无记录，因此按核定时的预算办理。",
        ),
    ],
)  # fmt: skip
def test_what_became_of_it_is_said(promises: list[KeptPromise], waits: bool, said: str) -> None:  # noqa: FBT001
    assert promise_words(promises, waits=waits).zh == said


def test_every_fault_has_its_words() -> None:
    said = {promise_words([KeptPromise("points", 1, 0, fault.value)], waits=False) for fault in Fault}

    assert len({one.zh for one in said}) == len({one.en for one in said}) == len(Fault)
