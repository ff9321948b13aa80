"""`python3 -m backend.demo.reset`: clears what `make run` keeps: database, broker, keys, outboxes. Asks nothing."""

import argparse
import fcntl
import shutil
import sys
from pathlib import Path

from backend.storage.cluster import default_home

ROOT = Path(__file__).resolve().parents[2]
MARKS = ("lock", "run.lock", "password", "data", "demo")


def main() -> None:
    parser = argparse.ArgumentParser(prog="make reset")
    parser.add_argument("--state", type=Path, default=default_home(ROOT))
    home: Path = parser.parse_args().state
    if not home.exists():
        print(f"没有需要清除的数据 / nothing to clear: {home}")
        return
    if not any((home / mark).exists() for mark in MARKS):
        sys.exit(f"{home} 不像本程序的数据目录，未作改动 / does not look like ours: left alone")
    if _in_use(home):
        sys.exit(f"{home} 正在使用中，请先在运行的终端按 Ctrl-C / in use: press Ctrl-C where it runs, then try again")
    shutil.rmtree(home)
    print(f"已清除 / cleared: {home}")


def _in_use(home: Path) -> bool:
    for name in ("lock", "run.lock"):
        if not (home / name).exists():
            continue
        with (home / name).open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
    return False


if __name__ == "__main__":
    main()
