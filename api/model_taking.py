"""Models taken in from a folder, a file or an archive (a USB stick), taken away again, and held to their manifests.

What is taken in is loaded first, as a job would; it lands whole or not at all, with a manifest of its bytes.
"""

import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import structlog

from api.errors import ModelNotTaken
from api.model_fetching import settle
from archive.errors import LiveProofError, NotFound, StorageFull
from archive.model_files import DESCRIPTION, ModelManifest, described, differences, read_manifest
from archive.timeline import Clock
from ingest.errors import UnreadableFile
from search.cross_encoder import is_cross_encoder, open_cross_encoder
from search.embeddings import open_embedder
from search.settings import SearchSettings
from transcribe.engines import load_engine
from transcribe.models import CONVERTED_PREFIX
from transcribe.settings import TranscribeSettings

FILES_MAX = 200
BYTES_MAX = 32 << 30
SPEECH, SENTENCES, VOICES, PAIRS = "speech", "sentences", "voices", "pairs"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check of one model found. `changed`: names of files that are not as they were taken; None: it has no manifest."""

    name: str
    folder: Path
    changed: tuple[str, ...] | None


def take_in(name: str, source: Path, home: Path, clock: Clock, margin_bytes: int) -> tuple[str, ModelManifest]:
    """Copy a model under a name of its own into LIVEPROOF_HOME/models; its kind and manifest.

    `source`: a folder, OpenAI's .pt, an .onnx that tells voices apart, or a .tar, .tar.gz or .zip of one of these. ModelNotTaken where it
    is none of these or can't be loaded, UnreadableFile where it isn't there, StorageFull where it doesn't fit.
    """
    target = home / "models" / name
    if not name or name.startswith(".") or PurePosixPath(name).name != name or "\\" in name:
        raise ModelNotTaken(f"“{name}” is no name for a model: letters, digits and - will do")
    if target.exists() or (home / "models" / f"{name}.pt").exists():
        raise ModelNotTaken(f"a model named {name} is there already: “liveproof models remove {name}” first, or choose another name")
    if not source.exists():
        raise UnreadableFile(f"{source} does not exist")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{name}.taking-", dir=target.parent) as work:
        folder = Path(work) / name
        folder.mkdir()
        _fill(folder, source, _room(target.parent, margin_bytes))
        kind = _prepared(folder, name)
        _load(kind, folder, name, home)
        manifest = ModelManifest(name, f"file:{source.name}", None, clock(), described(folder))
        settle(folder, target, manifest)
    log.info("model.taken_in", name=name, kind=kind, source=str(source))
    return kind, manifest


def take_away(name: str, home: Path) -> Path:
    """Remove a model from LIVEPROOF_HOME/models; where it was. NotFound if it isn't there; those elsewhere are nobody's to remove."""
    folder = home / "models" / name
    place = folder if folder.is_dir() else home / "models" / f"{name}.pt"
    if name.startswith(".") or PurePosixPath(name).name != name or not place.exists():
        raise NotFound(f"no model “{name}” in {home / 'models'}; models elsewhere, such as in the hub's cache, are left alone")
    # Renamed first, so that nobody finds half of it.
    gone = place.parent / f".{place.name}.removed"
    place.rename(gone)
    if gone.is_dir():
        shutil.rmtree(gone)
    else:
        gone.unlink()
    return place


def compare_all(home: Path) -> list[Checked]:
    """Every model in LIVEPROOF_HOME/models against its manifest; reads every byte of them."""
    folder = home / "models"
    found = []
    for entry in sorted(folder.iterdir()) if folder.is_dir() else []:
        if entry.is_dir() and not entry.name.startswith((".", CONVERTED_PREFIX)):
            manifest = read_manifest(entry)
            found.append(Checked(entry.name, entry, tuple(differences(entry, manifest)) if manifest else None))
    return found


def hears(settings: TranscribeSettings, home: Path) -> tuple[str, str]:
    """Load the speech model that the settings name and have it hear a second of silence; its name and digest. Raises what loading does."""
    engine = load_engine(settings, home)
    engine.transcribe([np.zeros(16_000, np.float32)])
    return engine.model, engine.model_digest


def _room(folder: Path, margin_bytes: int) -> Callable[[int], None]:
    """A guard that is told of each file's size before it is written."""
    left = [min(BYTES_MAX, shutil.disk_usage(folder).free - margin_bytes), FILES_MAX]

    def claim(size_bytes: int) -> None:
        left[0] -= size_bytes
        left[1] -= 1
        if left[1] < 0:
            raise ModelNotTaken(f"it holds more than {FILES_MAX} files: that is no model")
        if left[0] < 0:
            raise StorageFull(f"the model does not fit into {folder}: free some space, or set LIVEPROOF_HOME to a larger disk")

    return claim


