"""The bridge between the tills' broker and the backend.

Owns: the wire contract (`wire/`), and one process that forwards every message of every till to the
backend, unopened, and the backend's receipts back. It has no database and no key register and decides
nothing.
Invariants: a message is acknowledged to the broker only after the backend has answered 200 for it;
acknowledgements go out in the order of arrival; a message of an older connection is never acknowledged.
"""
