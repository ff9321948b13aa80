"""What the cashier sees: one page, served by the till to a browser on the same machine.

Owns: what of the till's notices is worth a cashier's look, the large words for its state, the page and its server.
Invariants: it decides nothing and stores nothing; whatever happens to it, the till goes on. Only the loopback address
is listened on, only a request that names it is answered, no file is found by what a request says, and nothing on the
page comes from elsewhere.
"""
