"""Checks a presentation without us: `python -m backend.credit.verifier --keys keys.json --recipient NAME [--status list]`.

Reads the presentation from standard input. Nothing here is shared with what signs: the standard library and one signature
check, so that it may be read, copied and run by whoever is shown a statement. Exit 0: it holds; 1: it does not.
"""

import argparse
import base64
import json
import sys
import time
import zlib
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Refused(Exception):
    pass


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def opened(text: str, kind: str, keys: list[dict[str, str]]) -> dict[str, Any]:
    """The claims of a token of `kind` that one of `keys` signed. Raises Refused."""
    head, body, signature = text.strip().split(".")
    header = json.loads(decoded(head))
    known = {key["kid"]: key for key in keys if key.get("crv") == "Ed25519"}
    if header.get("typ") != kind or header.get("alg") != "EdDSA" or header.get("kid") not in known:
        raise Refused("kind or key")
    public = Ed25519PublicKey.from_public_bytes(decoded(known[header["kid"]]["x"]))
    public.verify(decoded(signature), f"{head}.{body}".encode())
    claims: dict[str, Any] = json.loads(decoded(body))
    return claims


def checked(text: str, keys: list[dict[str, str]], recipient: str, status: str | None, now: float) -> dict[str, Any]:
    """What a presentation says to `recipient` at `now` (Unix seconds). Raises Refused."""
    try:
        claims = opened(text, "gp-presentation+jwt", keys)
        if claims["aud"] != recipient or claims["exp"] <= now:
            raise Refused("recipient or time")
        if status is not None:
            _look_up(claims["status"]["status_list"], opened(status, "statuslist+jwt", keys), now)
    except (InvalidSignature, KeyError, ValueError, IndexError, zlib.error) as error:
        raise Refused(type(error).__name__) from None
    return claims


def _look_up(reference: dict[str, Any], listed: dict[str, Any], now: float) -> None:
    if listed["sub"] != reference["uri"] or listed["exp"] <= now:
        raise Refused("status list")
    bits = zlib.decompress(decoded(listed["status_list"]["lst"]))
    if bits[reference["idx"] // 8] >> reference["idx"] % 8 & 1:
        raise Refused("void")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--keys", type=Path, required=True)
    parser.add_argument("--recipient", required=True)
    parser.add_argument("--status", type=Path)
    given = parser.parse_args()
    keys = json.loads(given.keys.read_text())["keys"]
    status = given.status.read_text() if given.status else None
    try:
        claims = checked(sys.stdin.read(), keys, given.recipient, status, time.time())
    except Refused as refusal:
        sys.stdout.write(f"无效 / refused: {refusal}\n")
        return 1
    sys.stdout.write(f"有效 / holds: {claims['statement']}（{claims['purpose']}，{claims['nonce']}）\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
