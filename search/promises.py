"""What a span promises: category, quantity, polarity, condition; and which later correction takes back which earlier claim.

Categories are those that disputes turn on: material, spec, origin, authenticity, effect, price, gift, shipping, warranty, return,
compensation, limited; service (installation, invoices, …) and defect beside them.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from archive.simplified import simplified_throughout
from search.chinese import fold
from search.concepts import CORRECTION_CONCEPT, ConceptHit, load_lexicon
from search.promised_amounts import amount_of, that_stand
from search.quantities import Quantity, comparable, find_quantities, same_amount

MIN_WEIGHT = 0.7
CORRECTION_REACH_MS = 20 * 60_000
MOST_LOOKED_AT = 200
# In folded English an apostrophe is a blank: doesn t, can t.
_NO: Final = (
    r"(?<![a-z])(?:no|not|never|without|cannot|neither|nor|(?:do|does|did|is|are|was|were|wo|wouldn|won|don|doesn|didn"
    r"|isn|aren|wasn|weren|can|couldn|shouldn|hasn|haven) t)"
)
_NEGATED_BEFORE_IN_ENGLISH = re.compile(rf"{_NO}(?: [a-z]+){{0,3}} ?$")
_NEGATED_AFTER_IN_ENGLISH = re.compile(
    r"^ (?:(?:does|do|is|are|will|was|can) not|cannot|(?:doesn|don|isn|aren|won|wasn|can) t)"
    r"(?! (?:worry|matter|cost|expire|end|run out))(?![a-z])"
)
# no problem, not only, no questions: what denies nothing of what follows.
_DENIES_NOTHING = re.compile(
    r"(?<![a-z])(?:no (?:problem|worry|question|doubt|hassle|matter|extra|charge|cost|need|reason|one|catch|string)"
    r"|not (?:only|just|a problem)|"
    r"(?:don|won|can) t (?:worry|miss|wait|believe|forget|have to|need|beat)|why not|never mind|better than)(?: [a-z]+){0,3} ?$"
)
# A question that offers both (是不是, 有没有) denies nothing.
_NEGATED_BEFORE = re.compile(
    r"(?:(?<!是)不是|(?<!有)没有|没说|不支持|不包括?|不保证?|不含|不带|不给|不送|不赔|不退|(?<!能)不能|不可以|不算|不认"
    r"|并非|并不是|绝不|无法|没法|(?<!会)不会)"
    r"[^,，。;；!！?？]{0,3}$|(?<![是有能会可要用])[不没]$"
)
_NEGATED_AFTER = re.compile(
    r"^[^,，。;；!！?？]{0,4}(?:不行|不可以|不支持|不保|不包|不退|不赔|不送|不给|不认|不算|没得|除外|没有(?=[的了啊哦呢哈]|$))"
)
_CONDITION = re.compile(
    r"\b(?:if|as long as|provided(?: that)?|only (?:if|when|for)|unless|except(?: for)?|members? only|within the first"
    r"|on orders? (?:over|above))\b[^,.;!?，。]{2,60}|"
    r"(?:如果|只要|要是|假如|万一|除非|必须|只有|仅限|限|凡是|前提|会员|粉丝团)[^,，。;；!！?？]{1,18}"
    r"|[^,，。;；!！?？\s]{1,14}(?:的话|才(?:能|送|给|行|可以|有))|[^,，。;；!！?？\s]{0,8}(?:以内|之内|以前|之前)"
)


@dataclass(frozen=True, slots=True)
class Promise:
    """`topics` are the concepts it speaks of; `polarity` is `affirmed`, `denied` or `mixed`; `condition` quotes the transcript."""

    category: str
    polarity: str
    quantity: Quantity | None
    condition: str | None
    topics: tuple[str, ...]
    is_correction: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """A promise at its place in a recording: units `first`…`last`, spoken over `start_ms`…`end_ms`, of these products.

    `doubtful`: it rests on words that may not be what was said. `firmness`: how far a host could be held to it
    (`search.commitment`). `grams` are for linking corrections only and are not stored.
    """

    first: int
    last: int
    start_ms: int
    end_ms: int
    products: frozenset[str]
    promise: Promise
    grams: frozenset[str] = frozenset()
    doubtful: bool = False
    firmness: float = 1.0


def promise_in(
    text: str, hits: Iterable[ConceptHit], quantities: Sequence[Quantity], asked: Mapping[str, float] | None = None
) -> Promise | None:
    """What the span with this text, these concept hits and quantities promises, first of the categories asked about.

    None if it speaks of no category.
    """
    gist = gist_of(hits, quantities, asked)
    return as_worded(gist, text) if gist else None


def gist_of(hits: Iterable[ConceptHit], quantities: Sequence[Quantity], asked: Mapping[str, float] | None = None) -> Promise | None:
    """As `promise_in`, but not yet read for denials and conditions, which takes the words and far longer."""
    concepts = load_lexicon().concepts
    votes: dict[str, float] = {}
    topics: dict[str, float] = {}
    corrects = False
    for hit in hits:
        corrects = corrects or hit.concept == CORRECTION_CONCEPT
        # what an index holds may be named by an older lexicon
        category = concepts[hit.concept].category if hit.concept in concepts else None
        if category:
            topics[hit.concept] = max(topics.get(hit.concept, 0.0), hit.weight)
    for topic, weight in topics.items():
        name = str(concepts[topic].category)
        votes[name] = votes.get(name, 0.0) + weight
    if asked and any(category in votes for category in asked):
        votes = {category: MIN_WEIGHT + min(vote, 1.0) * asked[category] for category, vote in votes.items() if category in asked}
    category, weight = max(votes.items(), key=lambda vote: vote[1], default=("", 0.0))
    if weight < MIN_WEIGHT:
        return None
    return Promise(category, "affirmed", amount_of(category, quantities), None, tuple(sorted(topics)), corrects)


def as_worded(gist: Promise, text: str) -> Promise:
    """With the denial and the condition that stand in the words, and of the amounts that which they don't pass over."""
    quantity = gist.quantity
    if quantity is not None and quantity not in that_stand(text, gist.category, [quantity, *(said := find_quantities(text))]):
        quantity = amount_of(gist.category, that_stand(text, gist.category, said))
    return replace(gist, quantity=quantity, polarity=polarity_of(text, gist.category), condition=condition_in(text))


