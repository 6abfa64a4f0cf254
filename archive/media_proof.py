"""Media proofs: a Merkle tree over a part's coded packets, so that a stream-copied clip shows what it is a piece of (G3).

A part is demuxed, never decoded. Leaf 0 describes its streams; leaf i+1 is group of pictures i: the canonical JSON of

    {"gop": i, "start_ms": …, "end_ms": …, "video": [[SHA-256 of the packet's payload, pts in ms], …], "audio": [[…], …]}

A stream copy keeps every payload (FLV, MP4 and MKV among each other; TS to TS), so the same digests are found in the clip, by
`ffprobe -show_packets -show_data_hash sha256` too. What a group is, `archive.media_groups` says. The root is made when the part comes in
and stands in the `admit` or `extend` entry of the custody log; parts admitted before that have it in an entry `media.root` of its own.
"""

import hashlib
import json
from bisect import bisect_right
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from archive.admission import BROUGHT_BY
from archive.atomic_write import write_bytes_whole
from archive.digest import Json, canonical_json
from archive.errors import NoMediaHeld, TimesNotRetold, VerificationFailed
from archive.joined_times import JoinedTimes, joined_times
from archive.media_groups import Group, Grouping, chosen_streams, open_media, packets
from archive.merkle import leaf_hash, tree_hash
from archive.opening import Archive
from archive.recording import Part, Recording
from archive.verifier.clips import HIDES, ClipContent
from archive.verifier.outcomes import Wrong

if TYPE_CHECKING:
    import av
    from av.container import InputContainer
    from av.stream import Stream


@dataclass(frozen=True, slots=True)
class MediaProof:
    """A part's tree: `leaves` are raw leaf hashes (0: the streams), `starts` the groups' start times, `header` leaf 0's content.

    `offsets` are the bytes at which the groups' first packets lie, -1 where that isn't known: a hint for seeking, no part of the tree.
    `starts` are raw times. `joined` says where the groups lie in media time, in a part whose time stamps jump; None elsewhere, where raw
    times are media time.
    """

    header: dict[str, Json]
    leaves: tuple[bytes, ...]
    starts: tuple[int, ...]
    end_ms: int
    offsets: tuple[int, ...] = ()
    joined: JoinedTimes | None = None

    @property
    def root(self) -> str:
        return "sha256:" + tree_hash(self.leaves).hex()

    def groups_over(self, from_ms: int, to_ms: int) -> range:
        """Numbers of the groups that hold the media time from `from_ms` to before `to_ms`."""
        if self.joined is not None:
            return self.joined.groups_over(from_ms, to_ms)
        if all(before <= after for before, after in zip(self.starts, self.starts[1:], strict=False)):
            first = max(0, bisect_right(self.starts, from_ms) - 1)
            return range(first, max(first, bisect_right(self.starts, to_ms - 1) - 1) + 1)
        # Time stamps of a damaged file jump back.
        first = max((n for n, start in enumerate(self.starts) if start <= from_ms), default=0)
        last = max((n for n, start in enumerate(self.starts) if start < to_ms), default=0)
        return range(first, max(first, last) + 1)

    def groups_around(self, from_ms: int, to_ms: int) -> range:
        """The same, and one more before them to warm decoders up; with all that hold packets of that time where time stamps jump."""
        if self.joined is None:
            over = self.groups_over(from_ms, to_ms)
            return range(max(0, over.start - 1), over.stop)
        touching = self.joined.groups_touching(from_ms, to_ms)
        return range(max(0, touching.start - 1), touching.stop)

    def holds(self, group: Group) -> bool:
        """Whether a group is, packet for packet, the one that the tree has under its number."""
        n = group.number
        if n >= len(self.starts) or self.starts[n] != group.start_ms:
            return False
        return leaf_hash(canonical_json(group.leaf())) == self.leaves[n + 1]


class MediaProver:
    """Makes a part's tree out of its packets as they pass, for whoever reads them anyway; 32 bytes a group are kept.

    Made before anything is decoded: decoders may rewrite their setup.
    """

    def __init__(self, container: "InputContainer") -> None:
        self._grouping = Grouping(container)
        self._header = _header(container)
        self._leaves = [leaf_hash(canonical_json(self._header))]
        self._starts: list[int] = []
        self._offsets: list[int] = []
        self._end_ms = 0

    @property
    def streams(self) -> "list[Stream]":
        """The streams that the proof is about."""
        return self._grouping.streams

    def add(self, packet: "av.Packet[Stream]") -> None:
        """Take the next packet in the file's order; those of other streams are passed over."""
        for group in self._grouping.add(packet):
            self._close(group)

    def finish(self) -> MediaProof | None:
        """The tree over all that passed; None if no packet of the two streams did."""
        for group in self._grouping.rest():
            self._close(group)
        if not self._starts:
            return None
        return MediaProof(self._header, tuple(self._leaves), tuple(self._starts), self._end_ms, tuple(self._offsets))

    def _close(self, group: Group) -> None:
        self._leaves.append(leaf_hash(canonical_json(group.leaf())))
        self._starts.append(group.start_ms)
        self._offsets.append(group.offset)
        self._end_ms = max(self._end_ms, group.end_ms)


def prove_media(path: Path) -> MediaProof:
    """Read a media file once, in constant memory but for 32 bytes a group. NoMediaHeld if nothing in it is media."""
    with open_media(path) as container:
        prover = MediaProver(container)
        for packet in packets(container, prover.streams):
            prover.add(packet)
        proof = prover.finish()
    if proof is None:
        raise NoMediaHeld(f"{path.name} holds no video or audio packets, so nothing can be cut from it")
    return proof


