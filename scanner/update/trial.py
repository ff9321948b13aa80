"""Whether a slot on trial is healthy: connected, reader open, and a receipt for its self-test basket."""

from threading import Lock

from scanner.feedback import Notice

GENUINE = frozenset({"recorded", "duplicate"})


class TrialWatch:
    """Told what the cashier is told, so it judges by what really happened. A `Feedback`; any thread."""

    def __init__(self) -> None:
        self._connected = self._reader_open = self._receipted = False
        self._connections = 0
        self._seq: int | None = None
        self._guard = Lock()

    def expect(self, seq: int | None) -> None:
        """The number of the self-test basket of this very run; None where it could not be written."""
        with self._guard:
            self._seq = seq

    def show(self, notice: Notice) -> None:
        with self._guard:
            if notice.event == "receipt" and notice.facts["state"] in GENUINE:
                self._receipted = self._receipted or self._seq == notice.facts["seq"]
            elif notice.event == "state":
                self._learn(str(notice.facts.get("state")))

    def healthy(self) -> bool:
        """All but the outbox, which whoever asks can read."""
        with self._guard:
            return self._connected and self._reader_open and self._receipted

    def connection(self) -> int | None:
        """The number of the connection that stands, of this run."""
        with self._guard:
            return self._connections if self._connected else None

    def _learn(self, state: str) -> None:
        if state in {"connected", "disconnected"}:
            self._connected = state == "connected"
            self._connections += self._connected
        elif state in {"source_open", "source_lost"}:
            self._reader_open = state == "source_open"
