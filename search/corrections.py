"""Corrections: where something found was taken back later, what takes it back goes first."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from search.passages import LinkedClaim
from search.promises import Claim
from search.ranking import Span

LOOKED_AT = 3
CORRECTION_SHARE = 0.65


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
    return sorted(spans, key=lambda span: -span.score)


def _overlap(span: Span, claim: Claim) -> bool:
    return span.first <= claim.last and span.last >= claim.first
