from sqlalchemy import BigInteger, CheckConstraint, Column, Index, SmallInteger, Table, Text

from backend.kernel.amounts import MAX_AMOUNT, Unit
from backend.ledger.model import Reason
from backend.storage.base import metadata
from backend.storage.columns import amount_column, city_column, id_column, instant_column, text_column


def _one_of(column: str, values: type[Unit] | type[Reason]) -> str:
    return f"{column} IN ({', '.join(repr(v.value) for v in values)})"


accounts = Table(
    "accounts",
    metadata,
    city_column(),
    text_column("account", primary_key=True),
    text_column("unit"),
    Column("floor", BigInteger),
    Column("balance", BigInteger, nullable=False, server_default="0"),
    Column("version", BigInteger, nullable=False, server_default="0"),
    instant_column("opened_at"),
    # What `chart.due_ms` says, while something is left that waits for it.
    instant_column("due_at", nullable=True),
    CheckConstraint("balance >= floor", name="floor"),
    # An award has it looked at twice: spelled out it costs a fifth of cutting the unit off the address.
    CheckConstraint(" OR ".join(f"unit = '{unit}' AND account LIKE '%\\:{unit}'" for unit in Unit), name="address"),
    Index("ix_accounts_due", "city", "due_at", postgresql_where="due_at IS NOT NULL"),
    # Every award changes a row here: room on the page keeps the updates off the index.
    postgresql_with={"fillfactor": "70"},
)

transfers = Table(
    "transfers",
    metadata,
    city_column(),
    id_column("reference", primary_key=True),
    Column("step", SmallInteger, primary_key=True, autoincrement=False),
    Column("line", SmallInteger, primary_key=True, autoincrement=False),
    text_column("reason"),
    text_column("unit"),
    Column("source", Text, nullable=False),
    Column("destination", Text, nullable=False),
    amount_column("amount"),
    instant_column("recorded_at"),
    CheckConstraint(f"amount > 0 AND amount <= {MAX_AMOUNT}", name="amount"),
    CheckConstraint("source <> destination", name="moves"),
    CheckConstraint("step <> 0", name="step"),
    CheckConstraint(_one_of("unit", Unit), name="unit"),
    CheckConstraint(_one_of("reason", Reason), name="reason"),
    # By it the log finds what is new.
    Index("ix_transfers_recorded", "city", "recorded_at", postgresql_using="brin"),
)
