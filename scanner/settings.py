"""What the environment says to a till, read once at start; every mistake is reported in one go."""

import ipaddress
import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from firmware_bridge.wire.jobs import HARDWARE
from firmware_bridge.wire.topics import DEVICE_ID
from scanner.chaos import ChaosPoint
from scanner.clock import Discipline
from scanner.enrolment.identity import Identities
from scanner.environment import Variables
from scanner.update.window import WINDOW, Window, read_window

PREFIX = "GREENPOINTS_TILL_"
ELSEWHERE = frozenset(
    f"{PREFIX}{name}" for name in ("BROKER_HOST", "BROKER_PORT", "BROKERS_MORE", "BACKEND_URL", "BACKEND_CA_PATH")
)
BROKERS_FORM = r"([A-Za-z0-9.-]+:[0-9]{1,5}(,[A-Za-z0-9.-]+:[0-9]{1,5}){0,15})?"
DEFAULT_WINDOW = "22:30-06:00"
SOURCE_FORM = r"pictures:.+|video:.+|camera:[0-9]{1,2}|picamera|serial:[^@]+(@[0-9]{3,7})?|evdev:.+|stdin"


class Protocol(StrEnum):
    """AUTO tries MQTT 5 and, when the broker refuses it, 3.1.1."""

    AUTO = "auto"
    V5 = "5"
    V311 = "311"


@dataclass(frozen=True, slots=True)
class TlsFiles:
    ca: Path
    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class FeedbackPins:
    """BCM numbers; None where nothing is wired."""

    green: int | None
    amber: int | None
    red: int | None
    buzzer: int | None
    button: int | None

    @property
    def wired(self) -> bool:
        return any(pin is not None for pin in (self.green, self.amber, self.red, self.buzzer, self.button))


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateSettings:
    """`slot`: which one runs, as the launcher says. `window`: when nobody trades; `idle_s`: and nothing happened for so long."""

    slots: Path
    slot: str
    url: str
    root: Path
    ca: Path | None
    hardware: str
    window: Window
    idle_s: int
    trial_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    identity_path: Path | None
    """Folder that `greenpoints-till enrol` made; None where keys and certificate were put in place by hand."""
    renewal_check_s: float
    device_id: str
    outbox_path: Path
    outbox_baskets_max: int
    outbox_size_max_bytes: int
    broker_host: str
    broker_port: int
    brokers_more: tuple[tuple[str, int], ...]
    """Host and port of those that are tried in turn where the first does not answer."""
    tls: TlsFiles | None
    """None is allowed on the loopback address only."""
    protocol: Protocol
    key_path: Path
    """Ed25519 private key, PKCS 8 PEM, readable by its owner only."""
    key_id: str
    city_keys_path: Path
    """Lines `keyid base64`: the Ed25519 public keys that sign member codes."""
    receipt_key_path: Path
    """Lines of base64: the backend's Ed25519 public keys that sign receipts; two while they are rotated."""
    backend_url: str | None
    """Where the offline snapshot of goods is fetched; None: nothing is said of points before the server has decided."""
    backend_ca_path: Path | None
    snapshot_path: Path | None
    """None: beside the outbox."""
    snapshot_interval_s: float
    source: str
    """pictures:DIR | video:FILE | camera:0 | picamera | serial:/dev/ttyUSB0@9600 | evdev:/dev/input/event3 | stdin."""
    basket_timeout_s: int
    finish_code: str
    void_code: str
    cashier_prefix: str
    """A code that begins with it is a cashier's badge: what follows names who is at the till."""
    feed_serial: str
    """/dev/ttyUSB1@9600: where the shop's own till writes its lines; empty: nowhere."""
    feed_token_path: Path | None
    """The shop's till shows this token when it sends its lines to the page's port."""
    slip_printer_path: Path | None
    """The device file of an ESC/POS printer, for claim slips."""
    page_port: int | None
    """Loopback port of the cashier's page; 0 takes a free one, None serves no page."""
    clock_source: Discipline
    resend_min_s: float
    resend_max_s: float
    bridge_up_jitter_s: float
    bridge_grace_s: float
    """How long after subscribing a till waits for the first word of any bridge before it sends all the same."""
    health_interval_s: float
    twin_trial_s: float
    """How long the till must stay well by settings from afar before it keeps them."""
    refused_grace_s: float
    """How long a broker may refuse the till before it takes no more reads: a new till is let in within seconds."""
    keepalive_s: int
    reconnect_max_s: float
    camera_frames_per_s_max: int
    wedge_gap_ms: int
    """The longest pause between two keys of one code of a keyboard wedge or bytes of a serial reader."""
    pins: FeedbackPins
    slot: str | None
    """Which of two slots runs, as the launcher says; None where it was not the launcher that started."""
    updates: UpdateSettings | None
    """None: this till is not updated from here."""
    exit_when_done: bool
    """End with the source, once every basket has its receipt; for pictures, videos and standard input."""
    chaos_point: ChaosPoint | None
    """The named point at which the process kills itself. Only where ENV is test."""
    chaos_hit: int
    """At which arrival at that point, counted from 1."""


