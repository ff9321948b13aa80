"""Who saw a resident's data, when and what for.

Invariant: the line is written in the transaction that reads, so nothing is read without one; append-only by grant.
"""
