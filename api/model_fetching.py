"""Models fetched from a hub: the size is known before the first byte, a broken download goes on where it broke, and what lands is whole.

The hub's own client asks what there is to fetch; `model_transfer.py` brings it. Every file is compared with the digest that the hub gives,
and the weights with the one known here.
"""

import fcntl
import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote

import structlog

from api.errors import ModelNotTaken
from api.exits import is_disk_full
from api.model_transfer import Tell, transfer
from api.operations import Progress, ignore_progress
from archive.atomic_write import sync_path
from archive.digest import CHUNK_BYTES
from archive.errors import StorageFull
from archive.model_files import MANIFEST_NAME, ModelFile, ModelManifest, PublishedModel, differences
from archive.timeline import Clock

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoSibling

ASK_TIMEOUT_S = 20
MANIFEST_ROOM_BYTES = 1 << 20

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Remote:
    """A file as the hub describes it: `sha256` of large ones, the `git_sha1` of the others."""

    name: str
    size_bytes: int
    sha256: str | None
    git_sha1: str | None

    def is_in(self, path: Path) -> bool:
        """Whether a local file holds these bytes."""
        if not path.is_file() or path.stat().st_size != self.size_bytes:
            return False
        if self.sha256:
            return _hashed(path, hashlib.sha256()) == self.sha256
        # The name that git gives a file's content; SHA-1 is all that the hub says of small files.
        git = hashlib.sha1(b"blob %d\0" % self.size_bytes, usedforsecurity=False)
        return self.git_sha1 is None or _hashed(path, git) == self.git_sha1


@dataclass(frozen=True, slots=True)
class Download:
    """What a fetch would bring, as the hub describes it now. `here_bytes` of it lie here already, from a download that broke off."""

    model: PublishedModel
    revision: str
    endpoint: str
    files: tuple[_Remote, ...]
    target: Path

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)

    @property
    def here_bytes(self) -> int:
        return sum(min(file.size_bytes, _size(path)) for file in self.files for path in (self.unfinished / file.name, self._partial(file)))

    @property
    def source(self) -> str:
        return f"{self.endpoint}/{self.model.repository}"

    @property
    def unfinished(self) -> Path:
        """Where the files lie until all of them are whole; one for each revision, so that no two are mixed."""
        return self.target.parent / f".{self.target.name}.fetching-{self.revision[:12]}"

    def _partial(self, file: _Remote) -> Path:
        return self.unfinished / f"{file.name}.partial"


def plan_download(model: PublishedModel, home: Path, revision: str | None = None) -> Download:
    """Ask the hub for the files of a model at a revision (default: the one known here). ModelNotTaken where it can't say."""
    from httpx2 import HTTPError
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    hub, wanted = HfApi(), revision or model.revision
    try:
        told = hub.model_info(model.repository, revision=wanted, files_metadata=True, timeout=ASK_TIMEOUT_S)
    except HfHubHTTPError as error:
        raise _refused(model, hub.endpoint, error) from error
    except (HTTPError, OSError, HFValidationError, ValueError, KeyError) as error:
        raise _unreachable(model, hub.endpoint, error) from error
    files = tuple(_remote(file) for file in told.siblings or [] if _is_wanted(model, file.rfilename))
    if not files or told.sha is None:
        raise ModelNotTaken(f"{hub.endpoint}/{model.repository} holds no file of “{model.name}” at {wanted}: try --revision main")
    lacking = sorted(set(model.files) - {file.name for file in files})
    if lacking and revision is None:
        raise ModelNotTaken(f"{hub.endpoint}/{model.repository} lacks {', '.join(lacking)}: fetch from another address (HF_ENDPOINT)")
    for file in files:
        known = model.digests.get(file.name)
        if known and revision is None and f"sha256:{file.sha256}" != known:
            raise ModelNotTaken(
                f"{hub.endpoint} offers another {file.name} for “{model.name}” than was published (sha256:{file.sha256}, not {known}): "
                "fetch from another address (HF_ENDPOINT), or say --revision to mean a later one"
            )
    return Download(model, told.sha, hub.endpoint, files, home / "models" / model.name)


def fetch(download: Download, clock: Clock, margin_bytes: int, progress: Progress = ignore_progress) -> ModelManifest:
    """Bring the model to its folder, whole or not at all, with a manifest beside its files. `progress` is told megabytes.

    StorageFull where fewer than `margin_bytes` would be left free. ModelNotTaken where the download breaks (the next one goes on from
    there), where what came is not what the hub described, or where another process fetches the same model.
    """
    _check_room(download, margin_bytes)
    with _alone(download):
        done = 0
        for file in download.files:
            _bring(download, file, _telling(progress, done, download.size_bytes))
            done += file.size_bytes
        files = tuple(ModelFile(file.name, file.size_bytes, _digest(download.unfinished / file.name)) for file in download.files)
        manifest = ModelManifest(download.model.name, download.source, download.revision, clock(), files)
        settle(download.unfinished, download.target, manifest)
    log.info("model.fetched", name=download.model.name, source=download.source, revision=download.revision, bytes=download.size_bytes)
    return manifest


