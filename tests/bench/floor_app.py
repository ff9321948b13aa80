"""Floor H: a bare Flask route that parses a JSON body and makes one PL/pgSQL call through a psycopg pool."""

import os
import random
from itertools import count

from flask import Flask, request
from psycopg_pool import ConnectionPool

RESIDENTS = 200_000

app = Flask(__name__)
pool = ConnectionPool(
    os.environ["DATABASE_URL"], min_size=8, max_size=8, kwargs={"autocommit": True, "options": "-c search_path=floor"}
)
# Numbers of this process: the load sends bodies, and only the floor's own key must be new each time.
_numbers = count(random.SystemRandom().randrange(2**40) << 20)


@app.get("/ready")
def ready() -> str:
    return "ok"


@app.post("/scans")
def scan() -> tuple[dict[str, int | None], int]:
    body = request.get_json()
    with pool.connection() as connection:
        row = connection.execute(
            "SELECT post_scan(%s, %s, %s, %s, %s)",
            [1, next(_numbers), body["resident"], int(body["code"]), body["points"]],
        ).fetchone()
    return {"id": row[0] if row else None}, 201
