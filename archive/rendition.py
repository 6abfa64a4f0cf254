"""A part as browsers play it: MP4 with its index in front, H.264 or VP9 and AAC or MP3, packets copied wherever they can be.

A rendition is derived and can be thrown away: it is cached under the home by the part's digest, and the original is only read (G1). Its
time 0 is the part's media time 0, so a moment's place in it is `part.clock.to_media(recording_ms)`. A part whose time stamps jump is put on
its joined line first (`archive.joined_times`): browsers would lose, or freeze in, what lies behind a jump.
"""

import shutil
import struct
import tempfile
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from archive.atomic_write import written_whole
from archive.errors import NotFound, ProgramFailed, StorageFull
from archive.media_proof import playing_proof
from archive.opening import Archive
from archive.programs import run_ffmpeg
from archive.proof_clip import copy_whole, proof_ending
from archive.recording import Part

# Raised when the recipe below changes, so that files of an earlier one are not served.
RECIPE = 2
# The same for parts whose times are joined.
_JOINED_RECIPE = 1
PLAYABLE_VIDEO = {"h264", "vp9"}
PLAYABLE_PIXELS = {"yuv420p", "yuvj420p"}
PLAYABLE_AUDIO = {"aac", "mp3"}

# Encoding HEVC of 1080p takes one to three times its length on two cores.
ENCODING_S_A_SECOND = 6

_making: dict[str, threading.Lock] = defaultdict(threading.Lock)


@dataclass(frozen=True, slots=True)
class _Streams:
    """What the part's first video and audio streams need: None (there is none), `copy`, or an encoder."""

    video: str | None
    audio: str | None

    @property
    def copied(self) -> bool:
        """Whether every packet is the original's."""
        return self.video in (None, "copy") and self.audio in (None, "copy")

    @property
    def picture_copied(self) -> bool:
        """Whether nothing is encoded but sound, which is quick."""
        return self.video in (None, "copy")


def is_made(archive: Archive, part: Part) -> bool:
    """Whether playing the part waits for nothing. NotFound and ProgramFailed as `playback_file`."""
    if _target(archive, part).exists():
        return True
    source = archive.store.path(part.digest)
    return not part.times_joined and _needed(source, part).copied and _starts_with_index(source)


def is_quick(archive: Archive, part: Part) -> bool:
    """Whether a rendition copies the picture. NotFound and ProgramFailed as `playback_file`."""
    return _needed(archive.store.path(part.digest), part).picture_copied


