"""Slices of a policy's budget that a till may promise while it has no connection: granted, drawn on, given back.

A lease is one till's and one outbox's, bounded in amount, count and time. What it holds stands in a ledger account of its
own, so nobody else can spend it; what a till promised within it is paid once, never more than was granted.
"""
