"""Laws of the console's templates: nothing inline that its policy forbids, both languages, a token in every form."""

import re
from pathlib import Path

import pytest

from tests.architecture.project import ROOT

FOLDER = ROOT / "backend" / "web" / "console" / "templates"
TEMPLATES = sorted(FOLDER.rglob("*.html"))
INLINE = re.compile(
    r"""<style|\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=["']|javascript:|hx-on|https?://(?!www\.w3\.org/)"""
)
SAID = re.compile(r"\bsay\((?:[^()\"']|\"[^\"]*\"|'[^']*'|\((?:[^()]|\([^()]*\))*\))*\)")
"""What is said in both languages; brackets within it may be nested twice."""
CHINESE = re.compile(r"[\u3400-\u9fff]+")
IN_BOTH = {"中文"}
"""The name of the language itself, on the link that leads to it."""
FORM = re.compile(r'<form[^>]*method="post".*?</form>', re.DOTALL)
BEFORE_A_SESSION = {"console/sign_in.html"}


def named(path: Path) -> str:
    return str(path.relative_to(FOLDER))


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
def test_nothing_stands_in_a_page_that_its_policy_forbids(path: Path) -> None:
    assert INLINE.findall(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
def test_every_text_is_said_in_both_languages(path: Path) -> None:
    text = re.sub(r"\{#.*?#\}|\breplace\(\"[^\"]*\"", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)

    assert [found for found in CHINESE.findall(SAID.sub("", text)) if found not in IN_BOTH] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
def test_every_form_that_writes_carries_its_token(path: Path) -> None:
    forms = FORM.findall(path.read_text(encoding="utf-8"))

    assert named(path) in BEFORE_A_SESSION or [form[:100] for form in forms if "ui.token()" not in form] == []
