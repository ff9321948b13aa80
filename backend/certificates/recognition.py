from collections.abc import Iterable

from backend.certificates.model import Recognition


def recognised_as(scheme: str, region: str, at_ms: int, recognitions: Iterable[Recognition]) -> dict[str, Recognition]:
    """Schemes that a certificate of `scheme` counts for in `region` at `at_ms`, each with the recognition behind it.

    Not transitive: that A is accepted as B and B as C says nothing of A as C until a document does. `region` is the
    GB/T 2260 code of a city; a recognition of its province or of the country covers it. The one whose region is
    narrowest explains the acceptance.
    """
    accepted: dict[str, Recognition] = {}
    for one in recognitions:
        if one.from_scheme != scheme or not one.from_ms <= at_ms < one.until_ms or not covers(one.region, region):
            continue
        known = accepted.get(one.to_scheme)
        if known is None or _rank(one) < _rank(known):
            accepted[one.to_scheme] = one
    return accepted


def covers(region: str, within: str) -> bool:
    """Whether `within` lies in `region`: 320000 covers 320100, 320100 covers 320106, 000000 covers all (GB/T 2260)."""
    return within.startswith(_stem(region))


def _stem(region: str) -> str:
    pairs = [region[0:2], region[2:4], region[4:6]]
    while pairs and pairs[-1] == "00":
        pairs.pop()
    return "".join(pairs)


def _rank(one: Recognition) -> tuple[int, int, str]:
    return (-len(_stem(one.region)), one.from_ms, one.document)
