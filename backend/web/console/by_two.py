"""Cases that one official decides up to an amount: what is more is proposed, and a second person gives it as it stands."""

from collections.abc import Callable
from http import HTTPStatus

from flask import Response

from backend.kernel.errors import DomainError
from backend.usecases.two_persons import SecondPersonNeeded
from backend.web.console.answers import done
from backend.web.console.declare import Texts
from backend.web.problems import PROBLEMS

Shown = Callable[[Texts, int], Response]
"""The page of a case with what was refused, under a status."""


def at_case(act: Callable[[], Response], shown: Shown) -> Response:
    """What `act` answers; what it refuses stands on the page of the case itself, unless there is no such case."""
    try:
        return act()
    except DomainError as error:
        status = PROBLEMS[error.code].status
        if status == HTTPStatus.NOT_FOUND:
            raise
        return shown((error.sentence_zh, error.sentence_en), status)


def granted(grant: Callable[[], Response], propose: Callable[[], None], case: str) -> Response:
    """What `grant` answers; what one person may not grant is proposed instead, and `case`, its address, says so."""
    try:
        return grant()
    except SecondPersonNeeded as needed:
        propose()
        return done(case, f"{needed.sentence_zh}已交第二人复核。", f"{needed.sentence_en} It waits for a second.")
