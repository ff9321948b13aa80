"""The database: metadata, column kinds, the one transaction that commits, the embedded server.

Invariants: `transaction.run` is the only commit; one transaction is one city; hot statements carry `city =`.
"""
