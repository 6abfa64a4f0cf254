"""What a media file holds, read from its packets: headers of live recordings lie, or were never finished."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from archive.damage import damage_line
from archive.digest import Json
from archive.media_groups import demuxed, read_packets
from archive.media_proof import MediaProof, MediaProver
from archive.packet_times import FileTimes, StreamTimes, end_of
from ingest.errors import InvalidContent, NotMedia
from ingest.input_file import InputFile

if TYPE_CHECKING:
    from av import Packet
    from av.container import InputContainer
    from av.stream import Stream

_MISSING_TAIL_MS = 1000
_UNEVEN_ENDS_MS = 2000
_DECODE_TRIES = 400
LONGEST_MS = 30 * 24 * 3_600_000
"""No live room stays open for a month: times beyond it are a broken clock's."""


@dataclass(slots=True)
class StreamProbe:
    """One sound or picture stream. `fps` as a decimal, sizes in pixels, `rate` in Hz."""

    index: int
    kind: str
    codec: str
    times: StreamTimes
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    rate: int | None = None
    channels: int | None = None
    decoded: bool = False

    @property
    def packets(self) -> int:
        return self.times.packets

    def as_json(self) -> dict[str, Json]:
        known: dict[str, Json] = {
            "index": self.index,
            "kind": self.kind,
            "codec": self.codec,
            "width": self.width,
            "height": self.height,
            "fps": self.fps,
            "fps_varies": self.times.varies or None if self.kind == "video" else None,
            "rate": self.rate,
            "channels": self.channels,
            "packets": self.packets,
            "start_ms": self.times.start_ms,
            "end_ms": self.times.end_ms,
        }
        return {name: value for name, value in known.items() if value is not None}


@dataclass(frozen=True, slots=True)
class MediaProbe:
    """`duration_ms` is the end of the last packet, counted from `start_ms`, the container's own first time stamp.

    `joined`: jumps of the time stamps are closed in media time, see `archive.packet_times`. `damage`: lines of `archive.damage`.
    `first_pts`: the MPEG-TS time, in 1/90 000 s, that media time 0 stands for; None in other containers.
    """

    container: str
    duration_ms: int
    start_ms: int
    header_duration_ms: int | None
    streams: tuple[StreamProbe, ...]
    damage: tuple[str, ...] = ()
    joined: bool = False
    first_pts: int | None = None

    def as_json(self) -> dict[str, Json]:
        return {
            "start_ms": self.start_ms,
            "header_duration_ms": self.header_duration_ms,
            "streams": [stream.as_json() for stream in self.streams],
            **({"joined": True} if self.joined else {}),
        }


@dataclass(slots=True)
class _Findings:
    """What was met while the packets passed, beside their times. `corrupt_from_ms` and `corrupt_to_ms` are media time."""

    corrupt: int = 0
    corrupt_from_ms: int = 0
    corrupt_to_ms: int = 0
    stopped: str = ""
    kinds: list[str] = field(default_factory=list)


def probe(file: InputFile, progress: Callable[[int], None] | None = None) -> MediaProbe:
    """Read every packet of a file. `progress` is told how many bytes were passed.

    NotMedia names a file without readable sound or picture. Damage that leaves something to read is described in the result.
    """
    return probe_and_prove(file, progress)[0]


def probe_and_prove(file: InputFile, progress: Callable[[int], None] | None = None) -> tuple[MediaProbe, MediaProof | None]:
    """As `probe`, and the file's media proof from the same reading: what `archive.media_proof.prove_media` makes of the same bytes.

    None where the streams that a proof is about hold no packet. Memory doesn't grow with the bytes read, but for 32 of each group's.
    """
    import av

    with file.open() as stream:
        try:
            container = demuxed(stream)
        except (av.FFmpegError, ValueError) as error:
            raise NotMedia(
                f"{file.path} is no media file, or was cut off before its index was written ({_reason(error)}): check the copy"
            ) from error
        with container:
            prover = MediaProver(container)
            return _probe_open(container, file, prover, progress), prover.finish()


def _probe_open(container: "InputContainer", file: InputFile, prover: MediaProver, progress: Callable[[int], None] | None) -> MediaProbe:
    start_ms = round(container.start_time / 1000) if container.start_time is not None else 0
    header_ms = round(container.duration / 1000) if container.duration is not None and container.duration > 0 else None
    times = FileTimes(container.format.name, start_ms)
    streams = {found.index: found for stream in container.streams if (found := _describe(stream, times)) is not None}
    if not streams:
        raise NotMedia(f"{file.path} holds neither sound nor picture: ingest the recording itself")
    findings = _Findings()
    _pass_packets(container, streams, findings, prover, progress)

    if not any(stream.decoded for stream in streams.values()):
        raise NotMedia(f"{file.path} holds no sound or picture that can be decoded: check the copy, or the recorder's codec")
    duration_ms = end_of(times.streams)
    if duration_ms <= 0:
        raise NotMedia(f"{file.path} holds no time: it has a header, and nothing after it that can be played")
    if duration_ms > LONGEST_MS:
        raise InvalidContent(
            f"{file.path} would last {duration_ms // 3_600_000} h by its time stamps, which no live room does: have its recorder mend the "
            "times in a copy, keep the file as it is beside it, and ingest the copy"
        )
    return MediaProbe(
        container=container.format.name,
        duration_ms=duration_ms,
        start_ms=start_ms,
        header_duration_ms=header_ms,
        streams=tuple(streams.values()),
        damage=tuple(_damage(findings, list(streams.values()), times, header_ms)),
        joined=times.joined,
        first_pts=round((container.start_time or 0) * 0.09) % (1 << 33) if container.format.name == "mpegts" else None,
    )


