"""`greenpoints-till enrol`: a till takes its slot by a claim."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from firmware_bridge.wire.enrolment import CLAIM_PREFIX, split_claim
from scanner.chaos import Chaos, ChaosPoint
from scanner.enrolment.enrol import device_of, enrol
from scanner.enrolment.identity import CURRENT, SETTINGS, Identities
from scanner.enrolment.server import Server, ServerAddressRefused
from scanner.errors import TillRefusal

PLACE = Path("/var/lib/greenpoints-till/keys")
_SERIAL = Path("/sys/firmware/devicetree/base/serial-number")
SERIAL_CHARS_MAX = 64
EXIT_DONE, EXIT_REFUSED = 0, 1


class NoClaim(TillRefusal):
    code = "no_claim"
    text_zh = "没有读到登记码。"
    text_en = "No claim was read."


def main(argv: Sequence[str] | None = None) -> int:
    """0 enrolled, 1 refused or not reached (to be tried again with the same claim), 2 usage."""
    options = _parser().parse_args(argv)
    try:
        claim, named_url = split_claim(_claim(options.claim, options.picture))
        url = options.url or named_url
        if url is None:
            raise ServerAddressRefused
        identities = Identities(options.place)
        point = os.environ.get("GREENPOINTS_TILL_CHAOS_POINT") if os.environ.get("ENV") == "test" else None
        chaos = Chaos(ChaosPoint(point) if point else None)
        identity = enrol(identities, Server(url, options.ca), claim, _hw_serial(), chaos)
    except TillRefusal as refusal:
        print(f"{refusal.sentence_zh}\n{refusal.sentence_en}", file=sys.stderr)
        return EXIT_REFUSED
    print(f"本机已登记为 {device_of(identity)} / enrolled")
    print(f"设置文件 / settings: {options.place / CURRENT / SETTINGS}")
    print(f"启动前设置 / before it runs: GREENPOINTS_TILL_IDENTITY_PATH={options.place}")
    return EXIT_DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="greenpoints-till enrol", description="凭一次性登记码登记本机 / enrol this till by its claim"
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--claim", help="登记码；- 由标准输入或扫码枪读一行 / the claim; - reads a line")
    source.add_argument("--picture", type=Path, help="登记码二维码的照片 / a picture of its QR code")
    parser.add_argument("--url", help="后端地址，https；二维码中有时可省 / the server, https; may stand in the QR code")
    parser.add_argument("--ca", type=Path, help="验证后端的 CA；默认用系统的 / its authority; the system's by default")
    parser.add_argument("--place", type=Path, default=PLACE, help="存放密钥的目录 / folder of the keys")
    return parser


def _claim(typed: str | None, picture: Path | None) -> str:
    if picture is not None:
        # Imported here: a claim that is typed needs no reading engines.
        from scanner.decode.still import VotingStillReader  # noqa: PLC0415
        from scanner.pictures import load_picture  # noqa: PLC0415

        texts = [code.text for code in VotingStillReader().read(load_picture(picture))]
        found = next((text for text in texts if text.startswith(CLAIM_PREFIX)), "")
    else:
        found = sys.stdin.readline() if typed == "-" else typed or ""
    if not found.strip():
        raise NoClaim
    return found.strip()


def _hw_serial() -> str:
    """The board's number, empty where it has none; it only informs."""
    try:
        return _SERIAL.read_text(encoding="ascii", errors="replace").strip("\0 \n")[:SERIAL_CHARS_MAX]
    except OSError:
        return ""
