"""What a resident agreed to, purpose by purpose, and whose agreement stands in for a child's.

Invariants: the history is append-only and names the very text by its SHA-256, which is stored; giving and withdrawing are
one call each; nothing but the optional purposes depends on any of it.
"""
