"""Scans that wait for a person, and what persons decided of them.

Invariants: a held decision is ruled on once, with a reason; where much would follow from a release, two persons stand behind it;
whoever ruled, or approved, does not decide an appeal against what followed.
"""
