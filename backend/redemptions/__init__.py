"""What points are good for: a city's catalogue, redemptions of it, and the vouchers that come of them.

Invariants: versions of an entry are append-only, and say who published them; of a stock never more is taken than there is,
of a limit never more than it allows (code and CHECK); a redemption is held, then confirmed, cancelled or expired, once;
what is undone gives back stock, limit and points together. A code stands here as its hash alone; its owner's is made
again from a key that is not in the database. Nothing passes from person to person, and nothing is paid out in money.
"""
