"""A media file's coded packets in groups of pictures, demuxed and never decoded: what media proofs are made of and clips are copied from.

Times are ms of media time: 0 is the container's start time, as ffmpeg counts. A group starts at a key frame; audio belongs to the group in
whose time it starts. Without video a group is two seconds of audio. Only the first video and the first audio stream count.
"""

import hashlib
import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import structlog

from archive.digest import Json
from archive.errors import NoMediaHeld, TooLarge

if TYPE_CHECKING:
    import av
    from av.container import InputContainer
    from av.stream import Stream

AUDIO_GROUP_MS = 2000
# How far audio may be stored behind the video it belongs to before it counts to a later group.
INTERLEAVE_MS = 5000
MAX_GROUP_BYTES = 512 << 20
READ_BYTES = 256 << 10
# Containers that hold a recording. Playlists, picture sequences, text and device inputs are left out: they read other files or hosts.
DEMUXERS = (
    "flv,live_flv,kux,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,avi,asf,wav,w64,aiff,mp3,aac,ac3,eac3,flac,ogg,amr,caf,rm,mxf,nut,"
    "swf,h264,hevc"
)


@dataclass(slots=True)
class Group:
    """One group of pictures: per packet the SHA-256 of its payload and its time. `offset` is where its first packet lies in the file.

    `held` are its packets in the file's order, kept only where they were asked for. In a part whose times are joined
    (`archive.joined_times`) the shifts say, packet by packet, how many ms to add to their own times for media time; else there are none.
    """

    number: int
    start_ms: int
    end_ms: int
    offset: int = -1
    video: list[tuple[str, int | None]] = field(default_factory=list)
    audio: list[tuple[str, int | None]] = field(default_factory=list)
    held: "list[av.Packet[Stream]]" = field(default_factory=list)
    held_bytes: int = 0
    video_shifts: list[int] = field(default_factory=list)
    audio_shifts: list[int] = field(default_factory=list)
    joined_span: tuple[int, int] | None = None

    @property
    def from_ms(self) -> int:
        """Media time at which it begins."""
        return self.joined_span[0] if self.joined_span else self.start_ms

    @property
    def to_ms(self) -> int:
        """Media time at which the next one begins, or its last packet ends."""
        return self.joined_span[1] if self.joined_span else self.end_ms

    def pictures(self) -> list[int]:
        """Media times of its pictures, in the file's order."""
        return _times(self.video, self.video_shifts)

    def sounds(self) -> list[int]:
        """Media times of its packets of sound, in the file's order."""
        return _times(self.audio, self.audio_shifts)

    def leaf(self) -> dict[str, Json]:
        """What is hashed for it."""
        return {
            "gop": self.number,
            "start_ms": self.start_ms,
            "end_ms": self.end_ms,
            "video": [list(packet) for packet in self.video],
            "audio": [list(packet) for packet in self.audio],
        }


def _times(packets: list[tuple[str, int | None]], shifts: list[int]) -> list[int]:
    if not shifts:
        return [at for _, at in packets if at is not None]
    return [at + shift for (_, at), shift in zip(packets, shifts, strict=True) if at is not None]


