"""`greenpoints-till doctor`: names what is wrong with a till and what to do about it.

It may be asked while the till runs: it takes no lock, changes no file and connects under a name of its own.
"""
