"""Notices that a resident asked for: grants as WeChat gives them, one notice each, and what was sent.

Invariants: a grant is spent before its notice is handed to WeChat, so a crash may lose a notice and never doubles one; the
open id is kept sealed, and goes with the last grant.
"""
