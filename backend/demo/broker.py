"""Mosquitto for the demonstration: TLS with client certificates, the device id is the certificate's name."""

import json
import os
import pwd
import shutil
import socket
import time
from pathlib import Path

from backend.demo.keys import BROKER, Keyring
from backend.demo.supervisor import Service
from backend.kernel.errors import DomainError
from backend.storage.children import service_user

MESSAGE_BYTES_MAX = 262_144
QUEUED_MESSAGES_MAX = 200_000  # Mosquitto's 1000 drops the rest and acknowledges it all the same
ACCESS_FILE = "dynamic-security.json"
PLUGIN_PLACES = tuple(
    f"{folder}/mosquitto_dynamic_security.so" for folder in ("usr/lib/*", "usr/lib", "usr/lib64", "usr/local/lib")
)
PROGRAM_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/local/sbin"


class BrokerMissing(DomainError):
    code = "broker-missing"
    text_zh = "没有找到 mosquitto。请执行：sudo apt-get install -y mosquitto"
    text_en = "mosquitto is not installed. Type: sudo apt-get install -y mosquitto"


class PluginMissing(DomainError):
    code = "broker-plugin-missing"
    text_zh = "没有找到 mosquitto_dynamic_security.so；它随 Mosquitto 2 一起安装。"
    text_en = "mosquitto_dynamic_security.so, a part of Mosquitto 2, is not installed."


def broker_service(place: Path, keyring: Keyring, access: Path, port: int) -> Service:
    """`place` is made over to the user that runs the broker, with copies of the files it reads.

    `access` is where its dynamic security begins; what bridges have made of it since is kept. Raises BrokerMissing,
    PluginMissing.
    """
    program = shutil.which("mosquitto", path=PROGRAM_PATH)
    if program is None:
        raise BrokerMissing
    account = service_user()
    place.mkdir(mode=0o700, exist_ok=True)
    files = {"ca.pem": keyring.authority, "server.pem": keyring.certificate(BROKER)}
    files["server.key"] = keyring.tls_key(BROKER)
    if not _is_whole(place / ACCESS_FILE):
        files[ACCESS_FILE] = access
    for name, source in files.items():
        copy = place / name
        copy.unlink(missing_ok=True)
        copy.touch(mode=0o600)
        copy.write_bytes(source.read_bytes())
        _hand_over(copy, account)
    configuration = place / "mosquitto.conf"
    configuration.write_text(_configuration(place, port, _plugin()))
    _hand_over(configuration, account)
    _hand_over(place, account)
    return Service(
        name="mosquitto",
        command=(program, "-c", str(configuration)),
        folder=Path("/"),
        environment={"PATH": "/usr/bin:/bin"},
        account=account,
        ready=lambda: is_open(port),
        ready_within_s=15,
    )


def free_port(remembered: Path) -> int:
    """The port of the last run while it is free, so that tills find the broker again; else a new one, remembered."""
    wanted = [int(remembered.read_text())] if remembered.exists() else []
    for port in (*wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found = int(probe.getsockname()[1])
        remembered.write_text(f"{found}\n")
        return found
    raise OSError("no free port on 127.0.0.1")


def is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        time.sleep(0.02)
        return False
    return True


def _is_whole(access: Path) -> bool:
    """Mosquitto 2.0 writes this file in place: a power cut may leave an empty one, with which it starts and lets nobody in."""
    try:
        return bool(json.loads(access.read_bytes()))
    except (OSError, ValueError):
        return False


def _plugin() -> Path:
    found = [path for pattern in PLUGIN_PLACES for path in sorted(Path("/").glob(pattern))]
    if not found:
        raise PluginMissing
    return found[0]


def _configuration(place: Path, port: int, plugin: Path) -> str:
    return f"""# Written anew at each start.
plugin {plugin}
plugin_opt_config_file {place}/{ACCESS_FILE}
listener {port} 127.0.0.1
cafile {place}/ca.pem
certfile {place}/server.pem
keyfile {place}/server.key
require_certificate true
use_identity_as_username true
allow_anonymous false
persistence true
persistence_location {place}/
autosave_interval 60
message_size_limit {MESSAGE_BYTES_MAX}
max_queued_messages {QUEUED_MESSAGES_MAX}
max_inflight_messages 200
set_tcp_nodelay true
connection_messages false
log_dest stderr
log_type error
log_type warning
log_type notice
log_timestamp_format %Y-%m-%dT%H:%M:%S
"""


def _hand_over(path: Path, account: pwd.struct_passwd | None) -> None:
    if account is not None:
        os.chown(path, account.pw_uid, account.pw_gid)
