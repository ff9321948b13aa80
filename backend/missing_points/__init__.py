"""Points that a till never credited: what residents claim by the shop's sales slip, what became of it, and by when.

Invariants: a resident claims a few times a day in a city, by number, amount, day and shop together; what is not there and
what is somebody else's answer the same; a claim that finds nothing is decided by an official in time, and once more by
another where the resident asks; a sale is given once.
"""
