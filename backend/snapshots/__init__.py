"""What a till may say of a label at once, offline: eligible goods and what they would probably earn, as signed snapshots.

A snapshot promises nothing: it is made from certificates valid now and policies in force, knows no caps, no resident
and no price, and says until when each of its lines holds. A city's lines are kept with the versions between which they
stood, so that every difference between two versions gives exactly the later one.
"""
