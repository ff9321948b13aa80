import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from backend.certificates import amend, queries, store
from backend.certificates.amend import NewRecognition, StateChange
from backend.certificates.cache import RegistryCache
from backend.certificates.imports import Report
from backend.certificates.model import CertificateState
from backend.certificates.recognition import recognised_as
from backend.certificates.timeline import day_number, midnight_ms
from backend.certificates.validity import standing
from backend.storage.transaction import Database, hot, observed

Take = Callable[..., Report]
NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
KEY = "gtin:09521234543213"
NUMBER = "202601-27-10000001-100000000001"


def noon_ms(text: str) -> int:
    return midnight_ms(day_number(date.fromisoformat(text))) + 43_200_000


def revocation(**changed: object) -> StateChange:
    facts: dict[str, object] = {
        "number": NUMBER,
        "body": None,
        "state": CertificateState.WITHDRAWN,
        "from_on": date(2026, 6, 1),
        "reason": "监督抽查不合格",
        "by": "李四",
        "now": NOW,
    }
    return StateChange(**(facts | changed))  # type: ignore[arg-type]  # facts are those of the class


def test_one_statement_tells_entries_and_version(take: Take, engine_db: Database, fridge: dict[str, str]) -> None:
    take(fridge)
    seen: list[str] = []

    with engine_db.read() as connection, observed(seen.append):
        version, entries = store.load_entries(connection, [KEY, "gtin:00000000000000"])

    assert (len(seen), version, list(entries)) == (1, 1, [KEY])
    entry = entries[KEY][0]
    assert (entry.certificate, entry.body, entry.scheme, entry.level) == (NUMBER, "CNIS", "energy_label", "M")
    assert (entry.category, entry.product, entry.model, entry.grade) == ("冰箱", "家用电冰箱", "BCD-500W", 1)
    assert (entry.enterprise, entry.holder) == ("91371323760038087M", "示例电器有限公司")
    assert (entry.from_ms, entry.until_ms) == (noon_ms("2026-01-01") - 43_200_000, noon_ms("2029-01-01") - 43_200_000)
    assert [state.state for state in entry.states] == ["valid"]


@pytest.mark.parametrize("keys", [[], ["gtin:00000000000000"]])
def test_the_version_is_told_even_when_nothing_is_found(engine_db: Database, keys: list[str]) -> None:
    with engine_db.read() as connection:
        assert store.load_entries(connection, keys) == (0, {})


def test_a_key_certified_twice_has_its_certificates_in_one_order(
    take: Take, engine_db: Database, fridge: dict[str, str]
) -> None:
    green = fridge | {"scheme": "绿色产品认证", "certificate_no": "CGP-2026-0001", "body": "CNCA-R-2002-001"}
    service = fridge | {"scheme": "绿色服务认证", "certificate_no": "AAA-2026-0001", "body": "CNCA-R-2002-001"}
    take(service, green, fridge)

    with engine_db.read() as connection:
        entries = queries.by_key(connection, KEY)

    assert [(entry.level, entry.certificate) for entry in entries] == [
        ("M", NUMBER),
        ("M", "CGP-2026-0001"),
        ("E", "AAA-2026-0001"),
    ]


def test_a_revocation_counts_from_its_day_and_names_its_row(
    take: Take, engine_db: Database, fridge: dict[str, str]
) -> None:
    take(fridge)

    receipt = amend.change_state(engine_db, revocation())

    with engine_db.read() as connection:
        entries = queries.by_key(connection, KEY)
        change = queries.changes_since(connection, 1)[0]
    assert standing(entries, noon_ms("2026-05-31")).state == "valid"
    assert standing(entries, noon_ms("2026-06-01")).row == receipt.row
    assert (change.cause, change.recorded_by, change.reason, change.certificates) == (
        "state",
        "李四",
        "监督抽查不合格",
        1,
    )


def test_a_revocation_told_twice_is_recorded_once(take: Take, engine_db: Database, fridge: dict[str, str]) -> None:
    take(fridge)
    first = amend.change_state(engine_db, revocation())

    second = amend.change_state(engine_db, revocation())

    assert (first.changed, second.changed, second.version) == (True, False, first.version)


def test_a_dry_revocation_changes_nothing(take: Take, engine_db: Database, fridge: dict[str, str]) -> None:
    take(fridge)

    receipt = amend.change_state(engine_db, revocation(), dry_run=True)

    assert (receipt.changed, receipt.version) == (True, 1)
    with engine_db.read() as connection:
        assert standing(queries.by_key(connection, KEY), noon_ms("2026-07-01")).state == "valid"


def test_a_revocation_of_an_unknown_certificate_is_refused(engine_db: Database) -> None:
    with pytest.raises(amend.CertificateUnknown):
        amend.change_state(engine_db, revocation())


