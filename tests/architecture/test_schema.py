"""Laws of the tables: they hold on plain PostgreSQL and on tables distributed by city alike."""

from pathlib import Path

import psycopg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import UniqueConstraint

from backend.storage.base import metadata
from backend.storage.migrate import drift
from backend.storage.transaction import ROLES
from tests.architecture.project import CROSS_CITY, REGISTRIES, ROOT, city_tables, modules

OURS = (
    "c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE 'procrastinate%' AND c.relname <> 'alembic_version'"
)
"""The job queue's library keeps tables of its own here."""
PASSING = frozenset(
    {
        "member_codes",
        "member_cards",
        "card_uses",
        "label_sellers",
        "resident_sessions",
        "phone_codes",
        "official_sessions",
        "official_devices",
        "official_tries",
        "downlinks",
        "open_voids",
        "open_holds",
        "unpaid_statements",
        "span_totals",
        "shop_reconciliations",
        "notice_grants",
        "notices",
        "snapshot_lines",
        "counter_codes",
        "departure_notes",
        "device_boots",
        "scan_totals",
        "budget_uses",
        "export_pieces",
        "sales_file_rows",
        "refusal_totals",
        "refused_lines",
        "basket_gaps",
    }
)
"""What has ended may be deleted, because it is no record."""
HOT = ("baskets", "decisions", "transfers", "accounts", "cap_counters", "member_codes")
"""What every batch writes."""
LEAVING = {"resident", "slip_no", "line", "claim_sha256", "claimed_elsewhere"}
"""A basket may be claimed, in its shop or elsewhere, and loses what names a person when the person leaves."""
FREED = frozenset({"unit_claims", "person_directory", "person_keys"})
"""A label that a quote claimed and that was not sold may be claimed again; I9 holds every claim against its award. A
person who leaves is forgotten."""
NEVER_CHANGED = (
    "transfers",
    "decisions",
    "policy_versions",
    "unit_claims",
    "quarantine",
    "policy_approvals",
    "policy_suspensions",
    "twin_versions",
    "returns",
    "consent_texts",
    "consent_history",
    "access_log",
    "carried_caps",
    "store_places",
    "catalogue_versions",
    "log_entries",
    "log_subtrees",
    "checkpoints",
    "report_steps",
    "case_terms",
    "acts",
    "settlement_months",
    "statements",
    "statement_lines",
    "statement_confirmations",
    "settlement_payees",
    "settlement_payment_statements",
    "liability_days",
    "prepaid_awards",
    "policy_targets",
    "target_readings",
)


def found(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement).fetchall()


def test_every_table_is_a_citys_a_registrys_or_on_the_short_list() -> None:
    modules()

    assert not REGISTRIES & CROSS_CITY.keys()
    assert metadata.tables.keys() >= REGISTRIES | CROSS_CITY.keys()
    assert [name for name in city_tables() if "city" not in metadata.tables[name].columns] == []
    assert [name for name in REGISTRIES if "city" in metadata.tables[name].columns] == []


def test_city_is_the_first_column_of_every_declared_key() -> None:
    wrong = [
        (name, [column.name for column in columns])
        for name in city_tables()
        for columns in (
            list(metadata.tables[name].primary_key.columns),
            *(list(one.columns) for one in metadata.tables[name].constraints if isinstance(one, UniqueConstraint)),
            *(list(index.columns) for index in metadata.tables[name].indexes),
        )
        if not columns or columns[0].name != "city"
    ]

    assert wrong == []


def test_city_is_the_first_column_of_every_index_in_the_database(database_url: str) -> None:
    first_columns = found(
        database_url,
        "SELECT c.relname, i.indexrelid::regclass::text, a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
        f" LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0] WHERE {OURS}",
    )
    cities = city_tables()

    assert {table for table, _, _ in first_columns} == metadata.tables.keys()
    assert [row for row in first_columns if row[0] in cities and row[2] != "city"] == []


def test_a_hot_tables_further_indexes_answer_only_what_names_more_than_a_city(database_url: str) -> None:
    # Where statistics are missing a city counts as rare, and the planner took all of it for the few rows of a batch. BRIN is
    # never cheaper than a key.
    plain = (
        "SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
        " JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam"
        f" WHERE {OURS} AND c.relname = ANY(ARRAY{list(HOT)}) AND NOT i.indisunique AND i.indpred IS NULL AND m.amname <> 'brin'"
    )

    assert found(database_url, plain) == []


def test_every_table_has_a_primary_key(database_url: str) -> None:
    without = (
        f"SELECT c.relname FROM pg_class c WHERE {OURS} AND c.relkind IN ('r', 'p') AND NOT EXISTS"
        " (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p')"
    )

    assert found(database_url, without) == []


MADE_BY_ITSELF = {
    "trigger": f"pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal AND {OURS}",
    "rule": f"pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class WHERE {OURS}",
    "sequence": f"pg_class c WHERE c.relkind = 'S' AND {OURS}",
    "identity column": f"pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE a.attidentity <> '' AND {OURS}",
    "computed default": r"pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid"
    rf" WHERE pg_get_expr(d.adbin, d.adrelid) ~ '\(|CURRENT' AND {OURS}",
}


@pytest.mark.parametrize("thing", MADE_BY_ITSELF)
def test_the_database_makes_nothing_by_itself(database_url: str, thing: str) -> None:
    assert found(database_url, f"SELECT c.relname FROM {MADE_BY_ITSELF[thing]}") == []


def test_only_registries_have_foreign_keys(database_url: str) -> None:
    keys = found(
        database_url,
        "SELECT c.relname, k.confrelid::regclass::text FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid"
        f" WHERE k.contype = 'f' AND {OURS}",
    )

    assert [row for row in keys if not REGISTRIES.issuperset(row)] == []


def test_no_role_changes_a_city_or_deletes_what_was_recorded(database_url: str) -> None:
    granted = found(
        database_url,
        "SELECT c.relname, r.role, p.privilege, a.attname FROM pg_class c"
        f" CROSS JOIN unnest('{{{','.join(ROLES)}}}'::text[]) r(role)"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
        " CROSS JOIN unnest('{UPDATE,REFERENCES}'::text[]) p(privilege)"
        f" WHERE c.relkind = 'r' AND {OURS} AND has_column_privilege(r.role, c.oid, a.attnum, p.privilege)",
    )
    emptied = found(
        database_url,
        "SELECT c.relname FROM pg_class c"
        f" CROSS JOIN unnest('{{{','.join(ROLES)}}}'::text[]) r(role) CROSS JOIN unnest('{{DELETE,TRUNCATE}}'::text[]) p(x)"
        f" WHERE c.relkind = 'r' AND {OURS} AND has_table_privilege(r.role, c.oid, p.x)",
    )

    assert [row for row in granted if row[3] == "city" or row[0] in NEVER_CHANGED] == []
    assert {column for table, _, _, column in granted if table == "baskets"} == LEAVING
    assert (PASSING | FREED).issuperset(table for (table,) in emptied)


def test_the_migrations_make_what_the_code_declares_in_one_line(database_url: str) -> None:
    assert len(ScriptDirectory(str(Path(ROOT) / "migrations")).get_heads()) == 1
    assert drift(database_url) == ()
