from collections.abc import Iterable, Sequence

from sqlalchemy import BigInteger, Column, DateTime, Text, Uuid

_NULL = "\x01"
"""Stands for None while texts are joined; no text that is stored holds it."""


def city_column() -> Column[str]:
    """GB/T 2260 prefecture code: first column of every key of a city's table, never updated."""
    return Column("city", Text, primary_key=True)


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
    literal = "{" + ",".join(map(str, values)) + "}"
    return literal.replace("None", "NULL") if "None" in literal else literal


def words(values: Sequence[str | None]) -> str:
    """A PostgreSQL array literal of texts; None becomes NULL. Texts carry no control character (checked on entry)."""
    if not values:
        return "{}"
    joined = '","'.join([_NULL if v is None else v for v in values])
    if "\\" in joined or joined.count('"') != 2 * len(values) - 2:
        joined = '","'.join([_NULL if v is None else _escaped(v) for v in values])
    literal = '{"' + joined + '"}'
    return literal.replace(f'"{_NULL}"', "NULL") if _NULL in literal else literal


def unquoted(values: Iterable[str | None]) -> str:
    """As `words`, for values that never need quotes: ids, codes of ours, civil dates."""
    return "{" + ",".join(["NULL" if v is None else v for v in values]) + "}"


def octets(values: Sequence[bytes | None]) -> str:
    """A PostgreSQL array literal of bytea in hex format; None becomes NULL."""
    return "{" + ",".join(["NULL" if v is None else '"\\\\x' + v.hex() + '"' for v in values]) + "}"


def flags(values: Iterable[bool | None]) -> str:
    return "{" + ",".join(["NULL" if v is None else "t" if v else "f" for v in values]) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
