"""What a recording promises, thought by thought: every category that a thought speaks of, over the words that say it and no more.

Read at index time. A viewer's question that is read out promises nothing; what is sure of its sound alone counts only beside an amount.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from archive.transcript import doubts
from search.chinese import bigrams, content_words
from search.commitment import firmness
from search.concepts import CORRECTION_CONCEPT, ConceptHit, load_lexicon
from search.promised_amounts import that_stand
from search.promises import MIN_WEIGHT, Claim, condition_in, gist_of, polarity_of
from search.units import joined_text

if TYPE_CHECKING:
    from search.passages import IndexedUnit

THOUGHT_MS = 4_000
LONGEST_THOUGHT_MS = 10_000
# Words that take something back may stand alone, with what is true now behind them.
CARRIED_MS = 7_000
NAMED = 0.7
LIKELY = 0.5


class ClaimReader:
    """Reads talk thought by thought, in the order of time. `took_back_ms`: when words ended that took something back, with no promise
    beside them yet."""

    def __init__(self, took_back_ms: int | None = None) -> None:
        self.took_back_ms = took_back_ms

    def read(self, thought: Sequence["IndexedUnit"]) -> list[Claim]:
        """The thought's promises; one that speaks of several categories makes one of each."""
        takes_back = any(mention.concept == CORRECTION_CONCEPT for unit in thought for mention in unit.mentions)
        carried = self.took_back_ms is not None and thought[0].unit.start_ms - self.took_back_ms <= CARRIED_MS
        found = _claims_in(thought, takes_back or carried)
        self.took_back_ms = thought[-1].unit.end_ms if takes_back and not found else None
        return found


def words_of_claim(units: Iterable["IndexedUnit"]) -> frozenset[str]:
    """What a claim's words are compared by: `grams` of `Claim`, from the units that it spans."""
    said = "".join(unit.folded for unit in units if not unit.reads_question)
    return frozenset(gram for word in content_words(said) for gram in bigrams(word))


def _claims_in(thought: Sequence["IndexedUnit"], corrects: bool) -> list[Claim]:
    concepts = load_lexicon().concepts
    spoken = [unit for unit in thought if not unit.reads_question]
    weights: dict[str, float] = {}
    for topic, weight in _topics(spoken).items():
        category = concepts[topic].category
        if category:
            weights[category] = weights.get(category, 0.0) + weight
    claims = []
    for category in (name for name, weight in weights.items() if weight >= MIN_WEIGHT):
        about = [
            unit
            for unit in spoken
            if any(concepts[each.concept].category == category for each in unit.mentions if each.concept in concepts)
        ]
        claim = _claim(spoken, about, category, corrects)
        if claim:
            claims.append(claim)
    return sorted(claims, key=lambda claim: (claim.first, claim.last))


def _topics(units: Sequence["IndexedUnit"]) -> dict[str, float]:
    """Concepts spoken of; what only sounds like one is left out where no amount stands with it."""
    concepts = load_lexicon().concepts
    topics: dict[str, float] = {}
    amounts = any(quantity.unit for unit in units for quantity in unit.quantities)
    for mention in (mention for unit in units for mention in unit.mentions):
        if mention.concept in concepts and (amounts or not mention.heard_as):
            topics[mention.concept] = max(topics.get(mention.concept, 0.0), mention.weight)
    return topics


def _claim(spoken: Sequence["IndexedUnit"], about: Sequence["IndexedUnit"], category: str, corrects: bool) -> Claim | None:
    concepts = load_lexicon().concepts
    hits = [
        ConceptHit(mention.concept, "", 0, 0, mention.weight, mention.heard_as)
        for unit in about
        for mention in unit.mentions
        if mention.concept in concepts and concepts[mention.concept].category == category
    ]
    first, last = about[0].unit.number, about[-1].unit.number
    # The amount nearest to what it is about stands first.
    by_nearness = sorted(spoken, key=lambda unit: max(first - unit.unit.number, unit.unit.number - last, 0))
    whole = joined_text([unit.unit for unit in spoken])[0]
    amounts = that_stand(whole, category, (quantity for unit in by_nearness for quantity in unit.quantities))
    gist = gist_of(hits, amounts, {category: 1.0})
    if gist is None:
        return None
    bearing = [unit for unit in spoken if any(gist.quantity is each for each in unit.quantities)] if gist.quantity else []
    of_it = [*about, *bearing[:1]]
    first, last = min(unit.unit.number for unit in of_it), max(unit.unit.number for unit in of_it)
    said = [unit for unit in spoken if first <= unit.unit.number <= last]
    text = joined_text([unit.unit for unit in said])[0]
    # A condition may stand anywhere in the thought; a denial counts in the words that make the promise, not in what else it says.
    condition = condition_in(whole)
    promise = replace(gist, polarity=polarity_of(text, category), condition=condition, is_correction=corrects)
    return Claim(
        first,
        last,
        said[0].unit.start_ms,
        said[-1].unit.end_ms,
        _products_of(said),
        promise,
        words_of_claim(said),
        any(doubts(unit.unit.risk) for unit in said),
        round(firmness(text, promise), 2),
    )


def _products_of(said: Sequence["IndexedUnit"]) -> frozenset[str]:
    """Named outright before on air before likely."""
    named = frozenset(product for unit in said for product, weight in unit.named if weight >= NAMED)
    on_air = frozenset().union(*(unit.on_air for unit in said))
    if named & on_air:
        return named & on_air
    likely = frozenset(product for unit in said for product, weight in unit.inferred if weight >= LIKELY)
    return named or on_air or likely
