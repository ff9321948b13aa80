"""A till that is known by its certificate alone, under the broker's shipped access rules."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from firmware_bridge.control import ControlLine
from firmware_bridge.dynamic_security import admission
from firmware_bridge.settings import Settings
from tests.bridge.access import access_file
from tests.bridge.broker import find_plugin
from tests.scanner.till.scene import DEVICE, Backend, Broker, Shop, free_port, needs_mosquitto

pytestmark = needs_mosquitto


class Authority:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = generate_private_key(SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test ca")])
        self._write("ca", self._certificate(self._name, self._key, ca=True), self._key)

    def issue(self, common_name: str) -> None:
        key = generate_private_key(SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        self._write(common_name, self._certificate(name, key, ca=False), key)

    def _certificate(self, name: x509.Name, key: EllipticCurvePrivateKey, *, ca: bool) -> x509.Certificate:
        now = datetime.now(UTC)
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        addresses = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
        usage = x509.KeyUsage(not ca, False, False, False, False, ca, ca, False, False)  # noqa: FBT003
        return (
            x509.CertificateBuilder(self._name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=7))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(identifier, critical=False)
            .add_extension(issuer, critical=False)
            .add_extension(addresses, critical=False)
            .sign(self._key, SHA256())
        )

    def _write(self, stem: str, certificate: x509.Certificate, key: EllipticCurvePrivateKey) -> None:
        (self._folder / f"{stem}.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (self._folder / f"{stem}.key").write_bytes(pem)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    authority = Authority(tmp_path)
    for name in ("broker", "bridge", DEVICE, "nj0001-2"):
        authority.issue(name)
    return authority


@pytest.fixture
def tls_port(authority: Authority, tmp_path: Path) -> int:
    assert isinstance(authority, Authority)
    access_file(tmp_path, DEVICE, "nj0001-2")
    return free_port()


def listener(folder: Path, port: int) -> str:
    return (
        f"listener {port} 127.0.0.1\nallow_anonymous false\n"
        f"plugin {find_plugin()}\nplugin_opt_config_file {folder}/dynamic-security.json\n"
        f"cafile {folder}/ca.crt\ncertfile {folder}/broker.crt\nkeyfile {folder}/broker.key\n"
        "require_certificate true\nuse_identity_as_username true\n"
    )


def tls_files(folder: Path, name: str) -> dict[str, str]:
    return {
        "BROKER_CA_PATH": str(folder / "ca.crt"),
        "BROKER_CERT_PATH": str(folder / f"{name}.crt"),
        "BROKER_TLS_KEY_PATH": str(folder / f"{name}.key"),
    }


@pytest.mark.parametrize("protocol", ["5", "311"])
def test_a_till_with_its_own_certificate_sends_and_gets_its_receipt(
    protocol: str, shop: Shop, new_broker: Callable[..., Broker], tls_port: int, tmp_path: Path
) -> None:
    broker = new_broker(extra=listener(tmp_path, tls_port))
    backend = Backend(broker, shop.till_key, shop.receipt_key)
    backend.come_up()
    till = shop.open_till(tls_port, PROTOCOL=protocol, EXIT_WHEN_DONE="true", **tls_files(tmp_path, DEVICE))

    till.say("6901234567892", "GPFIN")
    till.end_input()

    assert till.wait() == 0
    backend.close()


def test_a_till_that_the_broker_learns_of_later_comes_again_and_gets_its_receipt(
    shop: Shop, new_broker: Callable[..., Broker], tls_port: int, tmp_path: Path
) -> None:
    access_file(tmp_path)
    broker = new_broker(extra=listener(tmp_path, tls_port))
    backend = Backend(broker, shop.till_key, shop.receipt_key)
    backend.come_up()
    till = shop.open_till(tls_port, EXIT_WHEN_DONE="true", RECONNECT_MAX_S="0.5", **tls_files(tmp_path, DEVICE))
    till.say("6901234567892", "GPFIN")
    till.end_input()
    till.wait_for("state", state="subscription_refused")

    control = ControlLine(bridge_settings(tls_port, tmp_path))
    control.run(admission(DEVICE))
    control.close()

    assert till.wait() == 0
    backend.close()


def test_a_till_that_was_revoked_while_away_stops_reading_and_goes_on_once_admitted(
    shop: Shop, new_broker: Callable[..., Broker], tls_port: int, tmp_path: Path
) -> None:
    access_file(tmp_path)
    broker = new_broker(extra=listener(tmp_path, tls_port))
    backend = Backend(broker, shop.till_key, shop.receipt_key)
    backend.come_up()
    waits = {"RECONNECT_MAX_S": "0.2", "REFUSED_GRACE_S": "0.1"}
    till = shop.open_till(tls_port, **waits, **tls_files(tmp_path, DEVICE))
    till.say("6901234567892")
    till.wait_for("read")

    till.wait_for("state", state="not_admitted")
    till.say("6901234567908", "GPFIN")
    till.wait_for("refused")
    till.wait_for("basket_closed")
    assert backend.lines == []
    till.terminate()
    till = shop.open_till(tls_port, **waits, **tls_files(tmp_path, DEVICE))
    till.wait_for("state", state="not_admitted")
    till.say("6901234567915")
    till.wait_for("refused")

    control = ControlLine(bridge_settings(tls_port, tmp_path))
    control.run(admission(DEVICE))
    control.close()
    till.wait_for("state", state="admitted")
    till.say("6901234567915", "GPFIN")

    till.wait_for("receipt", 2)
    assert [len(basket.reads) for basket in backend.baskets()] == [1, 1]
    backend.close()


def bridge_settings(port: int, folder: Path) -> Settings:
    ca, certificate, key = (folder / name for name in ("ca.crt", "bridge.crt", "bridge.key"))
    files = {"broker_ca_file": ca, "broker_cert_file": certificate, "broker_key_file": key}
    return Settings(broker_port=port, backend_url="http://127.0.0.1:1", token="a-token-of-this-test", **files)


def test_a_till_with_the_certificate_of_another_is_not_heard_and_keeps_its_basket(
    shop: Shop, new_broker: Callable[..., Broker], tls_port: int, tmp_path: Path
) -> None:
    broker = new_broker(extra=listener(tmp_path, tls_port))
    backend = Backend(broker, shop.till_key, shop.receipt_key)
    backend.come_up()
    till = shop.open_till(tls_port, PROTOCOL="5", **tls_files(tmp_path, "nj0001-2"))

    till.say("6901234567892", "GPFIN")

    till.wait_for("state", state="subscription_refused")
    till.wait_for("state", state="offline")
    assert backend.lines == []
    backend.close()
