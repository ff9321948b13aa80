"""What an installation decides: read once from the environment, every fault reported at once, no secret ever printed."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from environs import validate

from backend import environment
from backend.environment import Described, Given, broken_in, described_as, file, flag, networks, number, one_of, text
from backend.key_files import fault_of, pair_fault, secret_key, signing_key
from backend.resident_settings import NOT_IN_PRODUCTION, PREFIX, ResidentSettings, faults_of_residents
from backend.sign_on_file import fault_of_providers

CREDIT_PLATFORMS = f"{PREFIX}CREDIT_PLATFORMS"
SIGN_ON_FILE = f"{PREFIX}SIGN_ON_FILE"
_URL = text(validate.URL(schemes={"http", "https"}, require_tld=False))
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


LEDGER_KEY_FILE = f"{PREFIX}LEDGER_KEY_FILE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ResidentSettings):
    """One process's settings. Keys are named by file, so that no secret stands in the environment or a process list."""

    env: Environment = field(
        default=Environment.PRODUCTION,
        metadata=described_as(
            "ENV",
            one_of(Environment),
            "运行环境；未设置时按生产环境对待",
            "kind of installation; taken as production when not set",
        ),
    )
    database_url: str = field(
        repr=False,
        metadata=described_as(
            "DATABASE_URL",
            text(validate.Length(min=1)),
            "PostgreSQL 18 地址（表的所有者）",
            "PostgreSQL 18, as the owner of the tables",
        ),
    )
    receipt_key_file: Path = field(
        metadata=described_as(
            f"{PREFIX}RECEIPT_KEY_FILE",
            file,
            "签署收讫回执的 Ed25519 私钥（PEM 或 32 字节）",
            "Ed25519 private key that signs receipts (PEM or 32 raw bytes)",
        )
    )
    member_code_key_file: Path = field(
        metadata=described_as(
            f"{PREFIX}MEMBER_CODE_KEY_FILE",
            file,
            "签署会员码的 Ed25519 私钥（PEM 或 32 字节）",
            "Ed25519 private key that signs member codes (PEM or 32 raw bytes)",
        )
    )
    member_code_key_id: str = field(
        metadata=described_as(
            f"{PREFIX}MEMBER_CODE_KEY_ID",
            text(validate.Regexp(r"[a-z0-9]{2}\Z")),
            "会员码密钥编号，两个字符，收银终端据此选公钥",
            "two characters by which tills choose the public key of member codes",
        )
    )
    identity_hash_key_file: Path = field(
        metadata=described_as(
            f"{PREFIX}IDENTITY_HASH_KEY_FILE",
            file,
            "居民身份的散列密钥（至少 32 字节），也用于不予留存的扫码原文；更换后原居民将无法识别",
            "key of 32 bytes or more that hashes identities, also scans not kept; changing it makes every resident a stranger",
        )
    )
    device_ca_file: Path | None = field(
        default=None,
        metadata=described_as(
            f"{PREFIX}DEVICE_CA_FILE",
            file,
            "签发终端证书的 CA（PEM，可附上级证书）；未设置时不能在线登记终端",
            "authority of tills' certificates (PEM, with those above it); without it none is enrolled online",
        ),
    )
    device_ca_key_file: Path | None = field(
        default=None,
        metadata=described_as(f"{PREFIX}DEVICE_CA_KEY_FILE", file, "该 CA 的 P-256 私钥", "its private key, P-256"),
    )
    ledger_key_file: Path | None = field(
        default=None,
        metadata=described_as(
            LEDGER_KEY_FILE,
            file,
            "签署账本检查点的 Ed25519 私钥；未设置时只封存、不签发",
            "Ed25519 key that signs checkpoints of the ledger; without it nothing is signed",
        ),
    )
    passport_key_file: Path | None = field(
        default=None,
        metadata=described_as(
            f"{PREFIX}PASSPORT_KEY_FILE", file, "签署绿色信用声明的 Ed25519 私钥", "signs credit statements"
        ),
    )
    passport_issuer: str = field(
        default="https://localhost",
        metadata=described_as(
            f"{PREFIX}PASSPORT_ISSUER", _URL, "声明的签发者：他人访问本系统的地址", "issuer of statements"
        ),
    )
    credit_platforms: str | None = field(
        default=None,
        metadata=described_as(
            CREDIT_PLATFORMS,
            environment.platforms,
            "各城市信用平台，`城市=https://…` 或 `城市=file:/…`，逗号分隔",
            "where a city's credit platform takes what residents agreed to send",
        ),
    )
    sign_on_file: Path | None = field(
        default=None,
        metadata=described_as(
            SIGN_ON_FILE,
            file,
            "各市统一身份认证（OIDC）的 JSON 文件；未设置时控制台只用密码登录",
            "JSON file of the cities' own sign-on (OIDC); without it officials sign in by password",
        ),
    )
    brokers: str = field(
        default="127.0.0.1:8883",
        metadata=described_as(
            f"{PREFIX}BROKERS",
            text(validate.Regexp(r"[A-Za-z0-9.-]+:[0-9]{1,5}(,[A-Za-z0-9.-]+:[0-9]{1,5})*\Z")),
            "告知新终端的消息服务器，以逗号分隔",
            "brokers that new tills are told of, parted by commas",
        ),
    )
    development_sign_in: bool = field(
        default=False,
        metadata=described_as(
            f"{PREFIX}DEVELOPMENT_SIGN_IN",
            flag,
            "允许以 dev:<名字> 登录，仅供开发；生产环境拒绝",
            "lets residents sign in as dev:<name>, for development only; refused in production",
        ),
    )
    database_connections: int = field(
        default=8,
        metadata=described_as(
            f"{PREFIX}DATABASE_CONNECTIONS",
            number(1, 200),
            "每个进程的数据库连接数上限（控制台另有至多 4 个）",
            "database connections of one process, at most; the console has up to four more",
        ),
    )
    server_host: str = field(
        default="127.0.0.1",
        metadata=described_as(
            f"{PREFIX}SERVER_HOST",
            text(validate.Length(min=1, max=255)),
            "服务监听地址",
            "address that the server listens on",
        ),
    )
    server_port: int = field(
        default=8000,
        metadata=described_as(
            f"{PREFIX}SERVER_PORT", number(1, 65_535), "服务监听端口", "port that the server listens on"
        ),
    )
    trusted_proxies: str = field(
        default="127.0.0.1,::1",
        metadata=described_as(
            f"{PREFIX}TRUSTED_PROXIES",
            networks,
            "反向代理的地址或网段，以逗号分隔；只信它们的 X-Forwarded-For，据此按客户地址限流",
            "reverse proxies, addresses or networks parted by commas: X-Forwarded-For is believed from them alone, and rates are"
            " bounded by the client's address",
        ),
    )
    server_workers: int = field(
        default=2,
        metadata=described_as(
            f"{PREFIX}SERVER_WORKERS", number(1, 128), "服务进程数", "worker processes of the server"
        ),
    )
    server_threads: int = field(
        default=16,
        metadata=described_as(
            f"{PREFIX}SERVER_THREADS",
            number(1, 256),
            "每个进程同时处理的请求数",
            "requests that one process works on at a time",
        ),
    )
    batch_reads_max: int = field(
        default=500,
        metadata=described_as(
            f"{PREFIX}BATCH_READS_MAX",
            number(50, 5_000),
            "收银端一批最多的读码数，超过返回 413",
            "reads in one batch of tills' messages; more is answered by 413",
        ),
    )
    batch_bytes_max: int = field(
        default=1_048_576,
        metadata=described_as(
            f"{PREFIX}BATCH_BYTES_MAX",
            number(131_072, 16_777_216),
            "收银端一批请求体的最大字节数，超过返回 413",
            "bytes of one batch's request body; more is answered by 413",
        ),
    )
    shared_scans_max: int = field(
        default=64,
        metadata=described_as(
            f"{PREFIX}SHARED_SCANS_MAX",
            number(1, 500),
            "共用一次数据库事务的手机扫码数上限",
            "phone scans that share one database transaction, at most",
        ),
    )
    snapshot_hours: int = field(
        default=24,
        metadata=described_as(
            f"{PREFIX}SNAPSHOT_HOURS",
            number(1, 720),
            "终端离线商品快照的有效小时数，过期后终端不再提示预计积分",
            "hours for which tills believe a snapshot; then they say nothing of points",
        ),
    )
    metrics: bool = field(
        default=True,
        metadata=described_as(
            f"{PREFIX}METRICS", flag, "是否提供 /metrics（限本机或凭令牌）", "serve /metrics, by token"
        ),
    )
    log_level: LogLevel = field(
        default=LogLevel.INFO,
        metadata=described_as(f"{PREFIX}LOG_LEVEL", one_of(LogLevel), "日志级别", "lowest level that is logged"),
    )

    def __post_init__(self) -> None:
        faults = _faults_between(self)
        if faults:
            raise environment.SettingsRefused(faults)


