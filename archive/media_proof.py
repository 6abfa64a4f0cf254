"""Media proofs: a Merkle tree over a part's coded packets, so that a stream-copied clip shows what it is a piece of (G3).

A part is demuxed, never decoded. Leaf 0 describes its streams; leaf i+1 is group of pictures i: the canonical JSON of

    {"gop": i, "start_ms": …, "end_ms": …, "video": [[SHA-256 of the packet's payload, pts in ms], …], "audio": [[…], …]}

A stream copy keeps every payload (FLV, MP4 and MKV among each other; TS to TS), so the same digests are found in the clip, by
`ffprobe -show_packets -show_data_hash sha256` too. Times are ms of media time: 0 is the container's start time, as ffmpeg counts.
A group starts at a key frame; audio belongs to the group in whose time it starts. Without video a group is two seconds of audio.
"""

import hashlib
import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from archive.atomic_write import write_bytes_whole
from archive.digest import Json, canonical_json
from archive.errors import NoMediaHeld, TooLarge, VerificationFailed
from archive.merkle import leaf_hash, tree_hash
from archive.opening import Archive
from archive.package_verifier import ClipContent, Wrong
from archive.recording import Part, Recording

if TYPE_CHECKING:
    import av
    from av.container import InputContainer
    from av.stream import Stream

AUDIO_GROUP_MS = 2000
# How far audio may be stored behind the video it belongs to before it counts to a later group.
INTERLEAVE_MS = 5000
MAX_GROUP_BYTES = 512 << 20


@dataclass(slots=True)
class Group:
    """One group of pictures. `held` are its packets in the file's order, kept only where they were asked for."""

    number: int
    start_ms: int
    end_ms: int
    video: list[tuple[str, int | None]] = field(default_factory=list)
    audio: list[tuple[str, int | None]] = field(default_factory=list)
    held: "list[av.Packet[Stream]]" = field(default_factory=list)
    held_bytes: int = 0

    def leaf(self) -> dict[str, Json]:
        """What is hashed for it."""
        return {
            "gop": self.number,
            "start_ms": self.start_ms,
            "end_ms": self.end_ms,
            "video": [list(packet) for packet in self.video],
            "audio": [list(packet) for packet in self.audio],
        }


@dataclass(frozen=True, slots=True)
class MediaProof:
    """A part's tree: `leaves` are raw leaf hashes (0: the streams), `starts` the groups' start times, `header` leaf 0's content."""

    header: dict[str, Json]
    leaves: tuple[bytes, ...]
    starts: tuple[int, ...]
    end_ms: int

    @property
    def root(self) -> str:
        return "sha256:" + tree_hash(self.leaves).hex()

    def groups_over(self, from_ms: int, to_ms: int) -> range:
        """Numbers of the groups that hold the media time from `from_ms` to before `to_ms`."""
        first = max((n for n, start in enumerate(self.starts) if start <= from_ms), default=0)
        last = max((n for n, start in enumerate(self.starts) if start < to_ms), default=0)
        return range(first, max(first, last) + 1)


def prove_media(path: Path) -> MediaProof:
    """Read a media file once, in constant memory but for 32 bytes a group. NoMediaHeld if nothing in it is media."""
    leaves: list[bytes] = []
    starts: list[int] = []
    end_ms = 0
    with open_media(path) as container:
        header = _header(container)
        leaves.append(leaf_hash(canonical_json(header)))
        for group in read_groups(container, range(0)):
            leaves.append(leaf_hash(canonical_json(group.leaf())))
            starts.append(group.start_ms)
            end_ms = max(end_ms, group.end_ms)
    if not starts:
        raise NoMediaHeld(f"{path.name} holds no video or audio packets, so nothing can be cut from it")
    return MediaProof(header, tuple(leaves), tuple(starts), end_ms)


def read_groups(container: "InputContainer", hold: range) -> Iterator[Group]:
    """The groups of an open file in order; those whose number is in `hold` keep their packets. TooLarge for a group over 512 MiB."""
    video, audio = chosen_streams(container)
    origin_ms = (container.start_time or 0) / 1000
    waiting: deque[Group] = deque()
    count = 0
    for packet in _packets(container, [stream for stream in (video, audio) if stream is not None]):
        at_ms = _milliseconds(packet, origin_ms)
        is_video = packet.stream.type == "video"
        if _starts_group(packet, at_ms, waiting, has_video=video is not None):
            start_ms = max(at_ms or 0, 0) if not waiting else at_ms or waiting[-1].end_ms
            if waiting:
                waiting[-1].end_ms = start_ms
            waiting.append(Group(count, start_ms, start_ms))
            count += 1
        while len(waiting) > 1 and waiting[1].start_ms + INTERLEAVE_MS < (at_ms or 0):
            yield waiting.popleft()
        group = waiting[-1] if is_video else _group_at(waiting, at_ms)
        (group.video if is_video else group.audio).append((hashlib.sha256(bytes(packet)).hexdigest(), at_ms))
        if at_ms is not None and group is waiting[-1]:
            length_ms = round(1000 * packet.duration * packet.time_base) if packet.duration and packet.time_base else 0
            group.end_ms = max(group.end_ms, at_ms + length_ms)
        if group.number in hold:
            group.held.append(packet)
            group.held_bytes += packet.size
            if group.held_bytes > MAX_GROUP_BYTES:
                raise TooLarge(f"{container.name}: {group.held_bytes >> 20} MiB without a key frame are too much to cut a proof clip from")
    yield from waiting


def chosen_streams(container: "InputContainer") -> "tuple[Stream | None, Stream | None]":
    """The video and audio stream that proofs are about: the first of each; pictures attached as covers don't count."""
    from av.stream import Disposition

    video = next((s for s in container.streams.video if not s.disposition & Disposition.attached_pic), None)
    return video, next(iter(container.streams.audio), None)


