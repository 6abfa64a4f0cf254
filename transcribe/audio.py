"""Sound of a media file as 16 kHz mono, in constant memory, at sample-exact offsets of the file's own media time.

Media time 0 is the file's earliest stream, as players show it. Sound that starts late (usual in FLV and TS) is preceded by silence and
holes in its time stamps are filled with silence, so sample n is always heard at n / 16 ms.
"""

import errno
import fcntl
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeAlias

import numpy as np
import numpy.typing as npt
import structlog

from archive.errors import MissingProgram, StorageFull
from archive.programs import find_ffmpeg
from archive.recording import REJOIN_MS
from transcribe.errors import SoundUnreadable

SAMPLE_RATE_HZ = 16_000
SAMPLES_PER_MS = SAMPLE_RATE_HZ // 1000
BLOCK_MS = 30_000
_BYTES_PER_SAMPLE = 2
_UNFINISHED = ".part"
# `async=1` fills and trims instead of stretching; 50 ms is above the jitter of FLV's whole-millisecond time stamps.
_TRUE_TO_TIME = "aresample=async=1:min_hard_comp=0.05"
_SECOND, _FADE, _MEAN = SAMPLE_RATE_HZ, SAMPLE_RATE_HZ // 100, 2

Samples: TypeAlias = npt.NDArray[np.float32]

_log = structlog.get_logger(__name__)


def ffmpeg_program(configured: str | None = None) -> str:
    """Path of ffmpeg: the configured one, the system's, or the one in the `imageio-ffmpeg` wheel. MissingProgram if there is none."""
    if configured:
        if found := shutil.which(configured):
            return found
        raise MissingProgram(f"LIVEPROOF_FFMPEG names {configured}, which is no program here: correct it or leave it out")
    return find_ffmpeg()


def has_sound(source: Path) -> bool:
    """Whether the file holds an audio stream. SoundUnreadable if it is missing or no media."""
    return streams_in(source)[0]


def is_stereo(source: Path) -> bool:
    """Whether the first audio stream has two channels. SoundUnreadable as `streams_in`."""
    import av

    try:
        with av.open(str(source)) as container:
            return bool(container.streams.audio) and container.streams.audio[0].codec_context.channels == 2
    except (av.FFmpegError, OSError) as error:
        raise SoundUnreadable(f"{source} can't be opened as media: {error}") from error


def streams_in(source: Path) -> tuple[bool, bool]:
    """Whether the file holds sound, and whether it holds pictures. SoundUnreadable if it is missing or no media."""
    import av

    try:
        with av.open(str(source)) as container:
            return len(container.streams.audio) > 0, len(container.streams.video) > 0
    except (av.FFmpegError, OSError) as error:
        raise SoundUnreadable(f"{source} can't be opened as media: {error}") from error


