"""Large files are checked and imported by a worker, each once, with how far it has come; a worker that died is followed."""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

from backend.certificates import uploads
from backend.certificates.uploads import NewUpload, Upload
from backend.kernel.ids import new_id
from backend.storage.transaction import Database, hot
from backend.usecases.registry_uploads import AT_ONCE_BYTES_MAX, GIVEN_UP, ask_import, put_upload, work_uploads
from tests.db.certificates.conftest import FRIDGE, NOW
from tests.worlds.city import NANJING, SUZHOU
from tests.worlds.threads import Threads

Cells = Mapping[str, str]
ROWS = 1_500


def put(database: Database, as_csv: Callable[[Iterable[Cells]], bytes]) -> str:
    rows = [FRIDGE | {"certificate_no": f"202601-27-10000001-1{number:011d}", "code": ""} for number in range(ROWS)]
    new = NewUpload(new_id(), "fridges.csv", "能效标识备案", as_csv(rows), "0190f0a0", "陈静")
    assert len(new.content) > AT_ONCE_BYTES_MAX
    put_upload(database, NANJING, new, NOW)
    return new.upload


def seen(database: Database, upload: str) -> Upload:
    with database.read() as connection:
        return uploads.find(connection, NANJING, upload)


def work(database: Database, minutes: int = 1) -> int:
    return work_uploads(database, NANJING, NOW + timedelta(minutes=minutes), lambda: False)


def test_a_large_file_is_tried_and_imported_by_the_worker(
    engine_db: Database, as_csv: Callable[[Iterable[Cells]], bytes]
) -> None:
    upload = put(engine_db, as_csv)
    assert seen(engine_db, upload).state == "to_check"

    with Threads(3) as threads:
        assert sum(threads.map(lambda _: work(engine_db), range(3))) >= 1
    tried = seen(engine_db, upload)
    assert (tried.state, tried.stage, tried.done, tried.total) == ("checked", "compare", ROWS, ROWS)
    assert tried.report is not None
    assert tried.report["counts"] == {"added": ROWS, "changed": 0, "withdrawn": 0, "unchanged": 0}
    assert work(engine_db) == 0

    ask_import(engine_db, NANJING, upload, "0190f0a0", NOW)
    assert work(engine_db) == 1

    done = seen(engine_db, upload)
    assert (done.state, done.stage, done.done == done.total) == ("imported", "store", True)
    with engine_db.read() as connection:
        assert hot(connection, "SELECT count(*) FROM certificates").fetchone() == (ROWS,)
        assert hot(connection, "SELECT content FROM registry_uploads").fetchone() == (None,)
        assert uploads.listed(connection, SUZHOU) == []


def test_what_a_dead_worker_left_is_taken_again(
    engine_db: Database, as_csv: Callable[[Iterable[Cells]], bytes]
) -> None:
    upload = put(engine_db, as_csv)
    engine_db.write(lambda c: uploads.take(c, NANJING, upload, "to_check", "checking", NOW))

    soon, later = work(engine_db), work(engine_db, minutes=int(GIVEN_UP.total_seconds()) // 60 + 1)

    assert (soon, later, seen(engine_db, upload).state) == (0, 1, "checked")
