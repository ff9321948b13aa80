"""Set-up's progress lines and what `make reset` will and will not clear."""

import fcntl
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from backend.demo import web_files
from backend.demo.steps import StepFailed, quietly, step

ROOT = Path(__file__).resolve().parents[2]


def _reset(state: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "backend.demo.reset", "--state", str(state)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_reset_clears_a_state_of_ours(tmp_path: Path) -> None:
    state = tmp_path / "state"
    (state / "data").mkdir(parents=True)
    (state / "lock").touch()

    finished = _reset(state)

    assert finished.returncode == 0
    assert not state.exists()


def test_reset_leaves_a_directory_that_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("ten years of work")

    finished = _reset(tmp_path)

    assert finished.returncode == 1
    assert (tmp_path / "thesis.txt").read_text() == "ten years of work"


def test_reset_leaves_a_state_in_use(tmp_path: Path) -> None:
    with (tmp_path / "run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        finished = _reset(tmp_path)

    assert finished.returncode == 1
    assert "Ctrl-C" in finished.stderr
    assert (tmp_path / "run.lock").exists()


def test_a_step_is_one_line_with_its_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    with step("packages"):
        pass

    assert re.fullmatch(r"· packages … \d+ s\n", capsys.readouterr().out)


def test_a_program_is_silent_until_it_fails_and_then_its_end_is_told(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "setup.log"
    quietly(["sh", "-c", "echo chatter"], log)

    with pytest.raises(StepFailed) as failure:
        quietly(["sh", "-c", "echo the reason >&2; exit 3"], log)

    assert capfd.readouterr() == ("", "")
    assert "the reason" in failure.value.tail
    assert "chatter" not in failure.value.tail
    assert "chatter" in log.read_text()


def test_every_target_a_person_may_type_is_explained_by_make_help() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert set(re.findall(r"make (\S+)", listed)) >= {"run", "test", "check", "bench", "reset", "lock", "help", "setup"}


def test_set_up_needs_nothing_but_the_standard_library() -> None:
    probe = "import sys, backend.demo.prepare, backend.demo.reset; print(*sys.modules)"
    command = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {probe}"]

    finished = subprocess.run(command, capture_output=True, text=True, check=True)

    assert "backend.demo.prepare" in finished.stdout


def test_no_file_that_setup_reads_names_a_registry() -> None:
    texts = [(ROOT / name).read_text() for name in ("Makefile", "requirements.lock", "pyproject.toml", ".ci/run")]
    texts += [path.read_text() for path in (ROOT / "backend" / "demo").glob("*.py")]
    texts += [(ROOT / "backend" / "web" / name).read_text() for name in ("package.json", "package-lock.json", ".npmrc")]

    assert not [host for text in texts for host in re.findall(r"pypi\.\w+|pythonhosted|npmjs", text)]


def test_files_of_others_for_the_pages_are_pinned_by_hash_and_name_no_address() -> None:
    lock = json.loads((ROOT / "backend" / "web" / "package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}

    assert "node_modules/zxing-wasm" in packages
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert not [name for name, package in packages.items() if "resolved" in package]


def test_without_files_of_others_set_up_says_so_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(web_files, "STAMP", tmp_path / "never")
    monkeypatch.setenv("PATH", str(tmp_path))

    def unreachable(_package: str, _folder: Path) -> None:
        raise StepFailed(["uv"], tmp_path / "log", "no route to the index")

    web_files.ensure_web_files(tmp_path, tmp_path / "log", unreachable, for_tests=True)

    assert "no route to the index" in capsys.readouterr().out
    assert not (tmp_path / "never").exists()
