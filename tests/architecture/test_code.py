"""Laws of the code that a linter does not know."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.project import PROGRAMS, ROOT, sources, tracked

FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 400
# In two parts each, so that this file may be tracked too.
REGISTRY_HOSTS = [
    "pypi" + ".org",
    "python" + "hosted.org",
    "registry." + "npmjs.org",
    "deb." + "debian.org",
    "security." + "debian.org",
    "crates" + ".io",
    "proxy." + "golang.org",
]
MACHINE_PATHS = ["/work/" + "main", "/work/" + "shared", "/root/" + ".cache"]


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_one_place_commits() -> None:
    """Migrations aside, which Alembic commits."""
    committing = [path for path in sources() if ".commit(" in path.read_text()]

    assert [str(path.relative_to(ROOT)) for path in committing] == ["backend/storage/transaction.py"]


def test_functions_and_files_can_be_read_at_once() -> None:
    found = sources()
    long_files = [path for path in found if len(path.read_text().splitlines()) > FILE_LINES_MAX]
    long_functions = [
        (str(path.relative_to(ROOT)), function.name)
        for path in found
        for function in functions(path)
        if function.end_lineno is not None and function.end_lineno - function.lineno >= FUNCTION_LINES_MAX
    ]

    assert {path.relative_to(ROOT).parts[0] for path in found} == set(PROGRAMS)
    assert long_files == []
    assert long_functions == []


def test_no_file_names_a_package_registry_or_a_path_of_this_machine() -> None:
    words = re.compile("|".join(map(re.escape, REGISTRY_HOSTS + MACHINE_PATHS)).encode())

    assert [str(path.relative_to(ROOT)) for path in tracked() if words.search(path.read_bytes())] == []


def test_the_lock_pins_every_package_by_hash_and_names_no_index() -> None:
    text = (ROOT / "requirements.lock").read_text()
    pinned = [block for block in re.split(r"\n(?=\S)", text) if not block.startswith("#")]

    assert len(pinned) > 30
    assert [block for block in pinned if not re.match(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==\S+", block)] == []
    assert [block for block in pinned if "--hash=sha256:" not in block] == []
    assert re.findall(r"--(?:extra-)?index-url|--find-links|https?:|@ ", text) == []


def test_the_bench_finds_all_that_it_measures() -> None:
    """Nothing else imports it, so a name that moved would be noticed only on the day of a measurement."""
    assert all(callable(measure) for measure in importlib.import_module("tests.bench.__main__").MEASUREMENTS.values())
