from tests.db.operator.conftest import run

__all__ = ["run"]
