"""The server under granian, as `python -m backend.web` starts it."""

import os
import signal

from backend.demo.launch import answers
from tests.journeys.town import BACKEND, Town, wait_until


def kill_a_worker(town: Town) -> None:
    """Returns when another stands in for it, which may not serve yet."""
    workers = town.programs.children(BACKEND)
    os.kill(workers[0], signal.SIGKILL)
    wait_until(lambda: workers[0] not in town.programs.children(BACKEND), "the worker to be gone")
    wait_until(lambda: len(town.programs.children(BACKEND)) == len(workers), "another worker")


def test_a_killed_worker_is_replaced_and_the_server_goes_on(served: Town) -> None:
    server = served.programs.pid(BACKEND)

    kill_a_worker(served)

    wait_until(lambda: answers(f"{served.address.backend_url}/readyz"), "an answer")
    served.programs.watch()
    assert served.programs.pid(BACKEND) == server, "the server itself had to be started again"


def test_a_server_that_is_told_to_stop_while_a_worker_starts_stops(served: Town) -> None:
    """A worker hears nothing before it has loaded the application; it must not be waited for without end."""
    kill_a_worker(served)
    told = len(served.said)

    served.programs.stop(BACKEND)
    served.run_server()

    assert served.said[told:] == [], "the server had to be killed"
