"""Turns pictures and camera frames into label codes that were voted on.

Owns: which engines look at which views of a picture, and when what they say is believed.
Invariant: a text that only one untrusted witness saw is not a code; a doubtful picture gives nothing,
because a wrong code is a wrong award.

`still.VotingStillReader()` spends what a picture takes, within bounds;
`live.VotingLiveReader()` spends what a frame can afford and gives each physical label once.
"""
