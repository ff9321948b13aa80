"""Who keeps coming is looked up beside others, and never believed for longer than before."""

import pytest
from flask.testing import FlaskClient

from backend.bootstrap import Backend
from backend.storage.transaction import observed
from backend.web import recent
from backend.web.app import create_app
from backend.web.auth import GATE, Gate
from backend.web.recent import COMING_S, KEPT_S, Recent
from tests.http.conftest import Clock, SignIn
from tests.worlds.city import City

BALANCES = "/api/resident/v1/balances"
ANNA, BEN = b"anna", b"ben"


class Seconds:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def known(seconds: Seconds) -> Recent[str]:
    """Anna, who came twice, and Ben, who came once."""
    found: Recent[str] = Recent(seconds)
    found.put(ANNA, "Anna")
    found.put(BEN, "Ben")
    found.get(ANNA)
    return found


def test_who_keeps_coming_is_due_before_it_ceases_to_be_believed(known: Recent[str], seconds: Seconds) -> None:
    assert known.due() == []

    seconds.now += KEPT_S / 2
    assert known.due() == [ANNA]
    known.renew([ANNA], {ANNA: "Anna again"})

    seconds.now += KEPT_S
    assert (known.get(ANNA), known.get(BEN)) == ("Anna again", None)
    seconds.now += 0.1
    assert known.get(ANNA) is None


def test_who_has_stopped_coming_is_not_looked_up_any_more(known: Recent[str], seconds: Seconds) -> None:
    for _ in range(int(COMING_S / KEPT_S)):
        known.renew(known.due(), {ANNA: "Anna"})
        seconds.now += KEPT_S

    assert known.due() == []


def test_who_has_ended_or_was_forgotten_is_not_believed_again(known: Recent[str], seconds: Seconds) -> None:
    known.get(BEN)
    seconds.now += KEPT_S / 2
    due = known.due()

    known.forget(BEN)
    known.renew(due, {BEN: "Ben"})

    assert due == [ANNA, BEN]
    assert (known.get(ANNA), known.get(BEN)) == (None, None)


def test_two_who_keep_coming_cost_one_look_up_and_one_signed_out_elsewhere_is_refused(
    client: FlaskClient, backend: Backend, clock: Clock, city: City, sign_in: SignIn, seconds: Seconds
) -> None:
    client.application.extensions[GATE] = Gate(seconds)
    here = [sign_in(name) for name in ("zhang", "wang", "li")]
    for _ in range(2):
        assert {client.get(BALANCES, headers=each).status_code for each in here} == {200}
    assert (
        create_app(backend, clock)
        .test_client()
        .delete("/api/resident/v1/sessions/current", headers=here[2])
        .status_code
        == 204
    )
    seconds.now += recent.KEPT_S / 2
    seen: list[str] = []

    with observed(seen.append):
        assert client.get(BALANCES, headers=sign_in("zhao")).status_code == 200
        seconds.now += recent.KEPT_S / 2 + 0.1
        answers = [client.get(BALANCES, headers=each).status_code for each in here]

    assert answers == [200, 200, 401]
    assert len([each for each in seen if "unnest(%(token_hashes)s" in each]) == 2
