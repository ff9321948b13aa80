"""The second wall between cities: what an official's page forgets to filter, the database filters.

Policies bind the console's role alone. The engine, the auditor and the owner of a table see and write every city; theirs is a
constant that the planner drops.
"""

from sqlalchemy import Connection

SETTING = "greenpoints.city"
CITY = f"current_setting('{SETTING}', true)"
"""NULL or empty where nobody said which: then no row is seen and none written."""
OWN_CITY = f"city = {CITY}"
_OWNER = "SELECT quote_ident(pg_get_userbyid(relowner)) FROM pg_class WHERE oid = '{table}'::regclass"


def raise_wall(connection: Connection, table: str, rule: str = OWN_CITY) -> None:
    """From now on the console sees and writes rows of `table` by `rule` alone. Migrations call it for every new table of a
    city, so it is never changed: another kind of wall gets a function of its own. Twice changes nothing.
    """
    owner = connection.exec_driver_sql(_OWNER.format(table=table)).scalar_one()
    statements = (
        f"DROP POLICY IF EXISTS every_city ON {table}",
        f"DROP POLICY IF EXISTS own_city ON {table}",
        f"CREATE POLICY every_city ON {table} TO greenpoints_engine, greenpoints_auditor, {owner} USING (true)",
        f"CREATE POLICY own_city ON {table} TO greenpoints_console USING ({rule})",
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
    )
    connection.exec_driver_sql("; ".join(statements), execution_options={"no_parameters": True})