def decode_blocks(
    source: Path,
    *,
    program: str,
    timeout_s: float,
    block_ms: int = BLOCK_MS,
    pictures: bool = False,
    times_joined: bool = False,
    stereo: bool = False,
) -> Iterator[bytes]:
    """Signed 16-bit samples of the first audio stream, `block_ms` at a time (the last block may be shorter).

    SoundUnreadable if ffmpeg fails or takes longer than `timeout_s`. Damaged frames become silence and are logged with their count.
    `pictures` says that the file has a video stream, which then counts for where media time 0 is. `times_joined`: as `Part.times_joined`.
    `stereo`: the two channels are mixed by `mixed`.
    """
    channels = 2 if stereo else 1
    decode = [program, "-nostdin", "-v", "error"]
    if times_joined:
        # Else all that comes behind a time stamp that goes back would be dropped, as late.
        decode += ["-dts_error_threshold", str(REJOIN_MS // 1000)]
    decode += ["-i", str(source), "-map", "0:a:0", "-vn", "-sn", "-dn", "-af", _TRUE_TO_TIME]
    decode += ["-ac", str(channels), "-ar", str(SAMPLE_RATE_HZ), "-c:a", "pcm_s16le", "-f", "nut", "pipe:1"]
    if pictures:
        # For TS, ffmpeg counts time from the earliest stream in use; so the pictures are used, without being decoded.
        decode += ["-map", "0:v:0", "-c", "copy", "-f", "null", os.devnull]
    # A change of rate or channels begins ffmpeg's filters anew; so the place in time is kept by a second one, which sees no change.
    place = [program, "-nostdin", "-v", "error", "-copyts", "-f", "nut", "-i", "pipe:0"]
    place += ["-af", f"{_TRUE_TO_TIME}:first_pts=0", "-f", "s16le", "pipe:1"]
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(decode, stdout=subprocess.PIPE, stderr=complaints) as decoding,
        subprocess.Popen(place, stdin=decoding.stdout, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as placing,
    ):
        if decoding.stdout:
            decoding.stdout.close()
        overdue = threading.Event()

        def stop() -> None:
            overdue.set()
            decoding.kill()
            placing.kill()

        watchdog = threading.Timer(timeout_s, stop)
        watchdog.start()
        try:
            blocks = _read(placing.stdout, block_ms * SAMPLES_PER_MS * _BYTES_PER_SAMPLE * channels)
            yield from mixed(blocks) if stereo else blocks
            code = decoding.wait() or placing.wait()
        finally:
            watchdog.cancel()
            decoding.kill()
            placing.kill()
        said = _last_lines(complaints)
    if overdue.is_set():
        raise SoundUnreadable(f"{source}: decoding its sound took longer than {timeout_s:.0f} s (LIVEPROOF_SUBPROCESS_TIMEOUT_S)")
    if code != 0:
        raise SoundUnreadable(f"{source}: its sound can't be decoded: {said[-1] if said else f'ffmpeg ended with code {code}'}")
    if said:
        _log.warning("sound_damaged", file=str(source), complaints=len(said), last=said[-1])


def _read(stream: IO[bytes] | None, block_bytes: int) -> Iterator[bytes]:
    while stream and (block := stream.read(block_bytes)):
        yield block


def mixed(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Two channels made one: their mean, but the louder one wherever the mean would lose more than two thirds of what is heard.

    Voices whose channels are out of phase (a cable the wrong way round, a "wide" effect) cancel in the mean. Decided second by second; a
    change fades over 10 ms.
    """
    before: int | None = None
    for block in blocks:
        sides = np.frombuffer(block[: len(block) // 4 * 4], dtype="<i2").astype(np.float32).reshape(-1, 2)
        heard = np.empty(len(sides), np.float32)
        for begin in range(0, len(sides), _SECOND):
            second, out = sides[begin : begin + _SECOND], heard[begin : begin + _SECOND]
            chosen = _to_hear(second)
            out[:] = _as_heard(second, chosen)
            if before is not None and before != chosen:
                fade = min(_FADE, len(out))
                ramp = np.arange(1, fade + 1, dtype=np.float32) / (fade + 1)
                out[:fade] += (_as_heard(second[:fade], before) - out[:fade]) * (1 - ramp)
            before = chosen
        yield np.rint(heard).astype("<i2").tobytes()


def _to_hear(second: Samples) -> int:
    """0 or 1 for a channel, _MEAN for the mean of both."""
    both, difference = second[:, 0] + second[:, 1], second[:, 0] - second[:, 1]
    if float(np.square(difference).sum()) <= 2 * float(np.square(both).sum()):
        return _MEAN
    return int(np.square(second).sum(axis=0).argmax())


def _as_heard(second: Samples, chosen: int) -> Samples:
    return (second[:, 0] + second[:, 1]) / np.float32(2) if chosen == _MEAN else second[:, chosen]


def _last_lines(complaints: IO[bytes], limit_bytes: int = 65_536) -> list[str]:
    size = complaints.seek(0, os.SEEK_END)
    complaints.seek(max(0, size - limit_bytes))
    return [line for line in complaints.read().decode(errors="replace").splitlines() if line.strip()]


@dataclass(frozen=True, slots=True)
class Sound:
    """Decoded sound held in a scratch file (signed 16 bit, 16 kHz, mono); any stretch is read without reading what is before it."""

    path: Path
    sample_count: int

    @classmethod
    def held(cls, path: Path) -> "Sound":
        """The sound in a scratch file that `hold_sound` finished earlier."""
        return cls(path, path.stat().st_size // _BYTES_PER_SAMPLE)

    @property
    def duration_ms(self) -> int:
        return self.sample_count // SAMPLES_PER_MS

    def read(self, start_ms: int, end_ms: int) -> Samples:
        """Samples of [start_ms, end_ms), float32 in -1..1; what lies outside the sound is left out."""
        first = min(max(0, start_ms) * SAMPLES_PER_MS, self.sample_count)
        last = min(max(0, end_ms) * SAMPLES_PER_MS, self.sample_count)
        with self.path.open("rb") as stream:
            stream.seek(first * _BYTES_PER_SAMPLE)
            return _floats(stream.read(max(0, last - first) * _BYTES_PER_SAMPLE))

    def stored(self, start_ms: int, end_ms: int, block_ms: int = BLOCK_MS) -> Iterator[bytes]:
        """The bytes of [start_ms, end_ms) as they are stored, `block_ms` at a time; what lies outside the sound is left out."""
        at = min(start_ms * SAMPLES_PER_MS, self.sample_count) * _BYTES_PER_SAMPLE
        end = min(end_ms * SAMPLES_PER_MS, self.sample_count) * _BYTES_PER_SAMPLE
        with self.path.open("rb") as stream:
            stream.seek(at)
            while at < end and (block := stream.read(min(block_ms * SAMPLES_PER_MS * _BYTES_PER_SAMPLE, end - at))):
                at += len(block)
                yield block

    def blocks(self, block_ms: int = BLOCK_MS) -> Iterator[Samples]:
        """All of it in order, `block_ms` at a time."""
        with self.path.open("rb") as stream:
            while block := stream.read(block_ms * SAMPLES_PER_MS * _BYTES_PER_SAMPLE):
                yield _floats(block)

    def discard(self) -> None:
        """Delete the scratch file."""
        self.path.unlink(missing_ok=True)


def _floats(block: bytes) -> Samples:
    return np.frombuffer(block, dtype="<i2").astype(np.float32) / np.float32(32768)


def hold_sound(source: Path, scratch: Path, *, program: str, timeout_s: float, max_hours: int, times_joined: bool = False) -> Sound:
    """Decode `source` into the file `scratch` (32 kB a second) unless that is already there, whole or not at all.

    SoundUnreadable if the file has no decodable sound or more than `max_hours` of it; StorageFull if the disk is.
    """
    if scratch.exists():
        return Sound.held(scratch)
    (_, pictures), stereo = streams_in(source), is_stereo(source)
    limit_bytes = max_hours * 3_600_000 * SAMPLES_PER_MS * _BYTES_PER_SAMPLE
    try:
        with written_scratch(scratch) as target:
            written = 0
            how = {"pictures": pictures, "times_joined": times_joined, "stereo": stereo}
            for block in decode_blocks(source, program=program, timeout_s=timeout_s, **how):
                written += target.write(block)
                if written > limit_bytes:
                    raise SoundUnreadable(f"{source} holds more than {max_hours} h of sound (LIVEPROOF_SOUND_MAX_HOURS)")
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise StorageFull(f"no room in {scratch.parent} for the sound of {source.name}: about 115 MB an hour are needed") from error
        raise
    return Sound.held(scratch)


@contextmanager
def written_scratch(scratch: Path) -> Iterator[IO[bytes]]:
    """A file to fill that becomes `scratch` at the end of the block, whole or not at all."""
    scratch.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=scratch.name + ".", suffix=_UNFINISHED, dir=scratch.parent)
    unfinished = Path(name)
    try:
        with os.fdopen(handle, "wb") as target:
            # The lock says that somebody is still at it, and ends with the process however that ends.
            fcntl.flock(target, fcntl.LOCK_EX)
            yield target
            target.flush()
            os.fsync(target.fileno())
            unfinished.replace(scratch)
    finally:
        unfinished.unlink(missing_ok=True)


def sweep_unfinished(folder: Path) -> int:
    """Remove what killed processes left half decoded, up to 115 MB an hour; how many files. What somebody still writes to stays."""
    removed = 0
    for path in folder.glob(f"*{_UNFINISHED}"):
        try:
            with path.open("rb") as left:
                fcntl.flock(left, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink(missing_ok=True)
                removed += 1
        except (BlockingIOError, FileNotFoundError):
            continue
    return removed
