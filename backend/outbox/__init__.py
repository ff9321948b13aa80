"""Effects promised by a database transaction and carried out afterwards: messages to tills.

Invariant: a row is written in the transaction of its cause, so what was rolled back is never sent.
"""
