"""procrastinate on our own migrations and roles: each job at least once, none blocked by a worker that died."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from importlib import resources
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeout

from backend.adapters.chores import Chores, Facts, Stopping
from backend.adapters.jobs import ATTEMPTS_MAX, CONCURRENT_JOBS, Jobs
from backend.adapters.schedule import SCHEDULE
from backend.storage.migrate import drift
from backend.storage.transaction import DatabaseBusy
from backend.usecases.run_previews import PREVIEWS
from tests.worlds.city import NOON

NOTHING: Any = None
WORKED = (*Chores(NOTHING, NOTHING, NOTHING, NOTHING).works(), PREVIEWS)
"""Every kind of work that there is, none of it done here."""


@pytest.fixture
def ran() -> list[str]:
    return []


@pytest.fixture
def jobs(database_url: str, ran: list[str]) -> Jobs:
    def work(name: str) -> Callable[[datetime, Stopping], Facts]:
        def one(_now: datetime, _stopping: Stopping) -> Facts:
            ran.append(name)
            return {}

        return one

    return Jobs(database_url, "greenpoints_engine", {name: work(name) for name in WORKED}, lambda: NOON)


async def _until_idle(jobs: Jobs) -> None:
    jobs.app.periodic_registry.periodic_tasks.clear()
    await jobs.app.run_worker_async(wait=False, install_signal_handlers=False, listen_notify=False)


def _in_queue(jobs: Jobs, work: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        async with jobs.app.open_async():
            await work()

    asyncio.run(run())


def _rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def _stalled(url: str, name: str, *, attempts: int = 0) -> None:
    """A job whose worker sent its last heartbeat an hour ago."""
    _rows(
        url,
        "WITH dead AS (INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour') RETURNING id)"
        " INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args, status, attempts, worker_id)"
        f" SELECT 'default', '{name}', '{name}', '{name}', '{{\"timestamp\": 1}}', 'doing', {attempts}, id FROM dead",
    )


def test_the_schema_is_that_of_the_installed_library(database_url: str) -> None:
    """Fails when a newer procrastinate brings migrations: they need a revision of ours."""
    files = [file.name for file in resources.files("procrastinate.sql").joinpath("migrations").iterdir()]
    revision = next(resources.files("migrations").joinpath("versions").glob("*_jobs.py")).read_text()  # type: ignore[attr-defined]  # a folder

    assert f'LAST_FILE = "{max(name for name in files if name.endswith(".sql"))}"' in revision
    assert drift(database_url) == ()


def test_everything_on_the_schedule_has_its_work(jobs: Jobs) -> None:
    assert {planned.name for planned in SCHEDULE} == set(WORKED) | set(jobs._repairs)
    assert {task.cron for task in jobs.app.periodic_registry.periodic_tasks.values()} == {p.cron for p in SCHEDULE}


def test_nightly_work_is_done_at_night_in_china(jobs: Jobs) -> None:
    planned = jobs.app.periodic_registry.periodic_tasks["verify_all", ""]

    following = planned.croniter.get_next(ret_type=float, start_time=NOON.timestamp())

    assert datetime.fromtimestamp(following, UTC) == datetime(2026, 11, 22, 19, 10, tzinfo=UTC)  # 03:10 on the 23rd


def test_a_queued_job_is_done_by_the_engines_role_alone(jobs: Jobs, ran: list[str], database_url: str) -> None:
    async def work() -> None:
        await jobs.app.configure_task("clean_up").defer_async(timestamp=1)
        role = await jobs.app.connector.execute_query_one_async("SELECT current_user AS role")
        assert role == {"role": "greenpoints_engine"}
        await _until_idle(jobs)

    _in_queue(jobs, work)

    assert ran == ["clean_up"]
    assert _rows(database_url, "SELECT task_name, status FROM procrastinate_jobs") == [("clean_up", "succeeded")]


def test_long_work_of_the_hour_and_the_night_leaves_the_minutes_work_a_place(database_url: str) -> None:
    settled = threading.Event()
    waited: dict[str, bool] = {}

    def works(name: str) -> Callable[[datetime, Stopping], Facts]:
        def work(_now: datetime, _stopping: Stopping) -> Facts:
            if name == "settle_due":
                settled.set()
            else:
                waited[name] = settled.wait(10)
            return {}

        return work

    jobs = Jobs(database_url, "greenpoints_engine", {name: works(name) for name in WORKED}, lambda: NOON)
    long = ["verify_all", "seal_late", "find_gaps", "clean_up", "replay_sample", "count_scans"]

    async def work() -> None:
        for name in [*long, "settle_due"]:
            await jobs.app.tasks[name].defer_async(timestamp=1)
        jobs.app.periodic_registry.periodic_tasks.clear()
        await jobs.app.run_worker_async(
            wait=False, install_signal_handlers=False, listen_notify=False, concurrency=CONCURRENT_JOBS
        )

    _in_queue(jobs, work)

    # A worker that is told not to wait ends while others of one lock are still to come.
    assert waited.keys() >= {"verify_all", "replay_sample"}
    assert all(waited.values())


def test_the_same_job_is_queued_once(jobs: Jobs, ran: list[str]) -> None:
    async def work() -> None:
        deferrer = jobs.app.configure_task("verify_ledger", queueing_lock="verify_ledger")
        await deferrer.defer_async(timestamp=1)
        with pytest.raises(Exception, match="already a job in the queue"):
            await deferrer.defer_async(timestamp=2)
        await _until_idle(jobs)

    _in_queue(jobs, work)

    assert ran == ["verify_ledger"]


def test_what_a_dead_worker_left_is_done_by_another(jobs: Jobs, ran: list[str], database_url: str) -> None:
    _stalled(database_url, "verify_all")

    assert jobs.run("retry_stalled") == {"retried": 1, "given_up": 0}
    _in_queue(jobs, lambda: _until_idle(jobs))

    assert ran == ["verify_all"]
    assert _rows(database_url, "SELECT status, attempts FROM procrastinate_jobs") == [("succeeded", 2)]


def test_a_stalled_job_whose_next_run_is_queued_blocks_it_no_longer(
    jobs: Jobs, ran: list[str], database_url: str
) -> None:
    async def queue() -> None:
        await jobs.app.configure_task("verify_all").defer_async(timestamp=2)

    _stalled(database_url, "verify_all")
    _in_queue(jobs, queue)

    assert jobs.run("retry_stalled") == {"retried": 0, "given_up": 1}
    _in_queue(jobs, lambda: _until_idle(jobs))

    assert ran == ["verify_all"]


def test_a_job_that_ends_its_worker_again_and_again_is_given_up(jobs: Jobs, database_url: str) -> None:
    _stalled(database_url, "clean_up", attempts=ATTEMPTS_MAX)

    assert jobs.run("retry_stalled") == {"retried": 0, "given_up": 1}
    assert _rows(database_url, "SELECT status FROM procrastinate_jobs") == [("failed",)]


def test_records_of_finished_jobs_are_kept_for_a_day_and_of_failed_ones_for_thirty(
    jobs: Jobs, database_url: str
) -> None:
    for status, hours in (("succeeded", 23), ("succeeded", 25), ("failed", 25), ("failed", 721), ("todo", 999)):
        _rows(
            database_url,
            "WITH job AS (INSERT INTO procrastinate_jobs (queue_name, task_name, status)"
            f" VALUES ('default', '{status} {hours}', '{status}') RETURNING id)"
            " INSERT INTO procrastinate_events (job_id, type, at)"
            f" SELECT id, 'started', now() - interval '{hours} hours' FROM job",
        )
    _rows(database_url, "DELETE FROM procrastinate_events WHERE type = 'deferred'")

    jobs.run("forget_finished")

    kept = _rows(database_url, "SELECT task_name FROM procrastinate_jobs ORDER BY id")
    assert [name for (name,) in kept] == ["succeeded 23", "failed 25", "todo 999"]


@pytest.mark.parametrize("fault", [DatabaseBusy, PoolTimeout])
def test_a_database_that_is_busy_is_asked_again_later(database_url: str, fault: type[Exception]) -> None:
    def busy(_now: datetime, _stopping: Stopping) -> Facts:
        raise fault

    jobs = Jobs(database_url, "greenpoints_engine", dict.fromkeys(WORKED, busy), lambda: NOON)

    async def work() -> None:
        await jobs.app.configure_task("clean_up").defer_async(timestamp=1)
        await _until_idle(jobs)

    _in_queue(jobs, work)

    found = _rows(database_url, "SELECT status, attempts, scheduled_at > now() FROM procrastinate_jobs")
    assert found == [("todo", 1, True)]


def test_a_job_cut_short_by_the_end_of_its_worker_is_left_to_the_next(database_url: str) -> None:
    started = threading.Event()

    def long(_now: datetime, stopping: Stopping) -> Facts:
        started.set()
        while not stopping():
            time.sleep(0.01)
        return {}

    jobs = Jobs(database_url, "greenpoints_engine", dict.fromkeys(WORKED, long), lambda: NOON)

    async def work() -> None:
        jobs.app.periodic_registry.periodic_tasks.clear()
        await jobs.app.configure_task("verify_all").defer_async(timestamp=1)
        worker = asyncio.create_task(
            jobs.app.run_worker_async(install_signal_handlers=False, shutdown_graceful_timeout=0.1)
        )
        assert await asyncio.to_thread(started.wait, 20)
        worker.cancel()
        with pytest.raises(asyncio.CancelledError):
            await worker

    _in_queue(jobs, work)

    assert _rows(database_url, "SELECT status, attempts FROM procrastinate_jobs") == [("todo", 1)]