def read_settings() -> Settings:
    """Raises EnvironmentInvalid with one line a mistake; never shows the value of a variable."""
    variables = Variables(PREFIX)
    identity = _of_identity(variables)
    settings = Settings(
        **identity,
        **_identity(variables),
        **_broker(variables),
        **_till(variables),
        **_counter(variables),
        **_updates(variables),
        **_backend(variables),
        **_waits(variables),
        **_test_switches(variables),
    )
    variables.refuse_if_wrong()
    return settings


def _of_identity(variables: Variables) -> dict[str, Any]:
    """An enrolled till's variables stand in its identity's folder; only where broker and backend are may be said otherwise."""
    place = variables.optional_path("IDENTITY_PATH")
    identity = None if place is None else Identities(place).current()
    if identity is not None and identity.is_whole:
        said = {name for name in ELSEWHERE if os.environ.get(name)}
        if f"{PREFIX}BROKER_HOST" in said:
            # Another broker is not one of those beside it.
            said.add(f"{PREFIX}BROKERS_MORE")
        os.environ.update({name: value for name, value in identity.settings().items() if name not in said})
        variables.pass_over(identity.settings())
    elif place is not None:
        variables.problem("IDENTITY_PATH", "Not enrolled yet: greenpoints-till enrol.")
    return {
        "identity_path": place,
        "renewal_check_s": variables.number("RENEWAL_CHECK_S", 3600.0, 0.1, 86_400.0),
    }


def _identity(variables: Variables) -> dict[str, Any]:
    return {
        "device_id": variables.text("DEVICE_ID", pattern=DEVICE_ID.pattern),
        "key_path": variables.path("KEY_PATH"),
        "key_id": variables.text("KEY_ID", pattern=r"[a-z0-9]{1,8}"),
        "city_keys_path": variables.path("CITY_KEYS_PATH"),
        "receipt_key_path": variables.path("RECEIPT_KEY_PATH"),
    }


def _broker(variables: Variables) -> dict[str, Any]:
    host = variables.text("BROKER_HOST")
    paths = {
        name: variables.optional_path(name) for name in ("BROKER_CA_PATH", "BROKER_CERT_PATH", "BROKER_TLS_KEY_PATH")
    }
    ca, certificate, key = paths.values()
    more = _addresses(variables.text("BROKERS_MORE", "", pattern=BROKERS_FORM))
    if not all(0 < port < 2**16 for _, port in more):
        variables.problem("BROKERS_MORE", "A port is between 1 and 65535.")
    tls = TlsFiles(ca, certificate, key) if ca and certificate and key else None
    if tls is None and any(paths.values()):
        variables.problem("BROKER_CA_PATH", f"Set all of {', '.join(paths)}, or none.")
    elif tls is None and not all(map(_is_loopback, (host, *(other for other, _ in more)))):
        variables.problem("BROKER_CA_PATH", "Without TLS only a broker on the loopback address is allowed.")
    return {
        "broker_host": host,
        "broker_port": variables.integer("BROKER_PORT", 8883, 1, 65535),
        "brokers_more": more,
        "tls": tls,
        "protocol": variables.choice("PROTOCOL", Protocol, Protocol.AUTO),
        "keepalive_s": variables.integer("KEEPALIVE_S", 30, 5, 3600),
        "reconnect_max_s": variables.number("RECONNECT_MAX_S", 30.0, 0.1, 3600.0),
    }


def _till(variables: Variables) -> dict[str, Any]:
    pins = (variables.optional_integer(f"{part}_PIN", 0, 27) for part in ("GREEN", "AMBER", "RED", "BUZZER", "BUTTON"))
    return {
        "source": variables.text("SOURCE", pattern=SOURCE_FORM),
        "outbox_path": variables.path("OUTBOX_PATH"),
        "outbox_baskets_max": variables.integer("OUTBOX_BASKETS_MAX", 200_000, 1, 10_000_000),
        "outbox_size_max_bytes": variables.integer("OUTBOX_SIZE_MAX_BYTES", 128 * 2**20, 4096, 2**40),
        "basket_timeout_s": variables.integer("BASKET_TIMEOUT_S", 120, 1, 3600),
        "finish_code": variables.text("FINISH_CODE", "GPFIN"),
        "void_code": variables.text("VOID_CODE", "GPVOID"),
        "clock_source": variables.choice("CLOCK_SOURCE", Discipline, Discipline.AUTO),
        "camera_frames_per_s_max": variables.integer("CAMERA_FRAMES_PER_S_MAX", 10, 1, 60),
        "wedge_gap_ms": variables.integer("WEDGE_GAP_MS", 200, 10, 5000),
        "pins": FeedbackPins(*pins),
        "exit_when_done": variables.truth("EXIT_WHEN_DONE"),
    }


