"""`greenpoints <noun> <verb>`: parse, one use case, print. Text for people, `--json` for machines; logs to stderr.

Exit 0 done, 1 refused (the refusal is printed), 2 usage. Commands live in one module a noun.
"""

from backend.cli.main import main

__all__ = ["main"]
