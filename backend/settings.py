"""What an installation decides: read once from the environment, every fault reported at once, no secret ever printed."""

import os
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from environs import Env, EnvValidationError, validate
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from backend.key_files import fault_of, pair_fault, secret_key, signing_key

PREFIX = "GREENPOINTS_"
OTHER_PROGRAMS = ("GREENPOINTS_BRIDGE_", "GREENPOINTS_TILL_")
"""The bridge and the till read these; all three programs may share one environment file."""


class Environment(StrEnum):
    PRODUCTION = "production"
    DEVELOPMENT = "development"
    TEST = "test"


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Described(NamedTuple):
    """How a setting is read and what it is for, in both languages."""

    variable: str
    read: Callable[[Env, str], object]
    zh: str
    en: str


class SettingsRefused(Exception):
    """Every fault of the environment at once, a line each, by variable; values are never repeated."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__("\n".join(f"{name}: {fault}" for name, fault in sorted(faults.items())))
        self.faults = dict(faults)


Reader = Callable[[Env, str], object]


def _text(*checks: Callable[[Any], Any]) -> Reader:
    return lambda env, name: env.str(name, None, validate=list(checks))


def _number(low: int, high: int) -> Reader:
    return lambda env, name: env.int(name, None, validate=validate.Range(low, high))


def _flag(env: Env, name: str) -> object:
    return env.bool(name, None)


def _one_of(values: type[StrEnum]) -> Reader:
    return lambda env, name: env.enum(name, None, enum=values, by_value=True)


def _file(env: Env, name: str) -> object:
    return env.path(name, None)


def _is(variable: str, read: Reader, zh: str, en: str) -> dict[str, Described]:
    return {"described": Described(variable, read, zh, en)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One process's settings. Keys are named by file, so that no secret stands in the environment or a process list."""

    env: Environment = field(
        default=Environment.PRODUCTION,
        metadata=_is(
            "ENV",
            _one_of(Environment),
            "运行环境；未设置时按生产环境对待",
            "kind of installation; taken as production when not set",
        ),
    )
    database_url: str = field(
        repr=False,
        metadata=_is(
            "DATABASE_URL",
            _text(validate.Length(min=1)),
            "PostgreSQL 18 地址（表的所有者）",
            "PostgreSQL 18, as the owner of the tables",
        ),
    )
    receipt_key_file: Path = field(
        metadata=_is(
            f"{PREFIX}RECEIPT_KEY_FILE",
            _file,
            "签署收讫回执的 Ed25519 私钥（PEM 或 32 字节）",
            "Ed25519 private key that signs receipts (PEM or 32 raw bytes)",
        )
    )
    member_code_key_file: Path = field(
        metadata=_is(
            f"{PREFIX}MEMBER_CODE_KEY_FILE",
            _file,
            "签署会员码的 Ed25519 私钥（PEM 或 32 字节）",
            "Ed25519 private key that signs member codes (PEM or 32 raw bytes)",
        )
    )
    member_code_key_id: str = field(
        metadata=_is(
            f"{PREFIX}MEMBER_CODE_KEY_ID",
            _text(validate.Regexp(r"[a-z0-9]{2}\Z")),
            "会员码密钥编号，两个字符，收银终端据此选公钥",
            "two characters by which tills choose the public key of member codes",
        )
    )
    identity_hash_key_file: Path = field(
        metadata=_is(
            f"{PREFIX}IDENTITY_HASH_KEY_FILE",
            _file,
            "居民身份的散列密钥（至少 32 字节），也用于不予留存的扫码原文；更换后原居民将无法识别",
            "key of 32 bytes or more that hashes identities, also scans not kept; changing it makes every resident a stranger",
        )
    )
    device_ca_file: Path | None = field(
        default=None,
        metadata=_is(
            f"{PREFIX}DEVICE_CA_FILE",
            _file,
            "签发终端证书的 CA（PEM，可附上级证书）；未设置时不能在线登记终端",
            "authority of tills' certificates (PEM, with those above it); without it none is enrolled online",
        ),
    )
    device_ca_key_file: Path | None = field(
        default=None,
        metadata=_is(f"{PREFIX}DEVICE_CA_KEY_FILE", _file, "该 CA 的 P-256 私钥", "its private key, P-256"),
    )
    brokers: str = field(
        default="127.0.0.1:8883",
        metadata=_is(
            f"{PREFIX}BROKERS",
            _text(validate.Regexp(r"[A-Za-z0-9.-]+:[0-9]{1,5}(,[A-Za-z0-9.-]+:[0-9]{1,5})*\Z")),
            "告知新终端的消息服务器，以逗号分隔",
            "brokers that new tills are told of, parted by commas",
        ),
    )
    development_sign_in: bool = field(
        default=False,
        metadata=_is(
            f"{PREFIX}DEVELOPMENT_SIGN_IN",
            _flag,
            "允许以 dev:<名字> 登录，仅供开发；生产环境拒绝",
            "lets residents sign in as dev:<name>, for development only; refused in production",
        ),
    )
    database_connections: int = field(
        default=8,
        metadata=_is(
            f"{PREFIX}DATABASE_CONNECTIONS",
            _number(1, 200),
            "每个进程的数据库连接数上限",
            "database connections of one process, at most",
        ),
    )
    server_host: str = field(
        default="127.0.0.1",
        metadata=_is(
            f"{PREFIX}SERVER_HOST",
            _text(validate.Length(min=1, max=255)),
            "服务监听地址",
            "address that the server listens on",
        ),
    )
    server_port: int = field(
        default=8000,
        metadata=_is(f"{PREFIX}SERVER_PORT", _number(1, 65_535), "服务监听端口", "port that the server listens on"),
    )
    server_workers: int = field(
        default=2,
        metadata=_is(f"{PREFIX}SERVER_WORKERS", _number(1, 128), "服务进程数", "worker processes of the server"),
    )
    server_threads: int = field(
        default=16,
        metadata=_is(
            f"{PREFIX}SERVER_THREADS",
            _number(1, 256),
            "每个进程同时处理的请求数",
            "requests that one process works on at a time",
        ),
    )
    batch_reads_max: int = field(
        default=500,
        metadata=_is(
            f"{PREFIX}BATCH_READS_MAX",
            _number(50, 5_000),
            "收银端一批最多的读码数，超过返回 413",
            "reads in one batch of tills' messages; more is answered by 413",
        ),
    )
    batch_bytes_max: int = field(
        default=1_048_576,
        metadata=_is(
            f"{PREFIX}BATCH_BYTES_MAX",
            _number(131_072, 16_777_216),
            "收银端一批请求体的最大字节数，超过返回 413",
            "bytes of one batch's request body; more is answered by 413",
        ),
    )
    shared_scans_max: int = field(
        default=64,
        metadata=_is(
            f"{PREFIX}SHARED_SCANS_MAX",
            _number(1, 500),
            "共用一次数据库事务的手机扫码数上限",
            "phone scans that share one database transaction, at most",
        ),
    )
    snapshot_hours: int = field(
        default=24,
        metadata=_is(
            f"{PREFIX}SNAPSHOT_HOURS",
            _number(1, 720),
            "终端离线商品快照的有效小时数，过期后终端不再提示预计积分",
            "hours for which tills believe a snapshot; then they say nothing of points",
        ),
    )
    metrics: bool = field(
        default=True,
        metadata=_is(
            f"{PREFIX}METRICS",
            _flag,
            "是否提供 /metrics（Prometheus；限本机或凭令牌）",
            "whether /metrics is served (Prometheus; from this machine, or by token)",
        ),
    )
    log_level: LogLevel = field(
        default=LogLevel.INFO,
        metadata=_is(f"{PREFIX}LOG_LEVEL", _one_of(LogLevel), "日志级别", "lowest level that is logged"),
    )

    def __post_init__(self) -> None:
        faults = _faults_between(self)
        if faults:
            raise SettingsRefused(faults)


