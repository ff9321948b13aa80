"""A city's published rules: what a scan earns, under which conditions, within which caps and budget.

Invariants: a version is immutable and bound to a published document number; the sale time picks the version;
`evaluate` is pure and gives the same verdict from the same facts for ever; nothing is awarded without a budget, a cap
and an end date.
"""