def condition_in(text: str) -> str | None:
    """The first condition that the words name, as it stands in them."""
    # Found in simplified script, quoted as it stands: both have each character at the same place.
    condition = _CONDITION.search(simplified_throughout(text).lower()) if len(text.lower()) == len(text) else None
    return text[condition.start() : condition.end()].strip() if condition else None


def polarity_of(text: str, category: str) -> str:
    """Whether what is said of the category is negated: at the end `denied`, before something affirmed `mixed`, nowhere `affirmed`.

    A negation counts for a term within three characters after it or four before it; one that is part of the term (只换不修) doesn't.
    """
    concepts = load_lexicon().concepts
    folded, found = _mentions(text)
    hits = [hit for hit in found if concepts[hit.concept].category == category]
    negated = [_is_negated(folded, hit) for hit in hits]
    if not any(negated):
        return "affirmed"
    return "denied" if negated[-1] and not re.search("就是|而是| but ", folded[hits[-1].end :]) else "mixed"


def _is_negated(folded: str, hit: ConceptHit) -> bool:
    before = folded[: hit.start]
    if _NEGATED_BEFORE.search(before) or _NEGATED_AFTER.search(folded[hit.end :]):
        return True
    if not hit.term[:1].isascii():
        return False
    if _NEGATED_AFTER_IN_ENGLISH.search(folded[hit.end :]):
        return True
    return bool(_NEGATED_BEFORE_IN_ENGLISH.search(before)) and not _DENIES_NOTHING.search(before)


@lru_cache(maxsize=1024)
def _mentions(text: str) -> tuple[str, tuple[ConceptHit, ...]]:
    """Folded text with the concepts in it. A thought is asked for each of its categories, so it is kept for a while."""
    folded = fold(text).text
    return folded, tuple(load_lexicon().find(folded))


KIN = 0.5


def akin(one: Promise, other: Promise) -> bool:
    """Whether both speak of the same thing: a topic of one is one of the other's, or near kin to one (整机质保 and 质保)."""
    if set(one.topics) & set(other.topics):
        return True
    concepts = load_lexicon().concepts
    return any(
        topic in concepts and concepts[topic].related.get(kin, 0.0) >= KIN
        for topics, others in ((one.topics, other.topics), (other.topics, one.topics))
        for topic in topics
        for kin in others
    )


def taken_back_by(later: Claim, earlier: Iterable[tuple[int, Claim]]) -> int | None:
    """Number of the earlier claim that a correction takes back, the last of equals: same product where both are known, shared topic or
    like quantity. `earlier`: claims by number, the last first; of those that may be meant MOST_LOOKED_AT are looked at."""
    best, best_score, looked_at = None, 0.0, 0
    for number, claim in earlier:
        if claim.last >= later.first or not may_be_meant(claim, later):
            continue
        score = _relation(claim, later)
        if score > best_score:
            best, best_score = number, score
        looked_at += 1
        if looked_at == MOST_LOOKED_AT:
            break
    return best


def may_be_meant(earlier: Claim, later: Claim) -> bool:
    """Whether a correction can be of this: of the same product however long ago; where no product is known, of what was said shortly
    before."""
    if earlier.promise.is_correction:
        return False
    if earlier.products and later.products:
        return bool(earlier.products & later.products)
    return later.start_ms - earlier.start_ms <= CORRECTION_REACH_MS


def _relation(earlier: Claim, later: Claim) -> float:
    shared = len(set(earlier.promise.topics) & set(later.promise.topics)) or (0.5 if akin(earlier.promise, later.promise) else 0.0)
    overlap = len(earlier.grams & later.grams) / max(min(len(earlier.grams), len(later.grams)), 1)
    one, other = earlier.promise.quantity, later.promise.quantity
    like = 0.5 if one and other and comparable(one, other) and not same_amount(one, other) else 0.0
    if not shared and overlap < 0.3:
        return 0.0
    return shared + 2 * overlap + like
