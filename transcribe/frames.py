"""Pictures of a stretch of video, one a sampling step, each with its exact media time, in constant memory.

Media time 0 is the file's earliest stream, as for sound (`audio.py`). Where key frames lie densely enough only they are decoded, else those
that others are made from; a picture stands until the next one, so in video of variable rate what stood there is what is given.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import structlog

from transcribe.errors import PicturesUnreadable
from transcribe.ocr import Picture

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

GRAY_SHARE = 2
# Key frames a frame or two later than asked for are as good.
KEY_SLACK_MS = 100
# Where pictures come this often, leaving out those that no other is made from loses nothing of note.
DENSE_MS = 200
DAMAGED_MOST = 2_000

_log = structlog.get_logger(__name__)


class Frame:
    """The picture that stood at `at_ms` of media time. Made small, and turned upright, when asked for."""

    def __init__(self, at_ms: int, frame: "VideoFrame", longest_px: int) -> None:
        self.at_ms = at_ms
        self._frame = frame
        share = min(1.0, longest_px / max(frame.width, frame.height))
        self._size = (_even(frame.width * share), _even(frame.height * share))

    @cached_property
    def gray(self) -> npt.NDArray[np.uint8]:
        """Its brightness at half the size of `picture`."""
        width, height = self._size
        small = self._frame.reformat(max(1, width // GRAY_SHARE), max(1, height // GRAY_SHARE), format="gray", interpolation="AREA")
        return self._upright(np.asarray(small.to_ndarray(), np.uint8))

    @cached_property
    def picture(self) -> Picture:
        """RGB, height × width × 3."""
        width, height = self._size
        return self._upright(np.asarray(self._frame.reformat(width, height, format="rgb24").to_ndarray(), np.uint8))

    def again(self, at_ms: int) -> "Frame":
        """The same picture at a later time."""
        later = Frame.__new__(Frame)
        later.__dict__.update(self.__dict__)
        later.at_ms = at_ms
        return later

    def _upright(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        return np.ascontiguousarray(np.rot90(pixels, round(self._frame.rotation / 90) % 4))


@dataclass
class Decoding:
    """What happened while a stretch was decoded. `keys`: only key frames were."""

    damaged: int = 0
    keys: bool = False
    notes: list[str] = field(default_factory=list)


def has_pictures(source: Path) -> bool:
    """Whether the file holds video; the cover of a sound file is none. PicturesUnreadable if it is missing or no media."""
    with _opened(source) as container:
        return _stream(container) is not None


def frames_between(
    source: Path,
    from_ms: int,
    to_ms: int,
    *,
    step_ms: int,
    longest_px: int,
    timeout_s: float,
    threads: int = 0,
    decoding: Decoding | None = None,
) -> Iterator[Frame]:
    """The pictures that stood at `from_ms` and every `step_ms` after it before `to_ms`; each once, and once more where it stood longer.

    Damaged pictures are left out and counted in `decoding`. PicturesUnreadable if the file can't be opened or takes over `timeout_s`.
    """
    told = decoding if decoding is not None else Decoding()
    deadline = time.monotonic() + timeout_s
    gap_ms, dense = _spacing(source, from_ms, to_ms, deadline)
    told.keys = gap_ms is not None and gap_ms <= step_ms + KEY_SLACK_MS
    # Between two key frames anything may have happened, so that they are taken as densely as times are to be known.
    every_ms = max(step_ms - gap_ms, step_ms // 4) if told.keys and gap_ms is not None else step_ms
    standing: Frame | None = None
    given_ms, due_ms = -1, from_ms
    with _opened(source) as container:
        stream = _stream(container)
        if stream is None:
            return
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = threads
        stream.codec_context.skip_frame = "NONKEY" if told.keys else "NONREF" if dense else "DEFAULT"
        for frame in _decoded(container, stream, source, from_ms, deadline, told):
            at_ms = _media_ms(container, stream, frame.pts)
            if at_ms is None or (standing is not None and at_ms < standing.at_ms):
                continue
            if standing is not None and at_ms > due_ms:
                yield standing if standing.at_ms >= from_ms else standing.again(from_ms)
                given_ms = max(standing.at_ms, from_ms)
                again_ms = given_ms + step_ms
                if not told.keys and min(at_ms, to_ms) > again_ms:
                    yield standing.again(again_ms)
                    given_ms = again_ms
                due_ms = max(due_ms + every_ms, at_ms)
            if at_ms >= to_ms:
                return
            if standing is None:
                due_ms = max(due_ms, at_ms)
            standing = Frame(at_ms, frame, longest_px)
        if standing is not None and standing.at_ms > given_ms:
            yield standing if standing.at_ms >= from_ms else standing.again(from_ms)


def _decoded(
    container: "InputContainer", stream: "VideoStream", source: Path, from_ms: int, deadline: float, told: Decoding
) -> Iterator["VideoFrame"]:
    import av

    _seek(container, stream, source, from_ms)
    packets = container.demux(stream)
    while True:
        if time.monotonic() > deadline:
            raise PicturesUnreadable(f"{source}: decoding its pictures took too long (LIVEPROOF_SUBPROCESS_TIMEOUT_S)")
        try:
            packet = next(packets)
        except StopIteration:
            return
        except av.FFmpegError as error:
            told.notes.append(f"reading ended early: {error}")
            return
        try:
            frames = packet.decode()
        except av.FFmpegError:
            told.damaged += 1
            if told.damaged > DAMAGED_MOST:
                told.notes.append("too many damaged pictures")
                return
            continue
        for frame in frames:
            if getattr(frame, "is_corrupt", False):
                told.damaged += 1
            elif frame.width and frame.height:
                yield frame


def _seek(container: "InputContainer", stream: "VideoStream", source: Path, from_ms: int) -> None:
    """To the last key frame before a moment; to the beginning where the file can't be sought in, or leads past the moment."""
    import av

    if from_ms <= 0:
        return
    start_us = container.start_time or 0
    try:
        container.seek(start_us + from_ms * 1000, backward=True)
        landed = next((at for packet in container.demux(stream) if (at := _media_ms(container, stream, packet.pts)) is not None), None)
        late = landed is None or landed > from_ms
        container.seek(start_us + (0 if late else from_ms) * 1000, backward=True)
    except av.FFmpegError as error:
        _log.info("seek_refused", file=str(source), error=str(error))


