"""Tills: whose they are, by which keys they sign, what they last reported; the envelope their baskets come in.

Invariants: a device belongs to one city and store for ever; a message counts only when its signature over the exact bytes
verifies under a key of an active device that owns the topic.
"""
