"""A city to measure in: residents, stores, tills, certified products, one real policy, and baskets to record."""

import hashlib
import json
import random
import secrets
from datetime import UTC, datetime, timedelta

import orjson
import psycopg

from backend.certificates.imports import Source, import_rows
from backend.kernel.ids import new_id
from backend.residents.member_code import MemberCode, encode
from backend.storage.transaction import Database
from backend.usecases.publish_policy import publish_policy

CITY = "320100"
RESIDENTS = 200_000
PRODUCTS = 2_000
POLICY = {
    "policy": "green-points-2026",
    "title_zh": "绿色消费积分",
    "title_en": "Green consumption points",
    "document": {"number": "测试〔2026〕1号", "issuer": "基准测试", "published_on": "2026-01-01", "url": None},
    "from": "2026-01-01T00:00:00+08:00",
    "until": "2028-01-01T00:00:00+08:00",
    "budget": {"unit": "points", "amount": 10**14},
    "rules": [
        {
            "rule": "discovery",
            "name_zh": "扫码认识绿色标签",
            "name_en": "A phone scan discovers a green label",
            "when": [{"fact": "proof", "op": "=", "value": "P0"}],
            "reward": {"kind": "fixed", "amount": 2},
            "rates": {"M": {"P0": 10_000}},
        },
        {
            "rule": "appliances",
            "name_zh": "一、二级能效家电",
            "name_en": "Grade 1 and 2 appliances",
            "when": [
                {"fact": "certificate_scheme", "op": "in", "value": ["energy_label", "water_label"]},
                {"fact": "grade", "op": "<=", "value": 2},
                {"fact": "price_fen", "op": "<=", "value": 600_000},
            ],
            "reward": {"kind": "table", "by": "grade", "percents": {"1": 200, "2": 100}, "cap_per_unit": 2_000},
            "rates": {"M": {"P3": 10_000, "P2": 5_000}},
        },
        {
            "rule": "organic",
            "name_zh": "有机产品每元两分",
            "name_en": "Organic, two points a yuan",
            "when": [
                {"fact": "certificate_scheme", "op": "=", "value": "organic"},
                {"fact": "price_fen", "op": ">=", "value": 100},
            ],
            "reward": {"kind": "percent", "basis_points": 200, "cap_per_unit": 500},
            "rates": {"U": {"P3": 10_000}, "M": {"P3": 8_000, "P2": 4_000}},
        },
    ],
    "caps": [
        {"cap": "day", "per": "person", "period": "day", "limit": 2_000_000},
        {"cap": "month", "per": "person", "period": "month", "limit": 60_000_000},
    ],
}


def gtin(number: int) -> str:
    body = f"690{number:09d}"
    weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body))
    return f"{body}{-weighted % 10}"


def resident(number: int) -> str:
    return f"01900000-0000-7000-8000-{number:012x}"


def create(url: str, now: datetime) -> None:
    """The schema must be migrated. Wallets of all residents are open, as they are in a running city."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO accounts (city, account, unit, floor, opened_at)"
            " SELECT %s, 'resident:01900000-0000-7000-8000-' || lpad(to_hex(g), 12, '0') || ':points', 'points', 0, now()"
            " FROM generate_series(0, %s) g ON CONFLICT DO NOTHING",
            [CITY, RESIDENTS - 1],
        )
        connection.execute("VACUUM ANALYZE accounts")
    database = Database(url, role="greenpoints_engine")
    _register_products(database, now)
    text = json.dumps(POLICY, ensure_ascii=False)
    database.write(lambda connection: publish_policy(connection, CITY, text, by="bench", now=now))
    database.close()


def _register_products(database: Database, now: datetime) -> None:
    rows = [
        {
            "scheme": "organic" if number % 2 else "energy_label",
            "certificate_no": f"100OP12{number:05d}" if number % 2 else f"202601-14-10000001-{number:012d}",
            "body": "CNCA-R-2002-100" if number % 2 else "CNIS",
            "body_name": "基准测试认证" if number % 2 else "",
            "holder": "基准测试有限公司",
            "product": f"测试商品{number}",
            "code": gtin(number),
            "category": "蔬菜" if number % 2 else "显示器",
            "grade": "" if number % 2 else str(1 + number // 2 % 3),
            "valid_from": "2026-01-01",
            "valid_until": "长期",
            "state": "有效",
        }
        for number in range(PRODUCTS)
    ]
    report = import_rows(database, rows, Source("bench", "bench.csv", "bench", now))
    assert not report.errors, report.errors[:3]


def sign_in(url: str, count: int, now: datetime) -> list[str]:
    """Tokens of the first `count` residents, each with the session that signing in by phone opens."""
    tokens = [secrets.token_urlsafe(32) for _ in range(count)]
    columns = "token_hash, city, resident, session, way, issued_at, expires_at, ends_at"
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        with cursor.copy(f"COPY resident_sessions ({columns}) FROM STDIN") as copy:
            for number, token in enumerate(tokens):
                row = (hashlib.sha256(token.encode()).digest(), CITY, resident(number), new_id(), "phone", now)
                copy.write_row((*row, now + timedelta(days=7), now + timedelta(days=30)))
        connection.commit()
    return tokens


def expiry(sold_at: datetime) -> datetime:
    """Of every member code that is shown at `sold_at`."""
    return sold_at + timedelta(seconds=100)


def issue_codes(url: str, first: int, count: int, expires_at: datetime) -> None:
    """Member codes number `first` … for random residents; issuing them is another path and is not measured here."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO member_codes (city, handle, resident, expires_at)"
            " SELECT %s, decode(lpad(to_hex(g), 32, '0'), 'hex'),"
            " ('01900000-0000-7000-8000-' || lpad(to_hex((random() * %s)::int), 12, '0'))::uuid, %s"
            " FROM generate_series(%s::bigint, %s::bigint) g",
            [CITY, RESIDENTS - 1, expires_at, first, first + count - 1],
        )


def basket_lines(first: int, count: int, sold_at: datetime, seed: int) -> list[bytes]:
    """`count` baskets of two reads, numbered from `first`, as a till writes them."""
    rng = random.Random(seed)
    ts = int(sold_at.timestamp() * 1000)
    expires_s = int(expiry(sold_at).timestamp())
    return [_line(first + number, ts, expires_s, rng) for number in range(count)]


def _line(number: int, ts: int, expires_s: int, rng: random.Random) -> bytes:
    member = encode(MemberCode("k1", CITY, number.to_bytes(16, "big"), expires_s), lambda _: bytes(64))
    reads = [
        {
            "sym": "EAN13",
            "code": gtin(rng.randrange(PRODUCTS)),
            "raw": None,
            "aim": "]E0",
            "src": "cam0",
            "votes": 3,
            "mono": 1_000,
            "qty": 1,
            "price_fen": rng.randint(500, 50_000),
            "sn": None,
        }
        for _ in range(2)
    ]
    return orjson.dumps(
        {
            "seq": number,
            "boot": "b1",
            "opened_mono": 1_000,
            "closed_mono": 9_000,
            "ts": ts,
            "closed_by": "finish",
            "member": member,
            "claim_sha256": None,
            "cashier": "c07",
            "void_of": None,
            "part_of": None,
            "reads": reads,
        }
    )


def stream(writer: int) -> str:
    return hashlib.sha256(str(writer).encode()).hexdigest()[:32]


def today() -> datetime:
    return datetime.now(UTC)
