"""Decisions held against the registry as it was known when they were taken: the certificate's facts are those of its rows."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Connection

from backend.certificates.model import Entry
from backend.certificates.store import load_entries
from backend.certificates.validity import standing
from backend.kernel.periods import milliseconds
from backend.labels.keys import registry_keys
from backend.scans.explain import DecidedScan
from backend.storage.transaction import hot

VERSIONS = "SELECT version, recorded_at FROM registry_changes ORDER BY version"

KNOWN_MARGIN_MS = 600_000
"""A version recorded within ten minutes of a decision may have been known to it or not."""
KEYS_KEPT = 100_000
_STRENGTH = "SEMU"
_KEEPS_FACTS = frozenset({"returned", "held_refused"})
"""Reasons of decisions that look nothing up: they keep the facts of the one before, which is held against its own time."""


class RegistryPast:
    """What past versions of the registry said. Read `read` before asking `fault` of the same scans."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        rows = hot(connection, VERSIONS).fetchall()
        self._versions = [version for version, _ in rows]
        self._recorded_ms = [milliseconds(recorded_at) for _, recorded_at in rows]
        self._entries: dict[int, dict[str, tuple[Entry, ...]]] = {}

    def read(self, scans: Sequence[DecidedScan]) -> None:
        """Looks up what `scans` need: one statement for each version of the registry that they were taken in."""
        wanted: defaultdict[int, set[str]] = defaultdict(set)
        for scan in scans:
            if scan.decision.label_key is not None:
                for version in self._known(scan):
                    wanted[version].update(registry_keys(scan.decision.label_key))
        if sum(map(len, self._entries.values())) > KEYS_KEPT:
            self._entries.clear()
        for version, keys in wanted.items():
            held = self._entries.setdefault(version, {})
            missing = sorted(keys - held.keys())
            if missing:
                loaded = load_entries(self._connection, missing, known_version=version)[1]
                held.update({key: loaded.get(key, ()) for key in missing})

    def fault(self, scan: DecidedScan) -> str | None:
        """How the certificate that a decision states differs from every version of the registry it can have known."""
        if scan.decision.label_key is None or scan.decision.reason in _KEEPS_FACTS:
            return None
        faults = [self._fault_in(version, scan) for version in self._known(scan)]
        return None if None in faults else faults[-1]

    def _known(self, scan: DecidedScan) -> Sequence[int]:
        """The versions that may have been the current one; not older than the row that the decision names."""
        first = bisect_right(self._recorded_ms, scan.decided_at_ms - KNOWN_MARGIN_MS) - 1
        last = bisect_right(self._recorded_ms, scan.decided_at_ms + KNOWN_MARGIN_MS) - 1
        named = scan.row_version or 0
        known = [0 if at < 0 else self._versions[at] for at in range(first, last + 1)]
        return [version for version in known if version >= named] or [named]

    def _fault_in(self, version: int, scan: DecidedScan) -> str | None:
        d, held = scan.decision, self._entries[version]
        found = next((held[key] for key in registry_keys(d.label_key or "") if held[key]), ())
        if not found or d.certificate is None:
            # A label that supports no award is looked up nowhere; a code said to be unknown is looked up until it is not.
            passing = d.reason == "product_unknown" or d.reason.startswith("label_")
            same = d.certificate is None and (passing or not found)
            return None if same else f"certificate {d.certificate}, registry {_of(found)}"
        at_sale = standing(found, scan.sold_at_ms)
        entry = at_sale.entry
        assert entry is not None
        stored = (d.certificate, d.certificate_row, d.certificate_scheme, d.category, d.grade, d.tier)
        known = (entry.certificate, at_sale.row, entry.scheme, entry.category, entry.grade, entry.tier)
        if stored != known:
            return f"certificate {stored}, registry {known}"
        if at_sale.row is not None and scan.body != entry.body:
            return f"body {scan.body}, registry {entry.body}"
        if d.level is not None and _STRENGTH.index(d.level) > _STRENGTH.index(entry.level):
            return f"level {d.level} above the scheme's {entry.level}"
        invalid = at_sale.state != "valid"
        if d.reason.startswith("certificate_") != invalid and d.reason != "basket_voids":
            return f"reason {d.reason}, registry {at_sale.state}"
        return None


def _of(entries: Sequence[Entry]) -> str:
    return entries[0].certificate if entries else "nothing"