def test_a_number_given_by_two_bodies_has_to_name_one(take: Take, engine_db: Database, fridge: dict[str, str]) -> None:
    green = fridge | {"scheme": "绿色产品认证", "body": "CNCA-R-2002-001"}
    take(fridge, green)

    with pytest.raises(amend.CertificateAmbiguous, match="CNCA-R-2002-001"):
        amend.change_state(engine_db, revocation())

    amend.change_state(engine_db, revocation(body="CNIS"))
    with engine_db.read() as connection:
        states = {
            entry.body: standing([entry], noon_ms("2026-07-01")).state for entry in queries.by_key(connection, KEY)
        }
    assert states == {"CNIS": "withdrawn", "CNCA-R-2002-001": "valid"}


def test_a_reason_is_never_left_out(engine_db: Database) -> None:
    with pytest.raises(amend.AmendmentIncomplete):
        amend.change_state(engine_db, revocation(reason=""))


def test_the_past_is_told_as_it_was_known_then(take: Take, engine_db: Database, fridge: dict[str, str]) -> None:
    take(fridge, now=NOW)
    amend.change_state(engine_db, revocation(now=NOW + timedelta(days=2)))
    at_ms = noon_ms("2026-07-01")

    with engine_db.read() as connection:
        known = [
            queries.as_known(connection, [KEY], as_of_world_ms=at_ms, as_known_at=NOW + timedelta(days=days))[KEY].state
            for days in (-1, 0, 1, 2)
        ]
        exact = [
            queries.at_version(connection, [KEY], as_of_world_ms=at_ms, version=version)[KEY].state
            for version in (0, 1, 2)
        ]

    assert known == ["unknown", "valid", "valid", "withdrawn"]
    assert exact == ["unknown", "valid", "withdrawn"]


def test_a_decision_is_replayed_with_the_grade_known_in_its_version(
    take: Take, engine_db: Database, fridge: dict[str, str]
) -> None:
    take(fridge)
    take(fridge | {"grade": "3"})

    with engine_db.read() as connection:
        grades = [
            standing_entry.grade
            for version in (1, 2)
            if (
                standing_entry := queries.at_version(
                    connection, [KEY], as_of_world_ms=noon_ms("2026-07-01"), version=version
                )[KEY].entry
            )
        ]

    assert grades == [1, 3]


def test_a_clock_that_runs_behind_does_not_disorder_what_was_known(
    take: Take, engine_db: Database, fridge: dict[str, str]
) -> None:
    take(fridge, now=NOW)

    amend.change_state(engine_db, revocation(now=NOW - timedelta(days=30)))

    with engine_db.read() as connection:
        recorded = [change.recorded_at for change in queries.changes_since(connection, 0)]
        assert queries.version_known_at(connection, NOW) == 2
    assert recorded == [NOW, NOW]


def test_every_recorded_state_stays_readable(take: Take, engine_db: Database, fridge: dict[str, str]) -> None:
    take(fridge)
    amend.change_state(engine_db, revocation())
    amend.change_state(engine_db, revocation(state=CertificateState.VALID, reason="复议撤销原决定"))

    with engine_db.read() as connection:
        history = queries.by_number(connection, NUMBER)[0]
        records = queries.states_recorded(connection, history.id)

    assert [(record.state, record.reason) for record in records] == [
        ("valid", None),
        ("withdrawn", "监督抽查不合格"),
        ("valid", "复议撤销原决定"),
    ]
    assert [state.fact for state in history.known_states()] == ["valid", "valid"]


def test_a_cache_reads_known_keys_once_and_the_version_always(
    take: Take, engine_db: Database, fridge: dict[str, str]
) -> None:
    take(fridge)
    cache = RegistryCache()
    keys = [KEY, "gtin:00000000000000"]

    with engine_db.read() as connection:
        first = cache.lookup(connection, keys)
        seen: list[str] = []
        with observed(seen.append):
            second = cache.lookup(connection, keys)

    assert len(seen) == 1
    assert "registry_version" in seen[0]
    assert first == second
    assert second["gtin:00000000000000"] == ()
    assert second[KEY][0] is first[KEY][0]


def test_a_cache_forgets_when_the_registry_changes(take: Take, engine_db: Database, fridge: dict[str, str]) -> None:
    take(fridge)
    cache = RegistryCache()
    with engine_db.read() as connection:
        cache.lookup(connection, [KEY])
    amend.change_state(engine_db, revocation())
    seen: list[str] = []

    with engine_db.read() as connection, observed(seen.append):
        version, entries = cache.read(connection, [KEY])

    assert len(seen) == 2
    assert (version, standing(entries[KEY], noon_ms("2026-07-01")).state) == (2, "withdrawn")


def test_a_key_unknown_before_is_found_once_it_is_imported(
    take: Take, engine_db: Database, fridge: dict[str, str]
) -> None:
    cache = RegistryCache()
    with engine_db.read() as connection:
        assert cache.lookup(connection, [KEY]) == {KEY: ()}

    take(fridge)

    with engine_db.read() as connection:
        assert len(cache.lookup(connection, [KEY])[KEY]) == 1


