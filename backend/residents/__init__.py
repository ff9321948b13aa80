"""Who earns: residents, their sessions and the short-lived member codes that they show at a till.

Invariants: a code serves one basket (and its continuations) within its two minutes; tokens are stored hashed; a person is
found by a keyed hash of an outside identity, never by the identity itself.
"""
