"""The till's identities on disk, each a folder; `current` is a link to the one in use.

`next` is a link to one that is being made: it has its keys, perhaps no answer yet. `till.env` is written last, so a folder
that has it is whole. Links and files come by rename, after what they name is on disk: a power cut leaves the state before
or the state after.
"""

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from scanner.errors import TillRefusal
from scanner.whole_file import replace_private, sync_folder

CURRENT, NEXT, FOLDERS = "current", "next", "identities"
SETTINGS, TLS_KEY, SIGNING_KEY, CERTIFICATE = "till.env", "tls.key", "till.pem", "tls.crt"
CLAIM = "claim.sha256"
AUTHORITY, CITY_KEYS, RECEIPT_KEYS = "ca.pem", "city-keys", "receipt-keys"
BACKEND_AUTHORITY = "backend-ca.pem"
PREFIX = "GREENPOINTS_TILL_"


class IdentityUnusable(TillRefusal):
    code = "identity_unusable"
    text_zh = "终端身份目录 {path} 不可用：{reason}。"
    text_en = "The folder of the till's identity, {path}, is not usable: {reason}."


@dataclass(frozen=True, slots=True)
class Identity:
    """One folder: two private keys, and once it is whole, what the server gave for them."""

    folder: Path

    @property
    def is_whole(self) -> bool:
        return (self.folder / SETTINGS).exists()

    def tls_key(self) -> ec.EllipticCurvePrivateKey:
        key = self._key(TLS_KEY)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise IdentityUnusable(path=self.folder, reason=TLS_KEY)
        return key

    def signing_key(self) -> Ed25519PrivateKey:
        key = self._key(SIGNING_KEY)
        if not isinstance(key, Ed25519PrivateKey):
            raise IdentityUnusable(path=self.folder, reason=SIGNING_KEY)
        return key

    def settings(self) -> dict[str, str]:
        """Variables of a till with this identity, prefix and all."""
        lines = (self.folder / SETTINGS).read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def validity(self) -> tuple[datetime, datetime]:
        """Of the certificate, first and last moment. Raises IdentityUnusable."""
        with _named(self.folder):
            certificate = x509.load_pem_x509_certificate((self.folder / CERTIFICATE).read_bytes())
        return certificate.not_valid_before_utc, certificate.not_valid_after_utc

    def took(self, claim: str) -> bool:
        """Whether it was made for this claim."""
        kept = self.folder / CLAIM
        return kept.exists() and kept.read_text(encoding="ascii") == _sha256(claim)

    @property
    def is_unclaimed(self) -> bool:
        """Its keys were sent to nobody yet."""
        return not self.is_whole and not (self.folder / CLAIM).exists()

    def name_claim(self, claim: str) -> None:
        """Raises IdentityUnusable."""
        with _named(self.folder):
            replace_private(self.folder / CLAIM, _sha256(claim).encode())

    def complete(self, files: Mapping[str, str]) -> None:
        """Keeps the server's answer; the settings come last and make it whole. Raises IdentityUnusable."""
        with _named(self.folder):
            for name in sorted(files, key=lambda name: name == SETTINGS):
                replace_private(self.folder / name, files[name].encode())

    def _key(self, name: str) -> object:
        try:
            return load_pem_private_key((self.folder / name).read_bytes(), password=None)
        except (OSError, ValueError, TypeError) as error:
            raise IdentityUnusable(path=self.folder, reason=f"{name}: {type(error).__name__}") from error


class Identities:
    """All of a till's, below `place`. Used by one program at a time."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def current(self) -> Identity | None:
        return self._linked(CURRENT)

    def following(self) -> Identity | None:
        """The one that is being made; none where a power cut left the link to one that is in use already."""
        made = self._linked(NEXT)
        return None if made == self.current() else made

    def begin(self) -> Identity:
        """The one that is being made, with its keys; makes them where there is none. Raises IdentityUnusable."""
        with _named(self._place):
            return self.following() or self._make()

    def begin_for(self, claim: str) -> Identity:
        """The one that is being made for this claim, and names it; another claim has keys of its own, for the server may have
        taken those it was sent already. They are kept until one is adopted: either claim may still be gone on with.

        Raises IdentityUnusable.
        """
        with _named(self._place):
            made = self.following()
            if made is None or not (made.took(claim) or made.is_unclaimed):
                made = next((other for other in self._all() if other.took(claim)), None) or self._make()
            self._link(NEXT, made)
        made.name_claim(claim)
        return made

    def adopt(self, identity: Identity) -> None:
        """From now on the till is this one. The one before is kept, older ones go. Raises IdentityUnusable."""
        before = self.current()
        with _named(self._place):
            self._link(CURRENT, identity)
            (self._place / NEXT).unlink(missing_ok=True)
            sync_folder(self._place)
        for folder in (self._place / FOLDERS).iterdir():
            if folder not in (identity.folder, before.folder if before else None):
                shutil.rmtree(folder, ignore_errors=True)

    def _all(self) -> Iterator[Identity]:
        for folder in sorted((self._place / FOLDERS).glob("*")):
            yield Identity(folder)

    def _make(self) -> Identity:
        (self._place / FOLDERS).mkdir(mode=0o700, parents=True, exist_ok=True)
        signing = Ed25519PrivateKey.generate()
        name = hashlib.sha256(signing.public_key().public_bytes_raw()).hexdigest()[:16]
        identity = Identity(self._place / FOLDERS / name)
        identity.folder.mkdir(mode=0o700)
        replace_private(identity.folder / SIGNING_KEY, _pem(signing))
        replace_private(identity.folder / TLS_KEY, _pem(ec.generate_private_key(ec.SECP256R1())))
        sync_folder(self._place / FOLDERS)
        self._link(NEXT, identity)
        return identity

    def _link(self, name: str, identity: Identity) -> None:
        fresh = self._place / f"{name}.new"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(Path(FOLDERS) / identity.folder.name)
        fresh.replace(self._place / name)
        sync_folder(self._place)

    def _linked(self, name: str) -> Identity | None:
        link = self._place / name
        return Identity(self._place / FOLDERS / link.readlink().name) if link.is_symlink() else None


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """A disk that is full, read-only or broken is a refusal with a name."""
    try:
        yield
    except OSError as error:
        raise IdentityUnusable(path=path, reason=error.strerror or type(error).__name__) from error


def _pem(key: ec.EllipticCurvePrivateKey | Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _sha256(claim: str) -> str:
    return hashlib.sha256(claim.encode()).hexdigest()
