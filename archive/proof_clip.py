"""Proof clips: whole groups of a part, stream-copied packet for packet, with each group's path to the part's media root (G3).

FLV, MP4 and MKV parts give an MP4 (MKV where MP4 can't hold the codec), a TS gives a TS: these keep every packet's bytes. A proof is about
the part's first video and first audio stream; further streams are in the part's own digest alone, and in no clip.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from heapq import heappop, heappush
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from archive.atomic_write import written_whole
from archive.digest import Json, digest_file
from archive.errors import ProgramFailed, VerificationFailed
from archive.joined_times import lay_on_line, shift_runs
from archive.media_groups import INTERLEAVE_MS, Group, Grouping, chosen_streams, open_media, packets, read_groups
from archive.media_proof import MediaProof, read_clip
from archive.merkle import MerkleTree
from archive.recording import REJOIN_MS, Part, Recording
from archive.verifier.clips import check_proof_clip
from archive.verifier.outcomes import Wrong

if TYPE_CHECKING:
    import av
    from av.container import InputContainer, OutputContainer
    from av.stream import Stream

PROOF_FORMAT = "liveproof-proof-clip/1"
_MUXERS = {".ts": "mpegts", ".mp4": "mp4", ".mkv": "matroska"}
_MP4_CODECS = {"h264", "hevc", "av1", "vp9", "mpeg4", "aac", "mp3", "opus", "ac3", "flac"}
# FFmpeg seeks by the clock in these only with an index, which recorders leave out; where a group's bytes lie is known from its proof.
_SOUGHT_BY_BYTES = {"flv", "live_flv", "mpegts"}
_SHIFTED = (
    ". Time stamps of the recording jump inside this clip, and the clip closes the jumps: time_shifts says, in the order of the leaves, "
    "how many packets play how many ms away from their own times; sound is stored in the order in which it plays"
)
# How long joined sound waits for pictures: as far apart as a group's packets are looked for.
_SOUND_WAITS_S = Fraction(INTERLEAVE_MS, 1000)
# How far a joined packet may be put off so that the one before it keeps its time.
_LATE_MS = REJOIN_MS
# Key frames that are looked at after a seek before it counts as failed.
_PLACING_TRIES = 3


def proof_ending(container: str, proof: MediaProof) -> str:
    """What a proof clip of a part ends in: `.ts` for a TS, else `.mp4`, or `.mkv` for codecs that MP4 can't hold.

    `container` is FFmpeg's name of the part's format, as its probe wrote it down.
    """
    if "mpegts" in container:
        return ".ts"
    streams = proof.header["streams"]
    codecs = {str(stream["codec"]) for stream in streams if isinstance(stream, dict)} if isinstance(streams, list) else set()
    return ".mp4" if codecs <= _MP4_CODECS else ".mkv"


def copy_groups(source: Path, proof: MediaProof, targets: Mapping[Path, range]) -> list[Group]:
    """Stream-copy groups of a media file, packet for packet: to each target, whose ending says the container, its own range of them.

    The ranges overlap or touch; what is returned are the groups of all of them, without their packets. Where the part's times are joined,
    packets are written at their media time. VerificationFailed where the file's packets are not those of the proof, ProgramFailed where
    they can't be copied, TooLarge for a group over 512 MiB.
    """
    return list(_copying(source, proof, targets))


def copy_whole(source: Path, proof: MediaProof, target: Path) -> int:
    """Stream-copy all groups to one target; the media time, in ms, that is the target's beginning. Errors as `copy_groups`."""
    begins_ms: int | None = None
    for group in _copying(source, proof, {target: range(len(proof.starts))}):
        if begins_ms is None:
            begins_ms = min([*group.pictures(), *group.sounds()], default=0)
    return begins_ms or 0


def _copying(source: Path, proof: MediaProof, targets: Mapping[Path, range]) -> Iterator[Group]:
    import av

    wanted = range(min(r.start for r in targets.values()), max(r.stop for r in targets.values()))
    try:
        with ExitStack() as stack:
            copies = [(stack.enter_context(_copy_into(target)), numbers) for target, numbers in targets.items()]
            for group, streams in proven_groups(source, proof, wanted):
                if proof.joined is not None:
                    _put_on_joined_line(group, streams)
                _fill_missing_dts(group)
                takers = [copy for copy, numbers in copies if group.number in numbers]
                for copy in takers:
                    copy.begin(group)
                for packet in group.held:
                    for copy in takers[1:]:
                        copy.add(_cloned(packet), streams)
                    if takers:
                        takers[0].add(packet, streams)
                group.held.clear()
                yield group
            for copy, _ in copies:
                copy.end()
    except av.FFmpegError as error:
        endings = ", ".join(sorted({target.suffix for target in targets}))
        raise ProgramFailed(f"part {source.name} can't be stream-copied to {endings}: {error}; hand over the whole part") from error