def playback_file(archive: Archive, part: Part, *, low_priority: bool = False) -> Path:
    """A file that a browser plays and seeks in; made on the first call, which takes some seconds a gigabyte where packets are copied, and
    longer than the part lasts where its picture is encoded.

    The original itself where it already is such a file. NotFound if its bytes are gone, ProgramFailed if they can't be converted,
    StorageFull if there is no room, MissingProgram without ffmpeg; for a part whose time stamps jump also TimesNotRetold, and
    VerificationFailed if its bytes are not those that its media proof was made of.
    """
    source, target = archive.store.path(part.digest), _target(archive, part)
    if target.exists():
        return target
    with _making[part.digest]:
        if target.exists():
            return target
        needed = _needed(source, part)
        if not part.times_joined and needed.copied and _starts_with_index(source):
            return source
        _check_room(archive, source, part)
        longest_s = archive.settings.subprocess_timeout_s
        if not needed.copied:
            longest_s = max(longest_s, ENCODING_S_A_SECOND * part.duration_ms // 1000)
        with written_whole(target, ".mp4") as temporary:
            purpose = f"preparing {part.file_name} for playing"
            with _playable_times(archive, source, part) as (timed, begins_ms):
                run_ffmpeg(_arguments(timed, temporary, needed, begins_ms), longest_s, purpose, low_priority=low_priority)
    return target


def version_of(part: Part) -> str:
    """What tells a part's playback file from every other, and from those that an earlier recipe made."""
    recipe = f"{RECIPE}.joined-{_JOINED_RECIPE}" if part.times_joined else str(RECIPE)
    return f"{part.digest.removeprefix('sha256:')}.{recipe}"


def part_numbered(archive: Archive, recording_id: str, number: int) -> Part:
    """One part of a recording. NotFound if either isn't held."""
    recording = archive.catalog.recording(recording_id)
    for part in recording.parts:
        if part.number == number:
            return part
    held = f"it has parts 1 to {len(recording.parts)}" if recording.parts else "it holds captions only, no media"
    raise NotFound(f"recording {recording_id} has no part {number}: {held}")


def _target(archive: Archive, part: Part) -> Path:
    return archive.home / "renditions" / f"{version_of(part)}.mp4"


@contextmanager
def _playable_times(archive: Archive, source: Path, part: Part) -> Iterator[tuple[Path, int]]:
    """A file with the part's packets at their media time, and the media time in ms that it begins at; the part itself where that is so."""
    if not part.times_joined:
        yield source, 0
        return
    proof = playing_proof(archive, part)
    with tempfile.TemporaryDirectory(prefix=".joined-", dir=_target(archive, part).parent) as folder:
        joined = Path(folder) / f"joined{proof_ending(part.container, proof)}"
        yield joined, copy_whole(source, proof, joined)


def _check_room(archive: Archive, source: Path, part: Part) -> None:
    """A rendition is about as large as its part, at most; ffmpeg would fill the disk before it says so."""
    needed, margin = source.stat().st_size * (2 if part.times_joined else 1), archive.settings.free_space_margin_bytes
    free = shutil.disk_usage(archive.home).free
    if free < needed + margin:
        raise StorageFull(
            f"no room to prepare {part.file_name} for playing: up to {needed >> 20} MiB are needed and {margin >> 20} MiB must stay free, "
            f"{free >> 20} MiB are. Files under renditions/ in LIVEPROOF_HOME may be removed"
        )


def _needed(source: Path, part: Part) -> _Streams:
    import av
    from av.error import FFmpegError

    try:
        with av.open(str(source), metadata_errors="replace") as container:
            video = next(
                (stream for stream in container.streams.video if not stream.disposition & av.stream.Disposition.attached_pic), None
            )
            audio = next(iter(container.streams.audio), None)
            plain = video is not None and video.codec_context.name in PLAYABLE_VIDEO and video.codec_context.pix_fmt in PLAYABLE_PIXELS
            spoken = audio is not None and audio.codec_context.name.removesuffix("float") in PLAYABLE_AUDIO
    except (FFmpegError, OSError) as error:
        raise ProgramFailed(
            f"{part.file_name} can't be read for playing: {error}. The original is untouched; download it instead"
        ) from error
    if video is None and audio is None:
        raise NotFound(f"{part.file_name} holds neither picture nor sound to play")
    return _Streams(
        None if video is None else "copy" if plain else "libx264",
        None if audio is None else "copy" if spoken else "aac",
    )


def _arguments(source: Path, target: Path, needed: _Streams, begins_ms: int = 0) -> list[str | Path]:
    later = ["-itsoffset", f"{begins_ms / 1000:.3f}"] if begins_ms > 0 else []
    arguments: list[str | Path] = ["-fflags", "+genpts", *later, "-i", source, "-map_metadata", "-1", "-dn", "-sn"]
    if needed.video:
        arguments += ["-map", "0:V:0", "-c:v", needed.video]
        if needed.video != "copy":
            arguments += ["-preset", "veryfast", "-crf", "23", "-pix_fmt", "yuv420p", "-vf", "scale=trunc(iw/2)*2:trunc(ih/2)*2"]
    if needed.audio:
        arguments += ["-map", "0:a:0", "-c:a", needed.audio]
        if needed.audio != "copy":
            arguments += ["-b:a", "128k"]
    return [*arguments, "-movflags", "+faststart", "-f", "mp4", target]


def _starts_with_index(source: Path) -> bool:
    """Whether a file is an unfragmented MP4 whose `moov` box comes before `mdat` (ISO/IEC 14496-12 §4.2, §6.2.3)."""
    with source.open("rb") as stream:
        size, first = stream.seek(0, 2), True
        at = 0
        while at + 8 <= size:
            stream.seek(at)
            length, kind = struct.unpack(">I4s", stream.read(8))
            if first and kind != b"ftyp":
                return False
            if kind == b"moov":
                return b"mvex" not in stream.read(min(length, 64 << 20))
            if kind in (b"mdat", b"moof"):
                return False
            if length == 1:
                length = struct.unpack(">Q", stream.read(8).ljust(8, b"\0"))[0]
            if length < 8:
                return False
            at, first = at + length, False
    return False
