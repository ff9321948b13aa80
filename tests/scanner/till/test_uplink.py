"""The till as a process, on a real broker, from a read to its receipt."""

import os
import signal
from collections.abc import Callable

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware_bridge.wire import topics
from firmware_bridge.wire.bridge_state import BridgeCondition
from firmware_bridge.wire.claim_code import claim_sha256, normalise_claim_code
from firmware_bridge.wire.downlinks import seal_downlink
from firmware_bridge.wire.receipts import ReceiptState
from tests.scanner.till.scene import DEVICE, Backend, Broker, Shop, free_port, needs_mosquitto, old_broker, wait_until

pytestmark = needs_mosquitto

EAN = "6901234567892"


def line(code: str, **more: object) -> dict[str, object]:
    return {"code": code, "sym": "EAN13", **more}


def test_a_basket_travels_to_its_receipt_and_leaves_the_outbox(shop: Shop, backend: Backend) -> None:
    till = shop.open_till(backend.broker.port, EXIT_WHEN_DONE="true")
    member = shop.member_code()

    till.say(line(EAN, qty=2, price_fen=1990, cashier="c07"), member, "GPFIN")
    till.end_input()

    assert till.wait() == 0
    (basket,) = backend.baskets()
    assert (basket.member, basket.cashier, basket.closed_by) == (member, "c07", "finish")
    assert [(read.code, read.qty, read.price_fen) for read in basket.reads] == [(EAN, 2, 1990)]
    (read,), (closed,), (receipt,) = till.of("read"), till.of("basket_closed"), till.of("receipt")
    assert (read["seq"], read["code"], read["symbology"]) == (1, EAN, "EAN13")
    assert (closed["seq"], closed["member"], closed["claim"]) == (1, True, None)
    assert (receipt["seq"], receipt["state"], receipt["sha256"]) == (1, "recorded", closed["sha256"])


def test_a_customer_without_a_member_code_gets_a_claim_whose_hash_is_in_the_basket(
    shop: Shop, backend: Backend
) -> None:
    till = shop.open_till(backend.broker.port, EXIT_WHEN_DONE="true")

    till.say(line(EAN), "GPFIN")
    till.end_input()

    assert till.wait() == 0
    claim = str(till.of("basket_closed")[0]["claim"])
    assert backend.baskets()[0].claim_sha256 == claim_sha256(normalise_claim_code(claim))


def test_member_codes_that_are_not_good_are_refused_by_name_and_left_out(shop: Shop, backend: Backend) -> None:
    expired, forged = shop.member_code(valid_s=-5), shop.member_code(key=Ed25519PrivateKey.generate())
    far_ahead, unknown_city = shop.member_code(valid_s=3_600), shop.member_code(key_id="zz")
    till = shop.open_till(backend.broker.port, EXIT_WHEN_DONE="true")

    till.say(line(EAN), expired, forged, far_ahead, unknown_city, "GPM1.nonsense", "GPFIN")
    till.end_input()

    assert till.wait() == 0
    (basket,) = backend.baskets()
    assert (basket.member, [read.code for read in basket.reads]) == (None, [EAN])
    assert [refused["reason"] for refused in till.of("refused")] == [
        "member_code_expired",
        "member_code_forged",
        "member_code_too_far_ahead",
        "member_key_unknown",
        "member_code_malformed",
    ]
    assert all("会员码" in str(refused["text_zh"]) for refused in till.of("refused"))


def test_a_void_undoes_the_last_basket_once(shop: Shop, backend: Backend) -> None:
    till = shop.open_till(backend.broker.port, EXIT_WHEN_DONE="true")

    till.say(line(EAN), "GPVOID", "GPFIN", "GPVOID", "GPVOID")
    till.end_input()

    assert till.wait() == 0
    assert [(basket.seq, basket.void_of) for basket in backend.baskets()] == [(1, None), (2, 1)]
    assert [refused["reason"] for refused in till.of("refused")] == ["void_while_open", "nothing_to_void"]


def test_without_a_receipt_the_same_bytes_come_again(shop: Shop, backend: Backend) -> None:
    backend.answers = False
    till = shop.open_till(backend.broker.port, EXIT_WHEN_DONE="true")
    till.say(line("1"), "GPFIN", line("2"), "GPFIN")
    till.end_input()
    wait_until(lambda: len(backend.lines) >= 6)
    assert not till.of("receipt")

    backend.answers = True

    assert till.wait() == 0
    assert {seq: len(lines) for seq, lines in backend.distinct().items()} == {1: 1, 2: 1}


def test_a_basket_that_never_gets_a_receipt_ends_up_travelling_alone(shop: Shop, backend: Backend) -> None:
    backend.answers = False
    backend.go_down()
    till = shop.open_till(backend.broker.port)
    till.say(*[item for n in range(5) for item in (line(str(n)), "GPFIN")])
    till.wait_for("basket_closed", 5)
    backend.come_up()

    wait_until(lambda: any(len(message) == 5 for message in backend.messages))
    wait_until(lambda: len([message for message in backend.messages if len(message) == 1]) >= 5)
    assert till.of("receipt") == []


