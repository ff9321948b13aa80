"""The job that makes the previews that officials asked for, city by city; it begins at once where one is asked for (`queue`)."""

from collections.abc import Callable
from datetime import datetime

from backend.storage.transaction import Database
from backend.usecases.preview_policy import Place
from backend.usecases.run_previews import run_previews
from backend.usecases.seal_ledger import cities_with_acts


class Previews:
    """`history` names the database that past sales are read from, by processes of their own."""

    def __init__(self, database: Database, history: Place) -> None:
        self._database, self._history = database, history

    def __call__(self, now: datetime, stopping: Callable[[], bool]) -> dict[str, object]:
        with self._database.read() as connection:
            # A draft is an act: its city is among them, also where nothing was ever sold.
            cities = sorted(cities_with_acts(connection))
        return {"previews": sum(run_previews(self._database, self._history, city, now, stopping) for city in cities)}
