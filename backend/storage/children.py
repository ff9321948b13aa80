"""Child processes that end with us, and run as another user where we are root."""

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

from backend.kernel.errors import DomainError

SERVICE_USER = "greenpoints"
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


class NoServiceUser(DomainError):
    code = "no-service-user"
    text_zh = "以 root 运行时需要系统用户 {user}，自动创建失败。请执行：useradd --system --user-group {user}"
    text_en = (
        "As root the services need the system user {user}, and making it failed: useradd --system --user-group {user}"
    )


class Credentials(TypedDict, total=False):
    """Arguments of subprocess that drop every privilege before exec."""

    user: int
    group: int
    extra_groups: list[int]


def die_with_parent(how: signal.Signals) -> Callable[[], None]:
    """For `preexec_fn`: the kernel sends `how` to the child when the thread that started it ends (Linux prctl(2))."""
    parent = os.getpid()

    def prepare() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(how), 0, 0, 0)
        if os.getppid() != parent:  # it ended between fork and prctl
            os._exit(1)

    return prepare


def ends_within(process: subprocess.Popen[bytes], how: signal.Signals, wait_s: float) -> bool:
    """Signals one child of ours and reaps it; False when it is still there after `wait_s`."""
    if process.poll() is None:
        process.send_signal(how)
    try:
        process.wait(wait_s)
    except subprocess.TimeoutExpired:
        return False
    return True


def service_user() -> pwd.struct_passwd | None:
    """The unprivileged user of services that refuse root, made once as a system user; None when we are not root."""
    if os.geteuid() != 0:
        return None
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(SERVICE_USER)
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    with contextlib.suppress(OSError):
        path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
        subprocess.run(  # noqa: S603 - a constant command
            [*command, "--shell", "/usr/sbin/nologin", SERVICE_USER],
            capture_output=True,
            check=False,
            env={"PATH": path},
        )
    try:
        return pwd.getpwnam(SERVICE_USER)
    except KeyError as error:
        raise NoServiceUser(user=SERVICE_USER) from error


def credentials(account: pwd.struct_passwd | None) -> Credentials:
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def write_private(path: Path, text: str) -> None:
    """A file that only its owner ever could read, complete or absent."""
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def copy_readable(source: Path, target: Path, *, skip: tuple[str, ...] = ()) -> None:
    """A copy that every user may read and run, whatever umask made the original; complete or absent."""
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(source, partial, ignore=shutil.ignore_patterns(*skip))
    for place, _folders, files in os.walk(partial):
        Path(place).chmod(0o755)
        for name in files:
            file = Path(place, name)
            file.chmod(0o755 if os.access(file, os.X_OK) else 0o644)
    partial.replace(target)
