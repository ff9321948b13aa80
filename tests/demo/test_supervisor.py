import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backend.demo.supervisor import RESTARTS_MAX, Service, ServiceFailed, Supervisor

SLEEP = "import time; time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)


@pytest.fixture
def supervisor(home: Path) -> Iterator[Supervisor]:
    supervisor = Supervisor(home / "logs", lambda _line: None)
    yield supervisor
    supervisor.stop_all()


def _service(home: Path, program: str, *, name: str = "program", finite: bool = False) -> Service:
    return Service(name=name, command=(sys.executable, "-c", program), folder=home, finite=finite)


def _gone(pid: int) -> bool:
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True


def _wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "waited ten seconds in vain"
        time.sleep(0.02)


def test_a_killed_program_runs_again_under_another_number(home: Path, supervisor: Supervisor) -> None:
    supervisor.start(_service(home, SLEEP))
    first = supervisor.pid("program")
    assert first is not None
    os.kill(first, signal.SIGKILL)
    _wait_for(lambda: _gone(first))

    supervisor.watch()

    assert supervisor.pid("program") not in {None, first}


def test_workers_of_a_killed_program_do_not_outlive_it(home: Path, supervisor: Supervisor) -> None:
    worker = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {SLEEP!r}])"
    supervisor.start(_service(home, f"{worker}; print(p.pid, flush=True); p.wait()"))
    _wait_for(lambda: supervisor.log("program").read_text().endswith("\n"))
    worker_pid, first = int(supervisor.log("program").read_text()), supervisor.pid("program")
    assert first is not None
    os.kill(first, signal.SIGKILL)
    _wait_for(lambda: _gone(first))

    supervisor.watch()

    _wait_for(lambda: _gone(worker_pid))


def test_a_program_that_keeps_dying_is_given_up_with_its_last_words(home: Path, supervisor: Supervisor) -> None:
    supervisor.start(_service(home, "raise SystemExit('the last words')"))

    with pytest.raises(ServiceFailed) as failure:
        _watch_it_die(supervisor, times=RESTARTS_MAX + 1)

    assert "the last words" in failure.value.sentence_zh


def _watch_it_die(supervisor: Supervisor, *, times: int) -> None:
    for _time in range(times):
        pid = supervisor.pid("program")
        assert pid is not None
        _wait_for(lambda pid=pid: _gone(pid))  # type: ignore[misc]  # the default is what binds it
        supervisor.watch()


def test_a_program_that_is_never_ready_fails_the_start(home: Path, supervisor: Supervisor) -> None:
    broken = Service(
        name="broken",
        command=(sys.executable, "-c", "raise SystemExit('no such file')"),
        folder=home,
        ready=lambda: False,
    )

    with pytest.raises(ServiceFailed, match="broken"):
        supervisor.start(broken)


def test_a_finite_program_ends_once(home: Path, supervisor: Supervisor) -> None:
    supervisor.start(_service(home, "pass", finite=True))
    _wait_for(lambda: supervisor.finished("program"))
    first = supervisor.pid("program")

    supervisor.watch()

    assert supervisor.pid("program") == first


def test_all_stop_even_one_that_ignores_the_signal(
    home: Path, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.demo.supervisor.STOP_DEADLINE_S", 0.3)
    supervisor.start(_service(home, STUBBORN, name="stubborn"))
    supervisor.start(_service(home, SLEEP, name="polite"))
    _wait_for(lambda: supervisor.log("stubborn").read_text() == "up\n")
    pids = [supervisor.pid("stubborn"), supervisor.pid("polite")]

    supervisor.stop_all()

    assert all(_gone(pid) for pid in pids if pid is not None)


def test_programs_end_with_a_supervisor_that_is_killed(home: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from backend.demo.supervisor import Service, Supervisor\n"
        f"supervisor = Supervisor(Path({str(home / 'logs')!r}), print)\n"
        f"supervisor.start(Service(name='p', command=(sys.executable, '-c', {SLEEP!r}), folder=Path('/')))\n"
        "print(supervisor.pid('p'), flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()

    _wait_for(lambda: _gone(pid))
