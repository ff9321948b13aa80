from sqlalchemy import Connection

from backend.devices.twin.model import Desired
from backend.storage.transaction import hot

ADD = """
INSERT INTO twin_versions (city, device, version, document, sha256, set_by, set_at)
VALUES (%(city)s, %(device)s, %(version)s, %(document)s, %(sha256)s, %(set_by)s, %(set_at)s)"""


def add_version(connection: Connection, city: str, device: str, desired: Desired) -> None:
    hot(
        connection,
        ADD,
        {
            "city": city,
            "device": device,
            "version": desired.version,
            "document": desired.text,
            "sha256": bytes.fromhex(desired.sha256),
            "set_by": desired.set_by,
            "set_at": desired.set_at,
        },
    )
