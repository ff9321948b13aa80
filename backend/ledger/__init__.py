"""Accounts, transfers and postings: where every point and fen came from and went.

Invariants: one row moves a positive amount of one unit from a source to a destination account, so nothing unbalanced
can be written; rows are append-only by grant; a posting is unique for ever by (city, reference, step); the balance of an
account is the fold of its transfers and never below its floor. Knows no label, resident or policy.
"""
