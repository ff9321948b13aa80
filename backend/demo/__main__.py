"""`python -m backend.demo [--once] [--year] [--state DIR]`, as `make run` calls it. Exit 0 only if all was as it must be."""

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType

from backend.demo.launch import ROOT
from backend.demo.run import run
from backend.demo.table import Table
from backend.kernel.errors import DomainError
from backend.storage.cluster import default_home


def main() -> int:
    parser = argparse.ArgumentParser(prog="make run", description="绿色积分演示系统 / the Green Points demonstration")
    parser.add_argument("--once", action="store_true", help="演示后结束 / end after the table")
    parser.add_argument("--year", action="store_true", help="先生成苏州一年的数据 / make a year of Suzhou's life first")
    parser.add_argument("--state", type=Path, default=default_home(ROOT), help="数据目录 / where the data are kept")
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        return run(options.state.resolve(), Table(), once=options.once, year=options.year)
    except KeyboardInterrupt:
        return 0 if not options.once else 130
    except DomainError as refusal:
        print(f"\n{refusal.sentence_zh}\n{refusal.sentence_en} [{refusal.code}]", file=sys.stderr)
        return 1


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """The first one stops everything in order; further ones do not disturb that."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
