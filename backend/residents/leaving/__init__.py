"""A resident leaves: what ties the books to the person is destroyed, what the books need stays under a name of nobody's.

Invariants: once closed, no row names an outside identity, a session, a code or a key of the resident's; the sealed note of
limits used opens only for whoever comes back with the same identity, and is gone after a year.
"""
