"""Updates of a till: what the server offers is fetched by TUF, built in the slot that does not run, tried, and kept or not.

Invariants: nothing is installed that the repository's offline key did not sign for this hardware; the last good slot is never
written; a crash at any moment leaves a slot that works, and the update goes on or is given up.
"""
