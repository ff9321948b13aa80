"""The update repository as this till believes it: python-tuf checks every byte, this only fetches and goes on after a cut."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import urllib3
from tuf.api import exceptions
from tuf.api.metadata import TargetFile
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig
from urllib3.exceptions import HTTPError

from scanner.update.release import UpdateRefused

CHUNK_BYTES: Final = 65_536
TIMEOUT_S: Final = 30.0
BUNDLE_BYTES_MAX: Final = 2 * 2**30
PARTIAL, BAD_REQUEST = 206, 400


class SignatureInvalid(UpdateRefused):
    code = "signature_invalid"
    text_zh = "更新源的签名无效，已拒绝。"
    text_en = "The repository's signatures are not good; the update was refused."


class MetadataRolledBack(UpdateRefused):
    code = "metadata_rolled_back"
    text_zh = "更新源的元数据早于本机已信任的版本，已拒绝。"
    text_en = "The repository's metadata are older than what this till trusts already; the update was refused."


class MetadataUnusable(UpdateRefused):
    code = "metadata_unusable"
    text_zh = "更新源的元数据无法使用，已拒绝。"
    text_en = "The repository's metadata are not usable; the update was refused."


class ContentMismatch(UpdateRefused):
    code = "hash_mismatch"
    text_zh = "更新包的长度或 SHA-256 与签名的不符，已拒绝。"
    text_en = "Length or SHA-256 of the bundle is not what was signed; the update was refused."


class TargetUnknown(UpdateRefused):
    code = "target_unknown"
    text_zh = "更新源中没有 {target}。"
    text_en = "The repository has no {target}."


class RepositoryAway(Exception):
    """Nothing to be had now; it is tried again later. `reason`: unreachable, or metadata_expired."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Repository:
    """`folder` keeps what is trusted by now, so that nobody can show this till an older state."""

    def __init__(self, url: str, root: Path, folder: Path, ca: Path | None) -> None:
        """`root`: the first root.json, which came with the till. `ca`: authority of the server; the system's by default."""
        self._url = url.rstrip("/")
        self._root = root
        self._folder = folder
        self._fetcher = _Fetcher(ca)
        self._updater: Updater | None = None

    def find(self, target: str) -> TargetFile:
        """What the repository says of `target` now. Raises UpdateRefused, RepositoryAway."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._fetcher.part = None
        with _translated():
            self._updater = Updater(
                str(self._folder),
                f"{self._url}/metadata/",
                target_base_url=f"{self._url}/targets/",
                fetcher=self._fetcher,
                config=UpdaterConfig(app_user_agent="greenpoints-till"),
                bootstrap=self._root.read_bytes(),
            )
            found = self._updater.get_targetinfo(target)
        if found is None:
            raise TargetUnknown(target=target)
        if found.length > BUNDLE_BYTES_MAX:
            raise ContentMismatch
        return found

    def fetch(self, found: TargetFile, path: Path) -> None:
        """Downloads what `find` found to `path`, from where an earlier attempt was cut. Raises UpdateRefused, RepositoryAway."""
        part = path.with_name(f"{found.hashes['sha256']}.part")
        for other in path.parent.glob("*.part"):
            if other != part:
                other.unlink()
        self._fetcher.part = part
        goes_on = part.exists()
        try:
            self._download(found, path)
        except ContentMismatch:
            if not goes_on:
                raise
            # What the earlier attempt left may be damaged, as by a power cut: once more from the start.
            self._download(found, path)
        part.unlink(missing_ok=True)

    def _download(self, found: TargetFile, path: Path) -> None:
        """Of what was refused nothing is kept."""
        assert self._updater is not None
        assert self._fetcher.part is not None
        try:
            with _translated():
                if self._updater.find_cached_target(found, str(path)) is None:
                    self._updater.download_target(found, str(path))
        except UpdateRefused:
            self._fetcher.part.unlink(missing_ok=True)
            raise


class _Fetcher(FetcherInterface):
    def __init__(self, ca: Path | None) -> None:
        timeout = urllib3.Timeout(TIMEOUT_S)
        retries = urllib3.Retry(0, redirect=3)
        ca_certs = None if ca is None else str(ca)
        self._pool = urllib3.PoolManager(timeout=timeout, retries=retries, ca_certs=ca_certs)
        self.part: Path | None = None
        """Where a target grows; it is kept when the connection breaks."""

    @contextmanager
    def download_file(self, url: str, max_length: int) -> Iterator[IO[bytes]]:
        """A target grows in its own file: the library's, in a folder that may be memory, would begin anew each time."""
        if self.part is None:
            with super().download_file(url, max_length) as file:
                yield file
            return
        self._grow(url, self.part, max_length)
        with self.part.open("rb") as file:
            yield file

    def _fetch(self, url: str) -> Iterator[bytes]:
        response = self._get(url, {})
        self._refuse_failure(response)
        return self._chunks(response)

    def _grow(self, url: str, part: Path, max_length: int) -> None:
        have = part.stat().st_size if part.exists() else 0
        if have >= max_length:
            return
        response = self._get(url, {"Range": f"bytes={have}-"} if have else {})
        self._refuse_failure(response)
        goes_on = response.status == PARTIAL and response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        have = have if goes_on else 0
        with part.open("ab" if goes_on else "wb") as file:
            for chunk in self._chunks(response):
                have += len(chunk)
                if have > max_length:
                    raise exceptions.DownloadLengthMismatchError(f"more than {max_length} bytes")
                file.write(chunk)

    def _get(self, url: str, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        try:
            return self._pool.request(
                "GET", url, headers={"Accept-Encoding": "identity", **headers}, preload_content=False
            )
        except HTTPError as error:
            raise exceptions.DownloadError(url) from error

    def _refuse_failure(self, response: urllib3.BaseHTTPResponse) -> None:
        if response.status >= BAD_REQUEST:
            response.release_conn()
            raise exceptions.DownloadHTTPError(str(response.status), response.status)

    def _chunks(self, response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
        try:
            yield from response.stream(CHUNK_BYTES, decode_content=False)
        except HTTPError as error:
            raise exceptions.DownloadError("the connection broke") from error
        finally:
            response.release_conn()


@contextmanager
def _translated() -> Iterator[None]:
    """The library's refusals in this till's words."""
    try:
        yield
    except (exceptions.DownloadLengthMismatchError, exceptions.LengthOrHashMismatchError):
        raise ContentMismatch from None
    except exceptions.DownloadError:
        raise RepositoryAway("unreachable") from None
    except exceptions.ExpiredMetadataError:
        raise RepositoryAway("metadata_expired") from None
    except exceptions.BadVersionNumberError:
        raise MetadataRolledBack from None
    except exceptions.UnsignedMetadataError:
        raise SignatureInvalid from None
    except (exceptions.RepositoryError, FileNotFoundError):
        raise MetadataUnusable from None