def proven_groups(source: Path, proof: MediaProof, wanted: range) -> "Iterator[tuple[Group, dict[int, Stream]]]":
    """The wanted groups with their packets, each one only after it was held to the proof; beside it the file's streams by index.

    Reading begins near the first one where the file can be sought in; where that leads astray, at the file's start. VerificationFailed if
    the file doesn't hold the groups that the proof is about.
    """
    due = wanted.start
    for near in (True, False):
        with open_media(source) as container:
            streams = {stream.index: stream for stream in chosen_streams(container) if stream is not None}
            found = _groups_from(container, proof, range(due, wanted.stop)) if near else read_groups(container, range(due, wanted.stop))
            for group in found:
                if group.number < due:
                    continue
                if group.number != due or not proof.holds(group):
                    break
                if proof.joined is not None:
                    lay_on_line(group, proof.joined.groups[due])
                yield group, streams
                due += 1
                if due >= wanted.stop:
                    return
        if near:
            structlog.get_logger().info("reading from the start", file=source.name, group=due)
    raise VerificationFailed(
        f"group {due} of {source.name} is not the one that its media proof holds: the stored bytes, or what is kept of the proof under "
        "derived/media-proofs, were changed. Run liveproof verify --archive"
    )


def proof_document(
    recording: Recording, part: Part, proof: MediaProof, groups: list[Group], span: tuple[int, int], clip: Path
) -> dict[str, Json]:
    """What a `.proof.json` says; `span` is what was asked for, on the recording's time line."""
    tree = MerkleTree(proof.leaves)
    shifts = _stated_shifts(groups)
    header, *shown = ([node.hex() for node in tree.inclusion(n)] for n in (0, *(group.number + 1 for group in groups)))
    return {
        "format": PROOF_FORMAT,
        "how": (
            "leaf = SHA-256(00 || canonical JSON of leaf), node = SHA-256(01 || left || right) as in RFC 6962; header is leaf 0, group n "
            "leaf n+1 of tree_size. Packet digests are those of: ffprobe -show_packets -show_data_hash sha256 CLIP. "
            "The first video and the first audio stream are proven" + (_SHIFTED if shifts else "")
        ),
        "recording": recording.id,
        "part": part.number,
        "part_digest": part.digest,
        "part_bytes": part.size_bytes,
        "media_root": proof.root,
        "tree_size": len(proof.leaves),
        "span_ms": list(span),
        "clip_starts_ms": part.clock.to_recording(groups[0].from_ms),
        "clip": clip.name,
        "clip_digest": digest_file(clip),
        "header": {"leaf": proof.header, "path": list(header)},
        "gops": [{"leaf": group.leaf(), "path": list(path)} for group, path in zip(groups, shown, strict=True)],
        **({"time_shifts": shifts} if shifts else {}),
    }


def verify_proof_clip(clip: Path, proof: "dict[str, Json] | Path") -> str:
    """Check a proof clip against its proof, with neither archive nor network; what was found. VerificationFailed says what is wrong."""
    try:
        document = json.loads(proof.read_bytes()) if isinstance(proof, Path) else proof
        return check_proof_clip(read_clip(clip), document).english
    except Wrong as wrong:
        raise VerificationFailed(f"{clip.name}: {wrong}") from wrong
    except (OSError, KeyError, IndexError, TypeError, ValueError) as error:
        raise VerificationFailed(f"{clip.name}: its proof can't be read as one: {error!r}") from error


def _stated_shifts(groups: list[Group]) -> dict[str, Json]:
    """What a proof says of jumps that its clip closes; nothing where all packets keep their distances."""
    video = [shift for group in groups for shift in group.video_shifts]
    audio = [shift for group in groups for shift in group.audio_shifts]
    if len({*video, *audio}) < 2:
        return {}
    return {"video": [list(run) for run in shift_runs(video)], "audio": [list(run) for run in shift_runs(audio)]}


class _Copy:
    """A container being written, its streams made like the source's when the first packet comes."""

    def __init__(self, output: "OutputContainer") -> None:
        self._output = output
        self._streams: dict[int, Stream] = {}
        self._origin: Fraction | None = None
        self._last: dict[int, int] = {}
        self._joined = False
        self._waiting: list[tuple[Fraction, int, av.Packet[Stream]]] = []
        self._count = 0

    def begin(self, first: Group) -> None:
        """Let the earliest packet of the first group be at 0: what lies before 0 in an MP4, players hide.

        Where times are joined, sound may lie in a group that it doesn't play with: it waits for the pictures that do, to be in order.
        """
        self._joined = first.joined_span is not None
        if self._origin is None:
            self._origin = min((p.pts * p.time_base for p in first.held if p.pts is not None), default=Fraction(0))

    def add(self, packet: "av.Packet[Stream]", sources: "dict[int, Stream]") -> None:
        """Write a packet whose stream and time base are the source's."""
        if not self._streams:
            # Here, while the source is open: what waits may be written when it no longer is.
            self._streams = {n: self._output.add_stream_from_template(stream) for n, stream in sources.items()}
        if self._joined and packet.stream.type == "audio" and packet.pts is not None:
            self._count += 1
            heappush(self._waiting, (packet.pts * packet.time_base, self._count, packet))
            return
        while self._waiting and packet.dts is not None and self._waiting[0][0] + _SOUND_WAITS_S <= packet.dts * packet.time_base:
            self._write(heappop(self._waiting)[2])
        self._write(packet)

    def end(self) -> None:
        """Write what still waits."""
        while self._waiting:
            self._write(heappop(self._waiting)[2])

    def _write(self, packet: "av.Packet[Stream]") -> None:
        if packet.pts is None or packet.dts is None:
            raise ProgramFailed("the part has packets without a time in this span: hand over the whole part instead")
        shift = round((self._origin or 0) / packet.time_base)
        # Recorders give two packets one time where a stream was taken up again; muxers don't take that, and checks allow for a few ms.
        due = packet.dts - shift
        packet.dts = max(due, self._last.get(packet.stream_index, due - 1) + 1)
        if self._joined and (packet.dts - due) * packet.time_base * 1000 > _LATE_MS:
            raise ProgramFailed(
                "times of the part jump back in this span further than can be closed: cut before or behind that place, or hand over the "
                "whole part instead"
            )
        packet.pts = max(packet.pts - shift, packet.dts)
        self._last[packet.stream_index] = packet.dts
        packet.stream = self._streams[packet.stream_index]
        self._output.mux(packet)


