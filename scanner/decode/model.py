"""What decoding gives to the rest of the till."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class DecodedCode:
    """An accepted code.

    `symbology`: EAN13, EAN8, UPCA, UPCE, I25, CODE128, CODE39, CODE93, CODABAR, QRCODE, DATAMATRIX, DATABAR,
    DATABAR_EXP, DATABAR_LTD, PDF417, AZTEC.
    `data`: the bytes of the symbol; GS1 element strings keep their separator 0x1D and carry no brackets.
    `text`: printable form, UTF-8 or else GB18030; bytes of no such text are shown as U+FFFD.
    `aim`: ISO/IEC 15424 identifier where an engine gave one (zbar gives none).
    `votes`: how many witnesses (engine and view, or frame) agreed, at least 1.
    """

    symbology: str
    data: bytes
    text: str
    aim: str | None
    votes: int
    engines: frozenset[str]

    def __post_init__(self) -> None:
        assert self.votes >= 1
        assert self.engines


class StillReader(Protocol):
    def read(self, image: Picture) -> list[DecodedCode]:
        """Every accepted code of one picture, BGR or grey, 8 bits a channel. Never raises on its content."""


class LiveReader(Protocol):
    def frame(self, image: Picture, mono_ms: int) -> list[DecodedCode]:
        """The codes that this frame decided, each label once until it has left the view.

        `mono_ms`: a clock that never falls.
        """
