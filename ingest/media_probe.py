"""What a media file holds, read from its packets: headers of live recordings lie, or were never finished."""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from archive.digest import Json
from archive.media_groups import demuxed
from archive.media_proof import MediaProof, MediaProver
from ingest.errors import NotMedia
from ingest.input_file import InputFile

if TYPE_CHECKING:
    from av import Packet
    from av.container import InputContainer
    from av.stream import Stream

_JUMP_MS = 10_000
_MISSING_TAIL_MS = 1000
_DECODE_TRIES = 400


@dataclass(slots=True)
class StreamProbe:
    """One sound or picture stream. Times in ms from the container's start; `fps` as a decimal, sizes in pixels, `rate` in Hz."""

    index: int
    kind: str
    codec: str
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    rate: int | None = None
    channels: int | None = None
    packets: int = 0
    start_ms: int | None = None
    end_ms: int = 0
    decoded: bool = False

    def as_json(self) -> dict[str, Json]:
        known: dict[str, Json] = {
            "index": self.index,
            "kind": self.kind,
            "codec": self.codec,
            "width": self.width,
            "height": self.height,
            "fps": self.fps,
            "rate": self.rate,
            "channels": self.channels,
            "packets": self.packets,
            "start_ms": self.start_ms,
            "end_ms": self.end_ms,
        }
        return {name: value for name, value in known.items() if value is not None}


@dataclass(frozen=True, slots=True)
class MediaProbe:
    """`duration_ms` is the end of the last packet, counted from `start_ms`, the container's own first time stamp."""

    container: str
    duration_ms: int
    start_ms: int
    header_duration_ms: int | None
    streams: tuple[StreamProbe, ...]
    damage: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Json]:
        return {
            "start_ms": self.start_ms,
            "header_duration_ms": self.header_duration_ms,
            "streams": [stream.as_json() for stream in self.streams],
        }


@dataclass(slots=True)
class _Findings:
    """Damage met while the packets pass: counts, with the first place of each kind."""

    corrupt: int = 0
    jumps: int = 0
    first_jump: str = ""
    stopped: str = ""
    last_ms: dict[int, int] = field(default_factory=dict)


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
    streams = {stream.index: stream for stream in map(_describe, container.streams) if stream is not None}
    if not streams:
        raise NotMedia(f"{file.path} holds neither sound nor picture: ingest the recording itself")
    start_ms = round(container.start_time / 1000) if container.start_time is not None else 0
    header_ms = round(container.duration / 1000) if container.duration is not None and container.duration > 0 else None
    findings = _Findings()
    _pass_packets(container, streams, start_ms, findings, prover, progress)

    if not any(stream.decoded for stream in streams.values()):
        raise NotMedia(f"{file.path} holds no sound or picture that can be decoded: check the copy, or the recorder's codec")
    duration_ms = max(stream.end_ms for stream in streams.values())
    if duration_ms <= 0:
        raise NotMedia(f"{file.path} holds no time: it has a header, and nothing after it that can be played")
    return MediaProbe(
        container=container.format.name,
        duration_ms=duration_ms,
        start_ms=start_ms,
        header_duration_ms=header_ms,
        streams=tuple(streams.values()),
        damage=tuple(_damage(findings, streams, duration_ms, start_ms, header_ms)),
    )


def _describe(stream: object) -> StreamProbe | None:
    from av.audio.stream import AudioStream
    from av.video.stream import VideoStream

    if isinstance(stream, VideoStream):
        rate = stream.average_rate
        return StreamProbe(
            stream.index,
            "video",
            stream.codec_context.name if stream.codec_context else "unknown",
            width=stream.codec_context.width if stream.codec_context else None,
            height=stream.codec_context.height if stream.codec_context else None,
            fps=round(float(rate), 3) if rate else None,
        )
    if isinstance(stream, AudioStream):
        context = stream.codec_context
        return StreamProbe(
            stream.index,
            "audio",
            context.name if context else "unknown",
            rate=context.sample_rate if context else None,
            channels=context.channels if context else None,
        )
    return None


def _pass_packets(
    container: "InputContainer",
    streams: dict[int, StreamProbe],
    start_ms: int,
    findings: _Findings,
    prover: MediaProver,
    progress: Callable[[int], None] | None,
) -> None:
    import av

    chosen = [container.streams[index] for index in streams]
    scales = {stream.index: float(1000 * (stream.time_base or Fraction(1, 1000))) for stream in chosen}
    try:
        for count, packet in enumerate(container.demux(chosen)):
            if packet.size == 0:
                continue
            prover.add(packet)
            index = packet.stream_index
            stream = streams[index]
            _note_times(packet, stream, scales[index], start_ms, findings)
            if not stream.decoded and stream.packets <= _DECODE_TRIES:
                stream.decoded = _decodes(packet)
            if progress and count % 500 == 0 and packet.pos:
                progress(packet.pos)
    except av.FFmpegError as error:
        findings.stopped = _reason(error)
    for stream in streams.values():
        if not stream.decoded and stream.packets:
            stream.decoded = _flushes(container, stream.index)


def _note_times(packet: "Packet[Stream]", stream: StreamProbe, scale: float, start_ms: int, findings: _Findings) -> None:
    """`scale` is ms per tick of the stream's time base: asking each packet for its base would take most of the time."""
    stream.packets += 1
    if packet.is_corrupt:
        findings.corrupt += 1
    pts, dts = packet.pts, packet.dts
    if pts is None:
        pts = dts
    if pts is None:
        return
    at_ms = round(pts * scale) - start_ms
    if stream.start_ms is None or at_ms < stream.start_ms:
        stream.start_ms = at_ms
    end_ms = round((pts + (packet.duration or 0)) * scale) - start_ms
    stream.end_ms = max(stream.end_ms, end_ms)
    order = at_ms if dts is None else round(dts * scale) - start_ms
    before = findings.last_ms.get(stream.index)
    if before is not None and not -1000 <= order - before <= _JUMP_MS:
        findings.jumps += 1
        findings.first_jump = findings.first_jump or f"from {before} to {order} ms in {stream.kind}"
    findings.last_ms[stream.index] = order


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


def _damage(findings: _Findings, streams: dict[int, StreamProbe], duration_ms: int, start_ms: int, header_ms: int | None) -> list[str]:
    found = []
    if findings.stopped:
        found.append(f"reading stopped at {duration_ms} ms: {findings.stopped}")
    if header_ms is not None and header_ms - duration_ms - max(start_ms, 0) > _MISSING_TAIL_MS:
        found.append(f"the tail is missing: the header promises {header_ms} ms, {duration_ms} ms are there")
    if findings.corrupt:
        found.append(f"{findings.corrupt} packets are marked corrupt")
    if findings.jumps:
        found.append(f"time stamps jump {findings.jumps} times, first {findings.first_jump}")
    found.extend(
        f"{stream.kind} stream {stream.index} can't be decoded" for stream in streams.values() if stream.packets and not stream.decoded
    )
    found.extend(f"{stream.kind} stream {stream.index} is empty" for stream in streams.values() if not stream.packets)
    return found


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