def _counter(variables: Variables) -> dict[str, Any]:
    page_port, token_path = (
        variables.optional_integer("PAGE_PORT", 0, 65535),
        variables.optional_path("FEED_TOKEN_PATH"),
    )
    if token_path is not None and page_port is None:
        variables.problem("FEED_TOKEN_PATH", "Lines come to the page's port: set PAGE_PORT too.")
    return {
        "cashier_prefix": variables.text("CASHIER_PREFIX", "GPCASHIER-"),
        "page_port": page_port,
        "feed_token_path": token_path,
        "slip_printer_path": variables.optional_path("SLIP_PRINTER_PATH"),
        "feed_serial": variables.text("FEED_SERIAL", "", pattern=r"([^@]+(@[0-9]{3,7})?)?"),
    }


def _updates(variables: Variables) -> dict[str, Any]:
    slot = variables.text("SLOT", "", pattern="[ab]?") or None
    slots, root = variables.optional_path("SLOTS_PATH"), variables.optional_path("UPDATE_ROOT_PATH")
    url = variables.text("UPDATE_URL", "", pattern=r"(https?://[!-~]+)?")
    more: dict[str, Any] = {
        "ca": variables.optional_path("UPDATE_CA_PATH"),
        "hardware": variables.text("HARDWARE", "generic", pattern=HARDWARE.pattern),
        "window": read_window(
            variables.text("UPDATE_WINDOW", DEFAULT_WINDOW, pattern=WINDOW.pattern) or DEFAULT_WINDOW
        ),
        "idle_s": variables.integer("UPDATE_IDLE_S", 60, 0, 86_400),
        "trial_s": variables.integer("UPDATE_TRIAL_S", 300, 1, 360),
    }
    if slots and root and url and slot:
        return {"slot": slot, "updates": UpdateSettings(slots=slots, slot=slot, url=url, root=root, **more)}
    if slots or root or url:
        variables.problem(
            "UPDATE_URL", "Set SLOTS_PATH, UPDATE_ROOT_PATH and UPDATE_URL, and start by scanner/launch.py."
        )
    return {"slot": slot, "updates": None}


def _backend(variables: Variables) -> dict[str, Any]:
    url = variables.text("BACKEND_URL", "", pattern=r"(https?://[^\s/?#@]+/?)?")
    host = urlsplit(url).hostname or ""
    if url.startswith("http:") and not _is_loopback(host):
        variables.problem("BACKEND_URL", "Must be https unless on the loopback address.")
    return {
        "backend_url": url or None,
        "backend_ca_path": variables.optional_path("BACKEND_CA_PATH"),
        "snapshot_path": variables.optional_path("SNAPSHOT_PATH"),
        "snapshot_interval_s": variables.number("SNAPSHOT_INTERVAL_S", 300.0, 0.1, 86_400.0),
    }


def _waits(variables: Variables) -> dict[str, Any]:
    return {
        "resend_min_s": variables.number("RESEND_MIN_S", 5.0, 0.05, 3600.0),
        "resend_max_s": variables.number("RESEND_MAX_S", 120.0, 0.05, 3600.0),
        "bridge_up_jitter_s": variables.number("BRIDGE_UP_JITTER_S", 10.0, 0.0, 600.0),
        "refused_grace_s": variables.number("REFUSED_GRACE_S", 120.0, 0.0, 86_400.0),
        "bridge_grace_s": variables.number("BRIDGE_GRACE_S", 15.0, 0.0, 600.0),
        "health_interval_s": variables.number("HEALTH_INTERVAL_S", 60.0, 0.1, 3600.0),
        "twin_trial_s": variables.number("TWIN_TRIAL_S", 120.0, 0.1, 3600.0),
    }


def _test_switches(variables: Variables) -> dict[str, Any]:
    point = variables.optional_choice("CHAOS_POINT", ChaosPoint)
    if point is not None and os.environ.get("ENV") != "test":
        variables.problem("CHAOS_POINT", "Allowed only where ENV is test.")
    return {
        "chaos_point": point,
        "chaos_hit": variables.integer("CHAOS_HIT", 1, 1, 1_000_000),
    }


def _addresses(text: str) -> tuple[tuple[str, int], ...]:
    parts = (part.rpartition(":") for part in text.split(",") if part)
    return tuple((host, int(port)) for host, _, port in parts)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
