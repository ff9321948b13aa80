"""Every table that names a person says what its owner is shown of it and what becomes of it when the person leaves."""

from backend.storage.base import metadata
from backend.usecases.person_tables import AT_HOME, DESTROYED, EVERYWHERE, KEPT
from tests.architecture.project import modules

NAMES_A_PERSON = frozenset({"resident", "person", "guardian", "absorbed", "survivor"})
NOT_SHOWN = {
    "person_keys": "a secret, of which everything that others see is made",
    "merged_residents": "names of the books alone; what was merged is shown with the account",
    "closed_residents": "there is nobody left to show it to",
    "quoted_decisions": "shown as decisions once they are captured",
    "quote_counters": "shown as cap_counters",
}


def holding() -> set[str]:
    modules()
    return {name for name, table in metadata.tables.items() if NAMES_A_PERSON & set(table.columns.keys())}


def test_every_table_that_names_a_person_is_shown_or_said_why_not() -> None:
    shown = AT_HOME.keys() | EVERYWHERE.keys()

    assert holding() - shown - NOT_SHOWN.keys() == set()
    assert NOT_SHOWN.keys() - holding() == set()


def test_every_table_that_names_a_person_says_what_becomes_of_it() -> None:
    assert holding() - DESTROYED - KEPT.keys() == set()
    assert not DESTROYED & KEPT.keys()
    assert (DESTROYED | KEPT.keys()) - holding() == set()
