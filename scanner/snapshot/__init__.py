"""What the till may say of a label at once: from the server's signed snapshot, on a disk of the till's own.

A snapshot is no record and never stands in the outbox: lost or broken, it is fetched again, and until then nothing is
promised. Nor is anything promised where it is over, where the clock is unsure, or of what it does not know.
"""
