"""Arrays as they are bound come back from the server as they were."""

from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.storage.columns import ids, numbers, octets, words
from backend.storage.transaction import Database, hot

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
BIG = st.integers(-(2**63), 2**63 - 1)
unhurried = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def echoed(database: Database, kind: str, bound: object, length: int) -> list[object]:
    """As statements read it: beside another array, so that NULLs alone, which are sent as no elements, are there again."""
    beside = numbers(list(range(length)))
    statement = f"SELECT t.given FROM unnest(%(beside)s::int[], %(given)s::{kind}[]) t(place, given) ORDER BY t.place"
    with database.read() as connection:
        return [row[0] for row in hot(connection, statement, {"given": bound, "beside": beside})]


@unhurried
@given(st.lists(st.none() | st.uuids(), max_size=40), st.booleans())
def test_ids_come_back_in_whatever_spelling_they_were_sent(
    engine_db: Database,
    given: list[UUID | None],
    hyphens: bool,  # noqa: FBT001 - hypothesis draws it
) -> None:
    sent = [None if each is None else str(each) if hyphens else each.hex for each in given]

    assert echoed(engine_db, "uuid", ids(sent), len(given)) == given


@unhurried
@given(st.lists(st.none() | BIG, max_size=40))
def test_numbers_come_back(engine_db: Database, given: list[int | None]) -> None:
    assert echoed(engine_db, "bigint", numbers(given), len(given)) == given


@unhurried
@given(st.lists(st.none() | TEXTS, max_size=40))
def test_texts_come_back_with_quotes_braces_and_nulls(engine_db: Database, given: list[str | None]) -> None:
    assert echoed(engine_db, "text", words(given), len(given)) == given


@unhurried
@given(st.lists(st.none() | st.binary(max_size=40), max_size=20))
def test_bytes_come_back(engine_db: Database, given: list[bytes | None]) -> None:
    assert echoed(engine_db, "bytea", octets(given), len(given)) == given


@pytest.mark.parametrize("wrong", ["", "x", "0190", "01900000-0000-7000-8000-0000000000001"])
def test_what_is_no_id_is_not_bound_as_one(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"not UUIDs|hexadecimal"):
        ids(["01900000-0000-7000-8000-000000000001", wrong])