def test_receipts_that_are_not_genuine_close_nothing(shop: Shop, backend: Backend) -> None:
    backend.answers = False
    till = shop.open_till(backend.broker.port, RESEND_MIN_S="60", RESEND_MAX_S="60")
    till.say(line(EAN), "GPFIN")
    wait_until(lambda: len(backend.lines) == 1)
    stream = str(till.of("basket_closed")[0]["stream"])
    sent = list(backend.lines)
    topic = topics.receipt(DEVICE)

    backend.publish(topic, backend.receipt(stream, sent, key=Ed25519PrivateKey.generate()))
    till.wait_for("state", state="receipt_refused")
    backend.publish(topic, backend.receipt("0" * 32, sent))
    till.wait_for("state", state="receipt_of_another_stream")
    backend.publish(topic, backend.receipt(stream, sent, sha256="0" * 64))
    till.wait_for("receipt")
    backend.publish(topic, b"\x01garbage")
    till.wait_for("state", count=2, state="receipt_refused")
    assert "未删除" in str(till.of("receipt")[0]["text_zh"])

    backend.publish(topic, backend.receipt(stream, sent))
    till.wait_for("receipt", 2)
    assert till.of("receipt")[1]["state"] == "recorded"


def test_a_quarantined_basket_is_not_sent_for_ever(shop: Shop, backend: Backend) -> None:
    backend.state = ReceiptState.QUARANTINED
    till = shop.open_till(backend.broker.port, EXIT_WHEN_DONE="true")

    till.say(line(EAN), "GPFIN")
    till.end_input()

    assert till.wait() == 0
    assert (till.of("receipt")[0]["state"], till.of("receipt")[0]["code"]) == ("quarantined", "test")
    assert len(backend.lines) == 1


def test_nothing_is_sent_while_every_bridge_is_offline(shop: Shop, backend: Backend) -> None:
    backend.go_down()
    till = shop.open_till(backend.broker.port)
    till.wait_for("state", state="holding")
    till.say(line(EAN), "GPFIN")
    till.wait_for("basket_closed")
    with pytest.raises(AssertionError):
        wait_until(lambda: bool(backend.lines), timeout_s=1.0)

    backend.come_up()

    till.wait_for("receipt")
    assert len(till.of("state", "sending")) == 1


def test_a_backend_that_is_away_is_not_sent_the_same_again_and_again(shop: Shop, backend: Backend) -> None:
    """It lies at the bridge or the broker, which a fleet would fill in an outage of hours."""
    backend.answers = False
    backend.come_up(BridgeCondition.DEGRADED)
    till = shop.open_till(backend.broker.port)
    till.say(line("1"), "GPFIN")
    wait_until(lambda: len(backend.lines) == 1)
    till.say(line("2"), "GPFIN")
    wait_until(lambda: len(backend.lines) == 2)

    with pytest.raises(AssertionError):
        wait_until(lambda: len(backend.lines) > 2, timeout_s=3.0)

    backend.answers = True
    backend.come_up()
    till.wait_for("receipt", 2)


def test_a_till_that_hears_of_no_bridge_sends_after_a_while(shop: Shop, new_broker: Callable[..., Broker]) -> None:
    backend = Backend(new_broker(), shop.till_key, shop.receipt_key)
    till = shop.open_till(backend.broker.port, EXIT_WHEN_DONE="true")

    till.say(line(EAN), "GPFIN")
    till.end_input()

    assert till.wait() == 0
    backend.close()


def test_what_the_broker_passes_to_nobody_is_held_and_sent_when_a_bridge_comes(
    shop: Shop, new_broker: Callable[..., Broker]
) -> None:
    broker = new_broker()
    till = shop.open_till(broker.port, EXIT_WHEN_DONE="true")
    till.say(line(EAN), "GPFIN")
    till.end_input()
    till.wait_for("state", state="not_sent")
    assert till.of("state", "not_sent")[0]["reason"] == "0x10"

    backend = Backend(broker, shop.till_key, shop.receipt_key)
    backend.come_up()

    assert till.wait() == 0
    backend.close()


def test_a_broker_that_dies_costs_time_and_no_basket(shop: Shop, backend: Backend) -> None:
    till = shop.open_till(backend.broker.port)
    till.say(line("1"), "GPFIN")
    till.wait_for("receipt")
    backend.broker.kill()
    till.wait_for("state", state="disconnected")
    till.say(line("2"), "GPFIN")
    till.wait_for("basket_closed", 2)

    backend.broker.start()
    second = Backend(backend.broker, shop.till_key, shop.receipt_key)
    second.come_up()

    till.wait_for("receipt", 2)
    assert backend.distinct().keys() | second.distinct().keys() == {1, 2}
    second.close()


