"""A decision and what belongs to it in other rows, as columns for a SELECT with its row as `d`."""

from collections.abc import Sequence
from typing import Any

from backend.policies.model import Award
from backend.scans.decide import Decision

_IDS = frozenset({"basket", "resident", "certificate_row", "policy_version"})

DECISION = ", ".join(f"d.{name}::text" if name in _IDS else f"d.{name}" for name in Decision._fields)
"""Its own row, in the order of `Decision`."""

RECEIPT = """(SELECT sum(l.price_fen)::bigint FROM decisions l
        WHERE l.city = %(city)s AND l.basket = d.basket AND l.decision_no = 1)"""
"""The sum of all priced lines of its basket, in fen."""

RELEASED = """EXISTS (SELECT FROM hold_rulings h WHERE h.city = %(city)s AND h.basket = d.basket AND h.line_no = d.line_no
               AND h.ruling = 'release' AND h.decision_no < d.decision_no)"""
"""Whether a person had let its line pass by then."""

FURTHER = """(SELECT json_agg(json_build_array(f.reason, f.policy_version, f.rule, f.unit, f.gross, f.award, f.limit_name,
                                   f.limit_left) ORDER BY f.award_no)
        FROM further_awards f
        WHERE f.city = %(city)s AND f.basket = d.basket AND f.line_no = d.line_no AND f.decision_no = d.decision_no)"""
"""Its further awards, as `further_of` reads them."""


def further_of(rows: Sequence[Sequence[Any]] | None) -> tuple[Award, ...]:
    return tuple(Award(*row) for row in rows or ())
