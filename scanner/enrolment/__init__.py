"""How a till comes to its identity: keys that never leave it, a certificate for a claim, new keys in time.

Invariants: private keys are made here, 0600, and on disk before anyone hears of their public halves; an identity is whole
or not there; whatever is cut short is taken up again with the same keys, so the server gives the same answer.
"""
