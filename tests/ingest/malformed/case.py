"""What a malformed case is, and the small whole files that cases are made of."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from archive.programs import ffmpeg_program
from ingest.admission import IngestRequest
from tests.archive.generated_media import make_media

Outcome = Literal["refused", "admitted", "either"]
ENDINGS = ("flv", "mp4", "frag.mp4", "front.mp4", "mkv", "ts", "mp3", "wav", "ogg")


@dataclass(frozen=True)
class Whole:
    """Whole recordings of two seconds in a folder of their own, by ending."""

    folder: Path

    def __getitem__(self, ending: str) -> Path:
        return self.folder / f"whole.{ending}"


@dataclass(frozen=True)
class Case:
    """`make(folder, whole)` writes the files and gives the request; nothing of it is kept in the repository."""

    kind: str
    name: str
    make: Callable[[Path, Whole], IngestRequest]
    outcome: Outcome = "either"


def make_whole(folder: Path) -> Whole:
    """The small recordings, in nine containers."""
    source = make_media(folder / "whole.flv", 2, (500, 1500), seed=5)
    copy = ("-c", "copy")
    for ending, how in {
        "mp4": copy,
        "frag.mp4": (*copy, "-movflags", "frag_keyframe+empty_moov"),
        "front.mp4": (*copy, "-movflags", "faststart"),
        "mkv": copy,
        "ts": copy,
        "mp3": ("-vn", "-c:a", "libmp3lame"),
        "wav": ("-vn",),
        "ogg": ("-vn", "-c:a", "libvorbis"),
    }.items():
        ffmpeg("-i", source, *how, folder / f"whole.{ending}")
    return Whole(folder)


def ffmpeg(*arguments: str | Path) -> None:
    subprocess.run([ffmpeg_program(), "-v", "error", "-y", *map(str, arguments)], check=True, timeout=60)


def put(folder: Path, name: str, content: bytes) -> Path:
    target = folder / name
    target.write_bytes(content)
    return target


def media_of(folder: Path, name: str, content: bytes) -> IngestRequest:
    return IngestRequest((put(folder, name, content),))
