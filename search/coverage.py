"""“Not said”, and what that is worth: how much was held, transcribed, doubtful or missing of what was searched."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from search.indexes import Totals

FLOOR = 0.24
SURE = 0.55


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of the recordings searched, in ms: their length, media held, words transcribed, of these doubtful, and gaps that nobody holds.

    `unheard_ms`: media that is held, but whose sound is damaged or not there; what was said then was not heard.
    `captions_only` of the `recordings` hold no media; their length is that of their captions. `unsearched`: ids of recordings that are
    held and asked about but not transcribed and indexed yet, so that nothing is known of what was said there. `live`: those that still
    grow; all of this is of what they hold so far.
    """

    recordings: int
    captions_only: int
    duration_ms: int
    held_ms: int
    transcribed_ms: int
    risky_ms: int
    missing_ms: int
    messages: int
    unheard_ms: int = 0
    unsearched: tuple[str, ...] = ()
    live: tuple[str, ...] = ()


def cover(searched: Totals) -> Coverage:
    """What was searched, as far as the index knows."""
    return Coverage(
        recordings=searched.recordings,
        captions_only=searched.captions_only,
        duration_ms=searched.duration_ms,
        held_ms=searched.held_ms,
        transcribed_ms=searched.transcribed_ms,
        risky_ms=searched.risky_ms,
        missing_ms=searched.missing_ms,
        messages=searched.messages,
        live=searched.live,
    )


def was_said(parts: Mapping[str, float]) -> bool:
    """Whether the best span is an answer at all, from how much of the question it holds."""
    return support(parts) >= FLOOR


def support(parts: Mapping[str, float]) -> float:
    """0…1: how much of the question's words (or their concepts) the best span and its surroundings hold."""
    words, grams, concepts = parts.get("words", 0.0), parts.get("grams", 0.0), parts.get("concepts", 0.0)
    lexical = 0.6 * words + 0.4 * grams
    return max(lexical, 0.5 * lexical + 0.5 * concepts)


def confidence(parts: Mapping[str, float], *, risky: bool) -> str:
    """`high`, `medium` or `low`."""
    value = support(parts) - (0.15 if risky else 0.0)
    return "high" if value >= SURE else "medium" if value >= math.sqrt(FLOOR * SURE) else "low"
