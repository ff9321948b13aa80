"""The project as its own tests see it: tracked files, production modules, tables, SQL."""

import importlib
import pkgutil
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

import backend
from backend.kernel.errors import DomainError
from backend.storage.base import metadata

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("backend", "scanner", "firmware_bridge")

REGISTRIES = frozenset(
    {
        "bodies",
        "certificate_months",
        "certificate_states",
        "certificate_terms",
        "certificates",
        "certificates_counted",
        "certified_products",
        "enterprise_listings",
        "enterprises",
        "import_batches",
        "recognitions",
        "registry_changes",
        "registry_version",
        "schemes",
    }
)
"""Shared by all cities, written by few."""
CROSS_CITY = {
    "unit_claims": "a label that names one piece earns once, ever, in any city",
    "device_directory": "a message names its device; only the directory knows the device's city",
    "device_claims": "a claim names no city",
    "device_certificates": "found with the directory, like the keys that they belong to",
    "device_keys": "found with the directory, before the city is known",
    "merged_residents": "two accounts of one person may have two homes, and value in every city",
    "person_directory": "a person is found by an outside identity, which names no city",
    "resident_sessions": "a token names no city",
    "phone_codes": "a phone names no city",
    "official_directory": "a sign-in name names no city",
    "official_sessions": "a token names no city",
    "official_devices": "a cookie names no city",
    "official_tries": "whoever fails to sign in may have typed any name",
    "departure_notes": "an identity names no city",
    "closed_residents": "whoever left may hold something in any city",
    "service_tokens": "a bridge serves the tills of several cities",
}
"""The short list: what is looked for before a city can be named, or is limited across cities."""


def sources() -> list[Path]:
    """Every Python file of production code; what npm installed beside it is not ours."""
    found = (path for program in PROGRAMS for path in (ROOT / program).rglob("*.py"))
    return sorted(path for path in found if "node_modules" not in path.parts)


def tracked() -> list[Path]:
    """Every file under version control; without a checkout the test is skipped, and says so."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("needs a git checkout, to know which files are the project's")
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


@cache
def modules() -> dict[str, object]:
    """Every module of the backend, imported, but for programs that start on import."""
    found = (module.name for module in pkgutil.walk_packages(backend.__path__, "backend."))
    return {name: importlib.import_module(name) for name in found if not name.endswith((".wsgi", ".__main__"))}


def city_tables() -> frozenset[str]:
    modules()
    return frozenset(metadata.tables) - REGISTRIES - CROSS_CITY.keys()


def statements() -> dict[str, str]:
    """Every SQL statement that stands in a constant of the backend, by where it stands."""
    return {
        f"{name}.{constant}": value
        for name, module in modules().items()
        for constant, value in vars(module).items()
        if isinstance(value, str) and re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\s", value)
    }


def refusals() -> list[type[DomainError]]:
    """Every refusal of the backend."""
    modules()
    found: list[type[DomainError]] = []
    waiting = [DomainError]
    while waiting:
        subclasses = waiting.pop().__subclasses__()
        found += [refusal for refusal in subclasses if refusal.__module__.startswith("backend.")]
        waiting += subclasses
    return found
