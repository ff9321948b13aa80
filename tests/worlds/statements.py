"""What a page asks of the database: its statements with what they were given, and the rows that each of them reads.

Every connection that is opened while `recorded` lasts is listened to, whoever writes the SQL.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, NamedTuple

import psycopg
from sqlalchemy import Engine, event

READS = ("SELECT", "WITH")
Plan = dict[str, Any]


class Asked(NamedTuple):
    """One statement; `role` is the one that asked it."""

    role: str
    statement: str
    params: Any

    @property
    def reads(self) -> bool:
        return self.statement.lstrip().upper().startswith(READS)

    @property
    def begins(self) -> bool:
        """A transaction that reads, with the city that it is about."""
        return self.statement.startswith("BEGIN READ ONLY")


class Read(NamedTuple):
    """What a statement cost: rows looked at in tables and indexes, whether they were wanted or not, and pages touched."""

    rows: int
    blocks: int


class Listening(psycopg.Cursor[Any]):
    heard: ClassVar[list[Asked]] = []

    def execute(self, query: Any, params: Any = None, **options: Any) -> "Listening":
        role = self.connection.info.parameter_status("application_name") or ""
        self.heard.append(Asked(role, str(query), params))
        return super().execute(query, params, **options)


@contextmanager
def recorded() -> Iterator[list[Asked]]:
    """The statements asked so far, of connections that were opened within; whoever wants those of one page clears it."""

    def listen(connection: Any, _record: object) -> None:
        connection.cursor_factory = Listening

    event.listen(Engine, "connect", listen)
    Listening.heard.clear()
    try:
        yield Listening.heard
    finally:
        event.remove(Engine, "connect", listen)


def read_by(owner: psycopg.Connection[Any], city: str, asked: Asked, *, indexed: bool = False) -> Read:
    """Runs it as its role would, within `city`. `indexed`: as if its tables were too large to be read whole."""
    with owner.transaction(force_rollback=True):
        owner.execute(f"SET LOCAL ROLE {asked.role}")  # type: ignore[call-overload]  # a name of ours
        owner.execute(f"SET LOCAL greenpoints.city = '{city}'")  # type: ignore[call-overload]  # the same
        if indexed:
            for way in ("seqscan", "hashjoin", "mergejoin"):
                owner.execute(f"SET LOCAL enable_{way} = off")  # type: ignore[call-overload]  # a name of ours
        plan = owner.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {asked.statement}", asked.params).fetchone()  # type: ignore[call-overload]
    assert plan is not None
    root = (plan[0] if isinstance(plan[0], list) else json.loads(plan[0]))[0]["Plan"]
    return Read(_rows(root), root["Shared Hit Blocks"] + root["Shared Read Blocks"])


def _rows(plan: Plan) -> int:
    below: Sequence[Plan] = plan.get("Plans", ())
    own = 0
    if plan["Node Type"].endswith("Scan") and ("Relation Name" in plan or "Index Name" in plan):
        removed = plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
        own = round((plan["Actual Rows"] + removed) * plan["Actual Loops"])
    return own + sum(_rows(one) for one in below)