@pytest.mark.parametrize("answer", [b"\x20\x02\x00\x01", b""], ids=["refuses", "hangs up"])
def test_a_broker_that_knows_only_3_1_1_is_spoken_to_in_3_1_1(answer: bytes, shop: Shop, backend: Backend) -> None:
    with old_broker(backend.broker.port, answer) as port:
        till = shop.open_till(port)
        till.say(line(EAN), "GPFIN")

        till.wait_for("receipt")

        assert till.of("state", "connected")[0]["mqtt"] == "3.1.1"
        till.terminate()


def test_a_broker_that_must_be_spoken_to_in_5_is_never_spoken_to_in_3_1_1(shop: Shop, backend: Backend) -> None:
    with old_broker(backend.broker.port, b"\x20\x02\x00\x01") as port:
        till = shop.open_till(port, PROTOCOL="5")

        till.wait_for("state", state="offline")

        assert till.of("state", "connected") == []


def test_birth_and_death_carry_a_growing_session(shop: Shop, backend: Backend) -> None:
    said: list[tuple[bool, int]] = []

    def sessions(*, online: bool) -> int:
        while not backend.others.empty():
            message = backend.others.get()
            if message.topic == topics.state(DEVICE):
                fields = orjson.loads(message.payload)
                said.append((fields["online"], fields["session"]))
        return len({session for is_online, session in said if is_online is online})

    till = shop.open_till(backend.broker.port)
    till.wait_for("state", state="connected")
    till.terminate()
    till = shop.open_till(backend.broker.port)
    wait_until(lambda: sessions(online=True) == 2)  # connected is said before the birth has left
    os.kill(till._process.pid, signal.SIGKILL)
    till.wait()

    wait_until(lambda: sessions(online=False) == 2)
    first, second = sorted({session for _, session in said})
    assert list(dict.fromkeys(said)) == [(True, first), (False, first), (True, second), (False, second)]


def test_health_tells_of_the_outbox(shop: Shop, backend: Backend) -> None:
    backend.answers = False
    till = shop.open_till(backend.broker.port, HEALTH_INTERVAL_S="0.2")
    till.say(line(EAN), "GPFIN")
    till.wait_for("basket_closed")

    def one_waits() -> bool:
        message = backend.others.get(timeout=5)
        return bool(message.topic == topics.health(DEVICE) and orjson.loads(message.payload)["outbox"]["baskets"] == 1)

    wait_until(one_waits)
    assert till.of("receipt") == []


def test_a_full_outbox_refuses_reads_loudly_and_takes_them_again_after_receipts(shop: Shop, backend: Backend) -> None:
    backend.go_down()
    till = shop.open_till(backend.broker.port, OUTBOX_BASKETS_MAX="5")
    till.wait_for("state", state="holding")
    till.say(*[item for n in range(5) for item in (line(str(n)), "GPFIN")], line("6"))
    till.wait_for("refused")
    assert (len(till.of("read")), till.of("refused")[0]["reason"]) == (5, "outbox_full")
    assert len(till.of("state", "outbox_warning")) == 1

    backend.come_up()
    till.wait_for("receipt", 5)
    till.say(line("7"), "GPFIN")

    till.wait_for("receipt", 6)
    assert sorted(backend.distinct()) == [1, 2, 3, 4, 5, 6]


def test_a_till_hears_the_servers_command_and_nobody_elses(shop: Shop, backend: Backend) -> None:
    till = shop.open_till(backend.broker.port)
    till.say(line("1"), "GPFIN")
    till.wait_for("receipt")  # it listens, which "connected" alone does not promise
    topic, body = topics.down_cmd(DEVICE), b'{"v":1,"cmd":"revoked","at":1}'

    backend.publish(topic, seal_downlink(topic, body, backend.till_key.sign))
    till.wait_for("state", state="downlink_refused")
    assert not till.of("state", state="revoked")
    backend.publish(topic, seal_downlink(topic, body, backend.receipt_key.sign))

    till.wait_for("state", state="revoked")


def test_where_the_first_broker_does_not_answer_another_takes_the_baskets(
    shop: Shop, new_broker: Callable[..., Broker]
) -> None:
    """And the first again, once the other is gone."""
    first, second = free_port(), new_broker()
    backend = Backend(second, shop.till_key, shop.receipt_key)
    backend.come_up()
    till = shop.open_till(first, BROKERS_MORE=f"127.0.0.1:{second.port}", RECONNECT_MAX_S="0.3")
    till.say(line("1"), "GPFIN")
    till.wait_for("receipt")

    backend.close()
    second.kill()
    till.wait_for("state", state="disconnected")
    backend = Backend(new_broker(first), shop.till_key, shop.receipt_key)
    backend.come_up()
    till.say(line("2"), "GPFIN")

    till.wait_for("receipt", 2)
    assert backend.distinct().keys() == {2}
    backend.close()
