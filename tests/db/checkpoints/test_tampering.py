"""What a superuser of the database changes under a published checkpoint is found by the auditor's own program, with its place."""

import hashlib
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from cryptography.exceptions import InvalidSignature

from backend.checkpoints import auditor
from tests.db.checkpoints.conftest import VKEY, Trade
from tests.worlds.city import NANJING

ROUNDS = int(os.environ.get("TAMPER_ROUNDS", "6"))
"""Of each way to tamper; 100 make a thousand edits."""
OF_ENTRY = "WHERE e.entry = %s AND (t.city, t.reference, t.step, t.line) = (e.city, e.reference, e.step, e.line)"
Kept = dict[int, bytes]
Way = Callable[[psycopg.Connection, random.Random, int], None]


def ways() -> dict[str, Way]:
    return {
        "amount": lambda c, r, n: edit(c, r, n, "amount = amount + 1"),
        "receiver": lambda c, r, n: edit(c, r, n, "destination = 'resident:somebody:points'"),
        "reason": lambda c, r, n: edit(c, r, n, "reason = 'reclaim'"),
        "moment": lambda c, r, n: edit(c, r, n, "recorded_at = recorded_at + interval '1 microsecond'"),
        "deleted": deleted,
        "deleted with its entry": lambda c, r, n: forgotten(c, r, n, again=False),
        "deleted, and all after it counted anew": lambda c, r, n: forgotten(c, r, n, again=True),
        "two entries change places": reordered,
        "edited, and the whole chain made anew": rewritten,
        "the end cut off": truncated,
        "an act's author": lambda c, r, n: edit_act(c, r, n, "who = 'command:somebody'"),
        "an act's reason": lambda c, r, n: edit_act(c, r, n, "reason = coalesce(reason, '') || '。'"),
        "what an act did": lambda c, r, n: edit_act(c, r, n, "after = '{}'"),
        "an act's moment": lambda c, r, n: edit_act(c, r, n, "at = at + interval '1 microsecond'"),
        "an act deleted": lambda c, r, n: edit_act(c, r, n, None),
        "an act deleted with its entry": act_forgotten,
        "an act passed off as a transfer": lambda c, r, n: c.execute(
            "UPDATE log_entries SET act = false WHERE entry = %s", [one_of(c, r, n, act=True)]
        ),
    }


def edit(connection: psycopg.Connection, chance: random.Random, size: int, change: str) -> None:
    connection.execute(
        f"UPDATE transfers t SET {change} FROM log_entries e {OF_ENTRY}", [one_of(connection, chance, size)]
    )


def one_of(connection: psycopg.Connection, chance: random.Random, size: int, *, act: bool = False) -> int:
    """An entry of a transfer, or of an act."""
    found = "SELECT entry FROM log_entries WHERE act = %s AND entry < %s ORDER BY entry"
    entries = connection.execute(found, [act, size])
    return int(chance.choice(entries.fetchall())[0])


def edit_act(connection: psycopg.Connection, chance: random.Random, size: int, change: str | None) -> None:
    verb = (
        "DELETE FROM acts a USING log_entries e" if change is None else f"UPDATE acts a SET {change} FROM log_entries e"
    )
    place = "WHERE e.entry = %s AND (a.city, a.act) = (e.city, e.reference)"
    assert connection.execute(f"{verb} {place}", [one_of(connection, chance, size, act=True)]).rowcount == 1


def act_forgotten(connection: psycopg.Connection, chance: random.Random, size: int) -> None:
    entry = one_of(connection, chance, size - 1, act=True)
    connection.execute("DELETE FROM acts a USING log_entries e WHERE e.entry = %s AND a.act = e.reference", [entry])
    connection.execute("DELETE FROM log_entries WHERE entry = %s", [entry])


def deleted(connection: psycopg.Connection, chance: random.Random, size: int) -> None:
    connection.execute(f"DELETE FROM transfers t USING log_entries e {OF_ENTRY}", [one_of(connection, chance, size)])