def _fill(folder: Path, source: Path, claim: Callable[[int], None]) -> None:
    try:
        if source.is_dir():
            _copy_folder(folder, source, claim)
        elif zipfile.is_zipfile(source) and source.suffix.lower() == ".zip":
            _unzip(folder, source, claim)
        elif source.suffix.lower() in (".tar", ".gz", ".tgz", ".bz2", ".xz"):
            _untar(folder, source, claim)
        elif source.suffix.lower() in (".pt", ".onnx"):
            claim(source.stat().st_size)
            shutil.copyfile(source, folder / source.name)
            beside = source.with_suffix(f".{DESCRIPTION}")
            if beside.is_file():
                claim(beside.stat().st_size)
                shutil.copyfile(beside, folder / beside.name)
        else:
            raise ModelNotTaken(f"{source} is no folder, .pt, .onnx, .tar, .tar.gz or .zip")
    except PermissionError as error:
        raise UnreadableFile(f"{source} may not be read: {error}") from error
    except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise ModelNotTaken(f"{source} is damaged: {error}") from error


def _copy_folder(folder: Path, source: Path, claim: Callable[[int], None]) -> None:
    for path in sorted(source.rglob("*")):
        inside = path.relative_to(source)
        if not path.is_file() or any(part.startswith(".") for part in inside.parts):
            continue
        claim(path.stat().st_size)
        (folder / inside).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / inside)


def _unzip(folder: Path, source: Path, claim: Callable[[int], None]) -> None:
    with zipfile.ZipFile(source) as packed:
        for entry in packed.infolist():
            inside = _inside(entry.filename)
            if entry.is_dir() or inside is None:
                continue
            claim(entry.file_size)
            (folder / inside).parent.mkdir(parents=True, exist_ok=True)
            with packed.open(entry) as reading, (folder / inside).open("wb") as writing:
                shutil.copyfileobj(reading, writing)


def _untar(folder: Path, source: Path, claim: Callable[[int], None]) -> None:
    with tarfile.open(source) as packed:
        for entry in packed:
            inside = _inside(entry.name)
            if not entry.isfile() or inside is None:
                continue
            claim(entry.size)
            (folder / inside).parent.mkdir(parents=True, exist_ok=True)
            reading = packed.extractfile(entry)
            if reading:
                with (folder / inside).open("wb") as writing:
                    shutil.copyfileobj(reading, writing)


def _inside(name: str) -> PurePosixPath | None:
    """An entry's path within the folder; None for hidden ones, which are no part of a model. ModelNotTaken for one that leads outside."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name:
        raise ModelNotTaken(f"the archive names a file outside of its folder ({name}): it is not taken in")
    return None if any(part.startswith(".") and part != "." for part in path.parts) else path


def _prepared(folder: Path, name: str) -> str:
    """The kind of model that a filled folder holds, brought into the form in which it is found again."""
    while not any(path.is_file() for path in folder.iterdir()) and len(list(folder.iterdir())) == 1:
        (only,) = folder.iterdir()
        moved = folder.with_name(f"{folder.name}.inner")
        only.rename(moved)
        folder.rmdir()
        moved.rename(folder)
    if is_cross_encoder(folder):
        return PAIRS
    if (folder / "modules.json").is_file():
        return SENTENCES
    if (folder / "model.bin").is_file():
        return SPEECH
    for suffix, kind in ((".pt", SPEECH), (".onnx", VOICES)):
        found = sorted(folder.glob(f"*{suffix}"))
        if len(found) == 1:
            beside = found[0].with_suffix(f".{DESCRIPTION}")
            if beside.is_file():
                beside.rename(folder / f"{name}.{DESCRIPTION}")
            found[0].rename(folder / f"{name}{suffix}")
            return kind
    raise ModelNotTaken(
        "nothing in it is a model that can be used; looked for are model.bin (CTranslate2), one .pt (OpenAI's Whisper), modules.json "
        "(sentence-transformers), a cross-encoder's config.json and one .onnx (sherpa-onnx, telling voices apart)"
    )


def _load(kind: str, folder: Path, name: str, home: Path) -> None:
    try:
        if kind == SPEECH:
            checkpoint = folder / f"{name}.pt"
            path = str(checkpoint if checkpoint.is_file() else folder)
            hears(TranscribeSettings(whisper_model=path, whisper_engine="faster-whisper"), home)
        elif kind == PAIRS:
            open_cross_encoder(SearchSettings(cross_encoder=str(folder)), home)
        elif kind == SENTENCES:
            embedder = open_embedder(SearchSettings(embedding_model=str(folder)), home)
            if embedder:
                embedder.embed_question("包邮吗")
        else:
            from transcribe.speakers import load_voice_model

            load_voice_model(folder / f"{name}.onnx", threads=1)
    except LiveProofError as error:
        raise ModelNotTaken(f"it can't be loaded, so it is not taken in: {error}") from error
