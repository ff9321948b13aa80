from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
)
from sqlalchemy import UniqueConstraint as Unique

from backend.storage.base import metadata
from backend.storage.columns import amount_column, city_column, id_column, instant_column, text_column

_OPEN = "ruling IS DISTINCT FROM 'stands' AND approved_at IS NULL"
_MONTH = "month ~ '^20[0-9]{2}-(0[1-9]|1[0-2])$'"
_UNIT = "unit IN ('fee', 'fen')"

settlement_terms = Table(
    "settlement_terms",
    metadata,
    city_column(),
    Column("dispute_days", Integer, nullable=False),
    Column("accept_days", Integer, nullable=False),
    Column("review_days", Integer, nullable=False),
    Column("pay_days", Integer, nullable=False),
    text_column("closed_through", nullable=True),
    text_column("set_by"),
    instant_column("set_at"),
    CheckConstraint(
        "dispute_days >= 1 AND accept_days >= 1 AND review_days > accept_days AND pay_days > review_days", name="days"
    ),
)
"""One row a city, which whatever changes its settlements locks first. `closed_through`: the last month that was closed."""

settlement_months = Table(
    "settlement_months",
    metadata,
    city_column(),
    text_column("month", primary_key=True),
    instant_column("ended_at"),
    instant_column("closed_at"),
    text_column("closed_by"),
    instant_column("dispute_until"),
    instant_column("accept_by"),
    instant_column("review_by"),
    instant_column("pay_by"),
    Column("statements", Integer, nullable=False),
    Column("lines", Integer, nullable=False),
    CheckConstraint(_MONTH, name="month"),
    CheckConstraint("closed_at >= ended_at AND dispute_until > closed_at", name="times"),
    CheckConstraint("review_by > accept_by AND pay_by > review_by", name="clocks"),
    CheckConstraint("statements >= 0 AND lines >= statements", name="counts"),
)

statements = Table(
    "statements",
    metadata,
    city_column(),
    text_column("month", primary_key=True),
    text_column("retailer", primary_key=True),
    Column("lines", Integer, nullable=False),
    amount_column("fee_fen"),
    amount_column("subsidy_fen"),
    CheckConstraint("lines >= 1", name="lines"),
)
"""`fee_fen` sums the lines in the unit fee, `subsidy_fen` those in fen: both may be below zero, where goods came back."""

unpaid_statements = Table(
    "unpaid_statements",
    metadata,
    city_column(),
    text_column("month", primary_key=True),
    text_column("retailer", primary_key=True),
)
"""A queue: from the close of the month until a payment of their last lines is booked."""

statement_lines = Table(
    "statement_lines",
    metadata,
    city_column(),
    text_column("month", primary_key=True),
    text_column("retailer", primary_key=True),
    Column("line_no", Integer, primary_key=True, autoincrement=False),
    text_column("store"),
    text_column("unit"),
    text_column("cause"),
    amount_column("amount"),
    id_column("reference"),
    Column("step", SmallInteger, nullable=False),
    Column("claim", Integer, nullable=False),
    instant_column("recorded_at"),
    id_column("basket", nullable=True),
    Column("sale_line", SmallInteger),
    Unique("city", "reference", "step", "claim"),
    CheckConstraint("line_no >= 1 AND amount <> 0", name="amount"),
    CheckConstraint(_UNIT, name="unit"),
    CheckConstraint(
        "cause IN ('fee', 'prepaid', 'voucher', 'service', 'undone', 'return', 'correction', 'adjustment')",
        name="cause",
    ),
    CheckConstraint("(basket IS NULL) = (sale_line IS NULL)", name="sale"),
    Index("ix_statement_lines_sale", "city", "basket", "sale_line", postgresql_where="basket IS NOT NULL"),
)
"""A claim: the transfers of one award, return or other cause at a shop's account, named by (reference, step, claim).
`basket` and `sale_line`: what was sold, also of what came back."""

statement_confirmations = Table(
    "statement_confirmations",
    metadata,
    city_column(),
    text_column("month", primary_key=True),
    text_column("retailer", primary_key=True),
    text_column("confirmed_by"),
    instant_column("confirmed_at"),
)