def forgotten(connection: psycopg.Connection, chance: random.Random, size: int, *, again: bool) -> None:
    entry = chance.randrange(size - 1)
    connection.execute(f"DELETE FROM transfers t USING log_entries e {OF_ENTRY}", [entry])
    connection.execute("DELETE FROM log_entries WHERE entry = %s", [entry])
    if again:
        connection.execute("UPDATE log_entries SET entry = entry + 1000000 WHERE entry > %s", [entry])
        connection.execute("UPDATE log_entries SET entry = entry - 1000001 WHERE entry > 1000000")
        chain_anew(connection)


def reordered(connection: psycopg.Connection, chance: random.Random, size: int) -> None:
    one, other = chance.sample(range(size), 2)
    for before, after in ((one, 1_000_000), (other, one), (1_000_000, other)):
        connection.execute("UPDATE log_entries SET entry = %s WHERE entry = %s", [after, before])
    chain_anew(connection)


def rewritten(connection: psycopg.Connection, chance: random.Random, size: int) -> None:
    entry = one_of(connection, chance, size)
    connection.execute(f"UPDATE transfers t SET amount = amount + 5 FROM log_entries e {OF_ENTRY}", [entry])
    with connection.cursor() as cursor:
        row = cursor.execute(
            "SELECT t.reference::text, t.step, t.line, t.reason, t.unit, t.source, t.destination, t.amount, t.recorded_at"
            " FROM transfers t JOIN log_entries e USING (city, reference, step, line) WHERE e.entry = %s",
            [entry],
        ).fetchone()
    assert row is not None
    leaf = auditor.sha256(b"\x00" + auditor.content(NANJING, list(row[:3]), row[3:]))
    connection.execute("UPDATE log_entries SET leaf = %s WHERE entry = %s", [leaf, entry])
    chain_anew(connection)


def truncated(connection: psycopg.Connection, chance: random.Random, size: int) -> None:
    first = chance.randrange(1, size)
    connection.execute(f"DELETE FROM transfers t USING log_entries e {OF_ENTRY.replace('=', '>=', 1)}", [first])
    connection.execute("DELETE FROM log_entries WHERE entry >= %s", [first])
    connection.execute("DELETE FROM checkpoints WHERE size > %s", [first])


def chain_anew(connection: psycopg.Connection) -> None:
    """As the backend would have chained what stands there now."""
    chain, made = bytes(32), []
    for entry, leaf in connection.execute("SELECT entry, leaf FROM log_entries ORDER BY entry").fetchall():
        chain = hashlib.sha256(chain + leaf).digest()
        made.append((chain, entry))
    with connection.cursor() as cursor:
        cursor.executemany("UPDATE log_entries SET chain = %s WHERE entry = %s", made)


@pytest.fixture
def kept(trade: Trade) -> Kept:
    """Checkpoints that somebody outside the city's database has kept."""
    for till in range(1, 7):
        trade.sell(20, till=till)
        trade.act(3)
        trade.seal(minutes=10 * till)
    return dict(auditor.opened(note, VKEY) for (note,) in trade.run("SELECT note FROM checkpoints"))


def test_every_edit_under_a_checkpoint_is_found(trade: Trade, kept: Kept) -> None:
    chance = random.Random(20261127)
    missed = []
    with psycopg.connect(trade.url) as connection:
        assert list(auditor.breaks(connection, NANJING, kept)) == []
        for name, tamper in ways().items():
            for _ in range(ROUNDS):
                tamper(connection, chance, max(kept))
                found = list(auditor.breaks(connection, NANJING, kept))
                if not any(line.startswith(("entry ", "entries ")) for line in found):
                    missed.append((name, found))
                connection.rollback()

    assert missed == []


