"""A city's credit platform: a file that is handed over, or an HTTP address that takes each row once."""

import os
from collections.abc import Mapping
from pathlib import Path

import httpx
import orjson
import structlog

from backend.credit.sending import Due
from backend.usecases.deliver_exports import Platform

TIMEOUT_S = 10.0

log = structlog.get_logger()


class PlatformFile:
    """One JSON line a row, on disk before it counts as sent. A row may stand there twice; its key says that it is one. What a
    full disk or a power cut left of a row is a line of its own.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, due: Due) -> bool:
        """Whether it is on disk."""
        try:
            with self._path.open("ab+") as file:
                size_bytes = file.seek(0, os.SEEK_END)
                file.seek(max(0, size_bytes - 1))
                cut = file.read(1) not in (b"", b"\n")
                file.write(b"\n" * cut + orjson.dumps(_said(due)) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as fault:
            log.warning("credit_platform_file", outcome="retried", error=type(fault).__name__)
            return False
        return True


class PlatformHttp:
    def __init__(self, url: str, client: httpx.Client) -> None:
        self._url = url
        self._client = client

    def send(self, due: Due) -> bool:
        """Whether the platform has taken it; what it refuses or does not answer is sent again."""
        try:
            answer = self._client.post(
                self._url, json=_said(due), headers={"Idempotency-Key": due.export}, timeout=TIMEOUT_S
            )
        except httpx.HTTPError as fault:
            log.warning("credit_platform", outcome="retried", error=type(fault).__name__)
            return False
        if not answer.is_success:
            log.warning("credit_platform", outcome="retried", status=answer.status_code)
        return answer.is_success


def platforms_of(addresses: Mapping[str, str], client: httpx.Client) -> dict[str, Platform]:
    """By city. Addresses begin with `https://`, or with `file:` before a path."""
    return {
        city: PlatformFile(Path(address.removeprefix("file:")))
        if address.startswith("file:")
        else PlatformHttp(address, client)
        for city, address in addresses.items()
    }


def _said(due: Due) -> dict[str, object]:
    if due.act == "erase":
        return {"export": due.export, "act": due.act, "about": due.about}
    return {
        "export": due.export,
        "act": due.act,
        "subject": due.subject.hex() if due.subject else None,
        "kind": "verified_green_purchases",
        "at_least": due.at_least,
        "months": 12,
        "ground": due.ground,
        "expires_at": due.expires_at.isoformat() if due.expires_at else None,
    }
