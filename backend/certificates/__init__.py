"""The registry: which product, model or enterprise is certified, by whom, under which scheme, and with which standing.

Owns schemes, bodies, enterprises, certificates, certified products, recognitions and import batches: shared reference
tables without `city`, written by few. Invariants:
- History is append-only, by grants: a change is a new row, a later row wins where it overlaps an earlier one.
- Two times are kept apart: since when something holds in the world (civil dates, half-open, Asia/Shanghai) and in which
  registry version it was recorded. What version N knew is exact for ever, so a decision can be replayed.
- Every database transaction that changes anything locks `registry_version` and adds one to it.
"""
