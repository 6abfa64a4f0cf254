"""Corrections: where something found was taken back later, what takes it back goes first."""

from collections.abc import Sequence
from dataclasses import replace

from search.coverage import DECIDING
from search.ranking import Span

LOOKED_AT = 3
# What takes a claim back is mostly words of taking back, holds as much of the question beside the claim, and follows it within this.
LEAST_TAKEN_BACK = 0.6
LEAST_OF_ITS_SCORE = 0.75
LEAST_OF_ITS_WORDS = 0.3
# What was found by its amount is taken back by an amount of that kind.
ITS_AMOUNT = 0.5
REACH_MS = 20 * 60_000


def corrections_first(ranked: Sequence[Span]) -> list[Span]:
    """The spans with what takes back one of the best before it; `corrects_ms` among its parts says when the claim began."""
    spans = list(ranked)
    for claim in ranked[:LOOKED_AT]:
        for at, span in enumerate(spans):
            if _takes_back(span, claim):
                # whether it was said at all is told by both together
                held = {name: max(claim.parts[name], span.parts.get(name, 0.0)) for name in DECIDING if name in claim.parts}
                parts = {"corrects_ms": float(claim.start_ms), **span.parts, **held}
                spans[at] = replace(span, score=max(span.score, claim.score + 0.01), parts=parts)
    return sorted(spans, key=lambda span: -span.score)


def _takes_back(span: Span, claim: Span) -> bool:
    """Whether a span says of what a claim says that it was wrong: it speaks of taking back, and of the same in the question's words."""
    after_ms = span.start_ms - claim.end_ms
    return (
        span.recording_id == claim.recording_id
        and 0 < after_ms <= REACH_MS
        and span.parts.get("taken_back", 0.0) >= LEAST_TAKEN_BACK
        and claim.parts.get("taken_back", 0.0) < LEAST_TAKEN_BACK
        and span.score >= LEAST_OF_ITS_SCORE * claim.score
        and span.parts.get("base", 0.0) >= LEAST_OF_ITS_WORDS * claim.parts.get("base", 0.0)
        and (claim.parts.get("quantities", 0.0) < ITS_AMOUNT or span.parts.get("quantities", 0.0) > 0)
    )
