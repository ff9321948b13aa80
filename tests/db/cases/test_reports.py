"""Reports of false labels: filed by residents, dealt with in order and in time, each step kept, the outcome readable."""

from collections.abc import Callable
from datetime import date, timedelta
from threading import Barrier

import pytest

from backend.cases import queries
from backend.cases.model import (
    Report,
    ReportOutcome,
    ReportRepeated,
    ReportState,
    ReportTooMany,
    ReportUnknown,
    StepKind,
    StepOutOfTurn,
    TextRefused,
)
from backend.cases.sentences import sentence
from backend.cases.terms import CaseTerms, set_terms
from backend.kernel.errors import DomainError
from backend.retailers.store import Store
from backend.storage.transaction import Database
from backend.usecases.file_report import OPEN_MAX, AskedReport, Filed, FileReport
from backend.usecases.handle_report import Taken, take_step
from backend.usecases.open_store import open_store
from tests.db.operator.conftest import run
from tests.db.operator.typed import Run, done, listed, refused
from tests.worlds.city import FRIDGE, NANJING, NOON, City, read, resident
from tests.worlds.threads import Threads

__all__ = ["run"]
LI, WANG = resident(1), resident(2)
ASKED = AskedReport(NANJING, LI, "1", "有机标志查无此号。", store="s1", label="有机码 1234")


@pytest.fixture
def city(usual_city: City, engine_db: Database) -> City:
    shop = Store(NANJING, "s1", "示例超市", "新街口店", "320102")
    engine_db.write(lambda connection: open_store(connection, shop, NOON))
    return usual_city


def file(city: City, asked: AskedReport = ASKED) -> Filed:
    return FileReport(city.database, None).file(asked, NOON)


def step(city: City, report: str, kind: StepKind, outcome: ReportOutcome | None = None, days: int = 0) -> ReportState:
    taken = Taken(kind, "核查记录", "陈科员", outcome)
    return city.database.write(lambda c: take_step(c, NANJING, report, taken, NOON + timedelta(days=days)))[1]


def seen(city: City, report: str) -> Report:
    with city.database.read() as connection:
        found = queries.find(connection, NANJING, report)
    assert found is not None
    return found


def test_a_report_goes_its_way_and_every_step_is_kept(city: City) -> None:
    filed = file(city).report
    assert (filed.state, filed.due_on) == (ReportState.FILED, date(2026, 12, 1))  # seven working days after a Sunday

    step(city, filed.report, StepKind.ACCEPT, days=1)
    assert seen(city, filed.report).due_on == date(2026, 12, 14)  # fifteen after the Monday
    step(city, filed.report, StepKind.EVIDENCE, days=2)
    step(city, filed.report, StepKind.SAMPLE, days=3)
    step(city, filed.report, StepKind.DECIDE, ReportOutcome.CONFIRMED, days=4)
    step(city, filed.report, StepKind.CLOSE, days=5)

    found = seen(city, filed.report)
    assert (found.state, found.outcome, found.due_on) == (ReportState.CLOSED, ReportOutcome.CONFIRMED, None)
    assert sentence(found).zh == "举报属实：核查记录"
    with city.database.read() as connection:
        kinds = [one.kind.value for one in queries.steps(connection, NANJING, filed.report)]
    assert kinds == ["accept", "evidence", "sample", "decide", "close"]


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        (StepKind.SAMPLE, None),
        (StepKind.CLOSE, None),
        (StepKind.DECIDE, ReportOutcome.CONFIRMED),
        (StepKind.DECIDE, ReportOutcome.NOT_PROVEN),
    ],
)
def test_what_was_only_filed_is_accepted_or_declined_first(
    city: City, kind: StepKind, outcome: ReportOutcome | None
) -> None:
    filed = file(city).report

    with pytest.raises(StepOutOfTurn):
        step(city, filed.report, kind, outcome)

    assert step(city, filed.report, StepKind.DECIDE, ReportOutcome.DECLINED) is ReportState.DECIDED
    with pytest.raises(StepOutOfTurn):
        step(city, filed.report, StepKind.ACCEPT)


def test_a_repeat_is_the_same_report_and_other_words_are_refused(city: City) -> None:
    first, again = file(city), file(city)

    assert (first.new, again.new, again.report) == (True, False, first.report)
    with pytest.raises(ReportRepeated):
        file(city, ASKED._replace(text="别的话"))


