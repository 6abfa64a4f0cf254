"""Corrections: where something found was taken back later, what takes it back goes first."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from search.passages import LinkedClaim
from search.promises import Claim
from search.ranking import Span

LOOKED_AT = 3
# A span that begins to take something back, holds as much of the question beside the claim, and follows it within this.
LEAST_TAKEN_BACK = 0.7
LEAST_OF_ITS_WORDS = 0.3
REACH_MS = 20 * 60_000
CORRECTION_SHARE = 0.75


def corrections_first(
    ranked: Sequence[Span],
    claims_of: Callable[[str], Sequence[LinkedClaim]],
    counts: Callable[[str, Claim], bool] = lambda recording_id, claim: True,
) -> list[Span]:
    """The spans with the corrections of the best ones' claims before these. `counts`: whether a correction does, by recording and claim."""
    spans = list(ranked)
    held = {recording_id: claims_of(recording_id) for recording_id in {span.recording_id for span in ranked[:LOOKED_AT]}}
    for found in ranked[:LOOKED_AT]:
        claims = held[found.recording_id]
        for linked in claims:
            if linked.corrects is None:
                continue
            earlier, later = claims[linked.corrects].claim, linked.claim
            if earlier.last < found.first or earlier.first > found.last:
                continue
            at = next((at for at, span in enumerate(spans) if span.recording_id == found.recording_id and _overlap(span, later)), None)
            if (
                at is None
                or spans[at].score < CORRECTION_SHARE * found.score
                or spans[at] == found
                or not counts(found.recording_id, later)
            ):
                continue
            parts = {**spans[at].parts, "corrects_ms": float(earlier.start_ms)}
            spans[at] = replace(spans[at], score=max(spans[at].score, found.score + 0.01), parts=parts)
    for found in ranked[:LOOKED_AT]:
        for at, span in enumerate(spans):
            if _takes_back(span, found):
                parts = {"corrects_ms": float(found.start_ms), **span.parts}
                spans[at] = replace(span, score=max(span.score, found.score + 0.01), parts=parts)
    return sorted(spans, key=lambda span: -span.score)


def _takes_back(span: Span, claim: Span) -> bool:
    """Whether a span says of what a claim says that it was wrong: it speaks of taking back, and of the same in the question's words."""
    return (
        span.recording_id == claim.recording_id
        and 0 < span.start_ms - claim.end_ms <= REACH_MS
        and span.parts.get("taken_back", 0.0) >= LEAST_TAKEN_BACK
        and claim.parts.get("taken_back", 0.0) < LEAST_TAKEN_BACK
        and span.score >= CORRECTION_SHARE * claim.score
        and span.parts.get("base", 0.0) >= LEAST_OF_ITS_WORDS * claim.parts.get("base", 0.0)
    )


def _overlap(span: Span, claim: Claim) -> bool:
    return span.first <= claim.last and span.last >= claim.first
