"""What the till may promise while it has no connection: out of leases of budget that the server signed for it alone.

What is used of a lease stands in the outbox's own file and is on disk with the read for which it was promised, before the
beep. Nothing is promised beyond a lease, after its end, or by a clock that is unsure or was turned back.
"""
