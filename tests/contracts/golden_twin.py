"""Settings from afar: what is sent, what may be sent, and what a till says of it."""

import orjson

from firmware_bridge.wire import topics
from firmware_bridge.wire.downlinks import seal_downlink
from firmware_bridge.wire.envelope import Sign
from firmware_bridge.wire.twin import (
    NUMBERS,
    ReportedTwin,
    TwinStatus,
    decode_desired,
    encode_desired,
    encode_reported,
)

DOCUMENT = b'{"basket_timeout_s":90,"finish_code":"GPEND"}'


def desired(device: str, sign: Sign) -> bytes:
    return seal_downlink(topics.down_twin(device), encode_desired(7, DOCUMENT), sign)


def documents() -> list[dict[str, object]]:
    bounds = [(name, value) for name, (low, high) in NUMBERS.items() for value in (low, high)]
    outside = [(name, value) for name, (low, high) in NUMBERS.items() for value in (low - 1, high + 1)]
    texts = ["gpend", "GPX", "GP" + "A" * 31, "6901234567892", "GPM1.AAAA", "GPEND ", "GPEND\n", 7, None]
    cases: list[tuple[object, bool]] = [({}, True), ({"finish_code": "GPEND", "void_code": "GPX1"}, True)]
    cases += [({name: value}, True) for name, value in bounds] + [({name: value}, False) for name, value in outside]
    cases += [({"finish_code": value}, False) for value in texts]
    cases += [({"basket_timeout_s": value}, False) for value in ("90", 90.5, True, None, [90])]
    cases += [({name: "x"}, False) for name in ("broker_host", "outbox_path", "key_path", "source", "")]
    return [{"document": orjson.dumps(document).decode(), "good": good} for document, good in cases]


def windows() -> list[dict[str, object]]:
    good = ["22:30-06:00", "00:00-00:00", "09:05-23:59"]
    bad = ["24:00-06:00", "22:30", "22:30-6:00", "22:60-06:00", " 22:30-06:00", "22:30-06:00\n", "22：30-06：00"]
    cases = [(text, True) for text in good] + [(text, False) for text in bad]
    return [{"document": orjson.dumps({"update_window": text}).decode(), "good": is_good} for text, is_good in cases]


def reports() -> list[dict[str, object]]:
    sha256 = decode_desired(encode_desired(7, DOCUMENT)).sha256
    said = [
        ReportedTwin(0, 0, None, TwinStatus.NONE, None),
        ReportedTwin(7, 7, sha256, TwinStatus.TRIAL, None),
        ReportedTwin(7, 7, sha256, TwinStatus.APPLIED, None),
        ReportedTwin(8, 7, sha256, TwinStatus.REJECTED, "bad_field finish_code"),
        ReportedTwin(8, 7, sha256, TwinStatus.REVERTED, "offline"),
    ]
    return [
        {
            "report": encode_reported(one).decode(),
            "version": one.version,
            "applied_version": one.applied_version,
            "sha256": one.sha256,
            "status": one.status,
            "error": one.error,
        }
        for one in said
    ]
