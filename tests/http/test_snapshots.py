"""A till asks for its offline snapshot: whole, then what differs, signed for itself alone."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography.exceptions import InvalidSignature
from flask.testing import FlaskClient

from backend.ledger import chart
from backend.policies.store import PolicyCache
from backend.usecases.make_snapshot import MakeSnapshot
from backend.usecases.revoke_device import revoke_device
from firmware_bridge.wire.errors import BadSignature
from firmware_bridge.wire.snapshots import SnapshotMessage, content_hash, open_snapshot
from tests.http.conftest import Clock, Keys
from tests.http.shop import Shop
from tests.worlds.city import FRIDGE, NOON, City, gtin, register

MINUTE = timedelta(minutes=1)


def make(city: City, clock: Clock) -> None:
    MakeSnapshot(city.database, PolicyCache(chart.budget)).make(city.code, clock.now)


def asked(client: FlaskClient, shop: Shop, keys: Keys, after: int | None = None) -> SnapshotMessage:
    where = f"/api/public/v1/tills/{shop.device}/snapshot" + ("" if after is None else f"?after={after}")
    response = client.get(where)
    assert response.status_code == 200, response.get_data(as_text=True)
    return open_snapshot(shop.device, response.get_data(), _verifier(keys))


def _verifier(keys: Keys) -> Callable[[bytes, bytes], bool]:
    def verify(signature: bytes, signed: bytes) -> bool:
        try:
            keys.receipt.public_key().verify(signature, signed)
        except InvalidSignature:
            return False
        return True

    return verify


def test_a_whole_snapshot_and_then_only_what_differs(
    client: FlaskClient, shop: Shop, city: City, keys: Keys, clock: Clock
) -> None:
    make(city, clock)
    whole = asked(client, shop, keys)
    held = {key: line for key, line in whole.lines if line is not None}
    clock.forward(minutes=1)
    register(city.database, {"code": gtin(5), "grade": "1"}, now=clock.now)
    make(city, clock)

    difference = asked(client, shop, keys, whole.head.version)

    assert (whole.head.after, whole.head.store, whole.head.district) == (None, "s1", "320102")
    assert whole.head.expires_at - whole.head.checked_at == 24 * 3600 * 1000
    assert f"g:0{FRIDGE}" in held
    assert difference.head.after == whole.head.version
    # The new one is of a category of its own.
    assert [key[:2] for key, _ in difference.lines] == ["g:", "k:"]
    after = held | {key: line for key, line in difference.lines if line is not None}
    assert content_hash((key, after[key]) for key in sorted(after)) == difference.head.sha256
    assert asked(client, shop, keys, difference.head.version).lines == ()


def test_a_worker_that_stopped_lets_the_snapshot_expire(
    client: FlaskClient, shop: Shop, city: City, keys: Keys, clock: Clock
) -> None:
    make(city, clock)
    before = asked(client, shop, keys).head.expires_at
    clock.forward(hours=5)

    assert asked(client, shop, keys).head.expires_at == before
    make(city, clock)
    assert asked(client, shop, keys).head.expires_at == before + 5 * 3600 * 1000


def test_it_is_no_other_tills(client: FlaskClient, shop: Shop, city: City, keys: Keys, clock: Clock) -> None:
    make(city, clock)
    message = client.get(f"/api/public/v1/tills/{shop.device}/snapshot").get_data()

    with pytest.raises(BadSignature):
        open_snapshot("nj-shop-0002", message, _verifier(keys))


def test_nobody_is_given_one_that_is_not_there(client: FlaskClient, shop: Shop, city: City, clock: Clock) -> None:
    where = f"/api/public/v1/tills/{shop.device}/snapshot"
    assert client.get(where).status_code == 404
    make(city, clock)
    assert client.get(where).status_code == 200
    assert client.get(f"{where}?after=-1").status_code == 422
    for nobody in ("nobody-knows-it", "nj-shop-%00", "南京一号", "x" * 5_000):
        assert client.get(f"/api/public/v1/tills/{nobody}/snapshot").status_code == 404

    city.database.write(lambda c: revoke_device(c, shop.device, NOON))

    assert client.get(where).status_code == 404