@contextmanager
def _copy_into(target: Path) -> Iterator[_Copy]:
    import av

    with written_whole(target, target.suffix) as temporary, av.open(str(temporary), "w", format=_MUXERS[target.suffix]) as output:
        yield _Copy(output)


def _groups_from(container: "InputContainer", proof: MediaProof, hold: range) -> Iterator[Group]:
    """Groups from shortly before the first wanted one, as far before as its audio may lie; all from the start where that is near."""
    due_ms = proof.starts[hold.start]
    before = next((n for n in range(hold.start, 0, -1) if proof.starts[n] + INTERLEAVE_MS <= due_ms), 0)
    if before == 0 or not _sought(container, proof, before):
        yield from read_groups(container, hold)
        return
    places = {offset: n for n, offset in enumerate(proof.offsets) if offset >= 0}
    passing = packets(container, [stream for stream in chosen_streams(container) if stream is not None])
    video, _ = chosen_streams(container)
    tries = 0
    for packet in passing:
        if video is not None and not (packet.stream_index == video.index and packet.is_keyframe):
            continue
        number = places.get(packet.pos if packet.pos is not None else -1)
        if number is not None and number <= hold.start:
            grouping = Grouping(container, hold, number)
            for following in chain([packet], passing):
                yield from grouping.add(following)
            yield from grouping.rest()
            return
        tries += video is not None
        if tries >= _PLACING_TRIES:
            return


def _sought(container: "InputContainer", proof: MediaProof, number: int) -> bool:
    """Move to a group; whether FFmpeg says that it did. Where it really is, the first key frame's place shows."""
    import av

    by_bytes = not _SOUGHT_BY_BYTES.isdisjoint(container.format.name.split(","))
    if len(proof.offsets) != len(proof.starts) or proof.offsets[number] < 0:
        return False
    try:
        if by_bytes:
            container.seek(proof.offsets[number], unsupported_byte_offset=True)
        else:
            container.seek((container.start_time or 0) + proof.starts[number] * 1000 + 1000)
    except (av.FFmpegError, ValueError):
        return False
    return True


def _cloned(packet: "av.Packet[Stream]") -> "av.Packet[Stream]":
    import av

    clone: av.Packet[Stream] = av.Packet(bytes(packet))
    clone.pts, clone.dts, clone.duration, clone.time_base = packet.pts, packet.dts, packet.duration, packet.time_base
    clone.is_keyframe, clone.stream = packet.is_keyframe, packet.stream
    for extra in packet.iter_sidedata():
        clone.set_sidedata(extra)
    return clone


def _put_on_joined_line(group: Group, streams: "dict[int, Stream]") -> None:
    """Move a group's packets from their own times to media time."""
    left = {"video": iter(group.video_shifts), "audio": iter(group.audio_shifts)}
    for packet in group.held:
        kind = str(streams[packet.stream_index].type)
        shift = round(Fraction(next(left[kind]), 1000) / packet.time_base)
        packet.pts = None if packet.pts is None else packet.pts + shift
        packet.dts = None if packet.dts is None else packet.dts + shift


def _fill_missing_dts(group: Group) -> None:
    """Matroska keeps no decoding times: the n-th picture decoded is due when the n-th of them is shown, less the reordering delay."""
    pictures = [packet for packet in group.held if packet.stream.type == "video" and packet.pts is not None]
    if any(packet.dts is None for packet in pictures):
        shown = sorted(packet.pts or 0 for packet in pictures)
        delay = max(due - (packet.pts or 0) for due, packet in zip(shown, pictures, strict=True))
        for due, packet in zip(shown, pictures, strict=True):
            packet.dts = due - delay
    for packet in group.held:
        if packet.dts is None:
            packet.dts = packet.pts
