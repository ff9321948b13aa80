"""Whatever is sent to the resident API gets an answer that its description foresees, and nothing without a session.

Requests are drawn from the description (schemathesis): some as it wants them, some not. SCHEMATHESIS_EXAMPLES of each
kind for each operation; the long form has hundreds. The seed is fixed unless SCHEMATHESIS_RANDOM is set.
"""

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest
import schemathesis
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as how
from schemathesis import APIOperation, Case, GenerationMode, Response

from backend.bootstrap import Backend
from backend.settings import Settings
from backend.web.app import create_app
from tests.http.conftest import Clock
from tests.worlds.city import FRIDGE, NANJING, City

API = "/api/resident/v1"
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "1"))
RANDOM = "SCHEMATHESIS_RANDOM" in os.environ
CALM = how(
    max_examples=EXAMPLES,
    derandomize=not RANDOM,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
REFUSED = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 429]
"""What may become of a request that is not as described. 413: a text of 20,000 characters makes the whole body too large."""
BEYOND_A_SCHEMA = {
    "Not the code of a prefecture-level city.",
    "Give either code or code_b64.",
    "Give code or category, not both.",
    "With way phone, and only then.",
    "With way card, and only then.",
    "Not a valid integer.",
    "Needed with basket, and only with it.",
    "Name a shop, or a scan.",
    "Not base64.",
    "Not a `next` of this route.",
}
"""Why a request may be refused that its description allows. An integer is one to us only when written as one: 14, not 14.0."""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    key = settings.receipt_key_file.with_name("passport")
    key.write_bytes(Ed25519PrivateKey.generate().private_bytes_raw())
    return replace(settings, passport_key_file=key)


@pytest.fixture
def app(backend: Backend, city: City, clock: Clock) -> Flask:
    return create_app(backend, clock)


def test_every_request_is_answered_as_described_and_nothing_is_had_without_a_session(app: Flask) -> None:
    asked = list(operations(app))
    for number, operation in enumerate(asked):
        headers = signed_in(app, number)
        hold(operation, GenerationMode.POSITIVE, headers)
        hold(operation, GenerationMode.NEGATIVE, headers)

    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith(f"{API}/")]
    assert len(asked) == sum(len(rule.methods - {"HEAD", "OPTIONS"}) for rule in rules)


def hold(operation: APIOperation, mode: GenerationMode, headers: dict[str, str]) -> None:
    @CALM
    @given(case=operation.as_strategy(generation_mode=mode))
    def each(case: Case) -> None:
        held_to_its_description(case, headers)
        refused_without_a_session(case)

    each()


def operations(app: Flask) -> Iterator[APIOperation]:
    config = schemathesis.Config.from_dict({"checks": {"negative_data_rejection": {"expected-statuses": REFUSED}}})
    whole = schemathesis.openapi.from_wsgi("/docs/openapi.json", app, config=config)
    schema = whole.include(path_regex=f"^{API}")
    for found in schema.get_all_operations():
        yield found.ok()


def signed_in(app: Flask, number: int) -> dict[str, str]:
    """A resident with a scan, at an address of their own."""
    client = app.test_client()
    opened = client.post(
        f"{API}/sessions",
        json={"way": "development", "code": f"dev:of{number}", "city": NANJING},
        environ_base={"REMOTE_ADDR": f"10.0.{number}.1"},
    ).get_json()
    headers = {"Authorization": f"Bearer {opened['token']}"}
    scan = {"scan_id": f"00000000-0000-4000-8000-{number:012d}", "code": FRIDGE, "symbology": "EAN_13"}
    assert client.post(f"{API}/scans", json=scan, headers=headers).status_code == 201
    return headers


def held_to_its_description(case: Case, headers: dict[str, str]) -> None:
    """By every check that schemathesis has. That what is described is accepted is checked here: it knows no reasons."""
    response = case.call(headers=headers)
    case.validate_response(response, headers=headers, excluded_checks=[accepted])
    if response.status_code == 422 and case.meta and case.meta.generation.mode is GenerationMode.POSITIVE:
        reasons = {fault["detail_en"] for fault in response.json().get("errors", [])}
        assert reasons <= BEYOND_A_SCHEMA, (case.as_curl_command(), response.text)


accepted = schemathesis.checks.positive_data_acceptance


def refused_without_a_session(case: Case) -> None:
    response: Response = case.call()
    case.validate_response(response, excluded_checks=[accepted])
    if case.operation.definition.raw.get("security"):
        assert response.status_code in (401, 404), case.as_curl_command()
