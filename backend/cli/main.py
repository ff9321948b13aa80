import sys
from collections.abc import Mapping
from types import TracebackType

import click

from backend.audit.acting import acting
from backend.audit.model import COMMAND, Actor
from backend.cli.operator import system_user
from backend.kernel import collector
from backend.kernel.errors import DomainError
from backend.kernel.traces import trace_of


class Program(click.Group):
    """Nouns are imported when they are asked for: `labels parse` must not wait for the database driver."""

    nouns = (
        "labels",
        "certificates",
        "enterprises",
        "ledger",
        "leases",
        "policies",
        "holds",
        "appeals",
        "cases",
        "missing",
        "catalogue",
        "redemptions",
        "settlements",
        "adjustments",
        "residents",
        "passport",
        "stores",
        "officials",
        "staff",
        "devices",
        "tokens",
        "updates",
        "db",
        "jobs",
        "audit",
    )

    def invoke(self, ctx: click.Context) -> object:
        """Everything that a command does, it does in the name of whoever is signed in to this system, whatever `--by` says."""
        with acting(Actor(f"{COMMAND}:{system_user()}", COMMAND)):
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(self.nouns)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in self.nouns:
            return None
        with collector.resting():
            module = __import__(f"backend.cli.{cmd_name}", fromlist=[cmd_name])
        command: click.Command = getattr(module, cmd_name)
        return command


@click.command(cls=Program, context_settings={"help_option_names": ["--help"]})
def program() -> None:
    """绿色积分：认证标签换来说得清、查得实的积分 / Green Points.

    Certification labels become points that can be explained and proved.
    """


def main() -> None:
    sys.excepthook = _tell_bug
    try:
        program(prog_name="greenpoints")
    except DomainError as refusal:
        click.echo(f"{refusal.sentence_zh}\n{refusal.sentence_en} [{refusal.code}]", err=True)
        faults = refusal.facts.get("faults")
        if isinstance(faults, Mapping):
            for place, reasons in faults.items():
                click.echo(f"    {place or '全文'}: {'; '.join(reasons)}", err=True)
        sys.exit(1)


def _tell_bug(_kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
    """Standard error may be kept as a log, and a fault of the database names the row that it is about."""
    click.echo(trace_of(error), err=True, nl=False)
