"""Every refusal that a request can meet has its row in the map to HTTP."""

import re
import string
from functools import cache

import grimp

from backend.kernel.errors import DomainError
from backend.web.problems import HTTP_TEXTS, PROBLEMS
from tests.architecture.project import refusals

COMMAND_LINE_ONLY = {
    "roles-needed": "migrations run from the command line; the web asks only for the revision",
    "database-open-to-all": "migrations run from the command line; the web asks only for the revision",
    "import-columns-missing": "registries are imported from a file",
    "import-columns-repeated": "registries are imported from a file",
}
"""Refusals of modules that the web imports for something else."""


@cache
def reachable() -> frozenset[str]:
    """Modules that the web imports, directly or not: what stands elsewhere cannot be raised to it."""
    graph = grimp.build_graph("backend", cache_dir=None)
    return frozenset(graph.find_upstream_modules("backend.web", as_package=True)) | graph.find_descendants(
        "backend.web"
    )


def placeholders(text: str) -> set[str]:
    """Names of facts; one that is said in both languages counts once."""
    return {re.sub("_(zh|en)$", "", name) for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def codes(found: list[type[DomainError]]) -> set[str]:
    return {refusal.code for refusal in found}


def test_every_refusal_that_a_request_can_meet_has_a_row() -> None:
    met = codes([refusal for refusal in refusals() if refusal.__module__ in reachable()])

    assert len(met) > 10
    assert met - PROBLEMS.keys() == COMMAND_LINE_ONLY.keys()


def test_no_row_of_the_map_is_left_over() -> None:
    assert PROBLEMS.keys() - codes(refusals()) - HTTP_TEXTS.keys() == set()


def test_a_code_is_one_refusals_own() -> None:
    found = refusals()

    assert len(codes(found)) == len(found)


def test_both_languages_state_the_same_facts() -> None:
    wrong = [
        refusal.__name__
        for refusal in refusals()
        if not (refusal.text_zh and refusal.text_en)
        or not placeholders(refusal.text_zh) >= placeholders(refusal.text_en)
    ]

    assert wrong == []
