"""What a resident reads of a redemption, in both languages."""

from datetime import UTC, datetime

import pytest

from backend.redemptions.model import State, VoucherState
from backend.redemptions.sentences import Facts, sentence

NOON, MIDNIGHT = datetime(2026, 11, 22, 4, 0, tzinfo=UTC), datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
OVER = "3 of them had reached their end and expired"
USUAL = Facts(
    State.HELD,
    8,
    at_till=False,
    donation=False,
    expires_at=NOON,
    voucher=None,
    voucher_expires_at=None,
    lapsed=0,
    repaid=0,
)


@pytest.mark.parametrize(
    ("changes", "zh", "en"),
    [
        (
            {"at_till": True},
            "已为您保留，占用 8 分；请在 2026-11-22 12:00 前到合作网点出示兑换码。",
            "Kept for you, 8 points are held: show the code at a partner shop before 2026-11-22 12:00.",
        ),
        ({"state": State.CONFIRMED}, "已兑换，使用 8 分。", "Redeemed for 8 points."),
        (
            {"state": State.CONFIRMED, "voucher": VoucherState.ISSUED, "voucher_expires_at": MIDNIGHT},
            "券已发放，2026-11-22 当日止有效，只能用一次。",
            "The voucher is yours: use it once, through 2026-11-22.",
        ),
        (
            {"state": State.CONFIRMED, "voucher": VoucherState.EXPIRED},
            "券过期未用；按兑换说明，积分不退。",
            "The voucher ended unused; as was said, no points come back.",
        ),
        (
            {"state": State.VOIDED, "voucher": VoucherState.EXPIRED},
            "券过期未用，8 分退回原批次，有效期不变。",
            "The voucher ended unused; 8 points went back to their lots, with their ends.",
        ),
        (
            {"state": State.CANCELLED, "lapsed": 3, "repaid": 2},
            "已取消，8 分退回原批次，有效期不变；其中 2 分抵扣了欠账；其中 3 分所在批次已到期，随之失效。",
            f"Cancelled; 8 points went back to their lots, with their ends; 2 of them repaid a debt; {OVER}.",
        ),
    ],
)
def test_a_redemption_says_what_it_is(changes: dict[str, object], zh: str, en: str) -> None:
    assert tuple(sentence(USUAL._replace(**changes))) == (zh, en)  # type: ignore[arg-type]


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("voucher", [None, *VoucherState])
def test_every_state_has_its_sentence(state: State, voucher: VoucherState | None) -> None:
    said = sentence(USUAL._replace(state=state, voucher=voucher, voucher_expires_at=NOON))

    assert said.zh.endswith("。")
    assert said.en.endswith(".")
