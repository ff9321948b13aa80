from sqlalchemy import CheckConstraint, Column, Index, Integer, LargeBinary, SmallInteger, Table

from backend.sales_files.model import FILE_BYTES_MAX, ROWS_MAX
from backend.storage.base import metadata
from backend.storage.columns import amount_column, city_column, id_column, instant_column, text_column

sales_files = Table(
    "sales_files",
    metadata,
    city_column(),
    id_column("upload", primary_key=True),
    text_column("retailer"),
    text_column("file_name"),
    Column("content", LargeBinary),
    Column("size_bytes", Integer, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    text_column("uploaded_by"),
    text_column("uploaded_name"),
    instant_column("uploaded_at"),
    text_column("state"),
    Column("rows", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("repeated", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    amount_column("points"),
    amount_column("subsidy_fen"),
    instant_column("moved_at"),
    CheckConstraint("char_length(file_name) BETWEEN 1 AND 255", name="name"),
    CheckConstraint("state IN ('waiting', 'recording', 'recorded')", name="state"),
    CheckConstraint(
        f"(content IS NULL) = (state = 'recorded') AND octet_length(content) <= {FILE_BYTES_MAX}", name="content"
    ),
    CheckConstraint("octet_length(sha256) = 32", name="sha256"),
    CheckConstraint(f"rows BETWEEN 0 AND {ROWS_MAX} AND done BETWEEN 0 AND rows", name="progress"),
    CheckConstraint(
        "accepted >= 0 AND repeated >= 0 AND refused >= 0 AND points >= 0 AND subsidy_fen >= 0", name="counts"
    ),
    CheckConstraint("state <> 'recorded' OR accepted + repeated + refused = rows", name="answered"),
    Index("ix_sales_files_at", "city", "retailer", "uploaded_at", "upload"),
    Index("ix_sales_files_recording", "city", "retailer", unique=True, postgresql_where="state = 'recording'"),
    Index("ix_sales_files_waiting", "city", "upload", postgresql_where="state <> 'recorded'"),
)
"""Files of sales that shops upload. `content` may hold member codes, and is there only until it is recorded; `points` and
`subsidy_fen`: what its accepted lines earned at once."""

sales_file_rows = Table(
    "sales_file_rows",
    metadata,
    city_column(),
    id_column("upload", primary_key=True),
    Column("file_line", Integer, primary_key=True, autoincrement=False),
    text_column("event"),
    Column("line_no", Integer),
    text_column("state"),
    text_column("code"),
    text_column("zh"),
    text_column("en"),
    amount_column("points"),
    amount_column("subsidy_fen"),
    id_column("basket", nullable=True),
    Column("basket_line", SmallInteger),
    CheckConstraint("file_line >= 1", name="line"),
    CheckConstraint("state IN ('accepted', 'repeated', 'refused')", name="state"),
    CheckConstraint(
        "(state = 'refused') = (basket IS NULL) AND (basket IS NULL) = (basket_line IS NULL)", name="basket"
    ),
    CheckConstraint("points >= 0 AND subsidy_fen >= 0", name="amounts"),
    Index("ix_sales_file_rows_refused", "city", "upload", "file_line", postgresql_where="state = 'refused'"),
)
"""What was answered of each line; kept for a year."""
