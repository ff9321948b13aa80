import threading
from collections.abc import Iterable, Mapping
from itertools import islice

from sqlalchemy import Connection

from backend.certificates.model import Entry
from backend.certificates.store import load_entries

KEYS_MAX = 200_000


class RegistryCache:
    """Entries of recently asked keys, all of one registry version; unknown keys are kept as empty tuples.

    Shared by threads. Holding more than `limit` keys drops the oldest: a flood of unknown codes costs memory no more.
    """

    def __init__(self, limit: int = KEYS_MAX) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._version = -1
        self._entries: dict[str, tuple[Entry, ...]] = {}

    def lookup(self, connection: Connection, keys: Iterable[str]) -> Mapping[str, tuple[Entry, ...]]:
        return self.read(connection, keys)[1]

    def read(self, connection: Connection, keys: Iterable[str]) -> tuple[int, Mapping[str, tuple[Entry, ...]]]:
        """The registry version and the entries of each key in it. One statement, which reads the version and what is
        not held; two when the version has changed since the rest was read.
        """
        wanted = list(dict.fromkeys(keys))
        with self._lock:
            cached_version = self._version
            held = {key: found for key in wanted if (found := self._entries.get(key)) is not None}
        missing = [key for key in wanted if key not in held] if len(held) < len(wanted) else []
        version, loaded = load_entries(connection, missing)
        if version != cached_version and held:
            missing, held = wanted, {}
            version, loaded = load_entries(connection, missing)
        if not missing:
            return version, held
        fresh = {key: loaded.get(key, ()) for key in missing}
        self._keep(version, fresh)
        return version, {**held, **fresh}

    def _keep(self, version: int, fresh: Mapping[str, tuple[Entry, ...]]) -> None:
        with self._lock:
            if version < self._version:  # read before another thread saw a newer one
                return
            if version > self._version:
                self._version = version
                self._entries.clear()
            self._entries.update(fresh)
            surplus = len(self._entries) - self._limit
            for key in list(islice(self._entries, max(0, surplus))):
                del self._entries[key]
