"""What shops are paid: a month's claims of each retailer as a statement, disputed line by line, confirmed and paid.

Invariants: every claim (what the ledger moved into or out of a shop's account, payments aside) stands on one line of one
statement, and a closed month never changes: what is recorded later goes to the next. A line is paid once. Who prepared a
payment does not release it, and who proposed a correction does not approve it (code and CHECK). A claim that is held or
under dispute is not paid.
"""
