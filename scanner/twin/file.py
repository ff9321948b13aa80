"""The till's settings from afar on its disk: replaced whole, so that a death at any moment leaves the old or the new."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from firmware_bridge.wire.errors import BadField, WireError
from firmware_bridge.wire.fields import Fields, choice, integer, nested, optional_text, sized_text, text
from firmware_bridge.wire.strict_json import dump_object, load_object
from firmware_bridge.wire.twin import (
    DOCUMENT_BYTES_MAX,
    SHA256,
    TWIN_VERSION_MAX,
    DesiredTwin,
    TwinStatus,
    decode_document,
)
from scanner.chaos import Chaos, ChaosPoint
from scanner.twin.state import STARTS_MAX, Trial, TwinState
from scanner.whole_file import replace_private

BYTES_MAX: Final = 16_384
FORM: Final = 1
_BOOT: Final = re.compile(r"[A-Za-z0-9_-]{0,64}")
_WORD: Final = re.compile(r".{1,100}")


@dataclass(frozen=True, slots=True)
class Loaded:
    state: TwinState
    set_aside: Path | None
    """Where an unusable file was put."""


class TwinFile:
    """Used by one thread of the one program that holds the outbox's lock."""

    def __init__(self, path: Path, chaos: Chaos) -> None:
        self._path = path
        self._chaos = chaos

    def load(self) -> Loaded:
        """Never raises: what cannot be used is put aside, and the server sends its settings again."""
        try:
            with self._path.open("rb") as file:
                raw = file.read(BYTES_MAX + 1)
        except FileNotFoundError:
            return Loaded(TwinState(), None)
        except OSError:
            return Loaded(TwinState(), self._path)
        try:
            return Loaded(_decode(raw), None)
        except WireError:
            return Loaded(TwinState(), self._set_aside())

    def save(self, state: TwinState) -> None:
        """On the medium, name and content, when it returns. Raises OSError; the file is then as it was."""
        replace_private(self._path, _encode(state), lambda: self._chaos.reach(ChaosPoint.TWIN_WRITTEN))

    def _set_aside(self) -> Path:
        kept = self._path.with_name(self._path.name + ".broken")
        try:
            self._path.replace(kept)
        except OSError:
            return self._path
        return kept


def _encode(state: TwinState) -> bytes:
    trial = state.trial
    return dump_object(
        {
            "v": FORM,
            "version": state.version,
            "status": state.status.value,
            "error": state.error,
            "good": None if state.good is None else _twin(state.good),
            "trial": trial and {**_twin(trial.twin), "boot": trial.boot, "starts": trial.starts},
        }
    )


def _twin(twin: DesiredTwin) -> dict[str, object]:
    return {"version": twin.version, "sha256": twin.sha256, "document": twin.document.decode()}


def _decode(raw: bytes) -> TwinState:
    if len(raw) > BYTES_MAX:
        raise BadField(field="file", rule=f"at most {BYTES_MAX} bytes")
    fields = load_object(raw)
    integer(fields, "v", FORM, FORM)
    good, trial = fields.get("good"), fields.get("trial")
    return TwinState(
        version=integer(fields, "version", 0, TWIN_VERSION_MAX),
        status=choice(fields, "status", TwinStatus),
        error=optional_text(fields, "error", _WORD),
        good=None if good is None else _read_twin(nested(fields, "good")),
        trial=None if trial is None else _read_trial(nested(fields, "trial")),
    )


def _read_trial(fields: Fields) -> Trial:
    return Trial(_read_twin(fields), text(fields, "boot", _BOOT), integer(fields, "starts", 1, STARTS_MAX))


def _read_twin(fields: Fields) -> DesiredTwin:
    document = sized_text(fields, "document", DOCUMENT_BYTES_MAX).encode()
    version = integer(fields, "version", 1, TWIN_VERSION_MAX)
    twin = DesiredTwin(version, text(fields, "sha256", SHA256), document)
    decode_document(twin)
    return twin
