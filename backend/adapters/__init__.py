"""What lies outside, spoken to in its own way: the queue of jobs.

Invariant: nothing here decides about value. An adapter calls use cases and may be late, run twice or be killed.
"""
