"""Baskets as they came in and what was decided of every scan in them; caps, once-ever labels, quarantine.

Invariants: a basket is there once (city, device, stream, seq) and its bytes never change; a decision is never changed, a
later one supersedes it by number; a cap's counter never passes its limit; a unit label is awarded once, ever, anywhere.
"""
