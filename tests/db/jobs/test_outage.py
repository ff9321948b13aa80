"""The worker while PostgreSQL is away: it waits, goes on afterwards, and can be stopped meanwhile."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.storage.embedded import EmbeddedPostgres
from backend.storage.migrate import upgrade
from tests.db.jobs.process import done, lines, queue, wait, worker
from tests.worlds.homes import home

AWAY_S = 3


@pytest.fixture
def server() -> Iterator[EmbeddedPostgres]:
    with home("outage") as place:
        embedded = EmbeddedPostgres(place, settings={"fsync": "off"})
        embedded.start()
        upgrade(embedded.url())
        try:
            yield embedded
        finally:
            embedded.stop()


def test_it_goes_on_when_the_server_is_back(server: EmbeddedPostgres, tmp_path: Path) -> None:
    output = tmp_path / "worker.log"

    with worker(server.url(), output) as process:
        wait(lambda: done(output, "verify_ledger"))
        server.stop()
        wait(lambda: any(line["event"] == "jobs_interrupted" for line in lines(output)))
        time.sleep(AWAY_S)
        server.start()
        queue(server.url(), "resolve_products", due=7)
        wait(lambda: any(line["due"] == 7 for line in done(output, "resolve_products")))
        process.send_signal(signal.SIGTERM)

        assert process.wait(30) == 0


def test_it_can_be_stopped_while_the_server_is_away(server: EmbeddedPostgres, tmp_path: Path) -> None:
    output = tmp_path / "worker.log"

    with worker(server.url(), output) as process:
        wait(lambda: done(output, "verify_ledger"))
        server.stop()
        wait(lambda: any(line["event"] == "jobs_interrupted" for line in lines(output)))
        process.send_signal(signal.SIGTERM)

        assert process.wait(30) == 0
