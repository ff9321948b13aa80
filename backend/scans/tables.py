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
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.schema import SchemaItem

from backend.scans.model import AWARDS_MAX, READS_MAX
from backend.storage.base import metadata
from backend.storage.columns import amount_column, city_column, id_column, instant_column, text_column


def _decision_columns() -> list[SchemaItem]:
    """Of decisions, and of those that a quote holds until it is captured."""
    return [
        city_column(),
        id_column("basket", primary_key=True),
        Column("line_no", SmallInteger, primary_key=True, autoincrement=False),
        Column("decision_no", SmallInteger, primary_key=True, autoincrement=False),
        # The scan's facts.
        text_column("label_key", nullable=True),
        text_column("scheme"),
        Column("code", LargeBinary),
        text_column("code_text", nullable=True),
        text_column("symbology", nullable=True),
        Column("quantity", SmallInteger, nullable=False),
        Column("price_fen", BigInteger),
        text_column("serial", nullable=True),
        text_column("evidence", nullable=True),
        id_column("resident", nullable=True),
        # The certificate's facts.
        text_column("certificate", nullable=True),
        id_column("certificate_row", nullable=True),
        text_column("certificate_scheme", nullable=True),
        text_column("category", nullable=True),
        Column("grade", SmallInteger),
        Column("tier", SmallInteger),
        Column("level", String(1)),
        Column("proof", String(2), nullable=False),
        # The decision.
        id_column("policy_version", nullable=True),
        text_column("rule", nullable=True),
        text_column("outcome"),
        text_column("reason"),
        text_column("missing", nullable=True),
        text_column("unit", nullable=True),
        amount_column("gross"),
        amount_column("award"),
        text_column("limit_name", nullable=True),
        Column("limit_left", BigInteger),
        # Facts of other sales, where a policy watches them.
        Column("median_fen", BigInteger),
        Column("travel_kmh", Integer),
        instant_column("decided_at"),
        CheckConstraint("decision_no >= 1", name="number"),
        CheckConstraint(f"line_no >= 0 AND line_no < {READS_MAX}", name="line"),
        CheckConstraint("award >= 0 AND award <= gross", name="award"),
        CheckConstraint("(outcome = 'awarded') = (award > 0)", name="outcome_award"),
        CheckConstraint("award = 0 OR (resident IS NOT NULL AND policy_version IS NOT NULL)", name="award_has_owner"),
        CheckConstraint("outcome IN ('awarded', 'none', 'pending_product', 'unclaimed', 'held')", name="outcome"),
        CheckConstraint("quantity >= 1", name="quantity"),
        CheckConstraint("price_fen >= 0", name="price"),
    ]


def _award_columns() -> list[SchemaItem]:
    return [
        city_column(),
        id_column("basket", primary_key=True),
        Column("line_no", SmallInteger, primary_key=True, autoincrement=False),
        Column("decision_no", SmallInteger, primary_key=True, autoincrement=False),
        Column("award_no", SmallInteger, primary_key=True, autoincrement=False),
        text_column("reason"),
        id_column("policy_version"),
        text_column("rule"),
        text_column("unit"),
        amount_column("gross"),
        amount_column("award"),
        text_column("limit_name", nullable=True),
        Column("limit_left", BigInteger),
        CheckConstraint(f"award_no >= 2 AND award_no <= {AWARDS_MAX}", name="number"),
        CheckConstraint("award >= 0 AND award <= gross AND gross > 0", name="award"),
        CheckConstraint("(reason IN ('awarded', 'awarded_in_part')) = (award > 0)", name="reason_award"),
    ]


