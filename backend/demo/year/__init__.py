"""A year of life in Suzhou, invented but lawful: sales, returns, claims, redemptions, mistakes and two kinds of misuse.

Everything goes through the use cases that tills, phones and officials use, at the moments at which it would have happened, so
that every page has something true to show. The same seed and day of ending give the same year.
"""