def described() -> list[tuple[Described, str]]:
    """Each setting and its default as text ('' where it is required), in order: the README's table is made of this."""
    return [(environment.described_of(each), environment.default_text(each)) for each in fields(Settings)]


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """From the environment. Raises SettingsRefused with every fault: missing, malformed, unknown, unreadable."""
    known = {environment.described_of(each).variable for each in fields(Settings)}
    faults = {
        name: "未知的设置项 / unknown setting"
        for name in environ.keys() - known
        if name.startswith(PREFIX) and not name.startswith(OTHER_PROGRAMS)
    }
    values, broken = _parsed(environ)
    faults |= broken
    try:
        settings = Settings(**(_STANDING_IN | values)) if broken else Settings(**values)
    except environment.SettingsRefused as refused:
        stood_in = {environment.described_of(each).variable for each in fields(Settings) if each.name not in values}
        faults |= {name: fault for name, fault in refused.faults.items() if name not in stood_in or not broken}
        raise environment.SettingsRefused(faults) from None
    if faults:
        raise environment.SettingsRefused(faults)
    return settings


def load_one(name: str, environ: Mapping[str, str] = os.environ) -> Any:
    """One setting that has a default, for programs that need no key. Raises SettingsRefused."""
    (each,) = [one for one in fields(Settings) if one.name == name]
    how, env = environment.described_of(each), Given(environ)
    value = how.read(env, how.variable) if how.variable in environ else each.default
    if broken := broken_in(env):
        raise environment.SettingsRefused(broken)
    return value


