"""Labels drawn and then photographed badly, always alike for the same seed."""

import cv2
import numpy as np
import segno
import zxingcpp

from scanner.decode.model import Picture


def barcode(text: str, symbology: str, module: int = 3, quiet: int = 10) -> Picture:
    drawn = zxingcpp.create_barcode(text, zxingcpp.barcode_format_from_str(symbology))
    image = np.array(drawn.to_image(scale=module, add_quiet_zones=False))
    edge = quiet * module
    return cv2.copyMakeBorder(image, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=[255])


def qr(content: str | bytes, module: int = 4) -> Picture:
    mode = "byte" if isinstance(content, bytes) else None
    cells = np.array(list(segno.make(content, mode=mode, micro=False).matrix_iter(border=4)), dtype=np.uint8)
    return np.kron((1 - cells) * 255, np.ones((module, module))).astype(np.uint8)


def on_table(*labels: Picture, size: tuple[int, int] = (480, 640), grey: int = 190) -> Picture:
    """Labels one below the other on a plain ground, as many as fit."""
    table = np.full(size, grey, np.uint8)
    top = 12
    for label in labels:
        height, width = label.shape
        left = (size[1] - width) // 2
        table[top : top + height, left : left + width] = label
        top += height + 24
    return table


def photographed(
    label: Picture, seed: int, *, tilt: float = 0.06, blur: float = 0.8, noise: float = 6, light: float = 0.4
) -> Picture:
    """Perspective, uneven light, blur and noise: `tilt` is the share of the side by which a corner wanders."""
    rng = np.random.default_rng(seed)
    height, width = label.shape
    edge = int(max(height, width) * 0.15)
    ground = cv2.copyMakeBorder(label, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=[200])
    tall, wide = ground.shape
    corners = np.array([(0, 0), (wide, 0), (wide, tall), (0, tall)], np.float32)
    wander = rng.uniform(-tilt, tilt, (4, 2)).astype(np.float32) * (wide, tall)
    turn = cv2.getPerspectiveTransform(corners, (corners + wander).astype(np.float32))
    seen = cv2.warpPerspective(ground, turn, (wide, tall), flags=cv2.INTER_AREA, borderValue=[200]).astype(float)
    seen = cv2.GaussianBlur(seen, (0, 0), blur)
    shade = np.linspace(1, 1 - light, wide)[None, :] * np.linspace(1, 1 - light / 2, tall)[:, None]
    return np.clip(seen * shade + rng.normal(0, noise, seen.shape), 0, 255).astype(np.uint8)


def ground_of_words(seed: int) -> Picture:
    """A page of print without any code."""
    rng = np.random.default_rng(seed)
    page = np.full((360, 480), 230, np.uint8)
    for line in range(12):
        words = "".join(rng.choice(list("ABCDEHIL1lmnu ||//"), 30))
        cv2.putText(page, words, (8, 28 + 28 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.7, [40], 2)
    return page
