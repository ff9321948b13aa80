"""The database alone holds an account's unit to the end of its address."""

import psycopg
import pytest

from backend.kernel.amounts import Unit
from backend.storage.transaction import Database
from tests.worlds.city import NANJING

OPEN = "INSERT INTO accounts (city, account, unit, floor, opened_at) VALUES (%s, %s, %s, 0, now())"


@pytest.mark.parametrize("unit", Unit)
def test_an_account_is_of_the_unit_that_its_address_ends_in(
    engine_db: Database,
    database_url: str,
    unit: Unit,
) -> None:
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute(OPEN, (NANJING, f"resident:a:{unit}", unit))
        for wrong in (*(other for other in Unit if other is not unit), "gold", f"x{unit}"):
            with pytest.raises(psycopg.errors.CheckViolation, match="ck_accounts_address"):
                owner.execute(OPEN, (NANJING, f"resident:b:{unit}", wrong))
            with pytest.raises(psycopg.errors.CheckViolation, match="ck_accounts_address"):
                owner.execute(OPEN, (NANJING, f"resident:b:{wrong}", unit))
