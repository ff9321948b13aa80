"""The till's own program against the real application over TLS: cut off at every step, renewed in time."""

import json
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from werkzeug.serving import make_server

from backend.bootstrap import Backend
from backend.demo.keys import ensure_keys
from backend.devices.enrolment import certificate
from backend.devices.enrolment.claim_code import claim_hash, claim_of
from backend.retailers import store as shops
from backend.settings import Settings
from backend.usecases.claim_device import Slot, claim_device
from backend.usecases.open_store import open_store
from backend.web.app import create_app
from firmware_bridge.wire.enrolment import provision_bytes, rotation_bytes, split_claim
from scanner.chaos import Chaos, ChaosPoint
from scanner.enrolment.command import main as enrol_command
from scanner.enrolment.enrol import EnrolledBefore, device_of, enrol, rotate
from scanner.enrolment.identity import Identities, IdentityUnusable
from scanner.enrolment.renewal import Renewal, is_due
from scanner.enrolment.server import Server, ServerAddressRefused, ServerRefused, ServerUnreachable
from scanner.feedback import Notice
from scanner.settings import read_settings
from tests.bridge.certificates import Authority
from tests.contracts import golden
from tests.http.conftest import Clock
from tests.worlds.books import rows
from tests.worlds.city import NANJING, NOON, City

DEVICE = "nj-shop-0009"
CLAIM, LATER = claim_of(bytes(range(16))), claim_of(bytes(range(1, 17)))
POINTS = (ChaosPoint.ENROL_KEYS_MADE, ChaosPoint.ENROL_ANSWERED, ChaosPoint.ENROL_STORED)
ROTATE = (
    "import sys; from pathlib import Path; from scanner.chaos import Chaos, ChaosPoint;"
    "from scanner.enrolment.enrol import rotate; from scanner.enrolment.identity import Identities;"
    "from scanner.enrolment.server import Server;"
    "rotate(Identities(Path(sys.argv[1])), Server(sys.argv[2], Path(sys.argv[3])), Chaos(ChaosPoint(sys.argv[4])))"
)


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    authority = ensure_keys(tmp_path / "authority", [], NOON)
    return replace(
        settings,
        device_ca_file=authority.authority,
        device_ca_key_file=authority.tls_key("ca"),
        brokers="127.0.0.1:8883,mq2.example:8884,mq3.example:8885",
    )


@pytest.fixture
def web_ca(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "web")


@contextmanager
def served(backend: Backend, clock: Clock, web_ca: Authority) -> Iterator[Server]:
    tls = web_ca.issue("localhost")
    web = make_server(
        "127.0.0.1", 0, create_app(backend, clock), threaded=True, ssl_context=(str(tls.cert), str(tls.key))
    )
    thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield Server(f"https://127.0.0.1:{web.port}", tls.ca)
    web.shutdown()
    thread.join()
    web.server_close()


@pytest.fixture
def server(backend: Backend, clock: Clock, web_ca: Authority, city: City) -> Iterator[Server]:
    """The application over TLS; a claim waits."""
    city.database.write(lambda c: open_store(c, shops.Store(NANJING, "s9", "示例超市", "新街口店", "320102"), NOON))
    for token, device in ((CLAIM, DEVICE), (LATER, "nj-shop-0010")):
        slot = Slot(device, NANJING, "s9")
        city.database.write(lambda c, slot=slot, token=token: claim_device(c, slot, claim_hash(token), NOON))  # type: ignore[misc]
    with served(backend, clock, web_ca) as running:
        yield running


@pytest.fixture
def identities(tmp_path: Path) -> Identities:
    return Identities(tmp_path / "till")


def interrupted(*words: str, point: ChaosPoint) -> int:
    """The exit of a program that dies at `point`."""
    environment = {"PATH": os.environ["PATH"], "ENV": "test", "GREENPOINTS_TILL_CHAOS_POINT": point}
    return subprocess.run([sys.executable, "-c", *words], env=environment, check=False).returncode


