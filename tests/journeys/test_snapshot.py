"""From the city's policy to the cashier's ear without a broker: a till that is offline says what a label is likely to earn."""

import os
import subprocess
import sys
from pathlib import Path

from backend.demo.launch import ROOT
from backend.ledger import chart
from backend.policies.lifecycle import Turn
from backend.policies.store import PolicyCache
from backend.usecases.make_snapshot import MakeSnapshot
from backend.usecases.turn_policy import turn_policy
from tests.journeys.town import Town, current, till_of, utc_now, wait_until
from tests.scanner.till.scene import TillProcess
from tests.worlds import rules
from tests.worlds.city import FRIDGE, RICE, UNCERTIFIED

CITY = "320400"
TILL = till_of(11)


def make_snapshots(town: Town) -> None:
    environment = {**os.environ, "DATABASE_URL": town.postgres.url(), "ENV": "test"}
    command = [sys.executable, "-m", "backend.cli", "jobs", "run", "make_snapshots"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)


def said(till: TillProcess) -> list[object]:
    return [event["expected"]["text_zh"] for event in till.of("read")]  # type: ignore[index]  # JSON of the till's


def test_an_offline_till_says_what_is_likely_and_takes_it_back_with_the_policy(served: Town, tmp_path: Path) -> None:
    graded = rules.rule("one", rules.fixed(30), rules.where("grade", "=", 1))
    priced = rules.rule("priced", rules.percent(200), rules.where("certificate_scheme", "=", "organic"))
    city = served.open_city(current(graded, priced), CITY)
    served.enrol(TILL, CITY)
    make_snapshots(served)
    service = served.till(TILL, tmp_path, SNAPSHOT_INTERVAL_S="0.2")
    till = TillProcess(dict(service.environment))
    try:
        till.wait_for("state", state="started")
        snapshot = tmp_path / f"{TILL.device}.sqlite.snapshot"
        wait_until(lambda: snapshot.exists() and b"g:0" + FRIDGE.encode() in _content(snapshot), "the snapshot")

        for number, code in enumerate((FRIDGE, RICE, UNCERTIFIED), 1):
            till.say({"code": code, "sym": "EAN13", "price_fen": 10_000})
            till.wait_for("read", number)

        # Whether it has noticed by the first read that nobody is there to connect to is chance.
        assert [words.removesuffix("，联网后核定") for words in said(till)] == [
            "绿色商品，预计 30 分",
            "认证商品，按价格计分",
            "已记录，稍后核定",
        ]

        suspended = {"notice_zh": "暂停公告", "reason": "试验", "by": "tests", "now": utc_now()}
        city.database.write(lambda c: turn_policy(c, CITY, "green", Turn.SUSPEND, **suspended))  # type: ignore[arg-type]
        MakeSnapshot(city.database, PolicyCache(chart.budget)).make(CITY, utc_now())

        def asked_again() -> bool:
            till.say({"code": FRIDGE, "sym": "EAN13", "price_fen": 10_000})
            till.wait_for("read", len(till.of("read")) + 1)
            return said(till)[-1] == "认证商品，目前不计分"

        wait_until(asked_again, "the suspension to be known")
    finally:
        till.close()


def _content(snapshot: Path) -> bytes:
    return b"".join(path.read_bytes() for path in snapshot.parent.glob(f"{snapshot.name}*"))
