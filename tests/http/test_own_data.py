"""A resident takes the data away, and reads who has looked at it."""

import io
import zipfile

from flask.testing import FlaskClient

from backend.residents.access.log import Look, Purpose, Role, What
from backend.usecases.change_consent import Who
from backend.usecases.look_at_account import look_at_account
from tests.http.conftest import Clock, SignIn
from tests.http.test_leaving import API, discovery, problem_of, scan
from tests.worlds.books import rows
from tests.worlds.city import NANJING, City

__all__ = ["discovery"]


def test_all_that_is_held_is_exported_in_both_forms_and_logged(
    client: FlaskClient, discovery: City, sign_in: SignIn
) -> None:
    headers = sign_in()
    scan(client, headers)

    whole = client.post(f"{API}/export", headers=headers).get_json()
    archive = zipfile.ZipFile(io.BytesIO(client.post(f"{API}/export?format=csv", headers=headers).get_data()))

    held = {one["table"]: one["rows"] for one in whole["tables"]}
    assert held.keys() >= {"residents", "resident_sessions", "baskets", "decisions", "transfers", "cap_counters"}
    assert [(one["outcome"], one["award"]) for one in held["decisions"]] == [("awarded", 1)]
    assert {name.removesuffix(".csv").partition("-")[2] for name in archive.namelist()} == held.keys()
    me = rows(discovery.database, "SELECT resident::text FROM residents")[0][0]
    assert me not in str(whole)
    looked = client.get(f"{API}/access-log", headers=headers).get_json()["entries"]
    assert [(one["role"], one["what"]) for one in looked] == [("self", "export")] * 2
    for _ in range(3):
        client.post(f"{API}/export", headers=headers)
    assert problem_of(client.post(f"{API}/export", headers=headers)) == (429, "exports-used-up")


def test_a_cell_that_would_be_a_formula_is_text(client: FlaskClient, discovery: City, sign_in: SignIn) -> None:
    headers = sign_in()
    scan(client, headers, code='=HYPERLINK("x")', symbology="QR_CODE")

    archive = zipfile.ZipFile(io.BytesIO(client.post(f"{API}/export?format=csv", headers=headers).get_data()))

    assert "'=HYPERLINK" in archive.read(f"{NANJING}-decisions.csv").decode()


def test_an_official_who_looks_is_in_the_residents_log(
    client: FlaskClient, discovery: City, sign_in: SignIn, clock: Clock
) -> None:
    headers = sign_in()
    scan(client, headers)
    me = rows(discovery.database, "SELECT resident::text FROM residents")[0][0]
    look = Look(Role.OFFICIAL, "王", Purpose.APPEAL, What.ACCOUNT, "T-1")

    found = discovery.database.write(lambda c: look_at_account(c, Who(NANJING, me), look, clock.now))

    entries = client.get(f"{API}/access-log", headers=headers).get_json()["entries"]
    assert [one.amount for one in found] == [1]
    assert [(one["role"], one["who"], one["purpose"], one["ticket"]) for one in entries] == [
        ("official", "王", "appeal", "T-1")
    ]
