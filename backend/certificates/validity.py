from collections.abc import Sequence

from backend.certificates.model import CertificateState, Entry, Standing, State, Told, Worth, stands

NOTHING_TOLD = Told(None, None, None, None, None, None)
UNKNOWN = Standing(entry=None, state="unknown", row=None, told=NOTHING_TOLD, level=None, body=None)
NOT_KNOWN = UNKNOWN.worth

_TELLING = ("suspended", "withdrawn", "expired", "not_yet_valid", "unknown")
"""Which reason is told when nothing is valid: what could still change stands before what is over."""
_STANDINGS = {
    CertificateState.SUSPENDED: "suspended",
    CertificateState.WITHDRAWN: "withdrawn",
    CertificateState.CANCELLED: "withdrawn",  # for a buyer the same: no certificate since then
    CertificateState.EXPIRED: "expired",
}


def standing(entries: Sequence[Entry], at_ms: int) -> Standing:
    """The first of `entries` that is valid at `at_ms`, else the most telling reason why none is.

    Callers hand in entries most specific key first; within a key they are sorted by evidence level and certificate.
    """
    for entry in entries:
        for from_ms, until_ms, worth in entry.valid:
            if from_ms <= at_ms < until_ms:
                return stands(entry, worth.state, worth.told.row)
    return _most_telling(entries, at_ms)


def worth_at(entries: Sequence[Entry], at_ms: int) -> Worth:
    """What a decision looks at of their `standing`: every scan of a certified product comes by here."""
    for entry in entries:
        for from_ms, until_ms, worth in entry.valid:
            if from_ms <= at_ms < until_ms:
                return worth
    return _most_telling(entries, at_ms).worth


def _most_telling(entries: Sequence[Entry], at_ms: int) -> Standing:
    best = UNKNOWN
    for entry in entries:
        reason = _reason(entry, at_ms)
        if best.entry is None or _TELLING.index(reason.state) < _TELLING.index(best.state):
            best = reason
    return best


def _reason(entry: Entry, at_ms: int) -> Standing:
    state = _state_at(entry, at_ms)
    row = state.row if state else None
    if at_ms < entry.from_ms:
        return stands(entry, "not_yet_valid", None)
    if state is not None and state.state != "valid":
        return stands(entry, _STANDINGS[CertificateState(state.state)], row)
    if at_ms >= entry.until_ms:
        return stands(entry, "expired", row)
    return stands(entry, "unknown", None)


def _state_at(entry: Entry, at_ms: int) -> State | None:
    for state in entry.states:
        if state.from_ms <= at_ms < state.until_ms:
            return state
    return None
