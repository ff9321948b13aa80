import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.storage.cluster import prepare_home


@pytest.fixture
def home() -> Iterator[Path]:
    """A place that a service's own user can reach: pytest's own folders are closed to other users."""
    place = Path("/tmp") / f"greenpoints-test-{secrets.token_hex(4)}"  # noqa: S108
    prepare_home(place)
    yield place
    shutil.rmtree(place, ignore_errors=True)
