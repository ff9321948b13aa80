"""The till's program: from a label before the camera to a receipt that proves it is recorded.

Owns: reads, baskets, the outbox file, the resend law and what the cashier sees and hears.
Invariants: a read is on disk before its beep; only a signed receipt whose seq and hash match closes a row;
a full outbox refuses loudly and never evicts; a line's bytes are made once.
Imports nothing of ours but `firmware_bridge.wire`.
"""
