import pytest
from click.testing import CliRunner, Result

from backend.cli.main import program
from tests.db.operator.typed import Run


@pytest.fixture
def run(database_url: str) -> Run:
    runner = CliRunner(env={"DATABASE_URL": database_url})

    def invoke(*words: str) -> Result:
        return runner.invoke(program, words)

    return invoke
