"""The database: metadata, column kinds, the one transaction that commits, and the embedded server of the demonstration.

Invariants: `transaction.run` is the only commit; one transaction is one city; hot statements carry `city =`.
"""
