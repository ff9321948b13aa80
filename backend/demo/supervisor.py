"""Child processes of `make run`: started in order, watched, restarted, stopped in the opposite order.

Each has its own process group, so that Ctrl-C reaches us alone, and ends with us whatever ends us.
"""

import contextlib
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from backend.kernel.errors import DomainError
from backend.storage.children import credentials, die_with_parent, ends_within

RESTARTS_MAX = 5
RESTART_WINDOW_S = 60.0
TAIL_LINES = 12
LOG_BYTES_MAX = 8 * 1024 * 1024
STOP_DEADLINE_S = 15.0


class ServiceFailed(DomainError):
    code = "service-failed"
    text_zh = "{name} 没有正常运行，日志 {log} 的最后几行：\n{tail}"
    text_en = "{name} does not run; the last lines of its log {log} stand above."


@dataclass(frozen=True, kw_only=True)
class Service:
    """One program. `finite` ones end by themselves with 0; any other end of a program is repaired by a restart."""

    name: str
    command: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    account: pwd.struct_passwd | None = None
    ready: Callable[[], bool] | None = None
    ready_within_s: float = 60.0
    finite: bool = False
    output: Path | None = None  # standard output apart from the log, for programs that print events


class Supervisor:
    """Used by one thread, the main one: children end with the thread that starts them (PR_SET_PDEATHSIG)."""

    def __init__(self, logs: Path, tell: Callable[[str], None]) -> None:
        """`tell` shows one line to the person at the terminal."""
        logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._logs = logs
        self._tell = tell
        self._running: dict[str, tuple[Service, subprocess.Popen[bytes]]] = {}
        self._restarts: dict[str, list[float]] = {}

    def log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def pid(self, name: str) -> int | None:
        return self._running[name][1].pid if name in self._running else None

    def start(self, service: Service) -> None:
        """Returns when the program is ready. Raises ServiceFailed, with the end of its log, when it is not in time."""
        self._running[service.name] = (service, self._spawn(service))
        if service.ready is None:
            return
        deadline = time.monotonic() + service.ready_within_s
        while not service.ready():
            if self._running[service.name][1].poll() is not None or time.monotonic() > deadline:
                raise self._failure(service.name)
            time.sleep(0.05)

    def watch(self) -> None:
        """Restarts what has died. Raises ServiceFailed for what dies more than five times a minute."""
        for name, (service, process) in list(self._running.items()):
            code = process.poll()
            if code is None or (service.finite and code == 0):
                continue
            now = time.monotonic()
            recent = [moment for moment in self._restarts.get(name, []) if now - moment < RESTART_WINDOW_S]
            if len(recent) >= RESTARTS_MAX:
                raise self._failure(name)
            self._restarts[name] = [*recent, now]
            _end_group(process.pid)
            self._tell(f"{name} 意外退出 ({code})，正在重启 / ended, starting again")
            self._running[name] = (service, self._spawn(service))

    def finished(self, name: str) -> bool:
        """Whether a finite program has ended well."""
        service, process = self._running[name]
        return service.finite and process.poll() == 0

    def stop(self, name: str) -> None:
        """SIGTERM, and SIGKILL for the whole group after 15 s. Does nothing for what does not run."""
        _service, process = self._running.pop(name, (None, None))
        if process is None:
            return
        if not ends_within(process, signal.SIGTERM, STOP_DEADLINE_S):
            self._tell(f"{name} 未在 {STOP_DEADLINE_S:.0f} 秒内停止，已强制结束 / did not stop in time and was killed")
        _end_group(process.pid)
        process.wait()

    def stop_all(self) -> None:
        for name in reversed(list(self._running)):
            self.stop(name)

    def _spawn(self, service: Service) -> subprocess.Popen[bytes]:
        log_path = self.log(service.name)
        if log_path.exists() and log_path.stat().st_size > LOG_BYTES_MAX:
            log_path.replace(log_path.with_suffix(".log.1"))
        with log_path.open("ab") as log, (service.output or log_path).open("ab") as output:
            return subprocess.Popen(
                service.command,
                cwd=service.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=log,
                env={**service.environment},
                process_group=0,
                preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - prctl alone, no lock is taken
                **credentials(service.account),
            )

    def _failure(self, name: str) -> ServiceFailed:
        said = self.log(name).read_text("utf-8", "replace").splitlines()
        return ServiceFailed(name=name, log=self.log(name), tail="\n".join(said[-TAIL_LINES:]))


def _end_group(leader: int) -> None:
    """Ends what a program has left behind, such as the workers of a server whose parent was killed."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)
