import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from environs import Env, EnvValidationError, validate

from firmware_bridge.chaos import ChaosPoint
from firmware_bridge.wire.topics import BRIDGE_NAME

PREFIX: Final = "GREENPOINTS_BRIDGE_"


class Protocol(StrEnum):
    """`auto` tries MQTT 5 and falls back to 3.1.1 when the broker refuses it."""

    AUTO = "auto"
    V5 = "5"
    V311 = "311"


class AccessControl(StrEnum):
    """Who keeps the broker's access rules: this bridge, by Mosquitto's plugin, or whoever runs the broker."""

    DYNAMIC_SECURITY = "dynamic-security"
    NONE = "none"


class SettingsRefused(Exception):
    """Every fault of the environment at once, a line each; values are never repeated."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__("\n".join(f"{name}: {fault}" for name, fault in sorted(faults.items())))
        self.faults = dict(faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Field `x_y` is the variable `GREENPOINTS_BRIDGE_X_Y`; only `backend_url` and a token are required.

    Without `share_group` this is the only bridge and keeps a persistent session. Bridges of one `share_group`
    deal the tills' messages among them (clean start, so that nothing is dealt to a dead one). The group's name
    must not be guessable where the broker's rules are an ACL file: a till that joins it swallows its part of everyone's
    messages, because Mosquitto asks the file only after the dealing; dynamic security refuses the subscription.
    `chaos_point` kills the process there, after `chaos_passes` harmless passes; for trials, refused unless ENV is `test`.
    """

    name: str = "a1"
    broker_host: str = "127.0.0.1"
    broker_port: int = 8883
    broker_ca_file: Path | None = None
    broker_cert_file: Path | None = None
    broker_key_file: Path | None = None
    broker_username: str | None = None
    broker_password_file: Path | None = None
    broker_access: AccessControl = AccessControl.DYNAMIC_SECURITY
    protocol: Protocol = Protocol.AUTO
    share_group: str | None = None
    session_expiry_s: int = 604_800
    receive_maximum: int = 200
    inbox_messages: int = 5_000
    batch_reads: int = 500
    batch_wait_ms: int = 30
    backend_url: str
    backend_ca_file: Path | None = None
    backend_timeout_s: int = 30
    token: str | None = field(default=None, repr=False)
    token_file: Path | None = None
    retry_wait_s_max: int = 30
    downlink_poll_s: int = 2
    drain_s: int = 10
    health_port: int = 9464
    chaos_point: ChaosPoint | None = None
    chaos_passes: int = 0

    def __post_init__(self) -> None:
        faults = _faults_between(self)
        if faults:
            raise SettingsRefused(faults)


def load_settings() -> Settings:
    """From the process's environment, once. Raises SettingsRefused with all faults.

    A variable of this prefix that is none of ours is a fault too: it is a misspelt setting.
    """
    known = {PREFIX + name.upper() for name in Settings.__dataclass_fields__}
    faults = {name: "unknown setting / 未知的设置项" for name in set(os.environ) - known if name.startswith(PREFIX)}
    if os.environ.get("ENV") != "test":
        chaos = {PREFIX + "CHAOS_POINT", PREFIX + "CHAOS_PASSES"} & set(os.environ)
        faults |= dict.fromkeys(chaos, "only where ENV is test / 仅可用于测试环境")
    values, broken = _parse()
    faults |= broken
    try:
        settings = Settings(**(_ADDRESS_MISSING | values))  # type: ignore[arg-type]  # parsed to the field's type
    except SettingsRefused as refused:
        raise SettingsRefused(refused.faults | faults) from None
    if faults:
        raise SettingsRefused(faults)
    return settings


# Lets the rules between settings be checked, and reported, although the address itself is at fault.
_ADDRESS_MISSING: Final[dict[str, object]] = {"backend_url": "https://missing.invalid"}