def described() -> list[tuple[Described, str]]:
    """Each setting and its default as text ('' where it is required), in order: the README's table is made of this."""
    return [(_described(each), _default_text(each)) for each in fields(Settings)]


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """From the environment. Raises SettingsRefused with every fault: missing, malformed, unknown, unreadable."""
    known = {_described(each).variable for each in fields(Settings)}
    faults = {
        name: "未知的设置项 / unknown setting"
        for name in environ.keys() - known
        if name.startswith(PREFIX) and not name.startswith(OTHER_PROGRAMS)
    }
    values, broken = _parsed(environ)
    faults |= broken
    try:
        settings = Settings(**(_STANDING_IN | values)) if broken else Settings(**values)
    except SettingsRefused as refused:
        stood_in = {_described(each).variable for each in fields(Settings) if each.name not in values}
        faults |= {name: fault for name, fault in refused.faults.items() if name not in stood_in or not broken}
        raise SettingsRefused(faults) from None
    if faults:
        raise SettingsRefused(faults)
    return settings


def load_database_url(environ: Mapping[str, str] = os.environ) -> str:
    """For programs that need the database and no key. Raises SettingsRefused."""
    url = environ.get("DATABASE_URL", "")
    if not _is_postgresql(url):
        raise SettingsRefused({"DATABASE_URL": _NO_POSTGRESQL if url else _MISSING})
    return url


