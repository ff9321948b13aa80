"""The green-credit passport: coarse, positive statements that their owner holds and shows.

Invariants: nothing negative can be written (CHECK); off without a consent of its own; a statement looks back 12 months and
ends after 12 more; shown to one named recipient for one purpose; what goes to a platform goes under a published ground, with
the consent read in the same transaction, and a withdrawal stops it and asks for deletion.
"""
