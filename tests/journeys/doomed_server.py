"""The application, of which a worker dies between a batch's commit and its answer: only the repeat can repair that."""

import os
import signal
from collections.abc import Iterable
from typing import Any

from backend.wsgi import app as backend_app

ANSWERED_FIRST = 2
_batches = 0


def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    global _batches  # noqa: PLW0603 - one worker, one count
    answer = backend_app(environ, start_response)
    if environ["PATH_INFO"].endswith("/baskets:batch"):
        _batches += 1
        if _batches > ANSWERED_FIRST:
            os.kill(os.getpid(), signal.SIGKILL)
    return answer
