"""`python3 -m backend.demo.prepare run|test|check|bench`: everything a clone needs, by any Python 3.11, nothing installed.

A second run finds all in place and ends at once. As root what is missing comes from apt; a user is told the exact
command before anything is changed.
"""

import ctypes.util
import fcntl
import functools
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from backend.demo.steps import StepFailed, quietly, step
from backend.demo.web_files import ensure_web_files

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".tools"
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / ".synced"
LOG = TOOLS / "setup.log"
UV = TOOLS / "uv" / "bin" / "uv"
UV_VERSION = "0.13.9"
PYTHON_ABI = f"{sys.version_info[0]}.{sys.version_info[1]}"  # apt may patch Python during set-up; packages still fit
SYSTEM_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
SYSTEM_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/local/sbin"


@dataclass(frozen=True)
class SystemPackage:
    """A Debian package, and what it is for when it is missing."""

    name: str
    wanted_zh: str
    wanted_en: str
    required: bool


def main() -> None:
    purpose = sys.argv[1] if len(sys.argv) > 1 else "run"
    try:
        prepare(purpose)
    except StepFailed as failure:
        print(
            f"\n{failure.tail}\n\n没有成功 / failed: {failure.command}\n完整日志 / full log: {failure.log}",
            file=sys.stderr,
        )
        sys.exit(1)
    except KeyboardInterrupt:
        print("\n已停止 / stopped", file=sys.stderr)
        sys.exit(130)


def prepare(purpose: str) -> None:
    """Ends the program with the exact command to type when something required is missing and we may not install it."""
    missing = _missing(purpose)
    if missing and not _install(missing) and any(package.required for package in missing):
        sys.exit(1)
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two terminals: the second waits for the first
        _ensure_uv()
        _ensure_packages()
        if purpose in {"run", "test"}:
            ensure_web_files(TOOLS, LOG, _install_into, for_tests=purpose == "test")


def _missing(purpose: str) -> list[SystemPackage]:
    found = []
    if not UV.exists() and not _can_install_uv():
        found.append(
            SystemPackage("python3-venv", "安装 Python 依赖", "Python packages cannot be installed", required=True)
        )
    if purpose == "bench" and shutil.which("wrk", path=SYSTEM_PATH) is None:
        found.append(SystemPackage("wrk", "产生 HTTP 负载", "no HTTP load can be made", required=True))
    if purpose in {"run", "test", "bench"}:
        if shutil.which("mosquitto", path=SYSTEM_PATH) is None:
            needed = purpose != "test"
            found.append(SystemPackage("mosquitto", "MQTT 消息服务", "no MQTT broker for tills", required=needed))
        if purpose == "test" and not (shutil.which("chromium") or shutil.which("chromium-browser")):
            found.append(
                SystemPackage("chromium", "在浏览器中检查页面", "no page is tried in a browser", required=False)
            )
        if ctypes.util.find_library("zbar") is None:
            found.append(SystemPackage("libzbar0", "第三个识读引擎", "one reading engine less", required=False))
    return found


def _can_install_uv() -> bool:
    return importlib.util.find_spec("pip") is not None or importlib.util.find_spec("ensurepip") is not None


def _install(missing: list[SystemPackage]) -> bool:
    """True when all are installed now. A user, or a machine without apt, is told what to type instead."""
    names = [package.name for package in missing]
    if os.geteuid() == 0 and shutil.which("apt-get"):
        return _install_by_apt(names, required=any(package.required for package in missing))
    for package in missing:
        weight = "缺少 / missing" if package.required else "建议安装 / recommended"
        print(f"{weight}: {package.name} — {package.wanted_zh} / {package.wanted_en}")
    print(f"请执行 / please run:\n    sudo apt-get update && sudo apt-get install -y {' '.join(names)}\n", flush=True)
    return False


def _install_by_apt(names: list[str], *, required: bool) -> bool:
    quiet = {"DEBIAN_FRONTEND": "noninteractive", "PATH": SYSTEM_PATH}
    waiting = ["-o", "DPkg::Lock::Timeout=120"]
    try:
        with step(f"系统软件包 system packages: {' '.join(names)}"):
            _refresh_lists(quiet)
            quietly(["apt-get", *waiting, "install", "-y", "--no-install-recommends", *names], LOG, env=quiet)
            if "mosquitto" in names and Path("/run/systemd/system").exists():
                # The package starts a broker of its own at once; we asked for the program only.
                quietly(["systemctl", "disable", "--now", "mosquitto.service"], LOG, env=quiet)
    except StepFailed as failure:
        if required:
            raise
        print(f"{failure.tail}\n继续，但少了 / going on without: {' '.join(names)}", flush=True)
        return False
    return True


