"""What a city publishes of its ledger, and the proof that a resident may ask for: both checked with the auditor's own means."""

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient

from backend.bootstrap import Backend, log_key
from backend.checkpoints import auditor
from backend.settings import Settings
from backend.usecases.seal_ledger import seal_ledger
from tests.http.conftest import Clock, SignIn
from tests.http.test_resident import discovery, scan  # noqa: F401 - a fixture
from tests.worlds.city import NANJING, City, unit_label

CHECKPOINTS = "/api/public/v1/checkpoints"


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    (tmp_path / "ledger").write_bytes(Ed25519PrivateKey.generate().private_bytes_raw())
    return Settings(**{**vars_of(settings), "ledger_key_file": tmp_path / "ledger"})


def vars_of(settings: Settings) -> dict[str, object]:
    return {name: getattr(settings, name) for name in settings.__dataclass_fields__}


def seal(backend: Backend, clock: Clock) -> None:
    key = log_key(backend.settings.ledger_key_file)
    seal_ledger(backend.database, NANJING, clock.now, key, lambda: False)


def climbed(leaf: bytes, entry: int, size: int, path: list[bytes]) -> bytes:
    """The root that a path leads to, as RFC 9162 (2.1.3.2) has it checked."""
    place, last, found = entry, size - 1, leaf
    for step in path:
        assert last > 0
        if place & 1 or place == last:
            found = auditor.sha256(b"\x01" + step + found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = auditor.sha256(b"\x01" + found + step)
        place, last = place >> 1, last >> 1
    assert last == 0
    return found


@pytest.mark.usefixtures("discovery")
def test_a_resident_proves_that_an_award_stands_in_the_signed_ledger(
    client: FlaskClient, backend: Backend, clock: Clock, sign_in: SignIn
) -> None:
    headers = sign_in()
    first = scan(client, headers).get_json()
    address = f"/api/resident/v1/scans/{first['basket']}/lines/0/proof"
    waiting = client.get(address, headers=headers).get_json()
    seal(backend, clock)
    for number in range(9):
        scan(client, sign_in(f"li-{number}"), code=unit_label(f"S{number}"), symbology="QR_CODE")
    clock.forward(minutes=10)
    seal(backend, clock)

    proof = client.get(address, headers=headers).get_json()
    vkey = client.get(CHECKPOINTS, query_string={"city": NANJING}).get_json()["verifier_key"]

    assert waiting == {"note": None, "postings": [], "waiting": 1}
    (posting,), size_and_root = proof["postings"], auditor.opened(proof["note"], vkey)
    leaf = auditor.sha256(b"\x00" + posting["content"].encode())
    path = [base64.b64decode(step) for step in posting["path"]]
    assert climbed(leaf, posting["entry"], size_and_root[0], path) == size_and_root[1]
    assert ',"award","points",' in posting["content"]
    assert client.get(address, headers=sign_in("zhao")).status_code == 404


@pytest.mark.usefixtures("discovery")
def test_checkpoints_are_open_to_all_in_pages(
    client: FlaskClient, backend: Backend, clock: Clock, sign_in: SignIn
) -> None:
    for number in range(3):
        scan(client, sign_in(f"li-{number}"), code=unit_label(f"S{number}"), symbology="QR_CODE")
        seal(backend, clock)
        clock.forward(minutes=10)

    found = client.get(CHECKPOINTS, query_string={"city": NANJING, "limit": 2}).get_json()
    sizes = [each["size"] for each in found["checkpoints"]]
    older = client.get(CHECKPOINTS, query_string={"city": NANJING, "before": sizes[-1]}).get_json()["checkpoints"]
    growth = client.get(
        f"{CHECKPOINTS}/growth", query_string={"city": NANJING, "old": older[0]["size"], "new": sizes[0]}
    )

    assert sizes == sorted(sizes, reverse=True)
    assert [each["size"] for each in older] < sizes
    for each in [*found["checkpoints"], *older]:
        size, root = auditor.opened(each["note"], found["verifier_key"])
        assert (size, base64.b64encode(root).decode()) == (each["size"], each["root"])
    assert growth.status_code == 200
    assert growth.get_json()["proof"]
    for old, new in ((sizes[0], older[0]["size"]), (1_000, 2_000)):
        refused = client.get(f"{CHECKPOINTS}/growth", query_string={"city": NANJING, "old": old, "new": new})
        assert (refused.status_code, refused.get_json()["code"]) == (404, "not-found")


def test_a_city_without_a_key_has_no_checkpoint_and_says_so(client: FlaskClient, city: City) -> None:
    answer = client.get(CHECKPOINTS, query_string={"city": "320500"}).get_json()

    assert answer["checkpoints"] == []
    assert city.code == NANJING
