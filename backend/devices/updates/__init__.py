"""Rollouts: which release is offered to which tills of a city, in growing shares, and what became of it on each.

Invariants: at most one rollout of a city is under way; a till's state only goes forward; a till that says nothing until its
deadline has failed; what tills report is unsigned, so it moves rollouts and nothing else.
"""
