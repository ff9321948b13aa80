"""No log, no act: a use case that an official starts records what is done, and a new one cannot be forgotten."""

import re
from pathlib import Path

from backend.audit.acts import What
from tests.architecture.project import ROOT

RECORDS = re.compile(r"^from backend\.(?:audit\.store|usecases\.draft_acts) import", re.MULTILINE)
USED = re.compile(r"\bWhat\.([A-Z_]+)\b")
NO_OFFICIAL_STARTS = {
    "accept_messages": "tills and bridges send",
    "at_work": "what time it is",
    "award_accounts": "part of recording",
    "award_postings": "part of recording",
    "cancel_update": "part of turning and moving a rollout",
    "capture_quote": "a till sells",
    "check_checkpoints": "reads",
    "claim_basket": "a resident claims",
    "claim_missing_points": "a resident claims",
    "clean_up": "a job deletes what has ended",
    "close_account": "a resident leaves",
    "collect_awards": "part of taking back",
    "confirm_redemption": "a till hands out",
    "consent_texts": "reads",
    "culprits": "part of recording",
    "decide_again": "part of rulings, appeals and resolving",
    "deliver_exports": "a schedule sends what residents agreed to",
    "device_reports": "tills report",
    "draw_samples": "a job draws",
    "end_leases": "part of other acts, and a job",
    "count_certificates": "a job counts",
    "count_scans": "a job adds up",
    "export_person": "a resident asks for a copy",
    "file_appeal": "a resident appeals",
    "file_report": "a resident reports",
    "find_gaps": "a job looks for what never came",
    "find_missing_points": "a job looks again",
    "follow_merge": "part of merging",
    "forecast_budgets": "reads",
    "forfeit": "part of leaving",
    "grant_leases": "a job lends by terms that an official set",
    "hand_in_unit": "a till takes back",
    "heed_devices": "tills report",
    "hold_redemption": "a resident redeems",
    "issue_member_code": "a resident asks for a code",
    "learn_prices": "a job reckons",
    "learn_sellers": "a job reckons",
    "lend_budget": "part of recording",
    "lint_policy": "reads",
    "make_snapshot": "a job writes what tills may say",
    "measure_targets": "a job measures",
    "merge_residents": "a resident merges two accounts",
    "name_cards": "part of recording",
    "overdue": "part of jobs",
    "overdue_claims": "reads",
    "passport": "a resident shows a statement",
    "person_tables": "a list",
    "prepay_subsidy": "a till gave a subsidy",
    "preview_policy": "reads; what is kept of it is an act",
    "prove_award": "reads",
    "provision_device": "a till takes its slot; entering it is the act",
    "publish_by_two": "made of acts",
    "run_previews": "asks and reckons; what is kept of it is an act",
    "quote_basket": "a till asks",
    "races": "part of writing",
    "reconcile_shops": "reads, and keeps what it found",
    "record_baskets": "tills and phones read labels",
    "registry_uploads": "the import records itself, in the name of who asked for it",
    "record_sales": "part of recording; uploading the file is the act",
    "record_together": "part of recording",
    "reimburse_shop": "part of redemptions",
    "release_quote": "a till gives up, or a job",
    "replay_decisions": "reads",
    "report_funding": "reads",
    "report_liability": "reads, and freezes what it read",
    "resolve_products": "a job decides what waited",
    "return_answers": "part of returns",
    "return_goods": "a till takes back",
    "return_postings": "part of returns",
    "ripple": "reads",
    "rotate_keys": "a till changes its keys",
    "scan_label": "a resident scans",
    "seal_ledger": "a job seals",
    "send_notices": "a job tells residents",
    "send_phone_code": "a resident signs in",
    "settle_due": "a job settles what is due",
    "shop_claims": "part of settlement",
    "shared_transaction": "part of recording",
    "sign_in": "a resident signs in",
    "sign_on": "an official's own session, bound to their own identity",
    "spend_points": "part of redemptions",
    "take_back": "part of returns",
    "take_decisions": "part of recording",
    "tell_bridges": "part of enrolling and revoking",
    "two_persons": "part of appeals and claims",
    "use_voucher": "a till takes a voucher",
    "verify_leases": "reads",
    "verify_ledger": "reads",
    "verify_merges": "reads",
    "verify_owed": "reads",
    "verify_redemptions": "reads",
    "verify_returns": "reads",
    "verify_settlements": "reads",
    "void_baskets": "a till voids",
    "wechat": "part of signing in",
}
"""Why no act is written there: somebody else starts it, or its caller records it. A new use case records, or stands here."""


def recording() -> dict[str, str]:
    """Text of every module that records acts, by its path."""
    texts = {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / "backend").rglob("*.py"))}
    return {str(path.relative_to(ROOT)): text for path, text in texts.items() if RECORDS.search(text)}


def test_every_use_case_records_or_says_why_not() -> None:
    known = {path.stem for path in (ROOT / "backend" / "usecases").glob("*.py")} - {"__init__"}
    records = {Path(path).stem for path in recording() if path.startswith("backend/usecases/")}

    assert known - records - NO_OFFICIAL_STARTS.keys() == set()
    assert NO_OFFICIAL_STARTS.keys() - known == set()
    assert NO_OFFICIAL_STARTS.keys() & records == set()


def test_everything_in_the_register_is_done_somewhere() -> None:
    done = {name for text in recording().values() for name in USED.findall(text)}

    assert {one.name for one in What} - done == set()


def test_a_command_writes_through_use_cases() -> None:
    """What it wrote straight into a store would be nobody's act."""
    commands = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "backend" / "cli").glob("*.py")}
    written = re.compile(r"\.write\(\s*lambda connection: (?:store|shops|queries)\.")

    assert [name for name, text in commands.items() if written.search(text)] == []
