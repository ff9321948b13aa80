"""What tills say of their own state: births, deaths, health; and what that makes of each till at a moment.

Invariants: a till's presence is that of its greatest session, and a death ends its session for good, in whatever order
messages come; reports are unsigned, so they inform people and never count for anything.
"""
