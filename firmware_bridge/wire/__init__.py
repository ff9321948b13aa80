"""What scanner, bridge and backend agree on, byte by byte; standard library and orjson only.

Golden files in `tests/contracts` pin it. They are added to, never edited.
"""
