"""What a demonstration enters once: kept data of an earlier release keep the policies and shops that they have."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from backend.policies.document import load_policy
from backend.policies.store import last_version
from backend.retailers.store import Store, StoreUnknown, find_store
from backend.storage.transaction import Database
from backend.usecases.open_store import open_store
from backend.usecases.preview_policy import Place, last_months
from backend.usecases.publish_by_two import preview_new, publish_by_two

READER: Final = "greenpoints_auditor"


def publish_once(
    url: str, owner: Database, city: str, text: str, *, by: tuple[str, str], reason: str, now: datetime
) -> None:
    """`url` names the same database, where the preview is read; `by`: who drafts, and who approves. Does nothing where the
    city has any version of the policy.
    """
    with owner.read() as connection:
        if last_version(connection, city, load_policy(text).policy) is not None:
            return
    preview = preview_new(Place(url, READER), last_months(city, now), text, parts=1)
    author, approver = by
    owner.write(
        lambda connection: publish_by_two(
            connection, city, text, preview=preview, by=author, approved_by=approver, reason=reason, now=now
        )
    )


def open_once(connection: Connection, store: Store, now: datetime) -> None:
    """Does nothing where the city has a shop of that number, whatever it is called."""
    try:
        find_store(connection, store.city, store.store)
    except StoreUnknown:
        open_store(connection, store, now)
