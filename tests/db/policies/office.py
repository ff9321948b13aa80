"""The people of one city who write and judge policies, and what several of them come to at once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

from backend.kernel.errors import DomainError
from backend.policies.drafts import find_draft
from backend.policies.lifecycle import (
    Draft,
    Standing,
    Turn,
)
from backend.storage.transaction import Database
from backend.usecases.approve_policy import approve_policy
from backend.usecases.draft_policy import draft_policy, redraft_policy
from backend.usecases.keep_preview import keep_preview
from backend.usecases.preview_policy import Place, Previewed, last_months, preview_policy
from backend.usecases.publish_policy import PublishedVersion
from backend.usecases.submit_policy import submit_policy
from backend.usecases.turn_policy import turn_policy
from tests.worlds import rules
from tests.worlds.city import NANJING, NOON
from tests.worlds.threads import Threads

AUTHOR, APPROVER, ANOTHER = "王处长", "李局长", "赵主任"
LATER = NOON + timedelta(hours=1)
ROUNDS = 20


def sound(**changes: Any) -> dict[str, Any]:
    return rules.document(**{"budget": 5_000, "caps": [rules.cap("day", "day", 100)], **changes})


class Office:
    """The people of one city who write and judge policies."""

    def __init__(self, database: Database, url: str = "") -> None:
        """`url` names the same database, for previews."""
        self.database = database
        self._place = Place(url, "greenpoints_auditor")

    def write(self, work: Callable[..., Any], *words: object, **more: object) -> Any:
        return self.database.write(lambda connection: work(connection, NANJING, *words, **{"now": NOON, **more}))

    def draft(self, doc: dict[str, Any] | None = None) -> Draft:
        draft: Draft = self.write(draft_policy, rules.text_of(doc or sound()), by=AUTHOR)
        return draft

    def submitted(self, doc: dict[str, Any] | None = None) -> Draft:
        draft: Draft = self.write(submit_policy, self.previewed(self.draft(doc)).draft, by=AUTHOR).draft
        return draft

    def preview(self, text: str) -> Previewed:
        return preview_policy(self._place, last_months(NANJING, NOON), text, parts=1)

    def previewed(self, draft: Draft, now: datetime = NOON) -> Draft:
        kept: Draft = self.write(keep_preview, draft.draft, self.preview(draft.text), by=AUTHOR, now=now)
        return kept

    def redraft(self, draft: Draft, doc: dict[str, Any], by: str = AUTHOR) -> Draft:
        changed: Draft = self.write(redraft_policy, draft.draft, rules.text_of(doc), revision=draft.revision, by=by)
        return changed

    def approve(self, draft: Draft, by: str = APPROVER, **more: object) -> PublishedVersion:
        given = {"sha256": draft.sha256, "preview_sha256": draft.preview_sha256, "reason": "已核对", **more}
        published: PublishedVersion = self.write(approve_policy, draft.draft, by=by, **given)
        return published

    def find(self, draft: Draft) -> Draft:
        with self.database.read() as connection:
            return find_draft(connection, NANJING, draft.draft)

    def turn(self, turn: Turn, now: datetime = NOON, **more: object) -> Standing:
        said = {"notice_zh": "因核查暂停发放", "reason": "价格异常", "by": AUTHOR}
        led_to: Standing = self.write(turn_policy, "green", turn, **{**said, "now": now, **more})
        return led_to


def outcomes(*works: Callable[[], Any]) -> list[Any]:
    """What each of `works` returned or refused, all started at one moment."""
    barrier = Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return work()
        except DomainError as refusal:
            return refusal

    with Threads(len(works)) as pool:
        return [future.result() for future in [pool.submit(run, work) for work in works]]