def test_an_old_transfer_put_in_later_is_found(trade: Trade, kept: Kept) -> None:
    trade.run("UPDATE log_heads SET sealed_until = sealed_until + interval '1 day'")
    trade.run(
        "INSERT INTO transfers SELECT city, gen_random_uuid(), step, line, reason, unit, source, destination, amount,"
        " recorded_at FROM transfers LIMIT 1"
    )

    def found() -> list[str]:
        with psycopg.connect(trade.url) as connection:
            return [line.rpartition(": ")[2] for line in auditor.breaks(connection, NANJING, kept)]

    assert found() == ["put in later, no entry has it"]

    trade.run("UPDATE transfers SET recorded_at = recorded_at - interval '1 day'"
              " WHERE NOT EXISTS (SELECT FROM log_entries e WHERE e.reference = transfers.reference)")  # fmt: skip
    trade.seal(minutes=70, since_ever=True)  # as the night's job does

    assert found() == ["put in later, sealed hours after the time that it bears"]


def test_what_the_city_says_of_how_far_it_sealed_hides_nothing(trade: Trade, kept: Kept) -> None:
    """`log_heads` is under no checkpoint."""
    trade.run(
        "INSERT INTO transfers SELECT city, gen_random_uuid(), step, line, reason, unit, source, destination, amount,"
        " recorded_at - interval '1 day' FROM transfers LIMIT 1"
    )
    trade.run("UPDATE log_heads SET sealed_until = NULL")

    with psycopg.connect(trade.url) as connection:
        found = [line.rpartition(": ")[2] for line in auditor.breaks(connection, NANJING, kept)]

    assert found == ["put in later, no entry has it"]


def test_an_old_act_put_in_later_is_found(trade: Trade, kept: Kept) -> None:
    trade.run("UPDATE log_heads SET sealed_until = sealed_until + interval '1 day'")
    trade.run(
        "INSERT INTO acts SELECT city, gen_random_uuid(), at, 'command:somebody', role, what, kind, key FROM acts"
        " WHERE city = '320100' LIMIT 1"
    )

    with psycopg.connect(trade.url) as connection:
        (found,) = auditor.breaks(connection, NANJING, kept)

    assert found.startswith("act ")
    assert found.endswith(": put in later, no entry has it")


def test_the_program_stands_alone_and_says_what_it_found(trade: Trade, kept: Kept, tmp_path: Path) -> None:
    """Copied somewhere else, as an auditor would, with one checkpoint that was kept."""
    program, note = tmp_path / "auditor.py", tmp_path / "kept.txt"
    program.write_bytes(Path(auditor.__file__).read_bytes())
    ((text,),) = trade.run("SELECT note FROM checkpoints ORDER BY size DESC LIMIT 1")
    note.write_text(text, encoding="utf-8")

    def audit() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-I", program, "--database", trade.url, "--city", NANJING, "--key", VKEY, note],
            check=False,
            capture_output=True,
            text=True,
            cwd=tmp_path,
        )

    sound = audit()
    trade.run("DELETE FROM log_entries WHERE entry > 100; DELETE FROM checkpoints WHERE size > 100")
    cut = audit()

    assert (sound.returncode, sound.stdout) == (0, f"{len(kept)} checkpoints, newest {max(kept)} entries: 0 breaks\n")
    assert cut.returncode == 1
    assert f"entries 101 to {max(kept) - 1}: gone, checkpoint {max(kept)} was signed over them" in cut.stdout


def test_a_checkpoint_that_another_signed_is_refused(kept: Kept, trade: Trade) -> None:
    ((text,),) = trade.run("SELECT note FROM checkpoints ORDER BY size DESC LIMIT 1")

    with pytest.raises(ValueError, match="not signed by this key"):
        auditor.opened(text, VKEY.replace("+", "+0", 1))
    with pytest.raises(InvalidSignature):
        auditor.opened(text.replace(f"\n{max(kept)}\n", f"\n{max(kept) - 1}\n", 1), VKEY)
