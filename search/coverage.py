"""“Not said”, and what that is worth: how much was held, transcribed, doubtful or missing of what was searched."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from search.indexes import Totals
from search.matching import DEFAULT_WEIGHTS

DECIDING = ("base", "around", "concepts", "near")
# Odds of a question's having been answered: even, by its share that is held, its concepts' share, nearness of meaning, and its length.
WITH_MEANING = (-3.92, 5.22, 0.27, 2.52, 1.53)
WITHOUT_MEANING = (-3.80, 6.30, 0.25, 0.0, 1.85)
# What stands in for the question's own words: the product, half of the kinds of promise it is about, and a third of its concepts.
OF_THE_PRODUCT, OF_THE_CATEGORY, OF_THE_CONCEPTS = 0.8, 0.5, 0.3
# Below the first lies one answerable question in twenty of the sets that it was fitted on, which are all Mandarin; above the last, nearly
# all have an answer. In other languages less is known, so that less is denied.
FLOOR, LIKELY, SURE = 0.2, 0.4, 0.75
FLOOR_ELSEWHERE = 0.08
RISK = 0.15
LEAST_HEARD = 0.05


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


def was_said(parts: Mapping[str, float], *, in_chinese: bool = True) -> bool:
    """Whether a span is an answer at all. Where next to nothing of the question was heard, nearness of meaning proves nothing."""
    is_likely = likelihood(parts) >= (FLOOR if in_chinese else FLOOR_ELSEWHERE) and parts.get("base", 0.0) >= LEAST_HEARD
    return is_likely or _promises_it(parts)


def _promises_it(parts: Mapping[str, float]) -> bool:
    """Whether what was asked of is promised of the very product that was meant, in whatever words.

    Who complains (坏了不给修) says little of what the host said (质保三年); but where that was said, “not said” would be wrong.
    """
    is_of_it = parts.get("product", 0.0) >= OF_THE_PRODUCT * DEFAULT_WEIGHTS.product
    is_of_its_kind = parts.get("category", 0.0) >= OF_THE_CATEGORY * DEFAULT_WEIGHTS.category
    return is_of_it and is_of_its_kind and parts.get("concepts", 0.0) >= OF_THE_CONCEPTS


def likelihood(parts: Mapping[str, float]) -> float:
    """0…1: how likely a question of which the best span holds this much was answered there.

    A logistic over the share of the question that the span holds with what is said around it, that of its concepts, how far the meaning
    stands out, and how much is asked at once: of a long complaint less is ever held. The classes weigh alike, so that ½ is even odds where
    as many questions have an answer as have none. Fitted by `tests/benchmarks/retrieval_tuning.py`.
    """
    base = parts.get("base", 0.0)
    even, held, concepts, meaning, length = WITH_MEANING if "near" in parts else WITHOUT_MEANING
    odds = even + held * parts.get("around", base) + concepts * parts.get("concepts", base) + meaning * parts.get("near", 0.0)
    odds += length * parts.get("length", 0.5)
    return 1 / (1 + math.exp(-odds))


def confidence(parts: Mapping[str, float], *, risky: bool) -> str:
    """`high`, `medium` or `low`."""
    value = likelihood(parts) - (RISK if risky else 0.0)
    return "high" if value >= SURE else "medium" if value >= LIKELY else "low"
