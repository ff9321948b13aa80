"""From a till's message to the resident's page: what was promised offline, and what became of it."""

from flask.testing import FlaskClient

from backend.kernel.ids import new_id
from backend.usecases.set_lease_terms import set_lease_terms
from tests.http.conftest import BRIDGE_TOKEN, SignIn, bearer
from tests.http.shop import Shop, batch
from tests.worlds.city import NANJING, NOON, City
from tests.worlds.later import assert_verified
from tests.worlds.lending import TERMS, be_there, grant, leases, policies, promised

BATCH = "/api/pos/v1/baskets:batch"


def test_a_resident_reads_what_was_reserved_for_them_and_what_was_paid(
    client: FlaskClient, shop: Shop, city: City, sign_in: SignIn
) -> None:
    who = sign_in()
    be_there(city, shop)  # type: ignore[arg-type]  # names its device and its stream
    city.database.write(lambda c: set_lease_terms(c, policies(), NANJING, TERMS, "tests", NOON))
    grant(city)
    (lease,) = leases(city)
    code = client.post("/api/resident/v1/member-codes", headers=who).get_json()["code"]
    line = shop.line(promised((lease.lease, 10)), promised((new_id(), 10)), member=code)

    client.post(BATCH, json=batch(shop.delivery(shop.message(line))), headers=bearer(BRIDGE_TOKEN))

    scans = client.get("/api/resident/v1/scans", headers=who).get_json()["scans"]
    said = {scan["line_no"]: (scan["award"]["amount"], scan["promised"]["sentence"]) for scan in scans}
    assert said == {
        0: (10, "终端离线时为您预留了 10 分，已从预留中支付。"),
        1: (10, "终端离线时曾为您预留，但终端所称的预留查无记录，因此按核定时的预算办理。"),
    }
    one = client.get(f"/api/resident/v1/scans/{scans[0]['basket']}/lines/0", headers=who).get_json()
    assert (one["recomputed_equal"], one["scan"]["promised"]["sentence"]) == (True, said[0][1])
    assert_verified(city.database, NANJING)
