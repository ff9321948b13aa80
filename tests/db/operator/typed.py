"""Commands as an operator types them, and what became of them."""

import json
from collections.abc import Callable

from click.testing import Result

from backend.kernel.errors import DomainError
from tests.worlds.city import NANJING

Run = Callable[..., Result]


def add_store(run: Run, store: str = "s1", city: str = NANJING, **changes: str) -> Result:
    usual = {"district": f"{city[:4]}02", "retailer": "示例超市", "name": "新街口店"} | changes
    options = [word for name, value in usual.items() for word in (f"--{name}", value)]
    return run("stores", "add", store, "--city", city, *options)


def done(result: Result) -> str:
    assert result.exit_code == 0, result.output + repr(result.exception)
    return result.stdout


def refused(result: Result) -> DomainError:
    """The refusal that `main` prints; what it prints is the subject of its own test."""
    assert result.exit_code == 1
    assert isinstance(result.exception, DomainError), repr(result.exception)
    assert result.stdout == ""
    return result.exception


def listed(run: Run, noun: str, *options: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(done(run(noun, "list", *options, "--json")))
    return found
