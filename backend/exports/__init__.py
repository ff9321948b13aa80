"""Large tables as files for officials: asked for, written by a job piece by piece, fetched by who asked, and gone after a day.

Invariants: memory stays flat whatever the number of rows; a text is never a formula; who did not ask does not fetch.
"""