class _Given(Env):
    """environs over a mapping of ours instead of the process's own environment."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(eager=False)
        self._given = environ

    def _get_value(self, env_key: str, default: Any) -> Any:
        return self._given.get(env_key, default)


_MISSING = "必须设置 / required"
_NO_POSTGRESQL = "不是 PostgreSQL 地址 / not the address of a PostgreSQL database"
_STANDING_IN: dict[str, Any] = {
    "database_url": "postgresql://missing.invalid/missing",
    "receipt_key_file": Path("/dev/null"),
    "member_code_key_file": Path("/dev/null"),
    "member_code_key_id": "xx",
    "identity_hash_key_file": Path("/dev/null"),
}
"""Lets the rules between settings be checked, and reported, although something required is missing."""


def _parsed(environ: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    env = _Given(environ)
    values = {}
    for each in fields(Settings):
        how = _described(each)
        if how.variable in environ:
            values[each.name] = how.read(env, how.variable)
    broken = _broken(env)
    missing = [_described(f).variable for f in fields(Settings) if _required(f) and f.name not in values]
    broken |= dict.fromkeys(missing, _MISSING)
    return {name: value for name, value in values.items() if value is not None}, broken


def _broken(env: Env) -> dict[str, str]:
    try:
        env.seal()
    except EnvValidationError as error:
        if not isinstance(error.error_messages, Mapping):
            raise
        return {name: f"取值无效 / invalid: {'; '.join(map(str, t))}" for name, t in error.error_messages.items()}
    return {}


def _faults_between(settings: Settings) -> dict[str, str]:
    faults = {}
    if settings.development_sign_in and settings.env is Environment.PRODUCTION:
        faults[f"{PREFIX}DEVELOPMENT_SIGN_IN"] = "生产环境不允许 / refused in production"
    if not _is_postgresql(settings.database_url):
        faults["DATABASE_URL"] = _NO_POSTGRESQL
    if fault := pair_fault(settings.device_ca_file, settings.device_ca_key_file):
        faults[f"{PREFIX}DEVICE_CA_FILE"] = fault
    for name, read in (
        ("receipt_key_file", signing_key),
        ("member_code_key_file", signing_key),
        ("identity_hash_key_file", secret_key),
    ):
        fault = fault_of(getattr(settings, name), read)
        if fault:
            faults[PREFIX + name.upper()] = fault
    return faults


def _is_postgresql(url: str) -> bool:
    try:
        return make_url(url).get_backend_name() == "postgresql"
    except ArgumentError:
        return False


def _required(each: Field[Any]) -> bool:
    return each.default is each.default_factory  # both are MISSING


def _described(each: Field[Any]) -> Described:
    how: Described = each.metadata["described"]
    return how


def _default_text(each: Field[Any]) -> str:
    if _required(each):
        return ""
    if each.default is None:
        return "—"
    return str(each.default).lower() if isinstance(each.default, bool) else str(each.default)
