"""A known share of paid awards is looked at whatever the flags say; who knows the salt reckons the same draw."""

import hashlib
from datetime import timedelta

import pytest

from backend.cases import samples
from backend.cases.samples import Finding, SampleSettled
from backend.cases.terms import CaseTerms, TermsRefused, set_terms, terms_set
from backend.usecases.draw_samples import draw_samples
from tests.db.operator.conftest import run
from tests.db.operator.typed import Run, done, listed
from tests.worlds.city import FRIDGE, NANJING, NOON, UNCERTIFIED, City, read, resident

__all__ = ["run"]
SALT = bytes(range(16))
SOLD = 300
LATER = NOON + timedelta(minutes=10)


def set_share(city: City, sample_bp: int) -> None:
    terms = CaseTerms(NOON - timedelta(days=1), 7, 15, sample_bp, "主任", "本市抽查办法")
    city.database.write(lambda connection: set_terms(connection, NANJING, terms, SALT))


@pytest.fixture
def city(usual_city: City) -> City:
    return usual_city


def sold(city: City, count: int = SOLD) -> list[str]:
    till = city.till()
    arrivals = [till.basket(read(FRIDGE), read(UNCERTIFIED), resident=resident(1)) for _ in range(count)]
    city.record(*arrivals)
    return [one.basket.basket for one in arrivals]


def drawn(city: City) -> list[tuple[str, int]]:
    with city.database.read() as connection:
        return [(one.basket, one.line_no) for one in samples.waiting(connection, NANJING)]


def reckoned(basket: str, line_no: int) -> int:
    """The draw, by a program of another kind."""
    return int(hashlib.sha256(SALT + f"{basket}:{line_no}".encode()).hexdigest()[:8], 16) % 10_000


def test_the_draw_is_the_one_that_anyone_reckons(city: City) -> None:
    set_share(city, 1_000)
    baskets = sold(city)

    number = draw_samples(city.database, NANJING, LATER)

    expected = sorted((basket, 0) for basket in baskets if reckoned(basket, 0) < 1_000)
    assert 10 < number < 60
    assert (number, drawn(city)) == (len(expected), expected)
    assert draw_samples(city.database, NANJING, LATER + timedelta(minutes=1)) == 0


def test_nothing_is_drawn_where_no_share_is_set_and_all_where_it_is_whole(city: City) -> None:
    sold(city, 5)

    assert draw_samples(city.database, NANJING, LATER) == 0
    set_share(city, 10_000)
    assert draw_samples(city.database, NANJING, LATER) == 5


def test_a_look_is_written_once(city: City, run: Run) -> None:
    set_share(city, 10_000)
    sold(city, 2)
    draw_samples(city.database, NANJING, LATER)
    (first, second) = listed(run, "cases", "--city", NANJING) or drawn(city)
    review = ("cases", "review", first[0], str(first[1]), "--city", NANJING, "--reason", "小票相符", "--by", "陈科员")

    assert "无误" in done(run(*review, "--right"))

    with pytest.raises(SampleSettled):
        city.database.write(lambda c: samples.review(c, NANJING, first, Finding.WRONG, "再看", "王科员", LATER))
    assert drawn(city) == [second]
    assert second[0] in done(run("cases", "samples", "--city", NANJING))
    with city.database.read() as connection:
        assert samples.counts(connection, NANJING, NOON) == (2, 1, 0)


def test_terms_are_set_by_command_and_bounded(city: City, run: Run) -> None:
    said = done(run("cases", "terms", "--city", NANJING, "--sample-bp", "200", "--reason", "年度计划", "--by", "主任"))

    assert "万分之 200" in said
    assert "年度计划" in done(run("cases", "terms-set", "--city", NANJING))
    with city.database.read() as connection:
        (one,) = terms_set(connection, NANJING)
    with pytest.raises(TermsRefused):
        city.database.write(lambda c: set_terms(c, NANJING, one._replace(sample_bp=10_001), SALT))
