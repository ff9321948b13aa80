"""The bounds and forms of what a line may state, for its readers and for the schemas of the web."""

import re

CODE_BYTES_MAX = 2_048
QUANTITY_MAX = 9_999
PRICE_FEN_MAX = 10**10
MONO_MS_MAX = 2**53
UNIX_MS_MAX = 10**14
TEXT_MAX = 64
MEMBER_CODE_MAX = 200

BOOT = re.compile(r"[A-Za-z0-9_-]{1,64}")
WORD = re.compile(r"[A-Za-z0-9_.:-]{1,32}")
AIM = re.compile(r"\][A-Za-z][0-9A-Za-z]{1,4}")
SHA256 = re.compile(r"[0-9a-f]{64}")
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CLOSED_BY = frozenset({"member", "finish", "button", "timeout", "interrupted"})
