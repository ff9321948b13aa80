"""The second wall between cities: officials' pages see and write one city, whatever a query forgot to filter.

Each table gets its wall in a transaction of its own, in which the engine never waits for longer than it takes to change the
catalogue. Later migrations raise the wall of each new table of a city themselves, which a test holds them to. Grants: what
the use cases that officials start write, the console's role may write, within its city.

The previous release uses the engine's and the auditor's role alone, for which nothing changes.
"""

from alembic import op

from backend.storage.row_security import CITY, raise_wall

revision = "0043_walls"
down_revision = "0046_policy_pages"
branch_labels = None
depends_on = None

CITY_TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'city' AND NOT a.attisdropped
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname NOT LIKE 'procrastinate%'
ORDER BY c.relname"""
OF_A_DEVICE = "EXISTS (SELECT FROM device_directory d WHERE d.device = {table}.device)"
"""The directory has a wall itself."""
OTHER_WALLS = {
    "closed_residents": f"home = {CITY}",
    "merged_residents": f"{CITY} IN (home, absorbed_home)",
    "device_keys": OF_A_DEVICE.format(table="device_keys"),
    "device_certificates": OF_A_DEVICE.format(table="device_certificates"),
}

# Tables of several cities are written by the engine alone, but for these. A label that names one piece is asked for wherever it
# was spent; that it was is all that is told.
SPENT_ANYWHERE = "CREATE POLICY spent_anywhere ON unit_claims FOR SELECT TO greenpoints_console USING (true)"
CONSOLE_READS = {"unit_claims": "SELECT (key)", "residents": "SELECT"}
CONSOLE_WRITES = {
    # What an official decides again, pays or takes back is posted.
    "accounts": "INSERT, UPDATE (balance, due_at, version)",
    "transfers": "INSERT",
    "decisions": "INSERT",
    "further_awards": "INSERT",
    "cap_counters": "INSERT, UPDATE (used, allowed, version)",
    "unit_claims": "INSERT",
    "pending_products": "INSERT, UPDATE (resolved_at)",
    "lease_promises": "INSERT, UPDATE (drawn, decision_no)",
    "baskets": "UPDATE (resident, claim_sha256)",
    # Policies.
    "policy_drafts": "INSERT, UPDATE (policy, state, revision, text, sha256, preview_sha256, changed_at)",
    "policy_previews": "INSERT",
    "policy_approvals": "INSERT",
    "policy_versions": "INSERT",
    "policy_revisions": "INSERT, UPDATE (revision)",
    "policy_suspensions": "INSERT",
    # Money.
    "settlement_months": "INSERT",
    "settlement_payees": "INSERT",
    "settlement_payments": "INSERT, UPDATE (state, released_at, released_by, paid_on, paid_at, paid_by, bank_reference, refusal,"
    " refused_at, refused_by)",
    "settlement_payment_lines": "INSERT, UPDATE (refused)",
    "settlement_terms": "INSERT, UPDATE (accept_days, dispute_days, review_days, pay_days, closed_through, set_at, set_by)",
    "statements": "INSERT",
    "statement_lines": "INSERT",
    "statement_confirmations": "INSERT",
    "statement_disputes": "INSERT, UPDATE (ruling, explanation, correction, correction_reference, ruled_at, ruled_by,"
    " approved_at, approved_by)",
    "claim_holds": "INSERT, UPDATE (released_at, released_by, release_reason)",
    "adjustments": "INSERT, UPDATE (state, judged_by, judged_at, posted_at)",
    "exports": "INSERT",
    # Cases.
    "hold_rulings": "INSERT",
    "appeal_proposals": "INSERT",
    "appeals": "UPDATE (state, decided_at, decided_by, approved_by, explanation, new_decision_no)",
    "label_reports": "UPDATE (state, due_on, outcome, reason, decided_at, decided_by)",
    "report_steps": "INSERT",
    "audit_samples": "UPDATE (finding, reason, reviewed_at, reviewed_by)",
    "case_terms": "INSERT",
    "missing_points": "UPDATE (state, basket, decided_at, decided_by, approved_by, explanation)",
    "store_suspensions": "INSERT, UPDATE (reply, replied_at, proposal, proposed_at, proposed_by, proposed_reason, approved_at,"
    " approved_by, from_at, until_at, appeal, appeal_by, appealed_at, appeal_due_on, appeal_outcome, appeal_reason,"
    " appeal_decided_at, lifted_at, lifted_by, lifted_reason)",
    # Shops and tills.
    "stores": "INSERT, UPDATE (latitude_e6, longitude_e6)",
    "store_places": "INSERT",
    "device_claims": "INSERT, UPDATE (superseded_at)",
    "device_directory": "INSERT, UPDATE (state, revoked_at)",
    "device_keys": "INSERT",
    "twin_versions": "INSERT",
    "rollouts": "INSERT, UPDATE (state, stage, stage_at, reason)",
    "rollout_devices": "INSERT, UPDATE (state, reason, changed_at, asked_at)",
    "downlinks": "INSERT, DELETE",
    "lease_terms": "INSERT, UPDATE (amount, awards, hours, grace_hours, share_bp, set_at, set_by)",
    "lease_tills": "INSERT, UPDATE (version)",
    "leases": "UPDATE (due_at, ended_at, ended_why, settles_at)",
    # What points are good for, and residents who ask.
    "catalogue_entries": "INSERT, UPDATE (stock, taken, version)",
    "catalogue_versions": "INSERT",
    "redemptions": "UPDATE (state, settled_at, lapsed, repaid, voided_at, voided_by, approved_by, void_reason)",
    "redemption_counters": "UPDATE (used)",
    "vouchers": "UPDATE (state, ended_at, service, store, use_key)",
    "access_log": "INSERT",
    # Whoever writes for residents keeps their rows from leaving meanwhile, and a lock takes a right to change something.
    "residents": "UPDATE (waits_for_guardian)",
    "passport_benefits": "INSERT",
    "passport_grounds": "INSERT",
}
"""What the use cases write that officials start, and no more; those of officials themselves were granted with their tables.
Registries, which all cities share, are written by the engine."""


def upgrade() -> None:
    options = {"no_parameters": True}
    walls = list(op.get_bind().exec_driver_sql(CITY_TABLES, execution_options=options).scalars())
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '5s'")
        for table in walls:
            raise_wall(op.get_bind(), table)
        for table, rule in OTHER_WALLS.items():
            raise_wall(op.get_bind(), table, rule)
        op.execute("RESET lock_timeout")
    # Tokens are of services for several cities.
    op.execute("REVOKE ALL ON service_tokens FROM greenpoints_console")
    op.execute(SPENT_ANYWHERE)
    op.execute("REVOKE ALL ON unit_claims FROM greenpoints_console")
    for table, rights in (*CONSOLE_READS.items(), *CONSOLE_WRITES.items()):
        op.execute(f"GRANT {rights} ON {table} TO greenpoints_console")
