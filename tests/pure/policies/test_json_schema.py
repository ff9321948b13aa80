"""The schema and the page that people write documents by are those of the code that reads them."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from backend.policies.document import PolicyRefused, load_policy
from backend.policies.json_schema import DESCRIPTIONS, json_schema, reference
from tests.architecture.project import ROOT

CANONICAL = sorted((Path(__file__).parent / "canonical").glob("*.json"))
PAGE = ROOT / "backend" / "policies" / "REFERENCE.md"


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(json_schema())  # or it raises SchemaError

    assert not Draft202012Validator(json_schema()).is_valid({})


@pytest.mark.parametrize("path", [*CANONICAL, ROOT / "backend/demo/nanjing/policy.json"], ids=lambda path: path.stem)
def test_documents_that_load_satisfy_the_schema(path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))

    assert list(Draft202012Validator(json_schema()).iter_errors(document)) == []


@pytest.mark.parametrize("path", CANONICAL, ids=lambda path: path.stem)
def test_what_breaks_the_schema_is_refused_by_the_loader(path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    validator = Draft202012Validator(json_schema())
    for field in list(document):
        broken = {**document, field: {"no such": "thing"}}
        assert list(validator.iter_errors(broken))
        with pytest.raises(PolicyRefused):
            load_policy(json.dumps(broken, ensure_ascii=False))


def test_every_field_is_described() -> None:
    shapes = {name: shape for name, shape in json_schema()["$defs"].items() if name != "Condition"}

    assert {name: sorted(shape["properties"]) for name, shape in shapes.items()} == {
        name: sorted(fields) for name, fields in DESCRIPTIONS.items()
    }


def test_the_page_is_made_from_the_code() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference()
