"""The people who act for a city or for its province, and staff of its retailers: their roles, how they prove who they are,
where they are signed in.

Invariants: a role is held in one city (a province is the city code that ends in 0000); an auditor writes nothing and holds no
other role; a retailer's staff hold one role there and no office, an official no role of a shop; a password is kept as argon2id
alone, a second factor sealed, a session by its hash; nobody signs in without a second factor; failures slow down those who
fail, never the official on a device that is known.
"""
