"""One row of an import file: one certified product with its certificate, its holder and its certification body."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from backend.certificates import cells
from backend.certificates.cells import CellRefused
from backend.certificates.headings import HEADINGS, SCHEME_SPELLINGS
from backend.certificates.model import CertificateState
from backend.certificates.reasons import RowError
from backend.certificates.timeline import FOREVER_DAY
from backend.labels.model import Reading, Scheme
from backend.labels.parse import parse
from backend.labels.sentences import WARNINGS

Value = TypeVar("Value")

_NUMBER = re.compile(r"[0-9A-Z][0-9A-Z/-]{3,59}")
_ORGANIC_BODY = re.compile(r"organic_body:[0-9]{4}")
"""Marks of an organic body whose certificates nobody can look up: its approval stands in for them."""
_SPELLED_FREELY = dict.fromkeys(map(ord, " \t"))
_CANONICAL_NUMBERS = frozenset(
    {
        Scheme.CERTIFICATE,
        Scheme.ORGANIC_CERTIFICATE,
        Scheme.GREEN_FOOD_GF,
        Scheme.GREEN_FOOD_LB,
        Scheme.ENERGY_FILING,
        Scheme.CNCA_BODY,
        Scheme.FSC,
        Scheme.FSC_CERTIFICATE,
        Scheme.PEFC,
        Scheme.EU_ECOLABEL,
        Scheme.EPREL,
    }
)
_NO_CERTIFICATE = frozenset(
    {
        Scheme.CCC,
        Scheme.SYSTEM_CERTIFICATE,
        Scheme.RULE,
        Scheme.BLUE_ANGEL,
        Scheme.KOREA_ECOLABEL,
        Scheme.MEMBER_CODE,
        Scheme.CLAIM_CODE,
        Scheme.URL,
    }
)
_LIMITS = {"holder": 200, "product": 200, "model": 200, "category": 100, "body_name": 200}
_NEEDS_DATE = frozenset({CertificateState.SUSPENDED, CertificateState.WITHDRAWN, CertificateState.CANCELLED})


@dataclass(frozen=True, slots=True)
class Row:
    """Days are day numbers, periods half-open. A day of None was left open: `compare` settles it."""

    line: int
    scheme: str
    body: str
    body_name: str | None
    number: str
    holder: str
    enterprise: str | None
    key: str
    product: str
    model: str | None
    category: str | None
    grade: int | None
    tier: int | None
    from_day: int
    until_day: int
    state: CertificateState
    state_day: int | None
    listed_day: int | None
    delisted_day: int | None


@dataclass(frozen=True, slots=True)
class Register:
    """What rows may refer to: schemes by every spelling of their name, bodies by code and by name."""

    schemes: Mapping[str, str]
    bodies: Mapping[str, str]


def register(schemes: Sequence[tuple[str, str, str]], bodies: Sequence[tuple[str, str]]) -> Register:
    """From (code, Chinese name, English name) and (code, Chinese name)."""
    spellings = {spelling.casefold(): code for code, zh, en in schemes for spelling in (code, zh, en)}
    known = {code for code, _, _ in schemes}
    spellings |= {spelling: code for spelling, code in SCHEME_SPELLINGS.items() if code in known}
    return Register(spellings, {name: code for code, zh in bodies for name in (code, zh)})


def read_row(
    line: int, values: Mapping[str, str], headings: Mapping[str, str], known: Register
) -> Row | list[RowError]:
    """The row, or every error in it. `values` by column name; `headings` says how the file spells each column."""
    cell = _Cells(line, values, headings)
    body, number = cell.required("body", lambda text: _body(text, known)), cell.required("certificate_no", _number)
    key = cell.optional("code", lambda text: _key(text, number)) or _number_key(number)
    if number == body and not cell.errors and not _ORGANIC_BODY.fullmatch(key):
        cell.refuse("certificate_no", _not_a_certificate(parse(number)))
    row = Row(
        line=line,
        scheme=cell.required("scheme", lambda text: _scheme(text, known)),
        body=body,
        body_name=cell.text("body_name"),
        number=number,
        holder=cell.required("holder", _limited("holder")),
        enterprise=cell.optional("uscc", _enterprise),
        key=key,
        product=cell.required("product", _limited("product")),
        model=cell.text("model"),
        category=cell.text("category"),
        grade=cell.optional("grade", cells.grade),
        tier=cell.optional("tier", cells.tier),
        from_day=cell.required("valid_from", cells.day),
        until_day=cell.required("valid_until", cells.last_day),
        state=cell.required("state", cells.state),
        state_day=cell.optional("state_from", cells.day),
        listed_day=cell.optional("product_from", cells.day),
        delisted_day=cell.optional("product_until", cells.last_day),
    )
    if not cell.errors:
        _check_days(row, cell)
    if not cell.errors and body not in known.bodies and row.body_name is None:
        cell.refuse("body_name", CellRefused("body_name_missing"))
    return cell.errors or row


class _Cells:
    """Reads the cells of one line and gathers their errors, so that all are told at once."""

    def __init__(self, line: int, values: Mapping[str, str], headings: Mapping[str, str]) -> None:
        self._line, self._values, self._headings = line, values, headings
        self.errors: list[RowError] = []

    def required(self, name: str, parse_cell: Callable[[str], Value]) -> Value:
        found = self._read(name, parse_cell)
        if found is None and not any(error.column == self._heading(name) for error in self.errors):
            self.refuse(name, CellRefused("required"))
        return found  # type: ignore[return-value]  # a row with an error is never used

    def optional(self, name: str, parse_cell: Callable[[str], Value]) -> Value | None:
        return self._read(name, parse_cell)

    def text(self, name: str) -> str | None:
        return self._read(name, _limited(name))

    def refuse(self, name: str, refused: CellRefused) -> None:
        self.errors.append(RowError(self._line, self._heading(name), refused.code, refused.facts))

    def _read(self, name: str, parse_cell: Callable[[str], Value]) -> Value | None:
        raw = self._values.get(name)
        if not raw:
            return None
        try:
            text = cells.cleaned(raw)
            return parse_cell(text) if text else None
        except CellRefused as refused:
            self.refuse(name, refused)
            return None

    def _heading(self, name: str) -> str:
        return self._headings.get(name, HEADINGS[name].zh)


def _check_days(row: Row, cell: _Cells) -> None:
    if row.until_day <= row.from_day:
        cell.refuse("valid_until", CellRefused("date_order"))
    if row.state in _NEEDS_DATE and row.state_day is None:
        cell.refuse("state_from", CellRefused("state_date_missing"))
    if row.state is CertificateState.EXPIRED and row.state_day is None and row.until_day >= FOREVER_DAY:
        cell.refuse("state_from", CellRefused("state_date_missing"))
    if row.state_day is not None and row.state_day < row.from_day:
        cell.refuse("state_from", CellRefused("state_before_certificate"))
    first_day = row.from_day if row.listed_day is None else row.listed_day
    if row.delisted_day is not None and row.delisted_day <= first_day:
        cell.refuse("product_until", CellRefused("date_order"))


@lru_cache(maxsize=64)
def _limited(name: str) -> Callable[[str], str]:
    limit = _LIMITS[name]

    def check(text: str) -> str:
        if len(text) > limit:
            raise CellRefused("cell_too_long", limit=limit)
        return text

    return check


def _scheme(text: str, known: Register) -> str:
    try:
        return known.schemes[text.casefold()]
    except KeyError:
        raise CellRefused("scheme_unknown") from None


def _body(text: str, known: Register) -> str:
    code = known.bodies.get(text) or known.bodies.get(text.upper())
    return code or _approval_number(text)


@lru_cache(maxsize=4096)
def _approval_number(text: str) -> str:
    reading = parse(text)
    _refuse_personal(reading)
    if reading.scheme is not Scheme.CNCA_BODY or reading.key is None:
        raise CellRefused("body_unknown")
    return _canonical(reading.key)


@lru_cache(maxsize=65_536)
def _enterprise(text: str) -> str:
    reading = parse(text)
    _refuse_personal(reading)
    if reading.scheme is not Scheme.USCC or reading.key is None:
        raise CellRefused("uscc_invalid")
    return _canonical(reading.key)


@lru_cache(maxsize=65_536)
def _number(text: str) -> str:
    """The canonical number where the label grammar knows one, else the number itself in capitals without blanks."""
    reading = parse(cells.not_scientific(text))
    _refuse_personal(reading)
    if reading.scheme in _NO_CERTIFICATE and not reading.usable:
        raise _not_a_certificate(reading)
    if reading.scheme is Scheme.UNREADABLE:  # nobody could look it up by reading or typing it
        raise CellRefused("number_invalid")
    canonical = _canonical(reading.key) if reading.key and reading.scheme in _CANONICAL_NUMBERS else ""
    for number in (canonical, text.upper().translate(_SPELLED_FREELY)):
        if _NUMBER.fullmatch(number):
            return number
    raise CellRefused("number_invalid")


@lru_cache(maxsize=65_536)
def _number_key(number: str | None) -> str:
    """A product without a code of its own is found by its certificate's number."""
    if number is None:
        return ""
    reading = parse(number)
    return reading.registry_keys[0] if reading.registry_keys else f"{Scheme.CERTIFICATE}:{number}"


def _key(text: str, number: str | None) -> str:
    if _ORGANIC_BODY.fullmatch(text):
        return text
    reading = parse(cells.not_scientific(text))
    _refuse_personal(reading)
    if reading.scheme is Scheme.CERTIFICATE:
        if number is not None and reading.key == _number_key(number):
            return reading.key
        raise CellRefused("code_unknown")
    if not reading.usable or not reading.registry_keys:
        zh, en = _sentence(reading)
        raise CellRefused("code_not_usable", detail_zh=zh, detail_en=en)
    return reading.registry_keys[0]


def _refuse_personal(reading: Reading) -> None:
    if reading.personal or reading.secret:
        raise CellRefused("personal")


def _not_a_certificate(reading: Reading) -> CellRefused:
    zh, en = _sentence(reading)
    return CellRefused("not_a_certificate", detail_zh=zh, detail_en=en)


def _sentence(reading: Reading) -> tuple[str, str]:
    return WARNINGS[reading.warnings[0]] if reading.warnings else WARNINGS["unknown_format"]


def _canonical(key: str) -> str:
    return key.partition(":")[2]
