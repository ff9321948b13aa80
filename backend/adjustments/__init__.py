"""What officials give or take by hand: to or from a resident or a shop, for a cause that is named, under a ticket.

Invariants: beyond what a role may adjust alone a second person approves, who did not propose it (code and CHECK); each is one
posting from the account of its cause; nothing is posted twice, and nothing that was refused.
"""
