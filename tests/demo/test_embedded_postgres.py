import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from backend.storage.cluster import HomeUnreachable, OtherMajorVersion, PasswordLost, default_home
from backend.storage.embedded import AlreadyRunning, EmbeddedPostgres, EmbeddedRefused

FAST = {"fsync": "off", "shared_buffers": "16MB"}
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root must hand the server to another user")


@pytest.fixture
def server(home: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(home, settings=FAST)
    yield server
    server.stop()


def _count(server: EmbeddedPostgres) -> int:
    with psycopg.connect(server.url()) as connection:
        row = connection.execute("SELECT count(*) FROM kept").fetchone()
    assert row is not None
    return int(row[0])


def _keep_one_row(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url()) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        connection.execute("INSERT INTO kept VALUES (1)")


def test_a_new_cluster_asks_for_the_password_checks_pages_and_speaks_utf8(server: EmbeddedPostgres) -> None:
    server.start()

    with psycopg.connect(server.url()) as connection:
        facts = connection.execute(
            "SELECT current_setting('data_checksums'), current_setting('server_encoding'), datlocale, "
            "(SELECT rolpassword LIKE 'SCRAM-SHA-256$%' FROM pg_authid WHERE rolname = current_user) "
            "FROM pg_database WHERE datname = current_database()"
        ).fetchone()
    assert facts == ("on", "UTF8", "C.UTF-8", True)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgresql://greenpoints:wrong@127.0.0.1:{server.port}/greenpoints")


def test_rows_and_port_survive_a_stop(server: EmbeddedPostgres, home: Path) -> None:
    server.start()
    _keep_one_row(server)
    port = server.port
    server.stop()

    again = EmbeddedPostgres(home, settings=FAST)
    with again:
        assert (again.port, _count(again)) == (port, 1)
    assert not again.is_running()


def test_a_killed_server_starts_again_with_every_committed_row(server: EmbeddedPostgres) -> None:
    server.start()
    _keep_one_row(server)
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)

    server.start()

    assert _count(server) == 1


def test_a_taken_port_is_left_to_its_owner(server: EmbeddedPostgres) -> None:
    server.start()
    remembered = server.port
    server.stop()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", remembered))
        other.listen()

        server.start()

        assert server.port != remembered
        assert server.is_running()


def test_a_pid_file_that_names_a_stranger_does_not_stop_the_start(server: EmbeddedPostgres, home: Path) -> None:
    server.start()
    server.stop()
    (home / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n{home / 'data'}\n0\n1\n\n127.0.0.1\n 1 1\nready\n")

    server.start()

    assert server.is_running()


def test_the_server_ends_with_its_supervisor_and_the_next_one_takes_over(home: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from backend.storage.embedded import EmbeddedPostgres\n"
        f"server = EmbeddedPostgres(Path({str(home)!r}), settings={FAST!r}); server.start()\n"
        "print(server.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        pid = int(supervisor.stdout.readline())
        with pytest.raises(AlreadyRunning):
            EmbeddedPostgres(home, settings=FAST).start()
        supervisor.kill()

    with EmbeddedPostgres(home, settings=FAST) as server:
        assert server.is_running()
        assert not _serves(pid)


def _serves(pid: int) -> bool:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            if ") Z " in Path(f"/proc/{pid}/stat").read_text():
                return False
        except FileNotFoundError:
            return False
        time.sleep(0.05)
    return True


def test_a_half_made_cluster_is_made_anew(server: EmbeddedPostgres, home: Path) -> None:
    (home / "data.new").mkdir()
    (home / "data.new" / "PG_VERSION").write_text("18\n")

    server.start()

    assert server.is_running()


def test_data_of_an_older_version_is_refused_untouched(server: EmbeddedPostgres, home: Path) -> None:
    (home / "data").mkdir()
    (home / "data" / "PG_VERSION").write_text("16\n")

    with pytest.raises(OtherMajorVersion) as refusal:
        server.start()

    assert "16" in refusal.value.sentence_zh
    assert (home / "data" / "PG_VERSION").read_text() == "16\n"


def test_a_lost_password_file_is_named(server: EmbeddedPostgres, home: Path) -> None:
    server.start()
    server.stop()
    (home / "password").unlink()

    with pytest.raises(PasswordLost):
        server.start()


def test_production_never_runs_it(server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENV", "production")

    with pytest.raises(EmbeddedRefused):
        server.start()


@as_root
def test_root_hands_the_server_to_a_user_of_its_own_and_keeps_the_password(
    server: EmbeddedPostgres, home: Path
) -> None:
    server.start()

    assert Path(f"/proc/{server.pid}").stat().st_uid != 0
    assert stat.S_IMODE((home / "data").stat().st_mode) == 0o700
    assert (home / "password").stat().st_uid == 0
    assert stat.S_IMODE((home / "password").stat().st_mode) == 0o600


@as_root
def test_a_closed_parent_directory_is_refused_and_stays_closed(home: Path) -> None:
    closed = home / "closed"
    closed.mkdir(mode=0o700)

    with pytest.raises(HomeUnreachable):
        EmbeddedPostgres(closed / "state", settings=FAST).start()

    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@as_root
def test_two_clones_of_root_have_two_homes() -> None:
    one, other = default_home(Path("/srv/one")), default_home(Path("/srv/other"))

    assert one != other
    assert one.parent == other.parent == Path("/var/lib/greenpoints")


def test_its_log_tells_no_row(server: EmbeddedPostgres) -> None:
    number = "11010519491231002X"
    server.start()
    with psycopg.connect(server.url("postgres")) as owner:
        owner.execute("CREATE TEMP TABLE kept (number text PRIMARY KEY)")
        with pytest.raises(psycopg.errors.UniqueViolation):
            owner.execute("INSERT INTO kept VALUES (%(number)s), (%(number)s)", {"number": number})

    assert "duplicate key value" in server.log.read_text()
    assert number not in server.log.read_text()
