"""What the fake camera sees: a label as the project draws it, in the format that Chromium takes for a camera's pictures."""

from pathlib import Path

import cv2
import numpy as np

from backend.demo.pictures import EASY, Symbology, label_card, photograph

WIDTH, HEIGHT = 640, 480
FRAMES = 4


def film_label(path: Path, symbology: Symbology, code: str) -> None:
    """YUV4MPEG2, planes of 4:2:0. Chromium plays it again from the beginning, for as long as the camera is open."""
    frames = [_frame(symbology, code, seed) for seed in range(FRAMES)]
    head = f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode()
    path.write_bytes(head + b"".join(b"FRAME\n" + frame for frame in frames))


def _frame(symbology: Symbology, code: str, seed: int) -> bytes:
    picture = photograph(label_card(symbology, code, "ORGANIC 有机产品", "示例"), seed, EASY)
    small = cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2YUV_I420), np.uint8).tobytes()