class Grouping:
    """Puts an open file's packets into groups as they come; those whose number is in `hold` keep their packets.

    A reader that starts in the middle gives the number of the group whose first packet comes first.
    """

    def __init__(self, container: "InputContainer", hold: range = range(0), first: int = 0) -> None:
        video, audio = chosen_streams(container)
        self.streams = [stream for stream in (video, audio) if stream is not None]
        self._name = container.name
        self._video = video.index if video is not None else None
        self._audio = audio.index if audio is not None else None
        self._scales = {s.index: (1000 * s.time_base.numerator, s.time_base.denominator) for s in self.streams if s.time_base}
        self._origin_ms = (container.start_time or 0) / 1000
        self._hold = hold
        self._waiting: deque[Group] = deque()
        self._count = first
        self._lengths: dict[tuple[int, int], int] = {}

    def add(self, packet: "av.Packet[Stream]", shift_ms: int | None = None) -> list[Group]:
        """Take the next packet, with its shift where times are joined; the groups that are complete now.

        TooLarge for a held group over 512 MiB.
        """
        index = packet.stream_index
        if index not in (self._video, self._audio) or not packet.size:
            return []
        waiting = self._waiting
        at_ms = self._milliseconds(packet, index)
        is_video = index == self._video
        if not waiting or ((is_video or self._video is None) and self._starts_group(packet, at_ms, waiting[-1])):
            start_ms = at_ms or waiting[-1].end_ms if waiting else max(at_ms or 0, 0)
            if waiting:
                waiting[-1].end_ms = start_ms
            waiting.append(Group(self._count, start_ms, start_ms, packet.pos if packet.pos is not None else -1))
            self._count += 1
        complete = []
        while len(waiting) > 1 and waiting[1].start_ms + INTERLEAVE_MS < (at_ms or 0):
            complete.append(waiting.popleft())
        group = waiting[-1] if is_video or at_ms is None else _group_at(waiting, at_ms)
        (group.video if is_video else group.audio).append((hashlib.sha256(packet).hexdigest(), at_ms))
        if shift_ms is not None:
            (group.video_shifts if is_video else group.audio_shifts).append(shift_ms)
        if at_ms is not None and group is waiting[-1]:
            group.end_ms = max(group.end_ms, at_ms + self._length(packet, index))
        if group.number in self._hold:
            group.held.append(packet)
            group.held_bytes += packet.size
            if group.held_bytes > MAX_GROUP_BYTES:
                raise TooLarge(f"{self._name}: {group.held_bytes >> 20} MiB without a key frame are too much to cut a proof clip from")
        return complete

    def rest(self) -> list[Group]:
        """The groups that were waiting for more when the file ended."""
        left = list(self._waiting)
        self._waiting.clear()
        return left

    def _starts_group(self, packet: "av.Packet[Stream]", at_ms: int | None, last: Group) -> bool:
        if self._video is not None:
            # Audio that came before the first picture shares its group.
            return packet.is_keyframe and bool(last.video)
        return at_ms is not None and at_ms >= last.start_ms + AUDIO_GROUP_MS

    def _milliseconds(self, packet: "av.Packet[Stream]", index: int) -> int | None:
        pts, scale = packet.pts, self._scales.get(index)
        return None if pts is None or scale is None else round(pts * scale[0] / scale[1] - self._origin_ms)

    def _length(self, packet: "av.Packet[Stream]", index: int) -> int:
        duration = packet.duration
        if not duration:
            return 0
        length = self._lengths.get((index, duration))
        if length is None:
            base = packet.time_base
            if len(self._lengths) > 1000:
                self._lengths.clear()
            length = self._lengths[index, duration] = round(1000 * duration * base) if base else 0
        return length


def _group_at(waiting: deque[Group], at_ms: int) -> Group:
    for group in reversed(waiting):
        if group.start_ms <= at_ms:
            return group
    return waiting[0]


def read_groups(container: "InputContainer", hold: range = range(0)) -> Iterator[Group]:
    """The groups of an open file in order, from its start to its end or to where damage stops the reading."""
    grouping = Grouping(container, hold)
    for packet in packets(container, grouping.streams):
        yield from grouping.add(packet)
    yield from grouping.rest()


def packets(container: "InputContainer", streams: "list[Stream]") -> "Iterator[av.Packet[Stream]]":
    """Packets up to the end, or to where a damaged file can't be read on: what lies behind that is in the file's digest alone."""
    import av

    try:
        yield from read_packets(container, streams)
    except av.FFmpegError as error:
        structlog.get_logger().warning("media ends in damage", file=container.name, error=str(error))


def read_packets(container: "InputContainer", streams: "list[Stream]") -> "Iterator[av.Packet[Stream]]":
    """Packets of some streams that hold something, in the file's order. av.FFmpegError where it can't be read on."""
    while True:
        try:
            for packet in container.demux(streams):
                if packet.size:
                    yield packet
        except IndexError:
            # A tag of a damaged file opened one more stream, which PyAV doesn't know; asked again, it goes on where it was.
            continue
        return


def chosen_streams(container: "InputContainer") -> "tuple[Stream | None, Stream | None]":
    """The video and audio stream that proofs are about: the first of each; pictures attached as covers don't count."""
    from av.stream import Disposition

    video = next((s for s in container.streams.video if not s.disposition & Disposition.attached_pic), None)
    return video, next(iter(container.streams.audio), None)


@contextmanager
def open_media(path: Path) -> "Iterator[InputContainer]":
    """A file opened for demuxing. NoMediaHeld if it can't be read as media."""
    import av

    try:
        stream = path.open("rb", buffering=0)
    except OSError as error:
        raise NoMediaHeld(f"{path} can't be read: {error.strerror}") from error
    with stream:
        try:
            container = demuxed(stream)
        except (av.FFmpegError, ValueError) as error:
            raise NoMediaHeld(f"{path} can't be read as media: {error}") from error
        with container:
            yield container


def demuxed(stream: BinaryIO) -> "InputContainer":
    """Demux an open file by its bytes alone, so that a stored object gives what the file of its name gave. av.FFmpegError, ValueError."""
    import av

    options = {"format_whitelist": DEMUXERS, "protocol_whitelist": "file"}
    return av.open(_Nameless(stream), mode="r", options=options, metadata_errors="replace", buffer_size=READ_BYTES)


class _Nameless:
    """A file without its name: FFmpeg takes a name's ending for a hint at the container."""

    def __init__(self, stream: BinaryIO) -> None:
        self.read = stream.read
        self.tell = stream.tell
        self._stream = stream

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._stream.seek(offset, whence)
