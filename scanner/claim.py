"""Claim codes: what a customer without a member code takes home."""

import numpy as np
import zxingcpp

from firmware_bridge.wire.claim_code import show_claim_code


def slip_text(code: str) -> str:
    """The code as printed on the sales slip, under a QR symbol made of block characters."""
    shown = show_claim_code(code)
    return f"{qr_text(shown)}\n{shown}"


def qr_text(content: str) -> str:
    """A QR symbol for a terminal or a receipt printer: two rows a line, dark on light, with its quiet zone."""
    symbol = zxingcpp.create_barcode(content, zxingcpp.BarcodeFormat.QRCode)
    dark = np.array(symbol.to_image(scale=1)) < 128  # noqa: PLR2004
    if len(dark) % 2:
        dark = np.vstack([dark, np.zeros((1, dark.shape[1]), dtype=bool)])
    blocks = {(False, False): "█", (False, True): "▀", (True, False): "▄", (True, True): " "}
    pairs = zip(dark[0::2].tolist(), dark[1::2].tolist(), strict=True)
    return "\n".join("".join(blocks[top, bottom] for top, bottom in zip(*pair, strict=True)) for pair in pairs)
