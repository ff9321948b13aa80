import threading
from collections.abc import Iterable, Mapping
from itertools import islice

from sqlalchemy import Connection

from backend.certificates.model import Entry
from backend.certificates.store import load_entries

KEYS_MAX = 200_000
DROPPED_PART = 4
"""When there are too many, one key in so many is dropped."""


class RegistryCache:
    """Entries of recently asked keys, all of one registry version; unknown keys are kept as empty tuples.

    Shared by threads: whoever reads holds the entries of its version, to which others only add; another version, and what is
    left when the oldest are dropped, are new ones. A flood of unknown codes costs memory for `limit` keys and no more.
    """

    def __init__(self, limit: int = KEYS_MAX) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._version = -1
        self._entries: dict[str, tuple[Entry, ...]] = {}

    def lookup(self, connection: Connection, keys: Iterable[str]) -> Mapping[str, tuple[Entry, ...]]:
        return self.read(connection, keys)[1]

    def as_of(self, connection: Connection, keys: set[str], version: int) -> Mapping[str, tuple[Entry, ...]]:
        """What `lookup` finds, for who has just read the registry's version: no statement when all is held in it."""
        with self._lock:
            held = self._entries if self._version == version else {}
        return held if keys <= held.keys() else self.lookup(connection, keys)

    def read(self, connection: Connection, keys: Iterable[str]) -> tuple[int, Mapping[str, tuple[Entry, ...]]]:
        """The registry version and the entries of each key in it, among others. One statement, which reads the version and
        what is not held; two when the version has changed since the rest was read.
        """
        wanted = set(keys)
        with self._lock:
            cached_version, held = self._version, self._entries
            missing = [key for key in wanted if key not in held]
        version, loaded = load_entries(connection, missing)
        if version != cached_version and len(missing) < len(wanted):
            missing = list(wanted)
            version, loaded = load_entries(connection, missing)
        if not missing:
            return version, held
        fresh = {key: loaded.get(key, ()) for key in missing}
        self._keep(version, fresh)
        return version, {**{key: held[key] for key in wanted if key not in fresh}, **fresh}

    def _keep(self, version: int, fresh: Mapping[str, tuple[Entry, ...]]) -> None:
        with self._lock:
            if version < self._version:  # read before another thread saw a newer one
                return
            if version > self._version:
                self._version, self._entries = version, {}
            self._entries.update(fresh)
            surplus = len(self._entries) - self._limit
            if surplus > 0:
                # More than there is need to, or a flood would have all of them copied for each of its codes.
                self._entries = dict(islice(self._entries.items(), surplus + self._limit // DROPPED_PART, None))