def _spacing(source: Path, from_ms: int, to_ms: int, deadline: float) -> tuple[int | None, bool]:
    """The longest time without a key frame between two moments, in ms (None: not known), and whether pictures are never far apart."""
    import av

    keys: list[int] = []
    shown: list[int] = []
    with _opened(source) as container:
        stream = _stream(container)
        if stream is None:
            return None, False
        try:
            _seek(container, stream, source, from_ms)
            for packet in container.demux(stream):
                at_ms = _media_ms(container, stream, packet.pts)
                if at_ms is None:
                    continue
                shown.append(at_ms)
                if packet.is_keyframe:
                    keys.append(at_ms)
                if at_ms >= to_ms or time.monotonic() > deadline:
                    break
        except av.FFmpegError:
            return None, False
    within = sorted(at for at in shown if from_ms <= at < to_ms)
    if not keys or not within:
        return None, False
    dense = max((later - earlier for earlier, later in pairwise(within)), default=0) <= DENSE_MS
    keys.sort()
    moments = [max(from_ms, keys[0]), *(at for at in keys if from_ms < at < to_ms), within[-1]]
    return max(later - earlier for earlier, later in pairwise(moments)), dense


def _opened(source: Path) -> "InputContainer":
    import av

    try:
        return av.open(str(source))
    except (av.FFmpegError, OSError) as error:
        raise PicturesUnreadable(f"{source} can't be opened as media: {error}") from error


def _stream(container: "InputContainer") -> "VideoStream | None":
    from av.stream import Disposition

    return next((each for each in container.streams.video if not each.disposition & Disposition.attached_pic), None)


def _media_ms(container: "InputContainer", stream: "VideoStream", pts: int | None) -> int | None:
    if pts is None or stream.time_base is None:
        return None
    return round(pts * stream.time_base * 1000 - (container.start_time or 0) / 1000)


def _even(pixels: float) -> int:
    return max(2, round(pixels / 2) * 2)
