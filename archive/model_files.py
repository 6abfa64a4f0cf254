"""Models as files: what is published where, which bytes lie in a folder of this machine, and whether they are still the same.

A model that LiveProof fetched or took in carries a manifest beside its files (`liveproof-model.json`): where it came from, and every
file with its digest. The manifest is about the model and no part of it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from archive.digest import Json, digest_file
from archive.timeline import WallTime

MANIFEST_NAME = "liveproof-model.json"
DESCRIPTION = "hearing.json"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class PublishedModel:
    """A model on a hub. `files` are what is needed of it; `size_bytes` is about all of those together.

    `revision` is the commit that is fetched; `digests` are those of files which it is known to hold, so that a mirror can't give others.
    `also`: files that other commits may hold and that are then needed.
    """

    name: str
    needed_for: str
    repository: str
    revision: str
    size_bytes: int
    files: tuple[str, ...]
    digests: Mapping[str, str]
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file of a model: its name within the folder, its length and `sha256:…`."""

    name: str
    size_bytes: int
    digest: str


@dataclass(frozen=True, slots=True)
class ModelManifest:
    """Where a model came from and which bytes it is. `revision` is None where it did not come from a hub."""

    name: str
    source: str
    revision: str | None
    taken_at: WallTime
    files: tuple[ModelFile, ...]

    def as_bytes(self) -> bytes:
        """As it stands in the file."""
        value: Json = {
            "format": _FORMAT,
            "name": self.name,
            "source": self.source,
            "revision": self.revision,
            "taken_at": self.taken_at.iso(),
            "files": [{"name": file.name, "bytes": file.size_bytes, "digest": file.digest} for file in self.files],
        }
        return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


def model_files(folder: Path) -> list[Path]:
    """The files of a model in a folder, by name; hidden ones and the manifest are none of it."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST_NAME)
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts))


def described(folder: Path) -> tuple[ModelFile, ...]:
    """Every file of a model with its digest; reads them all."""
    return tuple(ModelFile(path.relative_to(folder).as_posix(), path.stat().st_size, digest_file(path)) for path in model_files(folder))


def read_manifest(folder: Path) -> ModelManifest | None:
    """The manifest in a model's folder; None where there is none that can be read."""
    try:
        kept = json.loads((folder / MANIFEST_NAME).read_bytes())
        files = tuple(ModelFile(str(file["name"]), int(file["bytes"]), str(file["digest"])) for file in kept["files"])
        revision = str(kept["revision"]) if kept["revision"] else None
        return ModelManifest(str(kept["name"]), str(kept["source"]), revision, WallTime.parse(str(kept["taken_at"])), files)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def differences(folder: Path, manifest: ModelManifest) -> list[str]:
    """Names of the manifest's files that are gone or hold other bytes now, and of files that have come; empty: all is as it was taken.

    How a model is to be heard with (`hearing.json`) may be written beside it later: it is no part of the weights.
    """
    now = {path.relative_to(folder).as_posix(): path for path in model_files(folder)}
    wrong = [file.name for file in manifest.files if not _is(now.get(file.name), file)]
    return wrong + sorted(name for name in set(now) - {file.name for file in manifest.files} if not name.endswith(DESCRIPTION))


def _is(path: Path | None, file: ModelFile) -> bool:
    return path is not None and path.stat().st_size == file.size_bytes and digest_file(path) == file.digest