def open_media(path: Path) -> "InputContainer":
    """Open for demuxing. NoMediaHeld if it can't be read as media."""
    import av

    try:
        return av.open(str(path), mode="r")
    except (av.FFmpegError, OSError) as error:
        raise NoMediaHeld(f"{path} can't be read as media: {error}") from error


def read_clip(path: Path) -> ClipContent:
    """A clip's packets and decoder setups, for checking it against its proof. Wrong if it isn't media."""
    try:
        with open_media(path) as container:
            chosen = [stream for stream in chosen_streams(container) if stream is not None]
            extradata: dict[str, str | None] = {
                str(s.type): hashlib.sha256(s.codec_context.extradata).hexdigest() for s in chosen if s.codec_context.extradata
            }
            packets = [(str(p.stream.type), hashlib.sha256(bytes(p)).hexdigest(), _exact_ms(p)) for p in _packets(container, chosen)]
            return ClipContent(packets, extradata)
    except NoMediaHeld as error:
        raise Wrong(str(error)) from error


def anchored_proof(archive: Archive, recording: Recording, part: Part, actor: str) -> MediaProof:
    """A part's tree, checked against the root in the custody log; the first call for a part logs the root (action `media.root`).

    The tree is kept under the home's `derived/media-proofs`, and made anew when it is missing or doesn't lead to the logged root.
    VerificationFailed if the part's bytes no longer do.
    """
    logged = logged_root(archive, recording.id, part)
    kept = archive.home / "derived" / "media-proofs" / f"{part.digest.removeprefix('sha256:')}.json"
    proof = _read_kept(kept)
    if proof is None or (logged is not None and proof.root != logged):
        proof = prove_media(archive.store.path(part.digest))
        write_bytes_whole(kept, _kept_form(proof))
    if logged is None:
        detail: dict[str, Json] = {"part": part.number, "digest": part.digest, "root": proof.root, "leaves": len(proof.leaves)}
        archive.custody.record(actor, "media.root", recording.id, detail)
    elif proof.root != logged:
        raise VerificationFailed(
            f"part {part.number} of recording {recording.id} ({part.digest}) no longer leads to the media root in the custody log: "
            "its stored bytes were changed. Run liveproof verify --archive and restore it from a backup"
        )
    return proof


def anchor_media(archive: Archive, recording_id: str, actor: str) -> None:
    """Log the media root of every part of a recording: for admission, so that proof clips rest on what was logged then."""
    recording = archive.catalog.recording(recording_id)
    for part in recording.parts:
        anchored_proof(archive, recording, part, actor)


def logged_root(archive: Archive, recording_id: str, part: Part) -> str | None:
    """The media root that the custody log holds for a part, None before it was anchored."""
    for entry in archive.custody.entries([recording_id]):
        if entry.action == "media.root":
            detail = json.loads(entry.detail)
            if detail["part"] == part.number and detail["digest"] == part.digest:
                return str(detail["root"])
    return None


def _packets(container: "InputContainer", streams: "list[Stream]") -> "Iterator[av.Packet[Stream]]":
    """Packets up to the end, or to where a damaged file can't be read on: what lies behind that is in the file's digest alone."""
    import av

    try:
        for packet in container.demux(streams):
            if packet.size:
                yield packet
    except av.FFmpegError as error:
        structlog.get_logger().warning("media ends in damage", file=container.name, error=str(error))


def _header(container: "InputContainer") -> dict[str, Json]:
    # In a TS the decoder's setup travels inside the packets, and what libraries show as extradata is their own guess.
    in_band = "mpegts" in container.format.name
    streams: list[Json] = []
    for stream in chosen_streams(container):
        if stream is not None:
            extradata = stream.codec_context.extradata
            shown = None if in_band or not extradata else hashlib.sha256(extradata).hexdigest()
            streams.append({"kind": stream.type, "codec": stream.codec_context.name, "extradata": shown})
    return {"streams": streams}


def _starts_group(packet: "av.Packet[Stream]", at_ms: int | None, waiting: deque[Group], *, has_video: bool) -> bool:
    if not waiting:
        return True
    if has_video:
        if packet.stream.type != "video" or not packet.is_keyframe:
            return False
        # Audio that came before the first picture shares its group.
        return bool(waiting[-1].video)
    return at_ms is not None and at_ms >= waiting[-1].start_ms + AUDIO_GROUP_MS


def _group_at(waiting: deque[Group], at_ms: int | None) -> Group:
    if at_ms is None:
        return waiting[-1]
    return next((group for group in reversed(waiting) if group.start_ms <= at_ms), waiting[0])


def _milliseconds(packet: "av.Packet[Stream]", origin_ms: float) -> int | None:
    exact = _exact_ms(packet)
    return None if exact is None else round(exact - origin_ms)


def _exact_ms(packet: "av.Packet[Stream]") -> float | None:
    if packet.pts is None or packet.time_base is None:
        return None
    return float(1000 * packet.pts * packet.time_base)


def _kept_form(proof: MediaProof) -> bytes:
    leaves: list[Json] = [leaf.hex() for leaf in proof.leaves]
    return canonical_json({"header": proof.header, "leaves": leaves, "starts": list(proof.starts), "end_ms": proof.end_ms})


def _read_kept(path: Path) -> MediaProof | None:
    try:
        kept = json.loads(path.read_bytes())
        leaves = tuple(bytes.fromhex(leaf) for leaf in kept["leaves"])
        return MediaProof(kept["header"], leaves, tuple(kept["starts"]), kept["end_ms"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
