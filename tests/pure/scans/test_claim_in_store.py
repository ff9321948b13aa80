"""A claim is decided as if it were made in the shop that sold the goods: where no policy asks for that, it is the same."""

from hypothesis import assume, given, settings

from backend.policies.compiled import PolicySet
from backend.scans.decide import FurtherAward, Taken
from backend.scans.explain import DecidedScan, recompute
from backend.usecases.claim_basket import is_bound
from tests.pure.policies import documents
from tests.pure.scans.test_replay_order import compiled, taken
from tests.pure.scans.test_sentences import decided
from tests.worlds import rules


@settings(documents.LAW, max_examples=200)
@given(decided())
def test_what_is_not_bound_to_the_shop_comes_to_itself_wherever_it_was_claimed(
    case: tuple[DecidedScan, PolicySet],
) -> None:
    scan, policies = case
    further = [FurtherAward(scan.decision.basket, 0, 2, number, *award) for number, award in enumerate(scan.more, 2)]
    assume(not scan.claimed_elsewhere)
    assume(not is_bound(Taken([scan.decision], further, {}), policies))

    assert recompute(scan._replace(claimed_elsewhere=True), policies).equal


def test_what_the_shop_alone_may_give_is_bound_to_it_also_where_a_limit_lacks_a_fact() -> None:
    """Elsewhere it is refused for the place, before a limit is looked at."""
    doc = rules.document(caps=[{**rules.cap("home", "lifetime", 50), "per": ["address"]}], policy="a")
    policies = [compiled({**doc, "claims": "same_store", "stacking": {"group": "a", "mode": "first"}})]

    scan, verdict = taken(policies, rules.limits(*policies))

    assert (verdict.reason, verdict.gross) == ("fact_missing", 0)
    assert is_bound(Taken([scan.decision], [], {}), PolicySet(policies))