statement_disputes = Table(
    "statement_disputes",
    metadata,
    city_column(),
    text_column("month", primary_key=True),
    text_column("retailer", primary_key=True),
    Column("line_no", Integer, primary_key=True, autoincrement=False),
    text_column("reason"),
    text_column("disputed_by"),
    instant_column("disputed_at"),
    text_column("ruling", nullable=True),
    Column("correction", BigInteger),
    id_column("correction_reference", nullable=True),
    text_column("explanation", nullable=True),
    text_column("ruled_by", nullable=True),
    instant_column("ruled_at", nullable=True),
    text_column("approved_by", nullable=True),
    instant_column("approved_at", nullable=True),
    CheckConstraint("char_length(reason) BETWEEN 1 AND 500", name="reason"),
    CheckConstraint("ruling IN ('stands', 'correct')", name="ruling"),
    CheckConstraint(
        "(ruling IS NULL) = (ruled_by IS NULL) AND (ruling IS NULL) = (ruled_at IS NULL)"
        " AND (ruling IS NULL) = (explanation IS NULL)",
        name="ruled",
    ),
    CheckConstraint(
        "(ruling IS NOT DISTINCT FROM 'correct') = (correction IS NOT NULL) AND correction <> 0", name="correction"
    ),
    CheckConstraint(
        "(approved_by IS NULL) = (approved_at IS NULL) AND approved_by <> ruled_by"
        " AND (approved_by IS NOT NULL) = (correction_reference IS NOT NULL) AND (approved_by IS NULL OR ruling = 'correct')",
        name="two",
    ),
    Index("ix_statement_disputes_open", "city", "month", "retailer", postgresql_where=_OPEN),
    Index(
        "ix_statement_disputes_oldest", "city", "disputed_at", "month", "retailer", "line_no", postgresql_where=_OPEN
    ),
)
"""Open until it is ruled that the line stands, or a second person approves its correction."""

claim_holds = Table(
    "claim_holds",
    metadata,
    city_column(),
    id_column("hold", primary_key=True),
    id_column("basket"),
    Column("line_no", SmallInteger, nullable=False),
    text_column("reason"),
    text_column("held_by"),
    instant_column("held_at"),
    text_column("release_reason", nullable=True),
    text_column("released_by", nullable=True),
    instant_column("released_at", nullable=True),
    CheckConstraint("char_length(reason) BETWEEN 1 AND 500", name="reason"),
    CheckConstraint(
        "(released_at IS NULL) = (released_by IS NULL) AND (released_at IS NULL) = (release_reason IS NULL)",
        name="released",
    ),
    Index("ix_claim_holds_open", "city", "basket", "line_no", unique=True, postgresql_where="released_at IS NULL"),
)
"""Sold lines whose claims are not paid for now, such as those of a certificate that was withdrawn."""

settlement_payments = Table(
    "settlement_payments",
    metadata,
    city_column(),
    id_column("payment", primary_key=True),
    text_column("state"),
    Column("lines", Integer, nullable=False),
    amount_column("amount_fen"),
    Column("sha256", LargeBinary, nullable=False),
    text_column("prepared_by"),
    instant_column("prepared_at"),
    text_column("released_by", nullable=True),
    instant_column("released_at", nullable=True),
    text_column("refused_by", nullable=True),
    instant_column("refused_at", nullable=True),
    text_column("refusal", nullable=True),
    text_column("paid_by", nullable=True),
    instant_column("paid_at", nullable=True),
    Column("paid_on", Date),
    text_column("bank_reference", nullable=True),
    CheckConstraint("state IN ('prepared', 'released', 'refused', 'paid')", name="state"),
    CheckConstraint("lines >= 1 AND amount_fen >= 1", name="amount"),
    CheckConstraint("octet_length(sha256) = 32", name="sha256"),
    CheckConstraint("released_by <> prepared_by", name="two"),
    CheckConstraint(
        "(released_by IS NULL) = (released_at IS NULL) AND (state <> 'released' OR released_by IS NOT NULL)"
        " AND (state <> 'paid' OR released_by IS NOT NULL) AND (state <> 'prepared' OR released_by IS NULL)",
        name="released",
    ),
    CheckConstraint(
        "(state = 'refused') = (refused_by IS NOT NULL) AND (refused_by IS NULL) = (refused_at IS NULL)"
        " AND (refused_by IS NULL) = (refusal IS NULL)",
        name="refused",
    ),
    CheckConstraint(
        "(state = 'paid') = (paid_by IS NOT NULL) AND (paid_by IS NULL) = (paid_at IS NULL)"
        " AND (paid_by IS NULL) = (paid_on IS NULL) AND (paid_by IS NULL) = (bank_reference IS NULL)",
        name="paid",
    ),
    CheckConstraint(
        "paid_on BETWEEN (released_at AT TIME ZONE 'Asia/Shanghai')::date AND (paid_at AT TIME ZONE 'Asia/Shanghai')::date",
        name="paid_on",
    ),
    Index("ix_settlement_payments_prepared", "city", "prepared_at", "payment"),
)

