"""What residents say against a decision, by when it is answered, and by whom.

Invariants: one appeal a decision, ever; it is decided once, by an official who did not rule before, and where much money
follows by two; the text of a resident is kept as it was written and is shown to officials alone.
"""
