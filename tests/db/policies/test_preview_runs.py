"""Previews that are asked for on a page: made by a job, once, with how far it is, and taken up again where it died."""

from datetime import timedelta

import psycopg
import pytest

from backend.adapters.queue import StartJob
from backend.policies.lifecycle import DraftNotAtThatPoint
from backend.policies.preview_runs import SILENT_FOR, PreviewRun, last_run, take_run
from backend.storage.transaction import Database
from backend.usecases.preview_policy import Place
from backend.usecases.run_previews import ask_preview, run_previews
from backend.usecases.withdraw_policy import withdraw_policy
from tests.db.policies.office import AUTHOR, Office
from tests.worlds.city import NANJING, NOON, open_city


@pytest.fixture
def office(engine_db: Database, database_url: str) -> Office:
    open_city(engine_db)
    return Office(engine_db, database_url)


def last(office: Office, draft: str) -> PreviewRun:
    with office.database.read() as connection:
        run = last_run(connection, NANJING, draft)
    assert run is not None
    return run


def test_a_preview_that_was_asked_for_is_kept_with_its_draft(office: Office, database_url: str) -> None:
    draft = office.draft()
    asked = office.write(ask_preview, draft.draft, by="复核人")
    again = office.write(ask_preview, draft.draft, by=AUTHOR)
    made = run_previews(office.database, Place(database_url, "greenpoints_auditor"), NANJING, NOON, lambda: False)

    assert (asked.state, again, made) == ("waiting", asked, 1)
    assert last(office, draft.draft).state == "done"
    assert office.find(draft).preview_sha256 == office.preview(draft.text).sha256
    assert run_previews(office.database, Place(database_url, "greenpoints_auditor"), NANJING, NOON, lambda: False) == 0


def test_a_draft_that_was_taken_back_meanwhile_says_why_there_is_none(office: Office, database_url: str) -> None:
    draft = office.draft()
    office.write(ask_preview, draft.draft, by=AUTHOR)
    office.write(withdraw_policy, draft.draft, by=AUTHOR)
    run_previews(office.database, Place(database_url, "greenpoints_auditor"), NANJING, NOON, lambda: False)

    assert (last(office, draft.draft).state, last(office, draft.draft).problem) == ("failed", "policy-draft-state")
    with pytest.raises(DraftNotAtThatPoint):
        office.write(ask_preview, draft.draft, by=AUTHOR)


def test_a_run_whose_worker_died_is_taken_up_again_and_no_other_is(office: Office) -> None:
    draft = office.draft()
    asked = office.write(ask_preview, draft.draft, by=AUTHOR)
    taken = office.write(take_run)
    assert taken.run == asked.run
    assert office.write(take_run, now=NOON + SILENT_FOR - timedelta(seconds=1)) is None
    assert office.write(take_run, now=NOON + SILENT_FOR + timedelta(seconds=1)).run == asked.run


def test_a_job_that_somebody_waits_for_is_queued_at_once_and_once(engine_db: Database, database_url: str) -> None:
    start = StartJob(engine_db)
    start("preview_policies", NOON)
    start("preview_policies", NOON)

    with psycopg.connect(database_url) as owner:
        rows = owner.execute("SELECT task_name, status::text, args FROM procrastinate_jobs").fetchall()
    assert rows == [("preview_policies", "todo", {"timestamp": int(NOON.timestamp())})]
