"""What officials look into: reports of false labels, awards drawn by lot, what a lost certificate has cost.

Invariants: every step of a case is a row that nobody changes; a case is decided once, with a reason that the reporter reads; a
sample is drawn by a rule that anyone can reckon again; nothing here takes anything from a resident.
"""