settlement_payees = Table(
    "settlement_payees",
    metadata,
    city_column(),
    id_column("payment", primary_key=True),
    text_column("retailer", primary_key=True),
    text_column("unit", primary_key=True),
    Column("lines", Integer, nullable=False),
    amount_column("amount_fen"),
    CheckConstraint("lines >= 1 AND amount_fen >= 1", name="amount"),
    CheckConstraint(_UNIT, name="unit"),
)

settlement_payment_lines = Table(
    "settlement_payment_lines",
    metadata,
    city_column(),
    id_column("payment", primary_key=True),
    text_column("month", primary_key=True),
    text_column("retailer", primary_key=True),
    Column("line_no", Integer, primary_key=True, autoincrement=False),
    Column("refused", Boolean, nullable=False),
    Index(
        "ix_settlement_payment_lines_once",
        "city",
        "month",
        "retailer",
        "line_no",
        unique=True,
        postgresql_where="NOT refused",
    ),
)
"""What a payment pays. By the index nothing is paid twice; what a refused one would have paid may be paid by another."""

settlement_payment_statements = Table(
    "settlement_payment_statements",
    metadata,
    city_column(),
    text_column("month", primary_key=True),
    text_column("retailer", primary_key=True),
    id_column("payment", primary_key=True),
    Column("lines", Integer, nullable=False),
    amount_column("amount_fen"),
    CheckConstraint("lines >= 1", name="lines"),
)
"""How much of each statement a payment pays: its lines added up, so that a page reads no line. Below zero where goods came
back."""

shop_reconciliations = Table(
    "shop_reconciliations",
    metadata,
    city_column(),
    text_column("store", primary_key=True),
    text_column("unit", primary_key=True),
    text_column("name_zh", nullable=True),
    text_column("retailer", nullable=True),
    amount_column("balance"),
    amount_column("unpaid"),
    amount_column("waiting"),
    instant_column("reckoned_at"),
)
"""The shops' accounts against their claims as they were found last: made anew each hour."""

prepaid_awards = Table(
    "prepaid_awards",
    metadata,
    city_column(),
    id_column("prepayment", primary_key=True),
    Column("place", SmallInteger, primary_key=True, autoincrement=False),
    id_column("basket"),
    Column("line_no", SmallInteger, nullable=False),
    Column("decision_no", SmallInteger, nullable=False),
    Column("award_no", SmallInteger, nullable=False),
    text_column("store"),
    amount_column("amount"),
    text_column("caller"),
    instant_column("recorded_at"),
    Column("sha256", LargeBinary, nullable=False),
    Unique("city", "basket", "line_no", "decision_no", "award_no"),
    Index("ix_prepaid_awards_store", "city", "store", "recorded_at", "prepayment", "place"),
    CheckConstraint("amount >= 1 AND place >= 0 AND award_no >= 1", name="amount"),
    CheckConstraint("octet_length(sha256) = 32", name="sha256"),
)
"""Subsidies that a shop gave its customer at the till, and is owed in the resident's place: each award once."""
