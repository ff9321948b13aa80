"""A document judged beside what its city has published and by the register of schemes that the migrations bring."""

import json
from pathlib import Path

import pytest

from backend.demo.city import POLICY
from backend.policies.lint import blockers
from backend.policies.lint_finding import Finding
from backend.storage.transaction import Database
from backend.usecases.lint_policy import lint_policy
from backend.usecases.publish_policy import publish_policy
from tests.worlds import rules
from tests.worlds.city import NANJING, NOON, SUZHOU, open_city, register

CANONICAL = sorted((Path(__file__).parents[2] / "pure/policies/canonical").glob("*.json"))


def judged(database: Database, text: str, city: str = NANJING) -> list[Finding]:
    with database.read() as connection:
        return lint_policy(connection, city, text)


def found(findings: list[Finding]) -> set[tuple[str, str]]:
    return {(one.code, one.place) for one in findings}


@pytest.mark.parametrize("file", CANONICAL, ids=lambda file: file.stem)
def test_a_canonical_policy_keeps_within_its_citys_and_what_the_schemes_prove(engine_db: Database, file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    within = json.loads(text).get("within")
    for other in (one for one in CANONICAL if "whole" not in one.stem):
        given = other.read_text(encoding="utf-8")
        if within is not None and json.loads(given)["policy"] == within:
            engine_db.write(lambda c, g=given: publish_policy(c, NANJING, g, by="tests", now=NOON))

    assert blockers(judged(engine_db, text)) == []


def test_the_demonstration_policy_keeps_within_what_the_schemes_prove(engine_db: Database) -> None:
    assert blockers(judged(engine_db, POLICY.read_text(encoding="utf-8"))) == []


def test_the_register_knows_schemes_levels_and_categories(engine_db: Database) -> None:
    register(engine_db)
    energy = rules.where("certificate_scheme", "=", "energy_label")
    unit = rules.rule("unit", rules.fixed(5), energy, rates={"U": {"P3": 10_000}})
    unknown = rules.rule("unknown", rules.fixed(5), rules.where("certificate_scheme", "=", "eco"))
    misspelt = rules.rule("fridge", rules.fixed(5), rules.where("category", "=", "冰柜"))
    doc = rules.document(unit, unknown, misspelt, caps=[rules.cap("day", "day", 100)])

    said = found(judged(engine_db, rules.text_of(doc)))

    assert said >= {
        ("level_above_scheme", "rules.0.rates.U"),
        ("unknown_scheme", "rules.1.when.0"),
        ("unknown_category", "rules.2.when.0"),
    }


def test_a_policy_is_held_against_those_of_its_own_city_alone(engine_db: Database) -> None:
    open_city(engine_db, rules.document(policy="other"))
    text = rules.text_of(rules.document(caps=[rules.cap("day", "day", 100)]))

    assert ("overlap_first", "stacking") in found(judged(engine_db, text))
    assert ("overlap_first", "stacking") not in found(judged(engine_db, text, SUZHOU))
