"""Transcripts as they are hashed: the digest over all of one, and the Merkle leaves by which single segments are shown to be in it."""

import hashlib
import hmac
from collections.abc import Iterable

from archive.digest import Json, canonical_json, digest_bytes
from archive.merkle import Frontier, leaf_hash, tree_hash
from archive.transcript import Segment, Transcript


class WrittenSegments:
    """Segments as canonical JSON, each written once however many versions keep it: a grown recording has one version a minute."""

    def __init__(self) -> None:
        self._written: dict[int, tuple[Segment, bytes]] = {}

    def of(self, segment: Segment) -> bytes:
        known = self._written.get(id(segment))
        if known is None:
            # The segment is kept beside its bytes, so that its id stays its own.
            known = self._written[id(segment)] = (segment, canonical_json(segment_json(segment)))
        return known[1]


def transcript_digest(transcript: Transcript, written: WrittenSegments | None = None) -> str:
    """Digest over provenance, regions and every segment: what the custody log holds a transcript to (G2)."""
    written = written or WrittenSegments()
    before, after = _around_segments(transcript)
    return digest_bytes(before + b",".join(written.of(segment) for segment in transcript.segments) + after)


def _around_segments(transcript: Transcript) -> tuple[bytes, bytes]:
    """What stands before and behind the segments in what a transcript's digest is over."""
    p = transcript.provenance
    later: dict[str, Json] = {"salt": transcript.salt} if transcript.salt else {}
    if transcript.continues is not None:
        later["continues"] = transcript.continues
    whole = canonical_json(
        {
            **later,
            "recording": transcript.recording_id,
            "version": transcript.version,
            "engine": [p.engine, p.engine_version, p.model, p.model_digest],
            "parameters": p.parameters,
            "created_at": p.created_at.iso(),
            "speech": [list(span) for span in transcript.speech],
            "skipped": [list(span) for span in transcript.skipped],
            "segments": [],
        }
    )
    # Sorted by name, only numbers stand behind the segments: so the last of these is theirs.
    before, mark, after = whole.rpartition(b'"segments":[')
    return before + mark, after


class PassingSegments:
    """Digest and Merkle root of a transcript whose segments come by one after the other: equal to `transcript_digest` and `segments_root`.

    `frame` is the transcript without its segments. In memory: its spans, and O(log n) hashes.
    """

    def __init__(self, frame: Transcript) -> None:
        before, self._after = _around_segments(frame)
        self._hasher = hashlib.sha256(before)
        self._salt = frame.salt
        self._frontier = Frontier(0, ())

    def add(self, segments: Iterable[Segment]) -> None:
        """The next segments, in the order of their numbers."""
        leaves: list[bytes] = []
        for segment in segments:
            plain = canonical_json(segment_json(segment))
            self._hasher.update(b"," + plain if self.count + len(leaves) else plain)
            leaves.append(_leaf(segment, plain, self._salt))
        self._frontier = self._frontier.extended(leaves)

    @property
    def count(self) -> int:
        return self._frontier.size

    def digest(self) -> str:
        """`transcript_digest` of what came by."""
        whole = self._hasher.copy()
        whole.update(self._after)
        return "sha256:" + whole.hexdigest()

    def root(self) -> str:
        """`segments_root` of what came by."""
        return "sha256:" + self._frontier.root().hex()


def segment_leaves(transcript: Transcript, written: WrittenSegments | None = None) -> list[bytes]:
    """Merkle leaves of a transcript's segments, so that a few of them can be shown to be in it without the others (G3 for words).

    Each is over the canonical JSON of `hashed_segment`.
    """
    written = written or WrittenSegments()
    return [_leaf(segment, written.of(segment), transcript.salt) for segment in transcript.segments]


def _leaf(segment: Segment, plain: bytes, salt: str | None) -> bytes:
    if salt:
        # Among the sorted names the salt's place is before speaker, where there is one, and before start_ms.
        before, mark, after = plain.partition(b'"start_ms":' if segment.speaker is None else b'"speaker":')
        plain = before + b'"salt":"' + _salt_of(salt, segment.number).encode() + b'",' + mark + after
    return leaf_hash(plain)


def segments_root(transcript: Transcript, written: WrittenSegments | None = None) -> str:
    """RFC 6962 root over the segments, which the custody entry of a transcript holds."""
    return "sha256:" + tree_hash(segment_leaves(transcript, written)).hex()


def hashed_segment(transcript: Transcript, segment: Segment) -> dict[str, Json]:
    """What a segment's leaf is over: the segment, and a salt of its own that is shown with it and says nothing of any other's.

    salt = the first 16 bytes of HMAC-SHA256(the transcript's salt, the segment's number in decimal), in hex. Versions written before
    transcripts had a salt have none.
    """
    if not transcript.salt:
        return segment_json(segment)
    return {**segment_json(segment), "salt": _salt_of(transcript.salt, segment.number)}


def _salt_of(salt: str, number: int) -> str:
    return hmac.digest(bytes.fromhex(salt), str(number).encode(), hashlib.sha256).hex()[:32]


def segment_json(segment: Segment) -> dict[str, Json]:
    """A segment as it is hashed. What came to the format later stands in it only where it is known, so that older digests hold."""
    later: dict[str, Json] = {"speaker": segment.speaker, "heard_otherwise": segment.heard_otherwise}
    return {
        "number": segment.number,
        "part": segment.part,
        "start_ms": segment.start_ms,
        "end_ms": segment.end_ms,
        "text": segment.text,
        "words": [[w.start_ms, w.end_ms, w.text, w.probability] for w in segment.words],
        "risk": list(segment.risk),
        "confidence": segment.confidence,
        **{name: value for name, value in later.items() if value is not None},
    }
