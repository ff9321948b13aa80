"""Every table that holds a person: what its owner is shown of it, and what becomes of it when the account is closed.

`residents` are one person: the account, and all that were merged into it. The name of the books (the resident's id) is not
shown: outside the books nothing then leads to it. A test holds these to the tables of the project, so that a new one that
names a person cannot be forgotten.
"""

from collections.abc import Mapping
from types import MappingProxyType

_ME = "WHERE city = %(city)s AND resident = ANY(%(residents)s::uuid[])"

AT_HOME: Mapping[str, str] = MappingProxyType(
    {
        "residents": f"SELECT state, joined_at, age_band, age_basis, waits_for_guardian FROM residents {_ME}",
        "person_directory": f"""
SELECT left(encode(identity_hash, 'hex'), 8) AS identity_hash_begins FROM person_directory {_ME}""",
        "resident_sessions": f"""
SELECT session::text, way, device, issued_at, expires_at, ends_at, revoked_at FROM resident_sessions {_ME}""",
        "member_codes": f"SELECT expires_at, used_seq IS NOT NULL AS used FROM member_codes {_ME}",
        "member_cards": f"SELECT ending, issued_at, blocked_at, blocked_why FROM member_cards {_ME}",
        "counter_codes": f"SELECT kind, expires_at FROM counter_codes {_ME}",
        "consent_history": f"""
SELECT number, purpose, given, given_by, text_sha256, at FROM consent_history {_ME} ORDER BY number""",
        "guardian_consents": f"SELECT ward::text, given_at, withdrawn_at FROM guardian_consents {_ME}",
        "passport_statements": f"""
SELECT statement::text, kind, at_least, since, issued_at, expires_at, revoked_at, revoked_why FROM passport_statements {_ME}
ORDER BY issued_at""",
        "credit_exports": f"""
SELECT export::text, act, about::text, at_least, ground, created_at, sent_at, cancelled_at FROM credit_exports {_ME}
ORDER BY created_at""",
        "access_log": f"SELECT entry::text, at, role, who, purpose, what, ticket FROM access_log {_ME} ORDER BY access_log.entry",
    }
)
EVERYWHERE: Mapping[str, str] = MappingProxyType(
    {
        "accounts": """
SELECT split_part(account, ':', 1) AS kind, unit, balance, opened_at, due_at FROM accounts
WHERE city = %(city)s AND account LIKE ANY(%(prefixes)s::text[])""",
        "transfers": """
SELECT recorded_at, reason, unit, amount, split_part(source, ':', 1) AS source, split_part(destination, ':', 1) AS destination,
       reference::text FROM transfers
WHERE city = %(city)s AND (source LIKE ANY(%(prefixes)s::text[]) OR destination LIKE ANY(%(prefixes)s::text[]))
ORDER BY recorded_at""",
        "baskets": f"""
SELECT basket::text, channel, store, sold_at, recorded_at, reads FROM baskets {_ME} ORDER BY sold_at""",
        "decisions": f"""
SELECT basket::text, line_no, decision_no, scheme, label_key, code_text, quantity, price_fen, serial, certificate, category,
       grade, tier, level, proof, policy_version::text, rule, outcome, reason, missing, unit, gross, award, decided_at, evidence
FROM decisions {_ME} ORDER BY decided_at""",
        "further_awards": """
SELECT f.basket::text, f.line_no, f.decision_no, f.award_no, f.reason, f.policy_version::text, f.rule, f.unit, f.gross, f.award
FROM further_awards f JOIN decisions d ON d.city = %(city)s AND d.basket = f.basket AND d.line_no = f.line_no
  AND d.decision_no = f.decision_no
WHERE f.city = %(city)s AND d.resident = ANY(%(residents)s::uuid[])""",
        "adjustments": f"""
SELECT adjustment::text, unit, amount, cause, explanation, state, posted_at FROM adjustments {_ME} ORDER BY proposed_at""",
        "returns": """
SELECT r.return_id::text, r.basket::text, r.line_no, r.quantity, r.store, r.reason, r.returned_at
FROM returns r JOIN decisions d ON d.city = %(city)s AND d.basket = r.basket AND d.line_no = r.line_no
  AND d.decision_no = r.decision_no
WHERE r.city = %(city)s AND d.resident = ANY(%(residents)s::uuid[]) ORDER BY r.returned_at""",
        "quotes": f"SELECT basket::text, service, store, sold_at, expires_at, state, settled_at FROM quotes {_ME}",
        "notice_grants": f"SELECT grants, granted_at FROM notice_grants {_ME}",
        "notices": f"SELECT last_day, days_before, state, claimed_at, settled_at FROM notices {_ME}",
        "appeals": f"""
SELECT appeal::text, basket::text, line_no, decision_no, text, filed_at, due_on, state, decided_at, explanation
FROM appeals {_ME} ORDER BY filed_at""",
        "label_reports": f"""
SELECT report::text, store, basket::text, line_no, label, text, filed_at, due_on, state, outcome, reason, decided_at
FROM label_reports {_ME} ORDER BY filed_at""",
        "missing_points": f"""
SELECT claim::text, store, bought_on, slip_no, amount_fen, filed_at, due_on, state, round_no, text, basket::text, decided_at,
       explanation
FROM missing_points {_ME} ORDER BY filed_at""",
        "redemptions": f"""
SELECT redemption::text, entry, version, pieces, points, state, held_at, expires_at, settled_at, store, voided_at
FROM redemptions {_ME} ORDER BY held_at""",
        "vouchers": """
SELECT v.redemption::text, v.state, v.issued_at, v.expires_at, v.ended_at FROM vouchers v
JOIN redemptions r ON r.city = %(city)s AND r.redemption = v.redemption
WHERE v.city = %(city)s AND r.resident = ANY(%(residents)s::uuid[])""",
        "redemption_counters": """
SELECT entry, period, used, allowed FROM redemption_counters WHERE city = %(city)s AND person = ANY(%(residents)s::uuid[])""",
        "cap_counters": """
SELECT period, cap, used, allowed FROM cap_counters WHERE city = %(city)s AND person = ANY(%(residents)s::uuid[])""",
        "carried_caps": """
SELECT period, cap, used FROM carried_caps WHERE city = %(city)s AND person = ANY(%(residents)s::uuid[])""",
    }
)

