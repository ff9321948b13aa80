"""Settings that the server desires of this till: checked, kept, tried, and given up where the till does not stay well.

Invariants: nothing here touches the outbox or stops the till; what is on trial is on disk before it counts, so a death at any
moment ends in the last good settings or in the new ones, never between.
"""
