"""What the system decided since a moment, read as an auditor may, with the sentence that the resident reads."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from backend.certificates.queries import scheme_names
from backend.kernel.periods import milliseconds
from backend.ledger import chart
from backend.policies.compiled import NO_POLICIES
from backend.policies.store import load_versions
from backend.policies.words import Names, Sentence
from backend.scans.decide import Decision
from backend.scans.explain import DecidedScan, sentence
from backend.scans.whole import DECISION
from backend.storage.transaction import Database

_ON_LABELS = {"energy_label": "能效标识", "water_label": "水效标识"}
_DECIDED = text(f"""
SELECT b.device, b.seq, b.closed_by, b.recorded_at, b.sold_at, b.store, b.district, d.decided_at, c.body, {DECISION}
FROM baskets b
JOIN decisions d ON d.city = :city AND d.basket = b.basket AND d.decision_no = 1
LEFT JOIN certificate_states s ON s.id = d.certificate_row
LEFT JOIN certificates c ON c.id = s.certificate
WHERE b.city = :city AND b.recorded_at >= :since
ORDER BY b.recorded_at, b.device, b.seq, d.line_no
LIMIT 1000
""")


@dataclass(frozen=True, slots=True)
class Decided:
    """One read with its first decision. `seq` orders the baskets of a till.

    `left_over`: of a sale before this run, which the till still held when an earlier run was cut off.
    """

    device: str
    seq: int
    recorded_at: datetime
    left_over: bool
    decision: Decision
    certificate_words: str
    why: Sentence

    @property
    def label_words(self) -> str:
        """What was printed; of a web address only what it names, the rest is the same on every label."""
        shown, key = self.decision.code_text or "", self.decision.label_key
        if not key or not shown.startswith("http"):
            return shown
        scheme, _, number = key.partition(":")
        return f"{_ON_LABELS.get(scheme, scheme)} {number}"


def decided_since(database: Database, city: str, since: datetime) -> list[Decided]:
    with database.read() as connection:
        rows = connection.execute(_DECIDED, {"city": city, "since": since}).all()
        policies = load_versions(connection, city, chart.budget) if rows else NO_POLICIES
        schemes = {code: Sentence(zh, en) for code, zh, en in scheme_names(connection)} if rows else {}
    names: Names = {("certificate_scheme", code): name for code, name in schemes.items()}
    found = []
    for device, seq, closed_by, recorded_at, sold_at, store, district, decided_at, body, *columns in rows:
        decision = Decision(*columns)
        scan = DecidedScan(decision, milliseconds(sold_at), milliseconds(decided_at), store, district, body)
        words = certificate_words(decision, schemes)
        left_over = closed_by == "interrupted" or sold_at < since
        found.append(Decided(device, seq, recorded_at, left_over, decision, words, sentence(scan, policies, names)))
    return found


def certificate_words(decision: Decision, schemes: dict[str, Sentence]) -> str:
    """Scheme, the grade or stars that a policy may ask for, number."""
    if decision.certificate is None or decision.certificate_scheme is None:
        return "—"
    scheme = schemes.get(decision.certificate_scheme, Sentence(decision.certificate_scheme, "")).zh
    rank = f" {decision.grade} 级" if decision.grade else f" {decision.tier} 星" if decision.tier else ""
    return f"{scheme}{rank} {decision.certificate}"
