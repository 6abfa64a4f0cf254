"""Decoding a part to see what of it can be heard and seen: all of its sound, and its key pictures or every one.

Memory stays the same however long the part is. Key pictures cost little and find what a bad disk or a broken upload does; a fault in the
pictures between them only shows where every picture is decoded.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from archive.errors import NoMediaHeld
from archive.media_checks import Finding, What
from archive.media_groups import chosen_streams, open_media, read_packets
from archive.packet_times import FileTimes, StreamTimes
from archive.recording import Part

if TYPE_CHECKING:
    from av import Packet
    from av.container import InputContainer
    from av.stream import Stream

FINDINGS_MAX = 200
_SILENT_MS = 500
_TOGETHER_MS = 1000
_STRICT = {"err_detect": "crccheck+bitstream+buffer+explode"}
_LOOK_EVERY = 256


@dataclass(slots=True)
class _Spans:
    """Damaged stretches of one kind as they are met, those that are close together made one."""

    what: What
    found: list[Finding] = field(default_factory=list)
    more: int = 0

    def add(self, from_ms: int, to_ms: int) -> None:
        last = self.found[-1] if self.found else None
        if last is not None and from_ms - last.to_ms <= _TOGETHER_MS:
            self.found[-1] = Finding(self.what, min(last.from_ms, from_ms), max(last.to_ms, to_ms), last.count + 1)
        elif len(self.found) < FINDINGS_MAX:
            self.found.append(Finding(self.what, from_ms, to_ms))
        else:
            self.more += 1


def method_of(every_picture: bool) -> str:
    """What a check by this process is called: how much it decodes, and with what."""
    import av

    codec = ".".join(map(str, av.library_versions["libavcodec"]))
    return f"{'every_picture' if every_picture else 'key_pictures'}, libavcodec {codec}"


def check_part(
    file: Path,
    part: Part,
    *,
    every_picture: bool,
    timeout_s: float,
    progress: Callable[[int, int], None] | None = None,
    now: Callable[[], float] = time.monotonic,
) -> tuple[Finding, ...]:
    """Decode a part's file; what is wrong in it, on the part's media time. `progress(done_ms, duration_ms)`.

    After `timeout_s` the rest is left and told as unchecked. A file that can't be opened is unchecked as a whole.
    """
    try:
        with open_media(file) as container:
            return _Check(container, part, every_picture).run(now() + timeout_s, now, progress)
    except NoMediaHeld as error:
        return (Finding("unchecked", 0, part.duration_ms, 1, str(error).removeprefix(str(file)).strip()),)


class _Check:
    def __init__(self, container: "InputContainer", part: Part, every_picture: bool) -> None:
        self._container, self._part, self._every = container, part, every_picture
        start_ms = round(container.start_time / 1000) if container.start_time is not None else 0
        times = FileTimes(container.format.name, start_ms, joined=part.times_joined)
        video, audio = chosen_streams(container)
        self._video, self._audio = video, audio
        self._times: dict[int, StreamTimes] = {
            stream.index: times.stream(str(stream.type), stream.time_base, None) for stream in (video, audio) if stream is not None
        }
        self._unheard, self._silent, self._unseen = _Spans("unheard"), _Spans("silent"), _Spans("unseen")
        self._heard_to = 0
        self._broken_from: int | None = None
        self._reached = 0
        for stream in (video, audio):
            if stream is not None and stream.codec_context is not None:
                stream.codec_context.options = _STRICT
        if video is not None and video.codec_context is not None:
            video.codec_context.thread_type = "AUTO" if every_picture else "NONE"

    def run(self, until: float, now: Callable[[], float], progress: Callable[[int, int], None] | None) -> tuple[Finding, ...]:
        import av

        stopped = ""
        duration_ms = self._part.duration_ms
        try:
            for count, packet in enumerate(read_packets(self._container, [s for s in (self._video, self._audio) if s is not None])):
                self._take(packet)
                if count % _LOOK_EVERY == 0:
                    if now() > until:
                        stopped = "the time for it was over (LIVEPROOF_MEDIA_CHECK_TIMEOUT_S)"
                        break
                    if progress:
                        progress(min(self._reached, duration_ms), duration_ms)
        except av.FFmpegError as error:
            stopped = str(error.strerror or error)
        if stopped:
            rest = [Finding("unchecked", min(self._reached, duration_ms), duration_ms, 1, stopped)]
        else:
            self._end()
            rest = []
        if progress:
            progress(duration_ms, duration_ms)
        kinds = (self._unheard, self._silent, self._unseen)
        more = [Finding("more", 0, duration_ms, spans.more, spans.what) for spans in kinds if spans.more]
        return (*(found for spans in kinds for found in spans.found), *rest, *more)

    def _take(self, packet: "Packet[Stream]") -> None:
        times = self._times[packet.stream_index]
        times.take(packet)
        at_ms = times.last_ms
        self._reached = max(self._reached, at_ms)
        if self._audio is not None and packet.stream_index == self._audio.index:
            self._listen(packet, at_ms, times.end_ms)
        elif packet.is_keyframe or self._every:
            self._look(packet, at_ms)

    def _listen(self, packet: "Packet[Stream]", at_ms: int, end_ms: int) -> None:
        if at_ms - self._heard_to > _SILENT_MS:
            self._silent.add(self._heard_to, min(at_ms, self._part.duration_ms))
        if not _decodes(packet):
            self._unheard.add(max(at_ms, 0), max(at_ms + 1, end_ms))
        self._heard_to = max(self._heard_to, end_ms)

    def _look(self, packet: "Packet[Stream]", at_ms: int) -> None:
        # A key picture that fails takes those with it that build on it, up to the next one.
        if packet.is_keyframe and self._broken_from is not None:
            self._unseen.add(self._broken_from, max(at_ms, self._broken_from + 1))
            self._broken_from = None
        if not _decodes(packet) and self._broken_from is None:
            self._broken_from = max(at_ms, 0)

    def _end(self) -> None:
        duration_ms = self._part.duration_ms
        if self._broken_from is not None:
            self._unseen.add(self._broken_from, max(duration_ms, self._broken_from + 1))
        if duration_ms - self._heard_to > _SILENT_MS:
            self._silent.add(self._heard_to, duration_ms)


def _decodes(packet: "Packet[Stream]") -> bool:
    """Whether a packet's own content is sound; one that only waits for more is."""
    import av

    try:
        return not any(getattr(frame, "is_corrupt", False) for frame in packet.decode())
    except (av.FFmpegError, ValueError):
        # What the failure left behind would be held against the packets that follow.
        packet.stream.codec_context.flush_buffers()
        return False
