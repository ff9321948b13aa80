"""Nothing that a till can say makes the backend fail: a failure would be repeated by the bridge for ever, and hold up all
tills behind it. The messages here are signed by an enrolled till, so only their content is wrong.
"""

import base64
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.http.conftest import BRIDGE_TOKEN, Keys, bearer
from tests.http.shop import BATCH, Shop, batch, states
from tests.worlds.books import assert_balanced
from tests.worlds.city import FRIDGE, NANJING, City, read, unit_label

Accepts = Callable[..., list[dict[str, Any]]]
INT64 = 2**63
NUMBERS = st.sampled_from([-INT64 - 1, -INT64, -1, 0, 1, 2**31, 2**53, 2**53 + 1, 10**14, 10**14 + 1, INT64 - 1, INT64])
TEXTS = st.text(max_size=80) | st.sampled_from(
    ["", "\x00", "a\x00b", "\u202e", "GPM1.", "GPM1." + "A" * 123, "'--", "{}"]
)
SCALARS = st.none() | st.booleans() | NUMBERS | st.integers() | st.floats() | TEXTS
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3))
BASKET = (
    "seq",
    "boot",
    "opened_mono",
    "closed_mono",
    "ts",
    "closed_by",
    "member",
    "claim_sha256",
    "cashier",
    "void_of",
)
READ = ("sym", "code", "raw", "aim", "qty", "price_fen", "sn")
HEADER = ("v", "dev", "stream", "key", "boot", "sent_mono", "low", "clk")
OFTEN = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def changes(fields: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(fields), VALUES, max_size=3)


@pytest.fixture
def accepted(client: FlaskClient, shop: Shop, keys: Keys) -> Accepts:
    """What became of the messages; a good one behind them is recorded, or else this fails."""

    def accept(*payloads: bytes, topic: str | None = None) -> list[dict[str, Any]]:
        shop.seq += 1
        good = shop.delivery(shop.message(shop.line(read(FRIDGE))))
        deliveries = [shop.delivery(payload, topic) for payload in payloads]

        answer = client.post(BATCH, json=batch(*deliveries, good), headers=bearer(BRIDGE_TOKEN))

        assert answer.status_code == 200, answer.get_data(as_text=True)
        results: list[dict[str, Any]] = answer.get_json()["results"]
        assert states(results[-1:], keys.receipt.public_key()) == [["recorded"]]
        return results[:-1]

    return accept


@OFTEN
@given(changes(BASKET))
@example({"closed_mono": 2**53})
@example({"opened_mono": 0, "closed_mono": 0, "ts": 10**14})
def test_any_basket_is_recorded_or_set_aside(
    accepted: Accepts, shop: Shop, city: City, changed: dict[str, Any]
) -> None:
    line = shop.line(read(FRIDGE), **_json(changed))

    (result,) = accepted(shop.message(line))

    assert result["state"] in {"recorded", "refused"}


@OFTEN
@given(changes(READ), changes(READ))
def test_any_read_is_recorded_or_set_aside(
    accepted: Accepts, shop: Shop, city: City, one: dict[str, Any], other: dict[str, Any]
) -> None:
    line = shop.line(read(FRIDGE) | _json(one), read(unit_label("P1")) | _json(other))

    (result,) = accepted(shop.message(line))

    assert result["state"] in {"recorded", "refused"}


@OFTEN
@given(changes(HEADER))
@example({"clk": {"src": "ntp", "off_ms": 10**13}})
@example({"clk": {"src": "srv", "off_ms": -(10**13)}})
@example({"sent_mono": 2**53})
@example({"sent_mono": 0})
def test_any_header_is_recorded_or_refused(accepted: Accepts, shop: Shop, city: City, changed: dict[str, Any]) -> None:
    (result,) = accepted(shop.message(shop.line(read(FRIDGE)), **_json(changed)))

    assert result["state"] in {"recorded", "refused"}


@OFTEN
@given(st.sampled_from(["baskets", "health", "state", "twin", "job", "res", "none"]), st.binary(max_size=200))
@example("health", b'{"a":' + b"[" * 300 + b"]" * 300 + b"}")
@example("baskets", b"\x01" + bytes(64) + b'{"a":' * 300 + b"1" + b"}" * 300 + b"\n{}")
def test_any_bytes_on_any_topic_are_kept(accepted: Accepts, shop: Shop, kind: str, payload: bytes) -> None:
    assert len(accepted(payload, topic=f"pos/v1/{shop.device}/up/{kind}")) == 1


@OFTEN
@given(
    st.sampled_from(["health", "state", "twin"]),
    st.dictionaries(TEXTS | st.sampled_from(["session", "online"]), VALUES),
)
def test_any_report_is_kept_or_refused(accepted: Accepts, shop: Shop, kind: str, report: dict[str, Any]) -> None:
    assert len(accepted(orjson.dumps(_json(report)), topic=f"pos/v1/{shop.device}/up/{kind}")) == 1


def test_afterwards_the_books_balance(city: City, accepted: Accepts, shop: Shop) -> None:
    code = city.issue_code("01900000-0000-7000-8000-000000000001")
    nasty = [
        shop.line(read(FRIDGE, qty=9_999, price_fen=10**10), member=code),
        shop.line(read("?", raw=base64.b64encode(bytes(2_048)).decode())),
    ]

    accepted(shop.message(*nasty))

    assert_balanced(city.database, NANJING)


def _json(value: Any) -> Any:
    """As far as JSON can say it; a number that does not fit becomes the nearest that does."""
    if isinstance(value, dict):
        return {_json(str(key)): _json(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_json(inner) for inner in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return max(-INT64, min(value, INT64 * 2 - 1))
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
