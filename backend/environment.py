"""How settings are read from the environment: each reader checks its own value, and nothing of a value is repeated."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import Field
from enum import StrEnum
from typing import Any, NamedTuple

from environs import Env, EnvValidationError, ValidationError, validate
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError


class SettingsRefused(Exception):
    """Every fault of the environment at once, a line each, by variable; values are never repeated."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__("\n".join(f"{name}: {fault}" for name, fault in sorted(faults.items())))
        self.faults = dict(faults)


class Described(NamedTuple):
    """How a setting is read and what it is for, in both languages."""

    variable: str
    read: Callable[[Env, str], object]
    zh: str
    en: str


Reader = Callable[[Env, str], object]


def text(*checks: Callable[[Any], Any]) -> Reader:
    return lambda env, name: env.str(name, None, validate=list(checks))


def number(low: int, high: int) -> Reader:
    return lambda env, name: env.int(name, None, validate=validate.Range(low, high))


def flag(env: Env, name: str) -> object:
    return env.bool(name, None)


def one_of(values: type[StrEnum]) -> Reader:
    return lambda env, name: env.enum(name, None, enum=values, by_value=True)


def file(env: Env, name: str) -> object:
    return env.path(name, None)


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks(env: Env, name: str) -> object:
    return env.str(name, None, validate=networks_in)


def networks_in(text: str) -> tuple[Network, ...]:
    """Addresses and networks parted by commas. Raises ValidationError."""
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError:
        raise ValidationError("addresses or networks, parted by commas") from None


def platforms(env: Env, name: str) -> object:
    return env.str(name, None, validate=platforms_in)


def platforms_in(text: str) -> dict[str, str]:
    """Addresses by city, from `320100=https://…` and `320500=file:/…` parted by commas. Raises ValidationError."""
    found = dict(part.strip().partition("=")[::2] for part in text.split(",") if part.strip())
    if not all(_CITY.fullmatch(city) and _ADDRESS.fullmatch(address) for city, address in found.items()):
        raise ValidationError("city=https://… or city=file:/…, parted by commas")
    return found


_CITY, _ADDRESS = re.compile(r"\d{6}", re.ASCII), re.compile(r"https://\S+|file:/\S+")


def is_postgresql(url: str) -> bool:
    try:
        return make_url(url).get_backend_name() == "postgresql"
    except ArgumentError:
        return False


def described_as(variable: str, read: Reader, zh: str, en: str) -> dict[str, Described]:
    return {"described": Described(variable, read, zh, en)}


class Given(Env):
    """environs over a mapping of ours instead of the process's own environment."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(eager=False)
        self._given = environ

    def _get_value(self, env_key: str, default: Any) -> Any:
        return self._given.get(env_key, default)


def broken_in(env: Env) -> dict[str, str]:
    try:
        env.seal()
    except EnvValidationError as error:
        if not isinstance(error.error_messages, Mapping):
            raise
        return {name: f"取值无效 / invalid: {'; '.join(map(str, t))}" for name, t in error.error_messages.items()}
    return {}


def is_required(each: Field[Any]) -> bool:
    return each.default is each.default_factory  # both are MISSING


def described_of(each: Field[Any]) -> Described:
    how: Described = each.metadata["described"]
    return how


def default_text(each: Field[Any]) -> str:
    if is_required(each):
        return ""
    if each.default is None:
        return "—"
    return str(each.default).lower() if isinstance(each.default, bool) else str(each.default)
