"""How a reading transaction begins: once, with all that holds for it."""

from backend.storage.transaction import Database, hot
from tests.worlds.statements import recorded


def test_a_read_within_a_city_begins_in_one_round_trip(database_url: str) -> None:
    with recorded() as heard:
        database = Database(database_url, role="greenpoints_console", pool_size=1)
        with database.read():
            pass  # the first connection asks which server it is
        heard.clear()
        with database.within("320100").read() as connection:
            (read_only, city) = hot(
                connection, "SELECT current_setting('transaction_read_only'), current_setting('greenpoints.city')"
            ).fetchone() or ("", "")
        database.close()

    assert (read_only, city) == ("on", "320100")
    assert [one.statement for one in heard][:1] == ["BEGIN READ ONLY; SET LOCAL greenpoints.city = '320100'"]
    assert len(heard) == 2


def test_a_connection_that_read_one_city_writes_another(database_url: str) -> None:
    database = Database(database_url, role="greenpoints_console", pool_size=1)
    with database.within("320100").read():
        pass
    asked = "SELECT current_setting('transaction_read_only'), current_setting('greenpoints.city')"

    found = database.within("320500").write(lambda connection: hot(connection, asked).fetchone())

    database.close()
    assert found == ("off", "320500")
