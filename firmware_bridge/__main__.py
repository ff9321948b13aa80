"""`python -m firmware_bridge`: runs until SIGTERM or SIGINT, then drains and exits 0.

Exit 1: a part failed and a supervisor should restart it. Exit 2: the settings are refused, all faults listed.
"""

import signal
import sys
import time
from types import FrameType

from firmware_bridge.bridge import Bridge
from firmware_bridge.logs import configure_logs
from firmware_bridge.settings import SettingsRefused, load_settings


def main() -> int:
    try:
        settings = load_settings()
    except SettingsRefused as refused:
        print(refused, file=sys.stderr)
        return 2
    configure_logs()
    bridge = Bridge(settings, unix_ms=lambda: time.time_ns() // 1_000_000)
    told_to_stop = False

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        nonlocal told_to_stop
        told_to_stop = True

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    bridge.start()
    while not told_to_stop and not bridge.failed.wait(0.2):
        pass
    exit_code = 1 if bridge.failed.is_set() else 0
    bridge.stop()
    return exit_code


if __name__ == "__main__":
    raise SystemExit(main())
