"""Transcripts as they are hashed: the digest over all of one, and the Merkle leaves by which single segments are shown to be in it."""

import hashlib
import hmac

from archive.digest import Json, canonical_json, digest_json
from archive.merkle import leaf_hash, tree_hash
from archive.transcript import Segment, Transcript


def transcript_digest(transcript: Transcript) -> str:
    """Digest over provenance, regions and every segment: what the custody log holds a transcript to (G2)."""
    p = transcript.provenance
    said: list[Json] = [segment_json(segment) for segment in transcript.segments]
    later: dict[str, Json] = {"salt": transcript.salt} if transcript.salt else {}
    if transcript.continues is not None:
        later["continues"] = transcript.continues
    return digest_json(
        {
            **later,
            "recording": transcript.recording_id,
            "version": transcript.version,
            "engine": [p.engine, p.engine_version, p.model, p.model_digest],
            "parameters": p.parameters,
            "created_at": p.created_at.iso(),
            "speech": [list(span) for span in transcript.speech],
            "skipped": [list(span) for span in transcript.skipped],
            "segments": said,
        }
    )


def segment_leaves(transcript: Transcript) -> list[bytes]:
    """Merkle leaves of a transcript's segments, so that a few of them can be shown to be in it without the others (G3 for words)."""
    return [leaf_hash(canonical_json(hashed_segment(transcript, segment))) for segment in transcript.segments]


def segments_root(transcript: Transcript) -> str:
    """RFC 6962 root over the segments, which the custody entry of a transcript holds."""
    return "sha256:" + tree_hash(segment_leaves(transcript)).hex()


def hashed_segment(transcript: Transcript, segment: Segment) -> dict[str, Json]:
    """What a segment's leaf is over: the segment, and a salt of its own that is shown with it and says nothing of any other's.

    salt = the first 16 bytes of HMAC-SHA256(the transcript's salt, the segment's number in decimal), in hex. Versions written before
    transcripts had a salt have none.
    """
    if not transcript.salt:
        return segment_json(segment)
    own = hmac.new(bytes.fromhex(transcript.salt), str(segment.number).encode(), hashlib.sha256).hexdigest()[:32]
    return {**segment_json(segment), "salt": own}


def segment_json(segment: Segment) -> dict[str, Json]:
    """A segment as it is stored and hashed."""
    return {
        "number": segment.number,
        "part": segment.part,
        "start_ms": segment.start_ms,
        "end_ms": segment.end_ms,
        "text": segment.text,
        "words": [[w.start_ms, w.end_ms, w.text, w.probability] for w in segment.words],
        "risk": list(segment.risk),
        "confidence": segment.confidence,
    }
