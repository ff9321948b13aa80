"""The queue: procrastinate runs the schedule, each job at least once, on connections of the engine's role."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import datetime
from typing import Any

import psycopg
import structlog
from procrastinate import App, JobContext, PsycopgConnector, RetryStrategy
from procrastinate.exceptions import ConnectorException, JobAborted, UniqueViolation
from procrastinate.jobs import Status
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from backend.adapters.chores import Facts, Work
from backend.adapters.schedule import SCHEDULE, Planned
from backend.audit.acting import acting
from backend.audit.model import JOB, Actor
from backend.kernel.errors import DomainError
from backend.storage.transaction import DatabaseBusy

CONCURRENT_JOBS = 3
CONNECTIONS_MAX = 4
POOL_TIMEOUT_S = 5
MISSED_S_MAX = 86_400
"""A run that was missed is made up for within a day: a worker that starts runs what last night's would have."""
GRACE_S = 2
"""How long a job goes on after the worker was told to stop, before it is told so too."""
RESTART_S = 5
ATTEMPTS_MAX = 5
SUCCEEDED_KEPT_H = 24
FAILED_KEPT_H = 30 * 24
QUEUE_FAULTS = (ConnectorException, psycopg.Error, OSError)
DATABASE_FAULTS = (DBAPIError, psycopg.Error, DatabaseBusy, PoolTimeout)
AGAIN = RetryStrategy(max_attempts=ATTEMPTS_MAX, exponential_wait=3, retry_exceptions=(*DATABASE_FAULTS, JobAborted))
"""After 3, 9, 27, 81, 243 seconds; a job that the end of its worker cut short is done by the next."""

log = structlog.get_logger()


class QueueMissing(DomainError):
    code = "queue-missing"
    text_zh = "数据库中没有任务队列；请先运行 greenpoints db upgrade。"
    text_en = "The database has no queue of jobs; run greenpoints db upgrade first."


class Jobs:
    """`works`: what each planned job does, by name; the repairs of the queue itself are added here."""

    def __init__(self, url: str, role: str, works: Mapping[str, Work], clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._works = works
        self._repairs: dict[str, Callable[[], Awaitable[Facts]]] = {
            "retry_stalled": self._retry_stalled,
            "forget_finished": self._forget_finished,
        }
        self.app = App(connector=_connector(url, role), periodic_defaults={"max_delay": MISSED_S_MAX})
        for planned in SCHEDULE:
            self._register(planned)

    async def work(self) -> None:
        """Runs jobs until SIGTERM or SIGINT. A database that goes away is waited for. Raises QueueMissing."""
        stop = asyncio.Event()
        for which in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(which, stop.set)
        stopping = asyncio.create_task(stop.wait())
        log.info("jobs_started", jobs=len(SCHEDULE))
        while not stop.is_set():
            serving = asyncio.create_task(self._serve())
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            cause = await _end(serving, cancel=stop.is_set())
            if not stop.is_set():
                log.warning("jobs_interrupted", cause=cause, retried_in_s=RESTART_S)
                await asyncio.wait({stopping}, timeout=RESTART_S)
        log.info("jobs_stopped")

    def run(self, name: str) -> Facts:
        """Does one job now, in this process and past the queue."""
        if name in self._repairs:
            return asyncio.run(self._repair(name))
        return self._done(name, lambda: False)

    def _done(self, name: str, stopping: Callable[[], bool]) -> Facts:
        with acting(Actor(f"{JOB}:{name}", JOB)):
            return self._works[name](self._clock(), stopping)

    async def _repair(self, name: str) -> Facts:
        async with self.app.open_async():
            return await self._repairs[name]()

    async def _serve(self) -> None:
        async with self.app.open_async():
            if not await self.app.check_connection_async():
                raise QueueMissing
            await self._retry_stalled()
            await self.app.run_worker_async(
                concurrency=CONCURRENT_JOBS, shutdown_graceful_timeout=GRACE_S, install_signal_handlers=False
            )

    def _register(self, planned: Planned) -> None:
        # A thread for what talks to the database in its own way, the event loop for what talks to the queue.
        if planned.name in self._repairs:
            run: Callable[..., Any] = self._repairing(planned.name)
        else:
            run = self._working(planned.name)
        task = self.app.task(
            name=planned.name, pass_context=True, queueing_lock=planned.name, lock=planned.lock, retry=AGAIN
        )(run)
        self.app.periodic(cron=planned.cron)(task)

    def _working(self, name: str) -> Callable[[JobContext, int], None]:
        def run(context: JobContext, timestamp: int) -> None:
            began = time.monotonic()
            try:
                facts = self._done(name, context.should_abort)
            except DATABASE_FAULTS as fault:
                log.warning("job", job=name, due=timestamp, outcome="retried", error=type(fault).__name__)
                raise
            if context.should_abort():
                raise JobAborted  # the next worker does the rest
            _tell(name, timestamp, began, facts)

        return run

    def _repairing(self, name: str) -> Callable[[JobContext, int], Coroutine[Any, Any, None]]:
        async def run(_context: JobContext, timestamp: int) -> None:
            began = time.monotonic()
            _tell(name, timestamp, began, await self._repairs[name]())

        return run

    async def _retry_stalled(self) -> Facts:
        """Queues again what a dead worker left undone, at most five times."""
        manager = self.app.job_manager
        retried = given_up = 0
        for job in await manager.get_stalled_jobs():
            try:
                if job.attempts < ATTEMPTS_MAX:
                    await manager.retry_job(job)
                    retried += 1
                    continue
            except UniqueViolation:
                pass  # its next run is queued already
            await manager.finish_job(job, Status.FAILED, delete_job=False)
            given_up += 1
        return {"retried": retried, "given_up": given_up}

    async def _forget_finished(self) -> Facts:
        manager = self.app.job_manager
        await manager.delete_old_jobs(SUCCEEDED_KEPT_H)
        await manager.delete_old_jobs(FAILED_KEPT_H, include_failed=True, include_cancelled=True, include_aborted=True)
        return {}


async def _end(serving: "asyncio.Task[None]", *, cancel: bool) -> str:
    """Why the worker ended: a fault of the database, by its class, or that one of its side tasks gave up."""
    if cancel:
        serving.cancel()
    try:
        await serving
    except asyncio.CancelledError:
        return "cancelled"
    except QUEUE_FAULTS as fault:
        return type(fault.__cause__ or fault).__name__
    return "side_task"


def _tell(name: str, timestamp: int, began: float, facts: Facts) -> None:
    log.info("job", job=name, due=timestamp, outcome="done", total_ms=round((time.monotonic() - began) * 1000), **facts)


def _connector(url: str, role: str) -> PsycopgConnector:
    async def take_role(connection: psycopg.AsyncConnection[Any]) -> None:
        autocommit = connection.autocommit
        await connection.set_autocommit(True)
        await connection.execute(psycopg.sql.SQL("SET ROLE {}").format(psycopg.sql.Identifier(role)))
        await connection.set_autocommit(autocommit)

    return PsycopgConnector(
        conninfo=make_url(url).set(drivername="postgresql").render_as_string(hide_password=False),
        kwargs={"application_name": "greenpoints_jobs"},
        configure=take_role,
        min_size=1,
        max_size=CONNECTIONS_MAX,
        timeout=POOL_TIMEOUT_S,
    )
