from sqlalchemy import Connection

from backend.storage.transaction import hot

FIRST = ""

DELETE_BOOTS = """
WITH slice AS MATERIALIZED (
  SELECT DISTINCT device FROM device_boots WHERE city = %(city)s AND device > %(after)s ORDER BY device LIMIT %(limit)s),
ranked AS (
  SELECT b.device, b.stream, b.boot,
         row_number() OVER (PARTITION BY b.device ORDER BY b.session DESC, b.stream, b.boot) AS place
  FROM device_boots b WHERE b.city = %(city)s AND b.device = ANY(ARRAY(SELECT device FROM slice))),
gone AS (
  DELETE FROM device_boots b USING ranked r
  WHERE b.city = %(city)s AND b.device = r.device AND b.stream = r.stream AND b.boot = r.boot AND r.place > %(kept)s
  RETURNING 1)
SELECT (SELECT device FROM slice ORDER BY device DESC LIMIT 1), (SELECT count(*) FROM gone)"""


def delete_old_boots(connection: Connection, city: str, after: str, *, kept: int, limit: int) -> tuple[str | None, int]:
    """Leaves the `kept` newest boots of each of `limit` devices above `after`.

    The last device, None at the end of the table, and how many boots were deleted.
    """
    row = hot(connection, DELETE_BOOTS, {"city": city, "after": after, "kept": kept, "limit": limit}).fetchone()
    assert row is not None
    return row[0], row[1]
