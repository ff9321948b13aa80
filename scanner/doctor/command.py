"""`greenpoints-till doctor`."""

import argparse
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import orjson
from dotenv import dotenv_values

from scanner import launch
from scanner.doctor import broker, credentials, machine, offline, storage
from scanner.doctor.model import Advice, Finding, Verdict, ok, wrong
from scanner.enrolment.identity import Identities
from scanner.environment import EnvironmentInvalid
from scanner.settings import PREFIX, Settings, read_settings

INSTALLED_SETTINGS = Path("/etc/greenpoints-till/till.env")
_MARKS = {Verdict.OK: "✓", Verdict.WARN: "!", Verdict.WRONG: "✗"}


def main(arguments: Sequence[str]) -> int:
    """0 nothing is wrong, 1 something is, 2 usage."""
    parser = argparse.ArgumentParser(
        prog="greenpoints-till doctor",
        description="检查终端：哪里不对、怎么办 / what is wrong with this till, and what to do",
    )
    parser.add_argument("--json", action="store_true", help="每项一行 JSON / one JSON line a finding")
    parser.add_argument("--settings", type=Path, metavar="FILE", help=f"设置文件 / settings; {INSTALLED_SETTINGS}")
    options = parser.parse_args(arguments)
    found = []
    for finding in examine(options.settings, datetime.now(UTC)):
        print(as_json(finding) if options.json else as_text(finding), flush=True)
        found.append(finding.verdict)
    return 1 if Verdict.WRONG in found else 0


def examine(file: Path | None, now: datetime) -> Iterator[Finding]:
    settings, finding = _settings(file)
    yield finding
    if settings is not None:
        yield from credentials.examine(settings, now)
        yield from storage.examine(settings, int(now.timestamp() * 1000))
        yield from offline.examine(settings, int(now.timestamp() * 1000))
    yield from machine.examine(settings)
    if settings is not None:
        yield from broker.examine(settings)


def as_text(finding: Finding) -> str:
    between = "\n" if "\n" in finding.text_zh else " / "
    line = f"{_MARKS[finding.verdict]} {finding.text_zh}{between}{finding.text_en}"
    return line if finding.advice is None else f"{line}\n  → {finding.advice.zh} / {finding.advice.en}"


def as_json(finding: Finding) -> str:
    advice = finding.advice
    fields = {
        "verdict": finding.verdict,
        "subject": finding.subject,
        "text_zh": finding.text_zh,
        "text_en": finding.text_en,
        "advice_zh": None if advice is None else advice.zh,
        "advice_en": None if advice is None else advice.en,
    }
    return orjson.dumps(fields).decode()


def _settings(file: Path | None) -> tuple[Settings | None, Finding]:
    """A person's shell has no settings of the service: then those of the installed till are meant."""
    if file is None and not any(name.startswith(PREFIX) for name in os.environ) and INSTALLED_SETTINGS.exists():
        file = INSTALLED_SETTINGS
    try:
        if file is not None:
            _take_over(file)
        _name_slot()
        if not _is_enrolled():
            advice = Advice(
                "greenpoints-till enrol --claim GPE1.… --url https://…", "The same; the city gives the claim."
            )
            return None, wrong("settings", "本机尚未登记。", "This till is not enrolled yet.", advice)
        return read_settings(), ok("settings", "设置完整。", "The settings are complete.")
    except EnvironmentInvalid as refusal:
        advice = Advice(
            f"改正 {file or '环境变量'}，各变量见 README。",
            f"Correct {file or 'the environment'}; README has every variable.",
        )
        return None, wrong("settings", refusal.sentence_zh, refusal.sentence_en, advice)
    except OSError as error:
        advice = Advice("用 sudo 运行。", "Run it with sudo.")
        text_zh, text_en = f"设置文件 {file} 读不了：{error.strerror}。", f"{file} cannot be read: {error.strerror}."
        return None, wrong("settings", text_zh, text_en, advice)


def _take_over(file: Path) -> None:
    with file.open(encoding="utf-8") as lines:
        found = dotenv_values(stream=lines, interpolate=False)
    for name, value in found.items():
        os.environ[name] = value or ""


def _name_slot() -> None:
    """The launcher would have said which slot runs."""
    if slots := os.environ.get(f"{PREFIX}SLOTS_PATH"):
        os.environ.setdefault(f"{PREFIX}SLOT", launch.current(Path(slots)) or "")


def _is_enrolled() -> bool:
    """Also where keys and certificate were put in place by hand."""
    place = os.environ.get(f"{PREFIX}IDENTITY_PATH")
    identity = Identities(Path(place)).current() if place else None
    return not place or (identity is not None and identity.is_whole)
