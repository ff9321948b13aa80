"""A folder of label pictures: what a demonstration and the tests hold before the camera.

Beside `name.png` a file `name.json` may say what the shop's till would: `{"member", "cashier", "qty", "price_fen",
"finish": true}`. A member code comes before the picture's codes, the finish after them.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from scanner.clock import Clock
from scanner.decode.model import DecodedCode, StillReader
from scanner.errors import TillRefusal
from scanner.pictures import PictureFile, find_pictures, load_picture
from scanner.sources.model import (
    CashierSeen,
    CodeSeen,
    FeedLineUnusable,
    FinishSeen,
    NothingDecoded,
    PictureUnusable,
    SourceEvent,
    SourceOpened,
    Unusable,
)
from scanner.sources.text import UNKNOWN_SYMBOLOGY

SIDECAR_BYTES_MAX: Final = 16_384
_TYPES: Final = {"member": str, "cashier": str, "qty": int, "price_fen": int, "finish": bool}
_RETAIL: Final = frozenset({"EAN13", "EAN8", "UPCA", "UPCE", "DATABAR", "DATABAR_EXP", "DATABAR_LTD"})


@dataclass(frozen=True, slots=True)
class Sidecar:
    member: str | None = None
    cashier: str | None = None
    qty: int = 1
    price_fen: int | None = None
    finish: bool = False


class PictureSource:
    src = "pictures"

    def __init__(self, folder: Path, reader: StillReader, clock: Clock) -> None:
        self._folder = folder
        self._reader = reader
        self._clock = clock

    def events(self, stop: threading.Event) -> Iterator[SourceEvent]:
        yield SourceOpened(self.src)
        try:
            for picture in find_pictures(self._folder):
                if stop.is_set():
                    return
                yield from self._events_of(picture)
        except TillRefusal as refusal:
            yield Unusable(PictureUnusable(name=self._folder.name, reason=refusal.sentence_en))

    def _events_of(self, picture: PictureFile) -> Iterator[SourceEvent]:
        try:
            sidecar = read_sidecar(picture.path.with_suffix(".json"))
        except FeedLineUnusable as refusal:
            yield Unusable(refusal)
            sidecar = Sidecar()
        if sidecar.cashier is not None:
            yield CashierSeen(sidecar.cashier)
        if sidecar.member is not None:
            mono_ms = self._clock.mono_ms()
            yield CodeSeen(code=sidecar.member, symbology=UNKNOWN_SYMBOLOGY, src=self.src, mono_ms=mono_ms)
        yield from self._reads(picture, sidecar)
        if sidecar.finish:
            yield FinishSeen()

    def _reads(self, picture: PictureFile, sidecar: Sidecar) -> Iterator[SourceEvent]:
        try:
            codes = self._reader.read(load_picture(picture.path))
        except TillRefusal as refusal:
            yield Unusable(PictureUnusable(name=picture.name, reason=refusal.sentence_en))
            return
        if not codes:
            yield Unusable(NothingDecoded(name=picture.name))
        priced = priced_code(codes)
        for code in codes:
            is_line = code is priced
            yield seen(
                code,
                src=self.src,
                mono_ms=self._clock.mono_ms(),
                qty=sidecar.qty if is_line else 1,
                price_fen=sidecar.price_fen if is_line else None,
            )


def seen(code: DecodedCode, *, src: str, mono_ms: int, qty: int = 1, price_fen: int | None = None) -> CodeSeen:
    return CodeSeen(
        code=code.text,
        symbology=code.symbology,
        raw=None if code.text.encode("utf-8", "replace") == code.data else code.data,
        aim=code.aim,
        votes=code.votes,
        qty=qty,
        price_fen=price_fen,
        src=src,
        mono_ms=mono_ms,
    )


def priced_code(codes: list[DecodedCode]) -> DecodedCode | None:
    """The one code of a package that the shop's till sold: its retail code, else the first. A price counted for
    every code on a package would be a price counted twice.
    """
    return next((code for code in codes if code.symbology in _RETAIL), codes[0] if codes else None)


def read_sidecar(path: Path) -> Sidecar:
    """Nothing said where there is no file. Raises FeedLineUnusable."""
    try:
        with path.open("rb") as file:
            fields = orjson.loads(file.read(SIDECAR_BYTES_MAX))
    except FileNotFoundError:
        return Sidecar()
    except (OSError, orjson.JSONDecodeError) as error:
        raise FeedLineUnusable(reason=path.name) from error
    if not isinstance(fields, dict):
        raise FeedLineUnusable(reason=path.name)
    for name, value in fields.items():
        if type(value) is not _TYPES.get(name):
            raise FeedLineUnusable(reason=f"{path.name}: {name}")
    return Sidecar(**fields)
