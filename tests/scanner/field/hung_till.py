"""A till whose reader hangs for ever at its first HANG line, as a camera driver does: the watchdog must notice."""

import sys
import threading
from collections.abc import Iterator

from scanner import agent
from scanner.sources.model import CodeSeen, ReadSource, SourceEvent
from scanner.sources.select_source import source_of


class HangingSource:
    def __init__(self, source: ReadSource) -> None:
        self.src = source.src
        self._source = source

    def events(self, stop: threading.Event) -> Iterator[SourceEvent]:
        for event in self._source.events(stop):
            if isinstance(event, CodeSeen) and event.code == "HANG":
                threading.Event().wait()
            yield event


if __name__ == "__main__":
    agent.source_of = lambda *given: HangingSource(source_of(*given))  # type: ignore[assignment]  # the planted fault
    sys.exit(agent.main())
