"""`python -m backend.web`: the server, as the settings say. Exit 2 when they are refused, every fault listed."""

import os
import sys
from tempfile import TemporaryDirectory

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from backend.environment import SettingsRefused
from backend.settings import load

METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
STOP_WITHIN_S = 10
"""For requests in hand; below the patience of whoever supervises the server."""


def main() -> int:
    try:
        settings = load()
    except SettingsRefused as refused:
        sys.stderr.write(f"设置有误 / settings refused:\n{refused}\n")
        return 2
    with TemporaryDirectory(prefix="greenpoints-metrics-") as folder:
        # The workers add their counts up there; the name is the client library's own.
        os.environ.setdefault(METRICS_FOLDER, folder)
        Granian(
            "backend.wsgi:app",
            address=settings.server_host,
            port=settings.server_port,
            interface=Interfaces.WSGI,
            workers=settings.server_workers,
            blocking_threads=settings.server_threads,
            # A worker that dies of memory or a bug is replaced; without this granian ends the other workers with it.
            respawn_failed_workers=True,
            # A worker told to stop before it has loaded the application does not hear it.
            workers_kill_timeout=STOP_WITHIN_S,
            websockets=False,
            log_level=LogLevels.warning,
        ).serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