def test_a_repeat_about_another_shop_or_label_is_refused(city: City) -> None:
    other = Store(NANJING, "s2", "示例超市", "玄武店", "320102")
    city.database.write(lambda connection: open_store(connection, other, NOON))
    file(city)

    for asked in (ASKED._replace(store="s2"), ASKED._replace(label="有机码 9999"), ASKED._replace(label=None)):
        with pytest.raises(ReportRepeated):
            file(city, asked)


def test_a_repeat_about_ones_own_scan_is_the_same_report_unless_it_names_another_label(city: City) -> None:
    arrival = city.till().basket(read(FRIDGE), resident=LI)
    city.record(arrival)
    asked = ASKED._replace(store=None, basket=arrival.basket.basket, line_no=0, label=None)

    assert file(city, asked).report == file(city, asked).report
    with pytest.raises(ReportRepeated):
        file(city, asked._replace(label="有机码 9999"))


def test_only_a_shop_that_is_there_or_a_scan_of_ones_own_is_reported(city: City) -> None:
    arrival = city.till().basket(read(FRIDGE), resident=LI)
    city.record(arrival)
    scan = {"store": None, "basket": arrival.basket.basket, "line_no": 0, "label": None}

    filed = file(city, ASKED._replace(**scan)).report

    assert (filed.store, filed.label) == ("s1", FRIDGE)
    for asked in (ASKED._replace(store="s9", number="3"), ASKED._replace(**scan, resident=WANG, number="3")):
        with pytest.raises(ReportUnknown):
            file(city, asked)


def test_one_resident_has_so_many_open_at_once(city: City) -> None:
    for number in range(OPEN_MAX):
        file(city, ASKED._replace(number=f"n{number}"))

    with pytest.raises(ReportTooMany):
        file(city, ASKED._replace(number="more"))
    assert file(city, ASKED._replace(number="more", resident=WANG)).new


def test_a_city_sets_its_own_clocks(city: City) -> None:
    terms = CaseTerms(NOON - timedelta(days=1), 2, 5, 0, "主任", "本市办法第九条")
    city.database.write(lambda connection: set_terms(connection, NANJING, terms, bytes(16)))

    filed = file(city).report
    step(city, filed.report, StepKind.ACCEPT, days=1)

    assert (filed.due_on, seen(city, filed.report).due_on) == (date(2026, 11, 24), date(2026, 11, 30))


def test_where_there_is_wechat_it_reads_the_text_first(city: City) -> None:
    class Wechat:
        def open_id(self, code: str) -> str:
            return f"open-{code}"

        def is_text_acceptable(self, open_id: str, text: str) -> bool:
            return open_id == "open-c1" and "违法" not in text

    filing = FileReport(city.database, Wechat())

    with pytest.raises(TextRefused):
        filing.file(ASKED._replace(text="违法内容", wechat_code="c1"), NOON)
    assert filing.file(ASKED._replace(wechat_code="c1"), NOON).new


def test_two_officials_at_once_decide_a_report_once(city: City) -> None:
    filed = file(city).report
    step(city, filed.report, StepKind.ACCEPT)
    start = Barrier(4)

    def act(outcome: ReportOutcome, start: Barrier = start) -> str:
        start.wait()
        try:
            step(city, filed.report, StepKind.DECIDE, outcome)
        except DomainError as refused_:
            return refused_.code
        return "decided"

    with Threads(4) as threads:
        answers = list(threads.map(act, [ReportOutcome.CONFIRMED, ReportOutcome.NOT_PROVEN] * 2))

    assert sorted(answers) == ["decided"] + ["report-step-out-of-turn"] * 3
    with city.database.read() as connection:
        assert [one.step_no for one in queries.steps(connection, NANJING, filed.report)] == [1, 2]


def test_officials_work_the_list_from_the_command_line(run: Run, city: City) -> None:
    filed = file(city).report
    (one,) = listed(run, "cases", "--city", NANJING)
    assert (one["report"], one["text"]) == (filed.report, ASKED.text)
    take: Callable[..., object] = lambda *words: run(  # noqa: E731
        "cases", "step", filed.report, "--city", NANJING, "--reason", "登记", "--by", "陈科员", *words
    )

    assert "accepted" in done(take("--step", "accept"))  # type: ignore[arg-type]  # a Result
    assert refused(take("--step", "close")).code == "report-step-out-of-turn"  # type: ignore[arg-type]
    assert "decided" in done(take("--step", "decide", "--outcome", "not_proven"))  # type: ignore[arg-type]
    assert listed(run, "cases", "--city", NANJING) == []