baskets = Table(
    "baskets",
    metadata,
    city_column(),
    id_column("basket", primary_key=True),
    text_column("device"),
    id_column("stream"),
    Column("seq", BigInteger, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("line", LargeBinary),
    text_column("channel"),
    text_column("store", nullable=True),
    text_column("district", nullable=True),
    id_column("resident", nullable=True),
    Column("claim_sha256", LargeBinary),
    text_column("closed_by", nullable=True),
    text_column("cashier", nullable=True),
    Column("void_of", BigInteger),
    Column("part_of", BigInteger),
    instant_column("sold_at"),
    text_column("clock_quality"),
    Column("online", Boolean, nullable=False),
    instant_column("received_at"),
    instant_column("recorded_at"),
    Column("reads", SmallInteger),
    text_column("slip_no", nullable=True),
    Column("claimed_elsewhere", Boolean, nullable=False, server_default=false()),
    CheckConstraint(f"reads >= 0 AND reads <= {READS_MAX}", name="reads"),
    CheckConstraint("octet_length(sha256) = 32", name="sha256"),
    CheckConstraint("claim_sha256 IS NULL OR octet_length(claim_sha256) = 32", name="claim"),
    CheckConstraint("seq >= 0", name="seq"),
    Index("ix_baskets_resident", "city", "resident", "sold_at", postgresql_where="resident IS NOT NULL"),
    Index("ix_baskets_nobodys", "city", "store", "sold_at", postgresql_where="resident IS NULL"),
    Index("ix_baskets_sold", "city", "sold_at", postgresql_using="brin"),
    Index("ix_baskets_claim", "city", "claim_sha256", postgresql_where="claim_sha256 IS NOT NULL"),
    Index("ix_baskets_slip", "city", "store", "slip_no", postgresql_where="slip_no IS NOT NULL"),
)
"""The key is made from (device, stream, seq): `identity.basket_id`.

`line` is the exact bytes that were signed; empty only when they held a citizen's id number or a bearer
code, which are never kept, and where the row only keeps the id of a phone's scan that was made in another city
(channel elsewhere): it has no decision. `sha256` is that of the line, or its seal (`redact`) where the line is not kept.
`reads` is how many reads it had, so that a decision taken away is missed; empty where an older release recorded it.
`slip_no` is the number of the shop's own sales slip (`slips.canonical`), where the shop's till said it.
`claimed_elsewhere`: it became its resident's by a claim code or a slip, and not in the shop that sold it; a fact of whatever is
decided from then on, which stays when the resident leaves."""

decisions = Table(
    "decisions",
    metadata,
    *_decision_columns(),
    Index("ix_decisions_pending", "city", "label_key", postgresql_where="outcome = 'pending_product'"),
    Index("ix_decisions_decided", "city", "decided_at", postgresql_using="brin"),
    Index("ix_decisions_held", "city", "basket", postgresql_where="outcome = 'held'"),
    Index(
        "ix_decisions_repeated",
        "city",
        "decided_at",
        "label_key",
        postgresql_where="reason = 'unit_already_awarded'",
    ),
    Index("ix_decisions_certificate", "city", "certificate_row", postgresql_where="award > 0"),
)
"""One row a scan and decision: the facts it was taken on, and what it was. `code` stands only where the text is not it.

`evidence`: what the till added to the line, and a buyer who is no person, as JSON with sorted keys; mostly absent."""

further_awards = Table("further_awards", metadata, *_award_columns())
"""What a scan earns beyond the award that its decision states: in other units, and under other policies; and what a limit
left nothing of. `award_no` counts on from the decision's own, which is 1."""

cap_counters = Table(
    "cap_counters",
    metadata,
    city_column(),
    id_column("person", primary_key=True),
    text_column("period", primary_key=True),
    text_column("cap", primary_key=True),
    amount_column("used"),
    amount_column("allowed"),
    amount_column("version"),
    CheckConstraint("used >= 0 AND used <= allowed", name="within"),
    postgresql_with={"fillfactor": "70"},
)
"""What a person has used of a cap; a person's counters lie together. `version` counts the changes, so that a lost race is
seen where the exact amount mattered."""

price_medians = Table(
    "price_medians",
    metadata,
    city_column(),
    text_column("label_key", primary_key=True),
    Column("week", Date, primary_key=True),
    Column("median_fen", BigInteger, nullable=False),
    Column("sales", BigInteger, nullable=False),
    instant_column("learned_at"),
    CheckConstraint("median_fen > 0 AND sales > 0", name="amounts"),
    CheckConstraint("extract(isodow FROM week) = 1", name="monday"),
    Index("ix_price_medians_week", "city", "week"),
)
"""What one piece of a code cost before the Monday `week`, half of the time less: append-only by grant, so that a sale is
compared with the same price whenever it is decided."""

price_weeks = Table(
    "price_weeks",
    metadata,
    city_column(),
    Column("week", Date, primary_key=True),
    Column("codes", BigInteger, nullable=False),
    instant_column("learned_at"),
    CheckConstraint("codes >= 0", name="codes"),
    CheckConstraint("extract(isodow FROM week) = 1", name="monday"),
)
"""The weeks whose medians were reckoned, also where none came of it: nobody reads the same sales again."""

unit_claims = Table(
    "unit_claims",
    metadata,
    text_column("key", primary_key=True),
    text_column("city"),
    id_column("basket"),
    Column("line_no", SmallInteger, nullable=False),
    instant_column("claimed_at"),
)
"""Once, ever, in every city: the first award for a label that names a single unit."""

returns = Table(
    "returns",
    metadata,
    city_column(),
    id_column("return_id", primary_key=True),
    Column("place", SmallInteger, primary_key=True, autoincrement=False),
    id_column("basket"),
    Column("line_no", SmallInteger, nullable=False),
    Column("decision_no", SmallInteger, nullable=False),
    Column("quantity", SmallInteger, nullable=False),
    Column("returned_before", SmallInteger, nullable=False),
    Column("bought", SmallInteger, nullable=False),
    text_column("store", nullable=True),
    text_column("caller"),
    text_column("cashier", nullable=True),
    text_column("reason"),
    id_column("exchange_basket", nullable=True),
    instant_column("returned_at"),
    instant_column("recorded_at"),
    Column("sha256", LargeBinary, nullable=False),
    CheckConstraint(f"place >= 0 AND place < {READS_MAX}", name="place"),
    CheckConstraint("quantity >= 1 AND returned_before >= 0 AND returned_before + quantity <= bought", name="quantity"),
    CheckConstraint("octet_length(sha256) = 32", name="sha256"),
    UniqueConstraint("city", "basket", "line_no", "returned_before"),
    Index("ix_returns_store", "city", "store", "recorded_at", "return_id", "place"),
)
"""Pieces of a sold line that came back. `return_id` is made from the caller's own number, or is the id of the basket that
voids the sale; it is the reference of what is taken back, and `place` + 1 its step. `decision_no`: the decision in force
at that moment, whose awards it takes back; a later one counts only what is left. By `returned_before` no piece comes back
twice."""

hand_ins = Table(
    "hand_ins",
    metadata,
    city_column(),
    id_column("basket", primary_key=True),
    id_column("sold_basket"),
    Column("sold_line", SmallInteger, nullable=False),
    Column("handed_in_on", Date, nullable=False),
    text_column("caller"),
    instant_column("recorded_at"),
    Column("sha256", LargeBinary, nullable=False),
    CheckConstraint("octet_length(sha256) = 32", name="sha256"),
    UniqueConstraint("city", "sold_basket", "sold_line"),
)
"""Old units that were handed in after the sale that they belong to: a basket of one line each, decided as of the sale, which
comes back with it. One a line that was sold."""

open_voids = Table(
    "open_voids",
    metadata,
    city_column(),
    id_column("basket", primary_key=True),
    id_column("voided"),
    instant_column("opened_at"),
)
"""Baskets that take a former one, `voided`, back, until that is done: a queue, written with the basket."""

label_sellers = Table(
    "label_sellers",
    metadata,
    city_column(),
    text_column("label_key", primary_key=True),
    text_column("store", primary_key=True),
)
"""Where certified goods were sold lately to enough different buyers, found anew each night; no amounts and no days."""

pending_products = Table(
    "pending_products",
    metadata,
    city_column(),
    text_column("key", primary_key=True),
    instant_column("first_seen_at"),
    instant_column("resolved_at", nullable=True),
)
"""The queue of unknown codes. `resolved_at`: since when no scan of the code waits; a new unknown scan opens it again."""

quarantine = Table(
    "quarantine",
    metadata,
    city_column(),
    id_column("entry", primary_key=True),
    text_column("reason"),
    text_column("topic", nullable=True),
    text_column("device", nullable=True),
    Column("payload", LargeBinary, nullable=False),
    Column("payload_sha256", LargeBinary, nullable=False),
    instant_column("received_at"),
    instant_column("recorded_at"),
    Column("detail", Text),
    UniqueConstraint("city", "payload_sha256", "reason"),
    Index("ix_quarantine_device", "city", "device", "entry", postgresql_where="device IS NOT NULL"),
)
"""What could not be counted, kept byte for byte with the reason; the same bytes sent again are kept once."""

basket_gaps = Table(
    "basket_gaps",
    metadata,
    city_column(),
    text_column("device", primary_key=True),
    id_column("stream", primary_key=True),
    Column("first_seq", BigInteger, primary_key=True, autoincrement=False),
    Column("last_seq", BigInteger, primary_key=True, autoincrement=False),
    instant_column("found_at"),
    CheckConstraint("first_seq >= 1 AND last_seq >= first_seq", name="numbers"),
    Index("ix_basket_gaps_found", "city", "found_at"),
)
"""Numbers of tills' baskets that never came; a hole that fills is deleted."""

quotes = Table(
    "quotes",
    metadata,
    city_column(),
    id_column("basket", primary_key=True),
    text_column("device"),
    id_column("stream"),
    text_column("service"),
    Column("request_sha256", LargeBinary, nullable=False),
    Column("line", LargeBinary),
    text_column("channel"),
    text_column("store"),
    text_column("district"),
    id_column("resident", nullable=True),
    text_column("cashier", nullable=True),
    text_column("versions"),
    instant_column("sold_at"),
    instant_column("expires_at"),
    text_column("state"),
    instant_column("settled_at", nullable=True),
    Column("capture_sha256", LargeBinary),
    CheckConstraint("state IN ('held', 'captured', 'voided', 'expired')", name="state"),
    CheckConstraint("(state = 'held') = (settled_at IS NULL)", name="settled"),
    CheckConstraint("(state = 'captured') = (capture_sha256 IS NOT NULL)", name="captured"),
    CheckConstraint("expires_at > sold_at", name="period"),
    CheckConstraint("octet_length(request_sha256) = 32 AND octet_length(capture_sha256) = 32", name="sha256"),
    Index(
        "ix_quotes_resident",
        "city",
        "resident",
        "sold_at",
        postgresql_where="state = 'held' AND resident IS NOT NULL",
    ),
    Index("ix_quotes_held", "city", "expires_at", postgresql_where="state = 'held'"),
)
"""What a shop's system was promised for a basket before it is paid. `basket` is the id of the basket that it becomes,
`stream` the reference under which budgets are reserved and given back, `sold_at` the moment of the quote, `versions` the
policy versions in force then (JSON). `line` as in baskets."""

quoted_decisions = Table("quoted_decisions", metadata, *_decision_columns())
"""The decisions of a quote as they will stand if all of it is paid for; the columns are those of decisions."""

quoted_awards = Table("quoted_awards", metadata, *_award_columns())

quote_counters = Table(
    "quote_counters",
    metadata,
    city_column(),
    id_column("basket", primary_key=True),
    id_column("person", primary_key=True),
    text_column("period", primary_key=True),
    text_column("cap", primary_key=True),
    amount_column("used_before"),
    amount_column("taken"),
    CheckConstraint("used_before >= 0 AND taken >= 0", name="amounts"),
)
"""What each counter held before a quote, and what the quote has taken of it."""
