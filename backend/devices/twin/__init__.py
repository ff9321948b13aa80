"""Desired settings of each till and what the till made of them.

Invariants: versions of a device count up and none is changed; whoever sets one has seen the one before; a document holds
only settings that may sensibly change from afar: never keys, a broker's address, or where the outbox lies.
"""
