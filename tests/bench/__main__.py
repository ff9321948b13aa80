"""`make bench`: what the project reaches, each as a ratio to a floor that runs interleaved in the same minutes.

One line a ratio: `ratio engine_vs_floor_d 0.53 (bar 0.50)`. Ends non-zero when one falls short. The books are verified
after each measurement. Needs PostgreSQL (the embedded one), Mosquitto and wrk.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType

from backend import logs
from backend.audit.acting import acting
from backend.audit.model import COMMAND, Actor
from tests.bench import (
    fleet,
    growth,
    http_batches,
    http_scans,
    live,
    pages,
    policies,
    preview,
    reads,
    recording,
    replay,
    transport,
)
from tests.bench.ground import Ground, prepared
from tests.bench.report import Ratio, say

MEASUREMENTS: Mapping[str, Callable[[Ground, int], Ratio]] = MappingProxyType(
    {
        "engine_vs_floor_d": recording.engine_vs_floor_d,
        "batch_http_vs_engine": http_batches.batch_http_vs_engine,
        "one_scan_http_vs_floor_h": http_scans.one_scan_http_vs_floor_h,
        "login_scan_vs_floor_h": http_scans.login_scan_vs_floor_h,
        "balance_p99_vs_hello": reads.balance_p99_vs_hello,
        "history_p99_vs_hello": reads.history_p99_vs_hello,
        "mqtt_scans_per_s": transport.mqtt_scans_per_s,
        "fleet_memory_growth": fleet.fleet_memory_growth,
        "cost_growth_100x": growth.cost_growth_100x,
        "twenty_policies_vs_floor_d": policies.twenty_policies_vs_floor_d,
        "idle_policy_vs_asked": policies.idle_policy_vs_asked,
        "replay_equal_share": replay.replay_equal_share,
        "preview_vs_evaluate": preview.preview_vs_evaluate,
        "pages_vs_bare": pages.pages_vs_bare,
        "live_cpu_median_vs_zxing": live.live_cpu_median_vs_zxing,
        "live_cpu_p95_vs_zxing": live.live_cpu_p95_vs_zxing,
        "live_labels_read_once": live.live_labels_read_once,
        "live_wrong_texts": live.live_wrong_texts,
    }
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(MEASUREMENTS), default=list(MEASUREMENTS))
    parser.add_argument("--alternations", type=int, default=5, help="of ours and the floor's; medians are taken")
    options = parser.parse_args()
    logs.configure("error", sys.stderr.buffer)  # what is run in this process would bury the figures
    ratios = []
    for name in options.only:
        say(f"\n{name}")
        with prepared() as ground, acting(Actor(f"{COMMAND}:bench", COMMAND)):
            ratios.append(MEASUREMENTS[name](ground, options.alternations))
    say("")
    for ratio in ratios:
        say(str(ratio))
    return 0 if all(ratio.reached for ratio in ratios) else 1


if __name__ == "__main__":
    sys.exit(main())