def read_clip(path: Path) -> ClipContent:
    """A clip's packets and decoder setups, for checking it against its proof. Wrong if it isn't media."""
    try:
        with open_media(path) as container:
            chosen = [stream for stream in chosen_streams(container) if stream is not None]
            extradata: dict[str, str | None] = {
                str(s.type): hashlib.sha256(s.codec_context.extradata).hexdigest() for s in chosen if s.codec_context.extradata
            }
            found = []
            for packet in packets(container, chosen):
                if packet.is_discard:
                    raise Wrong(*HIDES)
                found.append((str(packet.stream.type), hashlib.sha256(packet).hexdigest(), _exact_ms(packet)))
            return ClipContent(found, extradata)
    except NoMediaHeld as error:
        raise Wrong(str(error)) from error


def anchored_proof(archive: Archive, recording: Recording, part: Part, actor: str) -> MediaProof:
    """A part's tree, checked against the root in the custody log.

    The tree is kept under the home's `derived/media-proofs`, and made anew when it is missing or doesn't lead to the logged root. A part
    that was admitted without a root gets an entry `media.root` here. VerificationFailed if the part's bytes no longer lead to theirs,
    TimesNotRetold where its times jump and can't be joined as at admission.
    """
    logged = logged_root(archive, recording.id, part)
    proof = _read_kept(_kept_path(archive, part.digest))
    if proof is None or not proof.offsets or (logged is not None and proof.root != logged):
        proof = prove_media(archive.store.path(part.digest))
        keep_proof(archive, part.digest, proof)
    if logged is None:
        detail: dict[str, Json] = {"part": part.number, "digest": part.digest, "root": proof.root, "leaves": len(proof.leaves)}
        archive.custody.record(actor, "media.root", recording.id, detail)
    elif proof.root != logged:
        raise VerificationFailed(
            f"part {part.number} of recording {recording.id} ({part.digest}) no longer leads to the media root in the custody log: "
            "its stored bytes were changed. Run liveproof verify --archive and restore it from a backup"
        )
    return _on_joined_line(archive, part, proof)


def playing_proof(archive: Archive, part: Part) -> MediaProof:
    """A part's tree for making what is no evidence: as kept or made anew, with the joined line, not held to the log.

    TimesNotRetold as `archive.joined_times`, NoMediaHeld if the part isn't media.
    """
    proof = _read_kept(_kept_path(archive, part.digest)) or prove_media(archive.store.path(part.digest))
    return _on_joined_line(archive, part, proof)


def _on_joined_line(archive: Archive, part: Part, proof: MediaProof) -> MediaProof:
    if not part.times_joined:
        return proof
    joined = joined_times(archive, part, proof.root)
    if len(joined.groups) != len(proof.starts):
        raise TimesNotRetold(
            f"part {part.number} ({part.file_name}) has {len(proof.starts)} groups, its joined times {len(joined.groups)}: nothing can be "
            "cut from it at a sure place. Remove derived/joined-times in LIVEPROOF_HOME, or hand over the whole part"
        )
    return replace(proof, joined=joined)


def logged_root(archive: Archive, recording_id: str, part: Part) -> str | None:
    """The media root that the custody log holds for a part; None if it came in without one and none was logged since."""
    for entry in archive.custody.entries([recording_id]):
        if part.digest not in entry.detail:
            continue
        if entry.action in BROUGHT_BY:
            for admitted in json.loads(entry.detail)["parts"]:
                if admitted["number"] == part.number and admitted["digest"] == part.digest and admitted.get("media_root"):
                    return str(admitted["media_root"])
        elif entry.action == "media.root":
            detail = json.loads(entry.detail)
            if detail["part"] == part.number and detail["digest"] == part.digest:
                return str(detail["root"])
    return None


def keep_proof(archive: Archive, part_digest: str, proof: MediaProof) -> None:
    """Keep a part's tree, so that a clip needn't read the whole part. It can be thrown away: it is never believed without the log."""
    leaves: list[Json] = [leaf.hex() for leaf in proof.leaves]
    kept: dict[str, Json] = {
        "header": proof.header,
        "leaves": leaves,
        "starts": list(proof.starts),
        "end_ms": proof.end_ms,
        "offsets": list(proof.offsets),
    }
    write_bytes_whole(_kept_path(archive, part_digest), canonical_json(kept))


def _kept_path(archive: Archive, part_digest: str) -> Path:
    return archive.home / "derived" / "media-proofs" / f"{part_digest.removeprefix('sha256:')}.json"


def _read_kept(path: Path) -> MediaProof | None:
    try:
        kept = json.loads(path.read_bytes())
        leaves = tuple(bytes.fromhex(leaf) for leaf in kept["leaves"])
        return MediaProof(kept["header"], leaves, tuple(kept["starts"]), kept["end_ms"], tuple(kept.get("offsets", ())))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _header(container: "InputContainer") -> dict[str, Json]:
    # In a TS the decoder's setup travels inside the packets, and what libraries show as extradata is their own guess.
    in_band = "mpegts" in container.format.name
    streams: list[Json] = []
    for stream in chosen_streams(container):
        if stream is not None:
            # A codec that no library knows has no decoder to be set up; its packets are held to the root all the same.
            context = stream.codec_context
            extradata = context.extradata if context is not None else None
            shown = None if in_band or not extradata else hashlib.sha256(extradata).hexdigest()
            streams.append({"kind": stream.type, "codec": context.name if context is not None else "unknown", "extradata": shown})
    return {"streams": streams}


def _exact_ms(packet: "av.Packet[Stream]") -> float | None:
    if packet.pts is None or packet.time_base is None:
        return None
    return float(1000 * packet.pts * packet.time_base)