DESTROYED = frozenset(
    {
        "person_directory",
        "resident_sessions",
        "member_codes",
        "member_cards",
        "counter_codes",
        "person_keys",
        "notice_grants",
        "notices",
    }
)
"""Rows that are deleted when the account is closed."""

KEPT: Mapping[str, str] = MappingProxyType(
    {
        "residents": "state closed; no identity leads to it",
        "merged_residents": "the books' names of accounts that were merged, so that returns find their way",
        "closed_residents": "the books' name alone, so that what is still on its way ends too",
        "baskets": "resident and claim code are taken off, lines that hold a member code are not kept",
        "decisions": "the award and the facts that it was decided on, for audit and replay, under the books' name",
        "quoted_decisions": "as decisions; what was held is given back",
        "quotes": "as decisions",
        "quote_counters": "as cap_counters",
        "adjustments": "what was given or taken by hand, its cause and ticket, for audit, under the books' name; no word of why",
        "appeals": "that a decision was appealed and what came of it, under the books' name; no word of the resident's",
        "label_reports": "that a label was reported and what came of it, under the books' name; no word of the resident's",
        "missing_points": "that a slip was claimed and what came of it, under the books' name; neither its number nor a word",
        "redemptions": "what was paid for with points, under the books' name; what was open is cancelled, vouchers are void",
        "redemption_counters": "the sum of redemptions under the books' name",
        "cap_counters": "the sum of awards under the books' name, for I7",
        "carried_caps": "as cap_counters, in quarters of what is allowed",
        "passport_statements": "all void; their places in the public status list stay taken",
        "credit_exports": "keys by which the platform is asked to delete; what it knew the person by is taken off",
        "consent_history": "proof that what was done was agreed to, under the books' name; each consent ends",
        "guardian_consents": "proof that a guardian had agreed, under the books' names",
        "access_log": "who looked, in words of ours, under the books' name",
    }
)
"""Tables that keep a row under the books' own name, which nothing outside the books leads to any more, and why."""