def test_a_cache_holds_no_more_keys_than_its_limit(engine_db: Database) -> None:
    cache = RegistryCache(limit=10)

    with engine_db.read() as connection:
        for number in range(30):
            assert cache.lookup(connection, [f"gtin:{number:014}"])[f"gtin:{number:014}"] == ()

    assert 7 <= len(cache._entries) <= 10
    assert f"gtin:{29:014}" in cache._entries


def test_who_has_read_entries_holds_them_whatever_others_drop_or_replace(
    take: Take, engine_db: Database, fridge: dict[str, str]
) -> None:
    take(fridge)
    cache = RegistryCache(limit=4)
    with engine_db.read() as connection:
        cache.lookup(connection, [KEY])
        entries = cache.lookup(connection, [KEY])
        cache.lookup(connection, [f"gtin:{number:014}" for number in range(9)])
        flooded = entries[KEY]
    amend.change_state(engine_db, revocation())
    with engine_db.read() as connection:
        cache.lookup(connection, [KEY])

    assert entries[KEY] is flooded
    assert standing(entries[KEY], noon_ms("2026-07-01")).state == "valid"


def test_threads_sharing_a_cache_never_see_two_versions_in_one_answer(
    take: Take, engine_db: Database, fridge: dict[str, str]
) -> None:
    second_key = "gtin:09521234543220"
    take(fridge, fridge | {"code": "09521234543220"})
    cache = RegistryCache()
    stop = threading.Event()
    mixed: list[tuple[str, ...]] = []

    def look() -> None:
        while not stop.is_set():
            with engine_db.read() as connection:
                found = cache.lookup(connection, [KEY, second_key])
            states = {tuple(state.row for state in entries[0].states) for entries in found.values()}
            if len(states) > 1:
                mixed.append(tuple(map(str, states)))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(20):
        state = CertificateState.SUSPENDED if number % 2 else CertificateState.VALID
        amend.change_state(engine_db, revocation(state=state, from_on=date(2026, 2, 1)))
    stop.set()
    for thread in threads:
        thread.join()

    assert mixed == []


def test_a_recognition_is_recorded_and_read_back(engine_db: Database) -> None:
    facts = ("low_carbon", "china_green_product", "320000", date(2026, 1, 1), date(2027, 1, 1), "苏文一号", "李四", NOW)

    version = amend.recognise(engine_db, NewRecognition(*facts))

    with engine_db.read() as connection:
        recognitions = store.load_recognitions(connection)
    assert version == 1
    assert set(recognised_as("low_carbon", "320100", noon_ms("2026-12-31"), recognitions)) == {"china_green_product"}
    assert recognised_as("low_carbon", "320100", noon_ms("2027-01-01"), recognitions) == {}


@pytest.mark.parametrize("region", ["32", "abcdef", "３２００００"])
def test_a_recognition_without_a_proper_region_is_refused(engine_db: Database, region: str) -> None:
    with pytest.raises(amend.AmendmentIncomplete):
        amend.recognise(
            engine_db, NewRecognition("low_carbon", "organic", region, date(2026, 1, 1), None, "文", "李四", NOW)
        )


def test_a_recognition_of_an_unknown_scheme_is_refused(engine_db: Database) -> None:
    with pytest.raises(amend.SchemeUnknown):
        amend.recognise(
            engine_db, NewRecognition("nothing", "organic", "320000", date(2026, 1, 1), None, "文", "李四", NOW)
        )


def test_how_old_our_knowledge_is_can_be_asked(take: Take, engine_db: Database, fridge: dict[str, str]) -> None:
    take(fridge, now=NOW - timedelta(days=9))
    latest = take(fridge | {"grade": "2"}, now=NOW)

    with engine_db.read() as connection:
        assert queries.last_imports(connection) == (latest.batch,)


def test_every_scheme_has_a_ceiling_that_fits_its_level(engine_db: Database) -> None:
    with engine_db.read() as connection:
        ceilings = queries.scheme_ceilings(connection)

    assert ceilings["organic"] == ("U", 10_000)
    assert ceilings["organic_conversion"][1] == 0
    assert all(rate <= {"U": 10_000, "M": 10_000, "E": 5_000, "S": 2_000}[level] for level, rate in ceilings.values())


def test_the_console_and_the_auditor_read_the_registry_and_no_more(database_url: str) -> None:
    for role in ("greenpoints_console", "greenpoints_auditor"):
        database = Database(database_url, role=role)
        try:
            with database.read() as connection:
                assert store.load_entries(connection, [KEY]) == (0, {})
            with pytest.raises(Exception, match="permission denied"):
                database.write(lambda connection: hot(connection, "UPDATE registry_version SET version = 9"))
        finally:
            database.close()
