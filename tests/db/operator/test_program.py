"""What the program itself adds to a refusal: two sentences, the faults, exit code 1."""

import subprocess
import sys
from os import environ

import pytest


@pytest.mark.parametrize(
    ("words", "code", "place"),
    [
        (["devices", "revoke", "nj-shop-0001"], "device-unknown", None),
        (["tokens", "revoke", "--service", "pos", "--name", "one"], "no-such-token", None),
        (["policies", "check", "/dev/null"], "policy-refused", "    全文: "),
    ],
)
def test_a_refusal_is_two_sentences_and_exit_code_1(
    database_url: str, words: list[str], code: str, place: str | None
) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "backend.cli", *words],
        env={"PATH": environ["PATH"], "PYTHONUTF8": "1", "DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (said.returncode, said.stdout) == (1, "")
    zh, en, *faults = said.stderr.splitlines()
    assert zh.endswith("。")
    assert en.endswith(f". [{code}]")
    assert [line.startswith(place) for line in faults if place] == ([True] if place else [])
