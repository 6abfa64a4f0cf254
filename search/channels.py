"""The channels by which moments are found and ranked, each of which can be left out to see what it is worth."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, get_args

from search.matching import Weights
from search.query import Question

Channel = Literal[
    "words", "grams", "sounds", "concepts", "quantities", "meaning", "product", "chat", "screen", "category", "corrections", "surroundings"
]
CHANNELS: tuple[Channel, ...] = get_args(Channel)
# The weights that are a channel's own; what the others find is left out of the question itself.
_WEIGHTS: Mapping[Channel, tuple[str, ...]] = {
    "meaning": ("meaning",),
    "product": ("product", "other_product"),
    "chat": ("chat", "read_out_end", "read_out_start"),
    "screen": ("screen",),
    "category": ("category",),
    "corrections": ("correction",),
    "surroundings": ("surroundings",),
}


def weights_without(weights: Weights, channels: frozenset[Channel]) -> Weights:
    return replace(weights, **{name: 0.0 for channel in channels for name in _WEIGHTS.get(channel, ())})


def asked_without(question: Question, channels: frozenset[Channel]) -> Question:
    """The question as if these channels knew nothing of it. What was heard as a concept by its sound when it was indexed stays one."""
    if "sounds" in channels:
        deaf = tuple(
            replace(term, sound=(), also=tuple(replace(other, sound=()) for other in term.also if other.text), names=False)
            for term in question.terms
        )
        question = replace(question, terms=deaf, sounds=(), other_sounds={})
    if "words" in channels:
        question = replace(question, terms=())
    if "grams" in channels:
        question = replace(question, grams=())
    if "concepts" in channels:
        question = replace(question, mentions=(), concepts={}, kin={}, categories={})
    if "quantities" in channels:
        question = replace(question, quantities=())
    return question
