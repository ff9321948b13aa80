"""The server under granian, as `python -m backend.web` starts it."""

import os
import signal

from backend.demo.launch import answers
from tests.journeys.town import BACKEND, Town, wait_until


def test_a_killed_worker_is_replaced_and_the_server_goes_on(served: Town) -> None:
    server, workers = served.programs.pid(BACKEND), served.programs.children(BACKEND)

    os.kill(workers[0], signal.SIGKILL)

    wait_until(lambda: workers[0] not in served.programs.children(BACKEND), "the worker to be gone")
    wait_until(lambda: len(served.programs.children(BACKEND)) == len(workers), "another worker")
    wait_until(lambda: answers(f"{served.address.backend_url}/readyz"), "an answer")
    served.programs.watch()
    assert served.programs.pid(BACKEND) == server, "the server itself had to be started again"
