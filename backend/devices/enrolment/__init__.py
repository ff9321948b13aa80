"""How a till comes to its certificate and keys, changes them, and loses them.

Invariants: a claim is good once, for one pair of keys; private keys never leave the till; a device id is never given out
twice, so that what a broker or a certificate says of it stays true for ever.
"""