def load_database_url(environ: Mapping[str, str] = os.environ) -> str:
    """For programs that need the database and no key. Raises SettingsRefused."""
    url = environ.get("DATABASE_URL", "")
    if not environment.is_postgresql(url):
        raise environment.SettingsRefused({"DATABASE_URL": _NO_POSTGRESQL if url else _MISSING})
    return url


_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
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
    env = Given(environ)
    values = {}
    for each in fields(Settings):
        how = environment.described_of(each)
        if how.variable in environ:
            values[each.name] = how.read(env, how.variable)
    broken = broken_in(env)
    required = [f for f in fields(Settings) if environment.is_required(f) and f.name not in values]
    broken |= {environment.described_of(f).variable: _MISSING for f in required}
    return {name: value for name, value in values.items() if value is not None}, broken


def _faults_between(settings: Settings) -> dict[str, str]:
    faults = {}
    if settings.development_sign_in and settings.env is Environment.PRODUCTION:
        faults[f"{PREFIX}DEVELOPMENT_SIGN_IN"] = NOT_IN_PRODUCTION
    faults |= faults_of_residents(settings, in_production=settings.env is Environment.PRODUCTION)
    if not environment.is_postgresql(settings.database_url):
        faults["DATABASE_URL"] = _NO_POSTGRESQL
    if settings.passport_key_file is not None:
        faults |= _passport_faults(settings, settings.passport_key_file)
    if settings.sign_on_file is not None and (wrong := fault_of_providers(settings.sign_on_file)):
        faults[SIGN_ON_FILE] = wrong
    if fault := pair_fault(settings.device_ca_file, settings.device_ca_key_file):
        faults[f"{PREFIX}DEVICE_CA_FILE"] = fault
    for name, read in (
        ("receipt_key_file", signing_key),
        ("member_code_key_file", signing_key),
        ("identity_hash_key_file", secret_key),
        ("ledger_key_file", signing_key),
    ):
        path = getattr(settings, name)
        if path is not None and (fault := fault_of(path, read)):
            faults[PREFIX + name.upper()] = fault
    return faults


def _passport_faults(settings: Settings, key: Path) -> dict[str, str]:
    """What was signed for this machine's own name nobody else could ever look up."""
    faults = {}
    if fault := fault_of(key, signing_key):
        faults[f"{PREFIX}PASSPORT_KEY_FILE"] = fault
    issuer = urlsplit(settings.passport_issuer)
    if settings.env is Environment.PRODUCTION and (issuer.scheme != "https" or issuer.hostname in _THIS_MACHINE):
        faults[f"{PREFIX}PASSPORT_ISSUER"] = (
            "生产环境须为他人可访问的 https 地址 / https that others reach, in production"
        )
    return faults
