"""`make bench`: ratios to floors that run interleaved in the same minutes; never an absolute time.

The floors are the least that any durable recording of scans costs on this machine: minimal tables, no policy.
"""
