"""A city's public page `/c/<city>`: policies in force in plain words, what each mark proves, statistics, and a look-up.

It works without a script. Small cells of the statistics are left out, so that nobody is told by them.
"""

from datetime import date
from importlib.resources import files
from typing import Any, NamedTuple

import marshmallow as ma
from flask import Response, render_template, request
from flask_smorest import Blueprint
from sqlalchemy import Connection

from backend.certificates import queries as certificates
from backend.certificates.model import Entry
from backend.certificates.validity import standing
from backend.devices import queries as devices
from backend.kernel.periods import civil_date, milliseconds
from backend.labels.model import Reading
from backend.labels.parse import parse
from backend.labels.regions import region_name
from backend.labels.words import PROOFS, label_words
from backend.policies.compiled import CompiledPolicy
from backend.policies.expect import Doubt, Expected, expected
from backend.policies.model import Facts, Proof
from backend.policies.statement import statement
from backend.policies.words import Names, Sentence, amount_words
from backend.scans.decide import level_of
from backend.statistics import queries
from backend.statistics.model import Facet, Period
from backend.web.auth import Access
from backend.web.context import backend, now
from backend.web.endpoint import endpoint
from backend.web.problems import NotFound
from backend.web.public.suppressed import suppressed

CODE_CHARS_MAX = 2_048
FORM_BYTES_MAX = 16_384
MONTHS = 12
LEVELS = ("U", "M", "E", "S")
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
STYLE = "city.css"

city_page = Blueprint("city_page", __name__, url_prefix="/c", template_folder="templates")


class LookQuery(ma.Schema):
    class Meta:
        unknown = ma.EXCLUDE

    lang = ma.fields.String(load_default="zh", validate=ma.validate.OneOf(["zh", "en"]))


class Looked(NamedTuple):
    """What the page answers to a code: what it is, the certified goods behind it, and what buying them would earn."""

    typed: str
    said: Sentence
    certified: list[tuple[Entry, str]]
    earns: list[Sentence]


@endpoint(city_page, "/assets/<name>", access=Access.OPEN, answers={200: None})
def style(name: str) -> Response:
    if name != STYLE:
        raise NotFound
    content = (files(__package__) / "static" / STYLE).read_bytes()
    return Response(content, content_type="text/css; charset=utf-8", headers={"Cache-Control": "public, max-age=3600"})


@endpoint(city_page, "/<city>", access=Access.OPEN, answers={200: None}, query=LookQuery())
def shown(query: dict[str, Any], city: str) -> Response:
    return _page(city, english=query["lang"] == "en")


@endpoint(city_page, "/<city>/look", method="POST", access=Access.OPEN, answers={200: None}, query=LookQuery())
def look(query: dict[str, Any], city: str) -> Response:
    """By POST, so that no address, and no log of addresses, holds what somebody looked for."""
    typed = request.form.get("code", "").strip()[:CODE_CHARS_MAX]
    return _page(city, english=query["lang"] == "en", typed=typed)


def _page(city: str, *, english: bool, typed: str = "") -> Response:
    at_ms = milliseconds(now())
    with backend().database.read() as connection:
        if city not in devices.cities(connection):
            raise NotFound
        in_force = backend().policies.lookup(connection, city).in_force(at_ms).policies
        schemes = certificates.scheme_names(connection)
        ceilings = certificates.scheme_ceilings(connection)
        names: Names = {("certificate_scheme", code): Sentence(zh, en) for code, zh, en in schemes}
        looked = _looked(connection, city, typed, at_ms) if typed else None
        span = _span(civil_date(at_ms))
        months = [
            (Sentence(str(one.begins)[:7], str(one.begins)[:7]), suppressed(one))
            for one in queries.by_time(connection, city, Period.MONTH, span)
        ]
        by_scheme = [
            (names.get(("certificate_scheme", one.key), Sentence(one.key, one.key)), suppressed(one))
            for one in queries.at_least(connection, city, Period.MONTH, Facet.SCHEME, span)
            if one.key
        ]
    text = render_template(
        "city/city.html",
        city=city,
        name=(region_name(city) or city).removesuffix("市辖区"),
        english=english,
        say=lambda zh, en: en if english else zh,
        policies=[_policy(one, names) for one in in_force],
        glossary=[(zh, en, PROOFS[level]) for code, zh, en in schemes for level in [ceilings[code][0]]],
        months=months,
        by_scheme=by_scheme,
        looked=looked,
        style=f"/c/assets/{STYLE}",
    )
    headers = {"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer"}
    return Response(text, content_type="text/html; charset=utf-8", headers=headers)


def _span(today: date) -> tuple[date, date]:
    """The last twelve whole months: what is under way still changes."""
    end = today.replace(day=1)
    return date(end.year - 1, end.month, 1), end


def _policy(compiled: CompiledPolicy, names: Names) -> tuple[Sentence, list[tuple[Sentence, Sentence]]]:
    policy = compiled.policy
    clauses = [(one.heading, one.text) for one in statement(policy, names)]
    return Sentence(policy.title_zh, policy.title_en), clauses[1:]


def _looked(connection: Connection, city: str, typed: str, at_ms: int) -> Looked:
    reading = parse(typed, None, None)
    level = level_of(reading, None) if reading.usable else None
    said = label_words(reading.scheme.value, level)
    known = backend().registry.lookup(connection, reading.registry_keys)
    entries = [entry for key in reading.registry_keys for entry in known.get(key, ())]
    certified = [(entry, standing((entry,), at_ms).state) for entry in entries]
    valid = next((entry for entry, state in certified if state == "valid"), None)
    earns = [] if valid is None else _earns(connection, city, reading, valid, at_ms)
    return Looked(typed, Sentence(said.zh, said.en), certified, earns)


def _earns(connection: Connection, city: str, reading: Reading, entry: Entry, at_ms: int) -> list[Sentence]:
    """Bought at a till that states the price. What goes by district or shop alone is not looked at: no shop is chosen."""
    facts = Facts(
        scheme=reading.scheme.value,
        level=level_of(reading, entry.level) or "S",
        proof=Proof.TILL_ONLINE.value,
        category=entry.category,
        grade=entry.grade,
        tier=entry.tier,
        price_fen=None,
        quantity=1,
        store=None,
        district=None,
        body=entry.body,
        certificate_scheme=entry.scheme,
    )
    found: Expected = expected(
        backend().policies.lookup(connection, city).in_force(at_ms).plan(facts), facts, civil_date(at_ms), frozenset()
    )
    return [_amount(unit, amount) for unit, amount in found.items()]


def _amount(unit: str, amount: int | Doubt) -> Sentence:
    if isinstance(amount, Doubt):
        unit_zh, unit_en = ("补贴", "a subsidy") if unit == "fen" else ("积分", "points")
        return Sentence(f"{unit_zh}，按成交价和购买情形核定", f"{unit_en}, by the price and the purchase")
    words = amount_words(unit, amount)
    return Sentence(f"约 {words.zh}", f"about {words.en}")
