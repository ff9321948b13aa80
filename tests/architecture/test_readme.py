"""The README says what is true: settings, commands, routes, facts of policies, links."""

import importlib.util
import re

import click
import pytest

from backend.cli.main import Program, program
from backend.policies.conditions import FACTS
from backend.web.bridge.routes import bridge
from backend.web.device.routes import device
from backend.web.pos.routes import pos
from backend.web.public.routes import public
from backend.web.resident.routes import resident
from tests.architecture.project import ROOT
from tests.architecture.settings_tables import README, renewed, tables

DOCUMENTS = ("README.md", "DECISIONS.md", "CHANGELOG.md", "docs/console.md")
TEXT = README.read_text(encoding="utf-8")
CODE = re.findall(r"```sh\n(.*?)```|`([^`\n]+)`", TEXT, re.DOTALL)
TYPED = "\n".join(block or span for block, span in CODE)
"""What a reader would type: blocks of shell, and words set as code."""


def commands() -> set[str]:
    """Every `greenpoints noun verb`."""
    found = set()
    for noun in Program.nouns:
        group = program.get_command(click.Context(program), noun)
        found |= {f"{noun} {verb}" for verb in group.commands}
    return found


@pytest.mark.parametrize("name", [name for name, _ in tables()])
def test_the_settings_tables_say_what_the_code_says(name: str) -> None:
    table = dict(tables())[name]

    assert table in TEXT, "renew it: python -m tests.architecture.settings_tables"
    assert renewed(TEXT) == TEXT


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z-]+)", TYPED))

    assert named >= {"run", "test", "check", "bench", "reset", "help"}
    assert named - targets == set()


def test_every_command_is_named_and_every_named_one_exists() -> None:
    named = set(re.findall(r"\bgreenpoints ([a-z]+ [a-z-]+)", TYPED))

    assert named == commands()


def test_every_program_that_is_named_exists() -> None:
    named = set(re.findall(r"\bpython -m ([a-z_.]+)", TYPED))

    assert named >= {"backend.web", "backend.cli", "firmware_bridge", "scanner"}
    assert [name for name in named if importlib.util.find_spec(name) is None] == []


def test_every_audience_of_the_api_is_named() -> None:
    prefixes = {blueprint.url_prefix for blueprint in (resident, pos, bridge, device, public)}

    assert set(re.findall(r"`(/api/[a-z0-9/]+)`", TEXT)) == prefixes


def test_every_fact_of_a_policy_is_named() -> None:
    assert [name for name in FACTS if f"`{name}`" not in TEXT] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_relative_link_resolves(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]

    assert [target for target in targets if not ((ROOT / document).parent / target.partition("#")[0]).exists()] == []
