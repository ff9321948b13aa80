"""Paper cards, for residents without a smartphone: a number that the till reads as it would a member code.

Invariants: a card's number is known here by its hash alone; it names one resident, credits a few sales of a day and redeems
nothing; a card that was lost or replaced credits nothing that is sold from that moment on.
"""
