"""The repository that tills fetch their updates from: a folder of signed metadata and targets that any web server can serve.

Root and targets are signed by keys that stay offline; snapshot and timestamp by one that a machine may hold, so that the
repository stays fresh without a person. The Update Framework (specification 1.0) says what each of them can and cannot do.
"""

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Signed, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization import DeserializationError

from backend.devices.updates.model import Release
from backend.kernel.errors import DomainError

OFFLINE_VALID = timedelta(days=365)
SNAPSHOT_VALID = timedelta(days=30)
TIMESTAMP_VALID = timedelta(days=14)
"""How long tills believe that nothing newer exists: who would hide an update from them has no longer."""
ROLES = ("root", "targets", "online")
ONLINE = (Snapshot.type, Timestamp.type)

Signer = Ed25519PrivateKey
Kind = TypeVar("Kind", Root, Targets, Snapshot, Timestamp)


class RepositoryExists(DomainError):
    code = "update-repository-exists"
    text_zh = "{folder} 中已有更新仓库。"
    text_en = "There is an update repository in {folder} already."


class RepositoryUnusable(DomainError):
    code = "update-repository-unusable"
    text_zh = "{folder} 不是可用的更新仓库（{reason}）。"
    text_en = "{folder} is not a usable update repository ({reason})."


class KeyNotOfRole(DomainError):
    code = "update-key-not-of-role"
    text_zh = "该密钥不是此仓库 {role} 角色的密钥，未发布。"
    text_en = "The key is not one that this repository trusts for {role}; nothing was published."


class TargetExists(DomainError):
    code = "update-target-exists"
    text_zh = "更新包 {target} 已发布且内容不同；请使用新的版本号。"
    text_en = "The target {target} was published with other content; give it a new version."


class Keys(NamedTuple):
    """`root` and `targets` stay offline; `online` signs snapshot and timestamp."""

    root: Signer
    targets: Signer
    online: Signer


class Published(NamedTuple):
    target: str
    sha256: str
    length_bytes: int
    targets_version: int


