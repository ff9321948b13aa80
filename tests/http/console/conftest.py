"""The console in a real browser, for the tests of this folder that ask for `served`."""

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from backend.officials import passwords
from tests.conftest import copied
from tests.http.conftest import Keys, settings_of
from tests.worlds.console import Served, serving

passwords._hasher = PasswordHasher(time_cost=1, memory_cost=64)
"""Still argon2id, but a hundredth of its cost: a suite signs in some hundred times."""


@pytest.fixture(scope="module")
def served(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all browser tests of a file, on a database of its own."""
    with (
        copied(server_url, template) as url,
        serving(settings_of(url, Keys(), tmp_path_factory.mktemp("keys"))) as found,
    ):
        yield found