def _telling(progress: Progress, before: int, total: int) -> Tell:
    return lambda here: progress("fetch", (before + here) // 1_000_000, max(1, total // 1_000_000))


def settle(folder: Path, target: Path, manifest: ModelManifest) -> None:
    """Write the manifest into a finished folder and give the folder its name. ModelNotTaken if the files are not the manifest's."""
    (folder / MANIFEST_NAME).write_bytes(manifest.as_bytes())
    wrong = differences(folder, manifest)
    if wrong:
        raise ModelNotTaken(f"{', '.join(wrong)} in {folder} changed while “{manifest.name}” was taken in: try again")
    for path in folder.rglob("*"):
        sync_path(path)
    if target.exists():
        raise ModelNotTaken(f"{target} came meanwhile; it stays as it is")
    folder.rename(target)
    sync_path(target.parent)


def _is_wanted(model: PublishedModel, name: str) -> bool:
    pure = PurePosixPath(name)
    # A hub, or a mirror of one, must not name a file outside of the folder.
    if pure.is_absolute() or ".." in pure.parts or any(part.startswith(".") for part in pure.parts) or "\\" in name:
        return False
    return name in model.files or name in model.also


def _remote(file: "RepoSibling") -> _Remote:
    size = file.lfs.size if file.lfs else file.size
    return _Remote(file.rfilename, size or 0, file.lfs.sha256 if file.lfs else None, None if file.lfs else file.blob_id)


def _check_room(download: Download, margin_bytes: int) -> None:
    folder = download.target.parent
    folder.mkdir(parents=True, exist_ok=True)
    free, wanted = shutil.disk_usage(folder).free, download.size_bytes - download.here_bytes + MANIFEST_ROOM_BYTES
    if free < wanted + margin_bytes:
        raise StorageFull(
            f"“{download.model.name}” takes {wanted:,} more bytes and {margin_bytes:,} are to stay free, but {folder} has {free:,}: "
            "free some space, or set LIVEPROOF_HOME to a larger disk"
        )


@contextmanager
def _alone(download: Download) -> Iterator[None]:
    folder = download.unfinished
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder.parent / f"{folder.name}.lock"
    with lock.open("a+b") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ModelNotTaken(f"another process fetches “{download.model.name}” just now") from None
        if download.target.exists():
            raise ModelNotTaken(f"{download.target} is there already")
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


def _bring(download: Download, file: _Remote, tell: Tell) -> None:
    """One file, whole and compared; a partial one is gone on with."""
    from httpx2 import HTTPError, HTTPStatusError

    whole, partial = download.unfinished / file.name, download.unfinished / f"{file.name}.partial"
    if file.is_in(whole):
        return
    whole.unlink(missing_ok=True)
    whole.parent.mkdir(parents=True, exist_ok=True)
    if _size(partial) > file.size_bytes:
        partial.unlink()
    partial.touch()
    url = f"{download.source}/resolve/{quote(download.revision, safe='')}/{quote(file.name)}"
    try:
        transfer(url, partial, file.size_bytes, tell)
    except HTTPStatusError as error:
        raise _refused(download.model, download.endpoint, error, _so_far(file, partial)) from error
    except (HTTPError, OSError) as error:
        if is_disk_full(error):
            raise
        raise _unreachable(download.model, download.endpoint, error, _so_far(file, partial)) from error
    if not file.is_in(partial):
        partial.unlink(missing_ok=True)
        raise ModelNotTaken(
            f"what {download.endpoint} gave as {file.name} of “{download.model.name}” are other bytes than it describes: nothing of it was "
            "kept. Try again, or fetch from another address (HF_ENDPOINT)"
        )
    partial.rename(whole)


def _so_far(file: _Remote, partial: Path) -> str:
    here = f"{_size(partial):,} of {file.size_bytes:,} bytes of {file.name} are here"
    return f"; {here}, the same command goes on from there"


def _refused(model: PublishedModel, endpoint: str, error: Exception, more: str = "") -> ModelNotTaken:
    status = getattr(getattr(error, "response", None), "status_code", None)
    reason = {
        401: "it asks for a token (HF_TOKEN), or there is no such repository",
        403: "it may not be read with this token (HF_TOKEN)",
        404: "there is no such repository, revision or file",
    }.get(status or 0, f"it answered {status}")
    return ModelNotTaken(f"{endpoint}/{model.repository} can't be fetched: {reason}{more}{_otherwise(model)}")


def _unreachable(model: PublishedModel, endpoint: str, error: Exception, more: str = "") -> ModelNotTaken:
    said = " ".join(str(error).split())[:200] or type(error).__name__
    return ModelNotTaken(f"{endpoint} could not be reached for “{model.name}” ({said}){more}{_otherwise(model)}")


def _otherwise(model: PublishedModel) -> str:
    return (
        f". Another address: HF_ENDPOINT=https://hf-mirror.com. Without a network: “liveproof models fetch {model.name} --offline” says how"
    )


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _digest(path: Path) -> str:
    return "sha256:" + _hashed(path, hashlib.sha256())


def _hashed(path: Path, hasher: "hashlib._Hash") -> str:
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            hasher.update(chunk)
    return hasher.hexdigest()
