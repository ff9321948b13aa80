"""Drafted by one person and approved by another, in one step: for a city whose two people sit side by side."""

from contextlib import closing
from datetime import datetime

from sqlalchemy import Connection

from backend.policies import store
from backend.policies.document import load_policy
from backend.policies.lifecycle import PreviewMissing, check_two_people
from backend.scans.past_sales import Window
from backend.storage.transaction import Database
from backend.usecases.approve_policy import approve_policy
from backend.usecases.draft_policy import digest_of, draft_policy
from backend.usecases.keep_preview import keep_preview
from backend.usecases.preview_policy import Place, Previewed, Told, preview_policy
from backend.usecases.publish_policy import PublishedVersion, publish_policy
from backend.usecases.submit_policy import submit_policy


def preview_new(
    place: Place, window: Window, text: str, *, parts: int, told: Told = lambda _done, _total: None
) -> Previewed | None:
    """The preview of `text` that the two look at; None where exactly this text is published. Raises PolicyRefused."""
    with closing(Database(place.url, role=place.role, pool_size=1)) as database, database.read() as connection:
        if _is_published(connection, window.city, text):
            return None
    return preview_policy(place, window, text, parts=parts, told=told)


def publish_by_two(
    connection: Connection,
    city: str,
    text: str,
    *,
    preview: Previewed | None,
    by: str,
    approved_by: str,
    reason: str,
    now: datetime,
) -> PublishedVersion:
    """What drafting, previewing, submitting and approving lead to; the same text again changes nothing and needs no preview.

    Raises PolicyRefused, PolicyBlocked, ApproverIsAuthor, PreviewMissing, PreviewStale, VersionExists.
    """
    check_two_people(by, approved_by)
    if _is_published(connection, city, text):
        return publish_policy(connection, city, text, by=by, now=now)
    if preview is None:
        raise PreviewMissing
    draft = draft_policy(connection, city, text, by=by, now=now)
    keep_preview(connection, city, draft.draft, preview, by=by, now=now)
    submit_policy(connection, city, draft.draft, by=by, now=now)
    seen = {"sha256": draft.sha256, "preview_sha256": preview.sha256}
    return approve_policy(connection, city, draft.draft, **seen, by=approved_by, reason=reason, now=now)


def _is_published(connection: Connection, city: str, text: str) -> bool:
    return store.published_before(connection, city, load_policy(text).policy, digest_of(text)) is not None