def _refresh_lists(quiet: dict[str, str]) -> None:
    try:
        quietly(["apt-get", "update"], LOG, env=quiet)
    except StepFailed:
        return  # the lists at hand may do; the installation says so if not


def _ensure_uv() -> None:
    """One version of uv in `.tools/uv`, complete or absent, by pip or by a virtual environment's pip."""
    if UV.exists() and (TOOLS / "uv" / f"uv-{UV_VERSION}.dist-info").exists():
        return
    partial = TOOLS / "uv.partial"
    with step("安装工具 installer (uv)"):
        shutil.rmtree(partial, ignore_errors=True)
        wanted = ["install", "--quiet", "--target", str(partial), "--no-deps", "--no-user", f"uv=={UV_VERSION}"]
        quietly([*_pip(), *wanted], LOG, env=_package_environment())
        shutil.rmtree(TOOLS / "uv", ignore_errors=True)
        partial.rename(TOOLS / "uv")


def _pip() -> list[str]:
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    home = TOOLS / "pip"
    if not _starts(home / "bin" / "python"):
        quietly([sys.executable, "-m", "venv", "--clear", str(home)], LOG)
    return [str(home / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]


def _ensure_packages() -> None:
    """`.venv` holds exactly what requirements.lock names, each file checked by its hash."""
    wanted = hashlib.sha256(LOCK.read_bytes() + PYTHON_ABI.encode()).hexdigest()
    if STAMP.exists() and STAMP.read_text() == wanted and _starts(VENV / "bin" / "python"):
        return
    python = str(VENV / "bin" / "python")
    with step("Python 依赖包 packages"):
        environment = _package_environment()
        STAMP.unlink(missing_ok=True)
        if not _starts(Path(python)):
            quietly([str(UV), "venv", "--clear", "--python", sys.executable, str(VENV)], LOG, env=environment)
        try:
            quietly([str(UV), "pip", "sync", "--require-hashes", "--python", python, str(LOCK)], LOG, env=environment)
        except StepFailed:
            # pip may know a mirror or a certificate that uv does not; slower, equally checked by hash.
            install = ["--python", python, "install", "--quiet", "--require-hashes", "-r", str(LOCK)]
            quietly([*_pip(), *install], LOG, env=environment)
        STAMP.write_text(wanted)


def _install_into(package: str, folder: Path) -> None:
    command = [str(UV), "pip", "install", "--quiet", "--no-deps", "--python", str(VENV / "bin" / "python")]
    quietly([*command, "--target", str(folder), package], LOG, env=_package_environment())


def _starts(python: Path) -> bool:
    """False too for an environment whose base Python is gone or of another minor version than ours."""
    ask = "import sys; sys.stdout.write('%d.%d' % sys.version_info[:2])"
    try:
        answer = subprocess.run([str(python), "-c", ask], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return answer.stdout == PYTHON_ABI


def _package_environment() -> dict[str, str]:
    """The user's own mirror and certificates, as pip knows them, told to uv; caches where we may write."""
    environment = {"UV_PYTHON_DOWNLOADS": "never", "PIP_ROOT_USER_ACTION": "ignore"}
    home = Path(os.environ.get("HOME", "/nonexistent"))
    if not os.access(home, os.W_OK):
        environment |= {"UV_CACHE_DIR": str(TOOLS / "cache"), "PIP_CACHE_DIR": str(TOOLS / "cache-pip")}
    if "UV_DEFAULT_INDEX" not in os.environ and (mirror := _pip_setting("index-url")):
        environment["UV_DEFAULT_INDEX"] = mirror
    if SYSTEM_CERTIFICATES.exists():
        environment["UV_SYSTEM_CERTS"] = "true"  # an authority of the user's own network is known to the system
    if "SSL_CERT_FILE" not in os.environ and (certificates := _pip_setting("cert")):
        environment["SSL_CERT_FILE"] = certificates
    return environment


def _pip_setting(name: str) -> str | None:
    if found := os.environ.get(f"PIP_{name.upper().replace('-', '_')}"):
        return found
    return _pip_configuration().get(f"install.{name}") or _pip_configuration().get(f"global.{name}")


@functools.cache
def _pip_configuration() -> dict[str, str]:
    asked = subprocess.run([*_pip(), "config", "list"], capture_output=True, text=True, check=False)
    pairs = [line.partition("=") for line in asked.stdout.splitlines()]
    return {key: value.strip("'\"") for key, _, value in pairs}


if __name__ == "__main__":
    main()
