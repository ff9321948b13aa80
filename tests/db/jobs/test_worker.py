"""`greenpoints jobs` as it is really run: a process that works until it is told to stop, whatever the database does."""

import json
import signal
from pathlib import Path

import psycopg
import pytest

from backend.adapters.schedule import SCHEDULE
from tests.db.jobs.process import WITHIN_S, command, done, lines, queue, wait, worker
from tests.worlds import books
from tests.worlds.city import FRIDGE, NANJING, UNCERTIFIED, City, read, register, resident
from tests.worlds.later import assert_sound

LI = resident(1)


@pytest.fixture
def city(usual_city: City) -> City:
    return usual_city


def test_a_worker_that_starts_does_what_is_due_and_ends_with_zero_when_told_to(
    city: City, database_url: str, tmp_path: Path
) -> None:
    city.record(city.till().basket(read(UNCERTIFIED), resident=LI))
    register(city.database, {"code": UNCERTIFIED, "grade": "1"})
    output = tmp_path / "worker.log"

    with worker(database_url, output) as process:
        wait(lambda: all(done(output, planned.name) for planned in SCHEDULE))
        process.send_signal(signal.SIGTERM)
        code = process.wait(WITHIN_S)

    assert code == 0
    assert books.wallet(city.database, NANJING, LI) == 10
    assert lines(output)[-1]["event"] == "jobs_stopped"
    assert_sound(city.database, NANJING)


def test_an_interrupt_ends_it_as_well(city: City, database_url: str, tmp_path: Path) -> None:
    output = tmp_path / "worker.log"

    with worker(city and database_url, output) as process:
        wait(lambda: done(output, "verify_ledger"))
        process.send_signal(signal.SIGINT)

        assert process.wait(WITHIN_S) == 0


def test_two_workers_share_the_schedule(city: City, database_url: str, tmp_path: Path) -> None:
    outputs = [tmp_path / "one.log", tmp_path / "two.log"]

    with worker(city and database_url, outputs[0]), worker(database_url, outputs[1]):
        wait(lambda: all(any(done(each, p.name) for each in outputs) for p in SCHEDULE))

    nightly = [line["due"] for each in outputs for line in done(each, "verify_all")]
    assert len(nightly) == 1


def test_what_a_killed_worker_left_is_done_by_the_next(city: City, database_url: str, tmp_path: Path) -> None:
    """It is killed while its verification waits for a lock that somebody else holds."""
    city.record(city.till().basket(read(FRIDGE), resident=LI))
    output = tmp_path / "worker.log"
    with psycopg.connect(database_url) as holder:
        holder.execute("LOCK TABLE transfers IN ACCESS EXCLUSIVE MODE")
        with worker(database_url, output) as process:
            wait(lambda: "doing" in _statuses(database_url, "verify_all"))
            process.kill()
            process.wait()
    with psycopg.connect(database_url) as owner:  # half a minute without a heartbeat
        owner.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute'")

    with worker(database_url, tmp_path / "next.log"):
        wait(lambda: "succeeded" in _statuses(database_url, "verify_all"))
    assert _statuses(database_url, "verify_all") == ["succeeded"]


def test_a_worker_outlives_its_connections(city: City, database_url: str, tmp_path: Path) -> None:
    output = tmp_path / "worker.log"

    with worker(city and database_url, output) as process:
        wait(lambda: done(output, "verify_ledger"))
        with psycopg.connect(database_url, autocommit=True) as owner:
            owner.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name IN ('greenpoints_jobs', 'greenpoints_engine')"
            )
        queue(database_url, "clean_up", due=7)
        wait(lambda: any(line["due"] == 7 for line in done(output, "clean_up")))
        process.send_signal(signal.SIGTERM)

        assert process.wait(WITHIN_S) == 0


def test_a_broken_ledger_is_logged_as_an_error_and_the_worker_goes_on(
    city: City, database_url: str, tmp_path: Path
) -> None:
    city.record(city.till().basket(read(FRIDGE), resident=LI))
    _spoil(database_url)
    output = tmp_path / "worker.log"

    with worker(database_url, output) as process:
        wait(lambda: done(output, "clean_up") and "failed" in _statuses(database_url, "verify_ledger"))
        wait(lambda: any(line["level"] == "error" and line["event"] == "ledger_broken" for line in lines(output)))

        assert process.poll() is None


def test_one_job_can_be_done_by_hand_and_says_what_it_did(city: City, database_url: str) -> None:
    city.record(city.till().basket(read(UNCERTIFIED), resident=LI))
    register(city.database, {"code": UNCERTIFIED, "grade": "1"})

    done = command(database_url, "run", "resolve_products", "--json")
    repaired = command(database_url, "run", "retry_stalled")

    assert (done.returncode, json.loads(done.stdout)) == (0, {"codes": 1, "scans": 1, "awarded": 1, "failed": 0})
    assert (repaired.returncode, repaired.stdout.split("：")[0]) == (0, "retry_stalled")


def test_a_broken_ledger_refuses_the_job_done_by_hand(city: City, database_url: str) -> None:
    city.record(city.till().basket(read(FRIDGE), resident=LI))
    _spoil(database_url)

    done = command(database_url, "run", "verify_all")

    assert done.returncode == 1
    assert "[ledger-broken]" in done.stderr
    assert any(
        json.loads(line)["event"] == "ledger_broken" for line in done.stderr.splitlines() if line.startswith("{")
    )


@pytest.mark.usefixtures("template")
def test_a_database_without_a_queue_is_refused(server_url: str, tmp_path: Path) -> None:
    """On a server that has the roles; they are made with the first schema."""
    output = tmp_path / "worker.log"

    with psycopg.connect(server_url, autocommit=True) as owner:
        owner.execute("CREATE DATABASE bare")
    with worker(server_url.rsplit("/", 1)[0] + "/bare", output) as process:
        code = process.wait(WITHIN_S)

    assert code == 1
    assert b"[queue-missing]" in output.read_bytes()


def test_the_schedule_can_be_listed_without_a_database() -> None:
    listed = command(None, "list", "--json")

    assert [each["name"] for each in json.loads(listed.stdout)] == [planned.name for planned in SCHEDULE]


def _spoil(url: str) -> None:
    with psycopg.connect(url) as owner:
        owner.execute("UPDATE accounts SET balance = balance + 1 WHERE account LIKE 'resident:%'")


def _statuses(url: str, job: str) -> list[str]:
    with psycopg.connect(url) as owner:
        found = owner.execute("SELECT status::text FROM procrastinate_jobs WHERE task_name = %s", (job,)).fetchall()
    return [status for (status,) in found]
