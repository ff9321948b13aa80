"""What a till may say of labels while it is offline. What is in it is public; the signature names the till it is for."""

from datetime import timedelta
from typing import Any

from flask import Response

from backend.devices import queries as devices
from backend.devices.model import DEVICE
from backend.snapshots import queries
from backend.snapshots.sealed import Addressee, seal_snapshot
from backend.web.auth import Access
from backend.web.bounded import bound
from backend.web.context import backend, now
from backend.web.endpoint import endpoint
from backend.web.problems import NotFound
from backend.web.public.routes import public
from backend.web.rate import Bounded
from backend.web.schemas import Body, Whole

VERSION_MAX = 2**53


class SnapshotQuery(Body):
    after = Whole(
        0, VERSION_MAX, in_query=True, load_default=None, metadata={"description": "the version held / 已有版本"}
    )


@endpoint(public, "/tills/<device>/snapshot", access=Access.OPEN, query=SnapshotQuery(), answers={200: None})
def snapshot(query: dict[str, Any], device: str) -> Response:
    """终端的离线商品快照，或与已有版本的差异 / a till's offline snapshot, or how it differs from the version held."""
    after = query["after"]
    if DEVICE.fullmatch(device) is None:
        raise NotFound
    with backend().database.read() as connection:
        till = devices.directory(connection, [device], now()).get(device)
        newest = queries.newest(connection, till.city, after) if till is not None and till.active else None
        if till is None or newest is None:
            raise NotFound
        if newest.body is not None:
            bound(Bounded.WHOLE_SNAPSHOT)
        changes = [] if newest.body is not None else queries.changes(connection, till.city, after, newest.version)
    addressee = Addressee(till.device, till.city, till.district, till.store)
    kept = timedelta(hours=backend().settings.snapshot_hours)
    message = seal_snapshot(addressee, newest, after, changes, kept=kept, sign=backend().sign)
    return Response(message, content_type="application/octet-stream")