def _parse() -> tuple[dict[str, object], dict[str, str]]:
    """Values that were set, and faults by variable name."""
    env = Env(eager=False, prefix=PREFIX)
    values = {
        "name": env.str("NAME", None, validate=validate.Regexp(BRIDGE_NAME.pattern + r"\Z")),
        "broker_host": env.str("BROKER_HOST", None, validate=validate.Length(min=1)),
        "broker_port": env.int("BROKER_PORT", None, validate=validate.Range(1, 65_535)),
        "broker_ca_file": env.path("BROKER_CA_FILE", None),
        "broker_cert_file": env.path("BROKER_CERT_FILE", None),
        "broker_key_file": env.path("BROKER_KEY_FILE", None),
        "broker_username": env.str("BROKER_USERNAME", None),
        "broker_password_file": env.path("BROKER_PASSWORD_FILE", None),
        "broker_access": env.enum("BROKER_ACCESS", None, enum=AccessControl, by_value=True),
        "protocol": env.enum("PROTOCOL", None, enum=Protocol, by_value=True),
        "share_group": env.str("SHARE_GROUP", None, validate=validate.Regexp(r"[A-Za-z0-9_-]{16,64}\Z")),
        "session_expiry_s": env.int("SESSION_EXPIRY_S", None, validate=validate.Range(60, 2**32 - 2)),
        "receive_maximum": env.int("RECEIVE_MAXIMUM", None, validate=validate.Range(1, 2_000)),
        "inbox_messages": env.int("INBOX_MESSAGES", None, validate=validate.Range(10, 100_000)),
        "batch_reads": env.int("BATCH_READS", None, validate=validate.Range(1, 500)),
        "batch_wait_ms": env.int("BATCH_WAIT_MS", None, validate=validate.Range(0, 1_000)),
        "backend_url": env.str("BACKEND_URL", validate=validate.URL(schemes={"http", "https"}, require_tld=False)),
        "backend_ca_file": env.path("BACKEND_CA_FILE", None),
        "backend_timeout_s": env.int("BACKEND_TIMEOUT_S", None, validate=validate.Range(1, 300)),
        "token": env.str("TOKEN", None, validate=validate.Length(min=16)),
        "token_file": env.path("TOKEN_FILE", None),
        "retry_wait_s_max": env.int("RETRY_WAIT_S_MAX", None, validate=validate.Range(1, 300)),
        "downlink_poll_s": env.int("DOWNLINK_POLL_S", None, validate=validate.Range(1, 300)),
        "drain_s": env.int("DRAIN_S", None, validate=validate.Range(1, 120)),
        "chaos_point": env.enum("CHAOS_POINT", None, enum=ChaosPoint, by_value=True),
        "chaos_passes": env.int("CHAOS_PASSES", None, validate=validate.Range(0, 1_000_000)),
        "health_port": env.int("HEALTH_PORT", None, validate=validate.Range(0, 65_535)),
    }  # fmt: skip
    return {name: value for name, value in values.items() if value is not None}, _broken(env)


def _broken(env: Env) -> dict[str, str]:
    try:
        env.seal()
    except EnvValidationError as error:
        if not isinstance(error.error_messages, Mapping):
            raise
        return {name: "; ".join(map(str, texts)) for name, texts in error.error_messages.items()}
    return {}


def _faults_between(settings: Settings) -> dict[str, str]:
    tls = (settings.broker_ca_file, settings.broker_cert_file, settings.broker_key_file)
    rules = {
        "TOKEN": ((settings.token is None) == (settings.token_file is None),
                  "give exactly one of TOKEN and TOKEN_FILE / 须且只能给出 TOKEN 与 TOKEN_FILE 之一"),
        "BROKER_CA_FILE": (settings.broker_ca_file is None and not _is_loopback(settings.broker_host),
                           "required unless the broker is on loopback / 除本机外必须使用 TLS"),
        "BROKER_CERT_FILE": (any(tls) and not all(tls),
                             "CA, certificate and key go together / CA、证书和私钥必须同时给出"),
        "BROKER_PASSWORD_FILE": (settings.broker_password_file is not None and settings.broker_username is None,
                                 "needs BROKER_USERNAME / 需要 BROKER_USERNAME"),
        "BACKEND_URL": (settings.backend_url.startswith("http://") and not _is_loopback(_host_of(settings.backend_url)),
                        "must be https unless on loopback / 除本机外必须使用 https"),
    }  # fmt: skip
    faults = {PREFIX + name: text for name, (broken, text) in rules.items() if broken}
    for name in ("broker_ca_file", "broker_cert_file", "broker_key_file", "broker_password_file",
                 "backend_ca_file", "token_file"):  # fmt: skip
        path = getattr(settings, name)
        if path is not None and not os.access(path, os.R_OK):
            faults[PREFIX + name.upper()] = "cannot be read / 无法读取"
    return faults


def _host_of(url: str) -> str:
    return url.removeprefix("http://").split("/")[0].rsplit(":", 1)[0].strip("[]")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