def make_keys(folder: Path) -> list[Path]:
    """A key file for each role, readable by its owner only; what is there already stays as it is."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = []
    for role in ROLES:
        path = folder / f"{role}.pem"
        if not path.exists():
            pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(pem)
            made.append(path)
    return made


def create(folder: Path, keys: Keys, now: datetime) -> Path:
    """An empty repository; the path of the root.json that each till is given. Raises RepositoryExists."""
    metadata = folder / "metadata"
    if metadata.exists() and any(metadata.iterdir()):
        raise RepositoryExists(folder=folder)
    metadata.mkdir(parents=True, exist_ok=True)
    (folder / "targets").mkdir(exist_ok=True)
    root = Root(consistent_snapshot=True)
    _trust(root, keys, now)
    _write(metadata, root, keys.root)
    _write(metadata, Targets(expires=_after(now, OFFLINE_VALID)), keys.targets)
    _publish_state(metadata, Snapshot(), Timestamp(), keys.online, now)
    return metadata / "1.root.json"


def publish(
    folder: Path, bundle: Path, release: Release, targets_key: Signer, online_key: Signer, now: datetime
) -> Published:
    """Adds `bundle` as the target of `release`. Raises RepositoryUnusable, KeyNotOfRole, TargetExists.

    Tills see it with the new timestamp, which comes last: a publication that is cut shows them the old state, whole.
    """
    metadata = folder / "metadata"
    root, targets = _newest(metadata, Root), _newest(metadata, Targets)
    _check_key(root, Targets.type, targets_key)
    _check_key(root, Snapshot.type, online_key)
    target = TargetFile.from_file(release.target, str(bundle), ["sha256"])
    target.unrecognized_fields["custom"] = release.custom()
    known = targets.targets.get(release.target)
    if known is not None and known != target:
        raise TargetExists(target=release.target)
    _place(bundle, folder / "targets" / _hashed(release.target, target.hashes["sha256"]))
    targets.targets[release.target] = target
    targets.version += 1
    targets.expires = _after(now, OFFLINE_VALID)
    _write(metadata, targets, targets_key)
    _refresh(metadata, online_key, now)
    return Published(release.target, target.hashes["sha256"], target.length, targets.version)


def refresh(folder: Path, online_key: Signer, now: datetime) -> datetime:
    """Signs snapshot and timestamp anew: until when tills believe it. Raises RepositoryUnusable, KeyNotOfRole."""
    metadata = folder / "metadata"
    _check_key(_newest(metadata, Root), Timestamp.type, online_key)
    return _refresh(metadata, online_key, now)


def renew(folder: Path, keys: Keys, new: Keys, now: datetime) -> Path:
    """A new root for another year, with `new` keys in place of `keys` (the same ones: none is changed): its root.json.

    The old root signs it too, so tills that know any former root come to believe it. Raises RepositoryUnusable, KeyNotOfRole.
    """
    metadata = folder / "metadata"
    root, targets = _newest(metadata, Root), _newest(metadata, Targets)
    _check_key(root, Root.type, keys.root)
    for role in root.roles.values():
        role.keyids.clear()
    root.keys.clear()
    _trust(root, new, now)
    root.version += 1
    _write(metadata, root, *dict.fromkeys((keys.root, new.root)))
    targets.version += 1
    targets.expires = _after(now, OFFLINE_VALID)
    _write(metadata, targets, new.targets)
    _refresh(metadata, new.online, now)
    return metadata / f"{root.version}.root.json"


def _trust(root: Root, keys: Keys, now: datetime) -> None:
    root.expires = _after(now, OFFLINE_VALID)
    for role, key in zip((Root.type, Targets.type, *ONLINE), (*keys[:2], keys.online, keys.online), strict=True):
        root.add_key(CryptoSigner(key).public_key, role)


def _refresh(metadata: Path, online_key: Signer, now: datetime) -> datetime:
    snapshot, timestamp = _newest(metadata, Snapshot), _read(metadata / "timestamp.json", Timestamp)
    snapshot.meta["targets.json"].version = _newest(metadata, Targets).version
    snapshot.version += 1
    timestamp.version += 1
    _publish_state(metadata, snapshot, timestamp, online_key, now)
    return timestamp.expires


def _publish_state(metadata: Path, snapshot: Snapshot, timestamp: Timestamp, key: Signer, now: datetime) -> None:
    snapshot.expires = _after(now, SNAPSHOT_VALID)
    _write(metadata, snapshot, key)
    timestamp.snapshot_meta.version = snapshot.version
    timestamp.expires = _after(now, TIMESTAMP_VALID)
    _write(metadata, timestamp, key)


def _check_key(root: Root, role: str, key: Signer) -> None:
    if CryptoSigner(key).public_key.keyid not in root.roles[role].keyids:
        raise KeyNotOfRole(role=role)


def _write(metadata: Path, signed: Signed, *keys: Signer) -> None:
    """By rename, so that a server never hands out half a file."""
    envelope = Metadata[Any](signed)
    for key in keys:
        envelope.sign(CryptoSigner(key), append=True)
    name = "timestamp.json" if isinstance(signed, Timestamp) else f"{signed.version}.{signed.type}.json"
    _replace(metadata / name, envelope.to_bytes())


def _place(bundle: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    _replace(path, bundle.read_bytes())


def _replace(path: Path, content: bytes) -> None:
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _newest(metadata: Path, kind: type[Kind]) -> Kind:
    versions = [int(path.name.split(".")[0]) for path in metadata.glob(f"[0-9]*.{kind.type}.json")]
    return _read(metadata / f"{max(versions, default=1)}.{kind.type}.json", kind)


def _read(path: Path, kind: type[Kind]) -> Kind:
    try:
        found = Metadata[Any].from_bytes(path.read_bytes())
    except (OSError, ValueError, RepositoryError, DeserializationError) as error:
        raise RepositoryUnusable(folder=path.parent.parent, reason=f"{path.name}: {type(error).__name__}") from None
    if not isinstance(found.signed, kind):
        raise RepositoryUnusable(folder=path.parent.parent, reason=path.name)
    return found.signed


def _hashed(target: str, sha256: str) -> str:
    """Where a target of a consistent repository lies: a name never changes its content."""
    folder, _, name = target.rpartition("/")
    return f"{folder}/{sha256}.{name}" if folder else f"{sha256}.{name}"


def _after(now: datetime, period: timedelta) -> datetime:
    return (now + period).replace(microsecond=0)
