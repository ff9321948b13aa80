"""What a read code says: which scheme, what it identifies, its canonical key. Pure, total, and never fetches a URL.

Two spellings of one label give one key. A citizen's identity number is refused by name and kept nowhere.
"""
