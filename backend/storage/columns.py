from collections.abc import Iterable, Sequence

from sqlalchemy import BigInteger, Column, DateTime, String, Text, Uuid


def city_column() -> Column[str]:
    """GB/T 2260 prefecture code: first column of every key of a city's table, never updated."""
    return Column("city", String(6), primary_key=True)


def instant_column(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def id_column(name: str, *, primary_key: bool = False, nullable: bool = False) -> Column[str]:
    return Column(name, Uuid(as_uuid=False), primary_key=primary_key, nullable=nullable)


def amount_column(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def text_column(name: str, *, nullable: bool = False, primary_key: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable, primary_key=primary_key)


def numbers(values: Iterable[int | None]) -> str:
    """A PostgreSQL array literal of integers; None becomes NULL."""
    return "{" + ",".join(["NULL" if v is None else str(v) for v in values]) + "}"


def words(values: Sequence[str | None]) -> str:
    """A PostgreSQL array literal of texts; None becomes NULL. Texts carry no U+0000 (checked where they enter)."""
    return "{" + ",".join(["NULL" if v is None else _quoted(v) for v in values]) + "}"


def octets(values: Sequence[bytes | None]) -> str:
    """A PostgreSQL array literal of bytea in hex format; None becomes NULL."""
    return "{" + ",".join(["NULL" if v is None else '"\\\\x' + v.hex() + '"' for v in values]) + "}"


def flags(values: Iterable[bool | None]) -> str:
    return "{" + ",".join(["NULL" if v is None else "t" if v else "f" for v in values]) + "}"


def _quoted(text: str) -> str:
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + text + '"'
