"""From the counter to the till to the phone: a paper card is issued, credits, is merged by its sheet alone, and is lost."""

import json
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import cv2
import numpy as np
import pytest
from flask.testing import FlaskClient

from backend.cli.card_sheet import sheet
from backend.residents.cards.number import drawn, typed_card
from backend.residents.identities import identity_hash
from backend.storage.transaction import Database
from backend.usecases.issue_card import DrawnCard, issue_card
from scanner.decode.still import VotingStillReader
from tests.db.operator.conftest import run
from tests.db.operator.typed import Run, done
from tests.http.conftest import BRIDGE_TOKEN, SignIn, bearer
from tests.http.shop import BATCH, Shop, batch
from tests.worlds import books, rules
from tests.worlds.city import FRIDGE, NANJING, NOON, City, read, resident
from tests.worlds.later import assert_verified

__all__ = ["run"]
API = "/api/resident/v1"


class Sheet:
    """What is printed: number and binding code."""

    def __init__(self, path: Path) -> None:
        page = path.read_text(encoding="utf-8")
        self.number, self.secret = re.findall(r'class="number">([^<]+)<', page)
        assert page.count("<svg") == 2
        assert "http" not in page.replace("http://www.w3.org/2000/svg", ""), page


@pytest.fixture
def issue(run: Run, city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("GREENPOINTS_IDENTITY_HASH_KEY_FILE", str(tmp_path / "identity"))

    def issued(name: str, *options: str) -> Sheet:
        out = tmp_path / f"{name}.html"
        said = done(run("residents", "card", "issue", "--city", NANJING, "--out", str(out), "--by", "窗口", *options))
        assert "已发放" in said
        return Sheet(out)

    return issued


def buy(client: FlaskClient, shop: Shop, number: str) -> None:
    line = shop.line(read(FRIDGE), member=typed_card(number).text)
    sent = client.post(BATCH, json=batch(shop.delivery(shop.message(line))), headers=bearer(BRIDGE_TOKEN))
    assert sent.status_code == 200, sent.text


def points(client: FlaskClient, who: dict[str, str]) -> int:
    balances = client.get(f"{API}/balances", headers=who).get_json()["balances"]
    return next(one["amount"] for one in balances if one["unit"] == "points")


def test_a_card_account_is_merged_by_number_and_binding_code_and_then_lost(
    client: FlaskClient, city: City, shop: Shop, issue: Any, sign_in: SignIn
) -> None:
    printed, who = issue("card"), sign_in("li")
    buy(client, shop, printed.number)
    merging = {"way": "card", "card": printed.number.lower(), "code": printed.secret}

    wrong = client.post(f"{API}/merges", json={**merging, "code": "0000-0000-0000"}, headers=who)
    merged = client.post(f"{API}/merges", json=merging, headers=who)
    buy(client, shop, printed.number)

    assert (wrong.status_code, wrong.get_json()["type"]) == (403, "/problems/card-not-proved")
    assert (merged.status_code, merged.get_json()["moved"][0]["amount"]) == (200, points(client, who) // 2)
    (card,) = client.get(f"{API}/cards", headers=who).get_json()["cards"]
    assert (card["ending"], card["blocked_at"]) == (printed.number.replace(" ", "")[-4:], None)
    before = points(client, who)
    assert client.post(f"{API}/cards/{card['card']}/block", headers=sign_in("wang")).status_code == 404
    assert client.post(f"{API}/cards/{card['card']}/block", headers=who).status_code == 204
    buy(client, shop, printed.number)
    assert points(client, who) == before
    assert client.get(f"{API}/cards", headers=who).get_json()["cards"][0]["blocked_why"] == "lost"
    assert_verified(city.database, NANJING)


def test_the_till_reads_the_bars_of_the_sheet() -> None:
    number = drawn(NANJING, bytes(range(8)))
    page = sheet(number, "0" * 12)
    bars = [int(place) for place in re.findall(r"M(\d+) 0h1v40", page)]
    picture = np.full((120, 3 * (max(bars) + 11)), 255, np.uint8)
    for place in bars:
        picture[20:100, 3 * place : 3 * place + 3] = 0

    (found,) = VotingStillReader().read(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR))

    assert (found.text, found.symbology) == (number.text, "CODE128")


def test_five_wrong_binding_codes_close_the_card_to_merging(
    client: FlaskClient, city: City, issue: Any, sign_in: SignIn
) -> None:
    printed, who = issue("card"), sign_in("li")
    codes = ["1111-1111-1111"] * 5 + [printed.secret]

    tries = [
        client.post(f"{API}/merges", json={"way": "card", "card": printed.number, "code": code}, headers=who)
        for code in codes
    ]

    assert [one.status_code for one in tries] == [403] * 6


def test_a_phones_account_has_one_good_card_and_its_loss_is_reported_by_phone(
    client: FlaskClient, city: City, shop: Shop, issue: Any, run: Run
) -> None:
    old, new = issue("old", "--phone", "13800138000"), issue("new", "--phone", "138 0013 8000")
    for printed in (old, new):
        buy(client, shop, printed.number)
    assert len(books.wallets(city.database, NANJING)) == 1

    assert "已挂失 1 张" in done(run("residents", "card", "block", "--city", NANJING, "--phone", "13800138000"))

    acts = books.rows(city.database, "SELECT what, after FROM acts WHERE city = :c AND what LIKE 'card%'", c=NANJING)
    assert sorted(what for what, _ in acts) == ["card-blocked", "card-issued", "card-issued"]
    assert "13800138000" not in json.dumps(acts, default=str)
    hashes = books.rows(city.database, "SELECT number_hash, secret_hash FROM member_cards WHERE city = :c", c=NANJING)
    assert len(hashes) == 2


def test_one_who_left_and_takes_a_card_has_used_what_was_used_of_limits(
    client: FlaskClient, city: City, engine_db: Database, sign_in: SignIn
) -> None:
    doc = rules.document(rules.rule("ten", rules.fixed(10), rates={"M": {"P0": 10_000, "P3": 10_000}}), policy="once")
    city.publish(doc | {"caps": [rules.cap("year", "year", 10)]})
    who, phone = sign_in("li"), identity_hash(bytes(32), "dev:li")
    first = client.post(f"{API}/scans", json={"scan_id": str(uuid4()), "code": FRIDGE}, headers=who)
    told = client.get(f"{API}/account/closing", headers=who).get_json()["told_sha256"]
    assert client.post(f"{API}/account/closing", json={"told_sha256": told}, headers=who).status_code == 200

    new = DrawnCard(resident(901), drawn(NANJING, bytes(8)), "0000-0000-0000", resident(1))
    engine_db.write(lambda c: issue_card(c, new, phone, bytes(32), "窗口", NOON))
    back = client.post(f"{API}/scans", json={"scan_id": str(uuid4()), "code": FRIDGE}, headers=sign_in("li"))

    assert (first.get_json()["outcome"], back.get_json()["outcome"]) == ("awarded", "none")
    assert_verified(engine_db, NANJING)
