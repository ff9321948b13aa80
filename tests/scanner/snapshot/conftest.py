import hashlib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware_bridge.wire.snapshots import Line, SnapshotHead, SnapshotMessage, content_hash
from scanner.snapshot.file import SnapshotFile
from tests.scanner.till.scene import Shop

DEVICE = "nj0001-1"
FRIDGE, RICE, LABEL = "9521234000013", "9521234000044", "GF320115230001"
MADE_MS = 1_790_000_000_000
HOUR_MS = 3_600_000
FOREVER_MS = 2**53 - 1
Lines = Mapping[str, str]

USUAL: Lines = {
    f"g:0{FRIDGE}": f'["冰箱","one",{FOREVER_MS}]',
    f"g:0{RICE}": f'["有机大米","priced",{MADE_MS + HOUR_MS}]',
    f"t:{LABEL}": f'["绿色茶叶","none",{FOREVER_MS}]',
    "k:none": f'[{FOREVER_MS},{{"":[{{}},{{}}]}}]',
    "k:one": f'[{FOREVER_MS},{{"":[{{"points":5}},{{"points":10}},{{"points":7}},{{"points":"later"}}],'
    f'"320104":[{{}},{{"fen":1250}},{{}},{{}}],"s/s9":[{{}},{{"points":99}},{{}},{{}}]}}]',
    "k:priced": f'[{FOREVER_MS},{{"":[{{}},{{"points":"price"}},{{}},{{}}]}}]',
    "p:320104": '["320104"]',
    "p:s/s9": '["s/s9"]',
}


def hash_of(lines: Lines) -> str:
    return content_hash((key, lines[key]) for key in sorted(lines))


def message(
    lines: Lines, *, version: int = 100, after: int | None = None, changes: Sequence[Line] = (), **head: object
) -> SnapshotMessage:
    """The whole of `lines`, or `changes` that are said to give them."""
    usual: dict[str, object] = {
        "dev": DEVICE,
        "city": "320100",
        "district": "320102",
        "store": "s1",
        "version": version,
        "after": after,
        "made_at": MADE_MS,
        "checked_at": MADE_MS,
        "expires_at": MADE_MS + 24 * HOUR_MS,
        "lines": len(lines),
        "sha256": hash_of(lines),
    }
    given = tuple(changes) if after is not None else tuple(lines.items())
    return SnapshotMessage(SnapshotHead(**{**usual, **head}), given)  # type: ignore[arg-type]  # fields of their types


def difference(before: Lines, after: Lines) -> list[Line]:
    gone: list[Line] = [(key, None) for key in before.keys() - after.keys()]
    return gone + [(key, line) for key, line in after.items() if before.get(key) != line]


def sealed(said: SnapshotMessage, key: Ed25519PrivateKey) -> bytes:
    """As the backend seals it."""
    fields = {name: getattr(said.head, name) for name in SnapshotHead.__slots__}
    lines = "".join(f"{name}\n" if line is None else f"{name}\t{line}\n" for name, line in said.lines)
    body = orjson.dumps(fields) + b"\n" + zlib.compress(lines.encode())
    return b"\x01" + key.sign(b"pos-snapshots-v1\0" + DEVICE.encode() + b"\0" + body) + body


def many(count: int) -> Lines:
    """A snapshot of so many products."""
    kinds = {f"k:{number}": f'[{FOREVER_MS},{{"":[{{"points":{number + 1}}},{{}},{{}},{{}}]}}]' for number in range(50)}
    goods = {
        f"g:{number:014d}": f'["示例商品 {hashlib.sha256(str(number).encode()).hexdigest()[:6]}","{number % 50}",{FOREVER_MS}]'
        for number in range(count)
    }
    return {**goods, **kinds}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "snapshot.sqlite"


@pytest.fixture
def file(path: Path) -> Iterator[SnapshotFile]:
    opened = SnapshotFile(path, DEVICE)
    yield opened
    opened.close()


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop.furnish(tmp_path)
