"""What belongs to a decision and stands in other rows, as columns for a SELECT with its row as `d`."""

from collections.abc import Sequence
from typing import Any

from backend.policies.model import Award

RECEIPT = """(SELECT sum(l.price_fen)::bigint FROM decisions l
        WHERE l.city = %(city)s AND l.basket = d.basket AND l.decision_no = 1)"""
"""The sum of all priced lines of its basket, in fen."""

FURTHER = """(SELECT json_agg(json_build_array(f.reason, f.policy_version, f.rule, f.unit, f.gross, f.award, f.limit_name,
                                   f.limit_left) ORDER BY f.award_no)
        FROM further_awards f
        WHERE f.city = %(city)s AND f.basket = d.basket AND f.line_no = d.line_no AND f.decision_no = d.decision_no)"""
"""Its further awards, as `further_of` reads them."""


def further_of(rows: Sequence[Sequence[Any]] | None) -> tuple[Award, ...]:
    return tuple(Award(*row) for row in rows or ())
