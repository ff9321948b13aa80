"""Claim codes: what a customer without a member code takes home."""

import numpy as np
import numpy.typing as npt
import zxingcpp

from firmware_bridge.wire.claim_code import show_claim_code

_DOTS_A_MODULE = 8
"""1 mm at 203 dots an inch; 29 modules are 232 dots of the 384 of the narrowest paper."""


def slip_text(code: str) -> str:
    """The code as printed on the sales slip, under a QR symbol made of block characters."""
    shown = show_claim_code(code)
    return f"{qr_text(shown)}\n{shown}"


def slip_escpos(claim: str) -> bytes:
    """`claim` as printed. For ESC/POS printers with a Chinese font (GB 18030) and paper of 58 mm or wider.

    The symbol is a picture (GS v 0), which every such printer knows; a QR command of its own not every one has.
    """
    dark = _modules(claim, scale=_DOTS_A_MODULE)
    rows = np.packbits(dark, axis=1)
    height, width_bytes = rows.shape
    picture = b"\x1dv0\x00" + width_bytes.to_bytes(2, "little") + height.to_bytes(2, "little") + rows.tobytes()
    return b"".join(
        (
            b"\x1b@\x1ba\x01\x1c&",  # anew, centred, Chinese characters
            "绿色积分领取码\n".encode("gb18030"),
            picture,
            b"\n\x1d!\x01" + claim.encode("ascii") + b"\n\x1d!\x00",  # twice as high
            "凭此码领取积分，限一次\n".encode("gb18030"),
            b"\x1bd\x04\x1dVB\x00",  # to the knife, and cut
        )
    )


def qr_text(content: str) -> str:
    """A QR symbol for a terminal or a receipt printer: two rows a line, dark on light, with its quiet zone."""
    dark = _modules(content, scale=1)
    if len(dark) % 2:
        dark = np.vstack([dark, np.zeros((1, dark.shape[1]), dtype=bool)])
    blocks = {(False, False): "█", (False, True): "▀", (True, False): "▄", (True, True): " "}
    pairs = zip(dark[0::2].tolist(), dark[1::2].tolist(), strict=True)
    return "\n".join("".join(blocks[top, bottom] for top, bottom in zip(*pair, strict=True)) for pair in pairs)


def _modules(content: str, *, scale: int) -> npt.NDArray[np.bool_]:
    """A QR symbol with its quiet zone, `scale` dots a module; true is dark."""
    symbol = zxingcpp.create_barcode(content, zxingcpp.BarcodeFormat.QRCode)
    dark: npt.NDArray[np.bool_] = np.array(symbol.to_image(scale=scale)) < 128  # noqa: PLR2004
    return dark