def count(city: City, table: str) -> int:
    ((found,),) = rows(city.database, f"SELECT count(*) FROM {table}")
    return int(found)


def test_an_enrolled_till_has_all_its_settings_and_secrets_that_nobody_else_reads(
    server: Server, identities: Identities, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = enrol(identities, server, CLAIM, "", Chaos())

    assert device_of(identity) == DEVICE
    assert {stat.S_IMODE(file.stat().st_mode) for file in identity.folder.iterdir()} == {0o600}
    assert stat.S_IMODE(identity.folder.stat().st_mode) == 0o700
    with (identity.folder / "till.env").open("a") as later:
        later.write("GREENPOINTS_TILL_OF_A_LATER_RELEASE=1\n")
    for name in identity.settings():
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("GREENPOINTS_TILL_IDENTITY_PATH", str(tmp_path / "till"))
    monkeypatch.setenv("GREENPOINTS_TILL_SOURCE", "stdin")
    monkeypatch.setenv("GREENPOINTS_TILL_OUTBOX_PATH", str(tmp_path / "outbox"))
    monkeypatch.setenv("GREENPOINTS_TILL_BROKER_PORT", "18883")
    settings = read_settings()
    assert (settings.device_id, settings.broker_host, settings.broker_port) == (DEVICE, "127.0.0.1", 18_883)
    assert settings.brokers_more == (("mq2.example", 8884), ("mq3.example", 8885))
    assert settings.tls is not None
    assert settings.tls.certificate == identity.folder / "tls.crt"


def test_a_till_has_its_servers_authority_in_its_own_folder_and_takes_it_along(
    server: Server, identities: Identities, tmp_path: Path
) -> None:
    assert server.ca is not None
    text, stick = server.ca.read_text(), tmp_path / "stick.pem"
    stick.write_text(text)
    first = enrol(identities, Server(server.url, stick), CLAIM, "", Chaos())
    stick.unlink()

    kept = Path(first.settings()["GREENPOINTS_TILL_BACKEND_CA_PATH"])
    second = rotate(identities, Server(server.url, kept), Chaos())

    assert kept == first.folder / "backend-ca.pem"
    assert second.settings()["GREENPOINTS_TILL_BACKEND_CA_PATH"] == str(second.folder / "backend-ca.pem")
    assert (second.folder / "backend-ca.pem").read_text() == text


@pytest.mark.parametrize("point", POINTS)
def test_a_power_cut_at_any_step_of_enrolment_ends_in_one_device(
    server: Server, identities: Identities, tmp_path: Path, city: City, point: ChaosPoint
) -> None:
    command = "import sys; from scanner.enrolment.command import main; main(sys.argv[1:])"
    place = ["--place", str(tmp_path / "till")]
    words = [command, "--claim", CLAIM, "--url", server.url, "--ca", str(server.ca), *place]
    assert interrupted(*words, point=point) == -signal.SIGKILL
    assert identities.current() is None

    assert enrol_command([*words[1:]]) == 0

    identity = identities.current()
    assert identity is not None
    assert device_of(identity) == DEVICE
    assert enrol_command([*words[1:]]) == 0
    assert [count(city, table) for table in ("device_directory", "device_keys", "device_certificates")] == [1, 1, 1]
    assert count(city, "device_alarms") == 0


def test_what_a_power_cut_left_of_one_claim_is_not_taken_for_another(
    server: Server, identities: Identities, tmp_path: Path
) -> None:
    command = "import sys; from scanner.enrolment.command import main; main(sys.argv[1:])"
    words = ["--claim", CLAIM, "--url", server.url, "--ca", str(server.ca), "--place", str(tmp_path / "till")]
    assert interrupted(command, *words, point=ChaosPoint.ENROL_STORED) == -signal.SIGKILL

    with pytest.raises(EnrolledBefore) as refused:
        enrol(identities, server, LATER, "", Chaos())

    assert refused.value.facts["device"] == DEVICE
    assert identities.current() is None
    assert device_of(enrol(identities, server, CLAIM, "", Chaos())) == DEVICE


@pytest.mark.parametrize("point", [ChaosPoint.ENROL_KEYS_MADE, ChaosPoint.ENROL_ANSWERED])
def test_another_claim_never_gets_the_keys_that_were_sent_under_the_first(
    server: Server, identities: Identities, tmp_path: Path, city: City, point: ChaosPoint
) -> None:
    command = "import sys; from scanner.enrolment.command import main; main(sys.argv[1:])"
    words = ["--url", server.url, "--ca", str(server.ca), "--place", str(tmp_path / "till")]
    assert interrupted(command, "--claim", CLAIM, *words, point=point) == -signal.SIGKILL
    first = identities.following()
    assert first is not None

    later = enrol(identities, server, LATER, "", Chaos())

    assert device_of(later) == "nj-shop-0010"
    assert later.folder != first.folder
    keys = rows(city.database, "SELECT count(*), count(DISTINCT public_key) FROM device_keys")
    assert keys == [(2, 2)] if point is ChaosPoint.ENROL_ANSWERED else [(1, 1)]
    with pytest.raises(EnrolledBefore):
        enrol(identities, server, CLAIM, "", Chaos())


def test_the_first_claim_may_still_be_gone_on_with_after_another_was_cut_too(
    server: Server, identities: Identities, tmp_path: Path, city: City
) -> None:
    command = "import sys; from scanner.enrolment.command import main; main(sys.argv[1:])"
    words = ["--url", server.url, "--ca", str(server.ca), "--place", str(tmp_path / "till")]
    for claim in (CLAIM, LATER):
        assert interrupted(command, "--claim", claim, *words, point=ChaosPoint.ENROL_ANSWERED) == -signal.SIGKILL

    assert device_of(enrol(identities, server, CLAIM, "", Chaos())) == DEVICE

    assert count(city, "device_alarms") == 0
    assert rows(city.database, "SELECT count(*), count(DISTINCT public_key) FROM device_keys") == [(2, 2)]


@pytest.mark.parametrize("point", POINTS)
def test_a_power_cut_at_any_step_of_a_rotation_leaves_a_till_that_can_go_on(
    server: Server, identities: Identities, tmp_path: Path, city: City, point: ChaosPoint
) -> None:
    before = enrol(identities, server, CLAIM, "", Chaos())
    assert (
        interrupted(ROTATE, str(tmp_path / "till"), server.url, str(server.ca), point, point=point) == -signal.SIGKILL
    )
    assert identities.current() == before

    after = rotate(identities, server, Chaos())

    assert identities.current() == after != before
    assert device_of(after) == DEVICE
    assert count(city, "device_keys") == 2
    assert before.is_whole


def test_a_till_gets_new_keys_when_two_thirds_of_its_certificate_are_over(
    server: Server, identities: Identities, clock: Clock
) -> None:
    before = enrol(identities, server, CLAIM, "", Chaos())
    begins, ends = before.validity()
    assert not is_due(begins, ends, begins + (ends - begins) * 2 / 3 - timedelta(seconds=1))
    clock.now = begins + (ends - begins) * 2 / 3
    told: list[Notice] = []

    renewal = Renewal(identities, server, told.append, lambda: clock.now, Chaos(), every_s=0.01)
    renewal.start()
    renewal.thread.join(10)

    assert renewal.done
    after = identities.current()
    assert after is not None
    assert after.validity() == (clock.now - timedelta(days=7), clock.now + timedelta(days=730))
    assert [notice.facts["state"] for notice in told] == ["renewed"]


def test_a_till_that_knows_no_time_leaves_an_expired_certificate_by_the_servers_clock(
    server: Server, identities: Identities, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No receipt without a connection, no connection with that certificate: its own clock would never be set."""
    before = enrol(identities, server, CLAIM, "", Chaos())
    renewal = Renewal(identities, server, lambda _: None, lambda: None, Chaos(), every_s=60)
    monkeypatch.setattr(server, "moment", lambda: clock.now)

    renewal._look()
    assert (identities.current(), renewal.done) == (before, False)
    clock.now = before.validity()[1] + timedelta(days=60)
    renewal._look()

    after = identities.current()
    assert after is not None
    assert after.validity() == (clock.now - timedelta(days=7), clock.now + timedelta(days=730))


def test_the_server_says_what_time_it_is(server: Server) -> None:
    assert abs(server.moment() - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_disk_that_takes_nothing_is_a_refusal_with_a_name(server: Server, tmp_path: Path) -> None:
    (tmp_path / "till").write_text("a file, where a folder should be")

    with pytest.raises(IdentityUnusable):
        enrol(Identities(tmp_path / "till"), server, CLAIM, "", Chaos())


def test_a_server_of_another_authority_is_told_nothing(
    server: Server, identities: Identities, tmp_path: Path, city: City
) -> None:
    stranger = Authority(tmp_path / "stranger").issue("localhost")

    with pytest.raises(ServerUnreachable):
        enrol(identities, Server(server.url, stranger.ca), CLAIM, "", Chaos())

    assert count(city, "device_directory") == 0


@pytest.mark.parametrize("url", ["http://points.example", "points.example", "ftp://127.0.0.1", ""])
def test_a_claim_is_sent_by_https_only(url: str) -> None:
    with pytest.raises(ServerAddressRefused):
        Server(url, None)


def test_a_claim_that_another_till_has_taken_is_refused_in_the_servers_words(
    server: Server, identities: Identities, tmp_path: Path, city: City
) -> None:
    enrol(Identities(tmp_path / "first"), server, CLAIM, "", Chaos())

    with pytest.raises(ServerRefused) as refused:
        enrol(identities, server, CLAIM, "", Chaos())

    assert refused.value.facts["problem"] == "enrolment-claim-used"
    assert count(city, "device_alarms") == 1
    assert device_of(enrol(identities, server, LATER, "", Chaos())) == "nj-shop-0010"


def test_an_enrolled_till_takes_no_other_claim(
    server: Server, tmp_path: Path, identities: Identities, capsys: pytest.CaptureFixture[str]
) -> None:
    enrol(identities, server, CLAIM, "", Chaos())

    code = enrol_command(
        ["--claim", LATER, "--url", server.url, "--ca", str(server.ca), "--place", str(tmp_path / "till")]
    )

    assert code == 1
    assert DEVICE in capsys.readouterr().err


def test_both_sides_sign_the_same_bytes() -> None:
    case = json.loads((golden.FOLDER / "enrolment.json").read_bytes())
    signing = bytes.fromhex(case["sign_pub_hex"])

    for made in (provision_bytes, certificate.provision_bytes):
        assert made(case["claim"], case["csr"]).hex() == case["provision_signed_hex"]
    for rotated in (rotation_bytes, certificate.rotation_bytes):
        assert rotated(case["device"], case["csr"], signing).hex() == case["rotation_signed_hex"]


def test_a_scanned_code_may_hold_the_servers_address() -> None:
    assert split_claim(f"{CLAIM}@https://points.example\n") == (CLAIM, "https://points.example")
    assert split_claim(CLAIM) == (CLAIM, None)


def test_the_certificate_is_of_the_authority_that_is_handed_out(server: Server, identities: Identities) -> None:
    identity = enrol(identities, server, CLAIM, "", Chaos())

    own, authority = (
        x509.load_pem_x509_certificate((identity.folder / file).read_bytes()) for file in ("tls.crt", "ca.pem")
    )
    assert own.issuer == authority.subject
    own.verify_directly_issued_by(authority)  # or it raises InvalidSignature