def _describe(stream: "Stream", times: FileTimes) -> StreamProbe | None:
    from av.audio.stream import AudioStream
    from av.stream import Disposition
    from av.video.stream import VideoStream

    if isinstance(stream, VideoStream) and not stream.disposition & Disposition.attached_pic:
        rate, context = stream.average_rate, stream.codec_context
        return StreamProbe(
            stream.index,
            "video",
            context.name if context else "unknown",
            times.stream("video", stream.time_base, rate),
            width=context.width if context else None,
            height=context.height if context else None,
            fps=round(float(rate), 3) if rate else None,
        )
    if isinstance(stream, AudioStream):
        sound = stream.codec_context
        return StreamProbe(
            stream.index,
            "audio",
            sound.name if sound else "unknown",
            times.stream("audio", stream.time_base, None),
            rate=sound.sample_rate if sound else None,
            channels=sound.channels if sound else None,
        )
    return None


def _pass_packets(
    container: "InputContainer",
    streams: dict[int, StreamProbe],
    findings: _Findings,
    prover: MediaProver,
    progress: Callable[[int], None] | None,
) -> None:
    import av

    takers = {index: stream.times.take for index, stream in streams.items()}
    undecoded = dict(streams)
    try:
        for count, packet in enumerate(read_packets(container, [stream for stream in container.streams if stream.index in streams])):
            prover.add(packet)
            index = packet.stream_index
            takers[index](packet)
            if packet.is_corrupt:
                _note_corrupt(streams[index], findings)
            if index in undecoded:
                streams[index].decoded = _decodes(packet)
                if streams[index].decoded or streams[index].packets > _DECODE_TRIES:
                    del undecoded[index]
            if progress and count % 500 == 0 and packet.pos:
                progress(packet.pos)
    except av.FFmpegError as error:
        findings.stopped = _reason(error)
    for stream in streams.values():
        if not stream.decoded and stream.packets:
            stream.decoded = _flushes(container, stream.index)


def _note_corrupt(stream: StreamProbe, findings: _Findings) -> None:
    at_ms = stream.times.last_ms
    findings.corrupt_from_ms = min(findings.corrupt_from_ms, at_ms) if findings.corrupt else at_ms
    findings.corrupt_to_ms = max(findings.corrupt_to_ms, at_ms)
    findings.corrupt += 1
    if stream.kind not in findings.kinds:
        findings.kinds.append(stream.kind)


def _decodes(packet: "Packet[Stream]") -> bool:
    import av

    try:
        return bool(packet.decode())
    except (av.FFmpegError, ValueError):
        return False


def _flushes(container: "InputContainer", index: int) -> bool:
    """A very short stream gives its first frame only when the decoder is told that there is no more."""
    import av

    stream = container.streams[index]
    try:
        return bool(stream.codec_context.decode(None)) if hasattr(stream.codec_context, "decode") else False
    except (av.FFmpegError, ValueError, AttributeError):
        return False


def _damage(findings: _Findings, streams: list[StreamProbe], times: FileTimes, header_ms: int | None) -> list[str]:
    """Lines of `archive.damage`, what matters most first."""
    found = []
    if findings.stopped:
        found.append(damage_line("reading_stopped", at_ms=end_of(times.streams), reason=findings.stopped))
    raw_end_ms = max(stream.times.raw_end_ms for stream in streams)
    if header_ms is not None and header_ms - raw_end_ms - max(times.start_ms, 0) > _MISSING_TAIL_MS:
        found.append(damage_line("tail_missing", header_ms=header_ms, held_ms=raw_end_ms))
    if findings.corrupt:
        where = {"from_ms": findings.corrupt_from_ms, "to_ms": findings.corrupt_to_ms}
        found.append(damage_line("packets_corrupt", count=findings.corrupt, **where, stream=",".join(sorted(findings.kinds))))
    found.extend(_jumps(times))
    found.extend(_of_stream(stream, streams) for stream in streams if stream.packets)
    for stream in streams:
        if stream.packets and not stream.decoded:
            found.append(damage_line("stream_undecodable", stream=stream.kind, index=stream.index))
        elif not stream.packets:
            found.append(damage_line("stream_empty", stream=stream.kind, index=stream.index))
    kinds = {stream.kind for stream in streams}
    found.extend(damage_line(f"no_{kind}") for kind in ("audio", "video") if kind not in kinds)
    return [line for line in found if line]


def _jumps(times: FileTimes) -> list[str]:
    found = []
    for turn in ("forward", "back", "wrap"):
        of_turn = [jump for jump in times.jumps if jump.turn == turn]
        if of_turn:
            first = of_turn[0]
            at_ms = first.joined_ms if times.joined else first.raw_ms
            count = times.jump_count if len(of_turn) == len(times.jumps) else len(of_turn)
            found.append(damage_line(f"times_{turn}", count=count, at_ms=at_ms, by_ms=abs(first.by_ms), stream=first.kind))
    return found


def _of_stream(stream: StreamProbe, streams: list[StreamProbe]) -> str:
    """How a stream pauses, or begins or ends away from the others; the worst of these."""
    times, kind = stream.times, stream.kind
    others = [other.times for other in streams if other is not stream and other.packets]
    if times.pauses:
        where = {"count": times.pauses, "at_ms": times.first_pause_ms, "longest_ms": times.longest_pause_ms}
        return damage_line("stream_pauses", stream=kind, **where)
    early_ms = end_of(others) - times.end_ms if others else 0
    if early_ms > _UNEVEN_ENDS_MS:
        return damage_line("stream_ends_early", stream=kind, at_ms=times.end_ms, by_ms=early_ms)
    late_ms = times.start_ms or 0
    return damage_line("stream_starts_late", stream=kind, by_ms=late_ms) if late_ms > _UNEVEN_ENDS_MS else ""


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
