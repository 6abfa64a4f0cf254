"""Understanding a question: what is asked for, without the talk around it; products, quantities, concepts, negation."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from archive.recording import Product
from archive.simplified import simplified_throughout
from search.chinese import bigrams, content_words, fold
from search.concepts import ConceptHit, load_lexicon
from search.errors import InvalidQuestion
from search.products import Shelf
from search.quantities import Quantity, find_quantities
from search.sounds import fold_syllable, sound_bigrams, syllables, typed_sounds

_TALK = re.compile(
    r"请问|麻烦|帮我(?:查|找|看)(?:一?下)?|(?:当时|那天|上次)?(?:主播|直播间?里?|他|她|你们?|店家|商家|客服|卖家)?(?:本人|亲口)?(?:当时|到底|究竟)?(?:是不是|有没有|有无|是否)?(?:明明)?(?:亲口)?"
    r"(?:承诺过?|保证过?|答应过?|说过|说的是?|讲过|提过|提到过?|宣称过?|说好的?|说是)(?:是|的|要|会)?|是不是|有没有|是否|不是说好?|直播间?里?|主播|哪个|明明|当时|现在|结果|我要投诉|这不是|骗人吗?"
)
_NEGATIVE = re.compile(r"不(?!锈)|没|无(?!理由)|别|非")
_QUESTION_TAIL = re.compile(r"(?:吗|呢|吧|嘛|么|啊|不)?[?？!！。\s]*$")


@dataclass(frozen=True, slots=True)
class Term:
    """A word of the question: folded text, folded syllables (empty for Latin), whether it may be matched by sound."""

    text: str
    sound: tuple[str, ...]


NAME_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for. `concepts` by name with weights; `terms` are its content words in order."""

    text: str
    stripped: str
    terms: tuple[Term, ...]
    grams: tuple[str, ...]
    sounds: tuple[str, ...]
    concepts: Mapping[str, float]
    quantities: tuple[Quantity, ...]
    categories: Mapping[str, float]
    negative: bool
    folded: str
    mentions: tuple[ConceptHit, ...]
    names: tuple[tuple[int, int], ...] = ()

    def naming(self, names: Sequence[tuple[int, int]]) -> "Question":
        """The same question, knowing where in `folded` it only names the product."""
        concepts: dict[str, float] = {}
        for hit in self.mentions:
            share = NAME_SHARE if any(start <= hit.start and hit.end <= end for start, end in names) else 1.0
            concepts[hit.concept] = max(concepts.get(hit.concept, 0.0), hit.weight * share)
        return replace(self, names=tuple(names), concepts=concepts, categories=_categories(concepts))

    def share_of(self, term: str) -> float:
        """1 for what is asked, 0.2 for what only names the product: that counts once, as the product."""
        at = self.folded.find(term)
        if at < 0 or not self.names:
            return 1.0
        while at >= 0:
            if not any(start <= at and at + len(term) <= end for start, end in self.names):
                return 1.0
            at = self.folded.find(term, at + 1)
        return NAME_SHARE


def understand(text: str, *, max_chars: int = 500) -> Question:
    """Reads a question. InvalidQuestion if it is empty or longer than `max_chars`."""
    if len(text) > max_chars:
        raise InvalidQuestion(f"the question has {len(text)} characters, at most {max_chars} are searched: shorten it to what was promised")
    if not any(char.isalnum() for char in text):
        raise InvalidQuestion("the question is empty: say in a few words what may have been promised")
    plain = simplified_throughout(text)
    stripped = _QUESTION_TAIL.sub("", _TALK.sub(" ", plain)).strip()
    if not any(char.isalnum() for char in stripped):
        stripped = plain.strip()
    folded = fold(stripped).text
    pieces = [fold(piece).text for piece in re.split(r"[\s,，。;；!！?？、]+", stripped) if piece]
    terms = list(dict.fromkeys(word for piece in pieces for word in content_words(piece)))
    spoken = typed_sounds(folded)
    mentions = load_lexicon().find(folded, syllables(folded))
    concepts: dict[str, float] = {}
    for hit in mentions:
        concepts[hit.concept] = max(concepts.get(hit.concept, 0.0), hit.weight)
    return Question(
        text,
        stripped,
        tuple(Term(term, _sound_of(term)) for term in terms),
        tuple(dict.fromkeys(gram for piece in pieces for gram in bigrams(piece))),
        tuple(dict.fromkeys(sound_bigrams(spoken))),
        concepts,
        tuple(find_quantities(stripped)),
        _categories(concepts),
        bool(_NEGATIVE.search(stripped)),
        folded,
        tuple(mentions),
    )


def _categories(concepts: Mapping[str, float]) -> dict[str, float]:
    categories: dict[str, float] = {}
    for name, weight in concepts.items():
        category = load_lexicon().concepts[name].category
        if category:
            categories[category] = categories.get(category, 0.0) + weight
    return categories


def _sound_of(term: str) -> tuple[str, ...]:
    if term.isascii():
        spelled = typed_sounds(term)
        return tuple(fold_syllable(sound) for sound in spelled) if len(spelled) >= 2 and all(len(sound) > 1 for sound in spelled) else ()
    if any(char.isascii() for char in term):
        return ()
    return tuple(fold_syllable(sound) for sound in syllables(term))


def products_meant(question: Question, shelves: Mapping[str, Sequence[Product]]) -> dict[str, dict[str, float]]:
    """By recording, the products that the question names and how surely. Recordings without a match are absent."""
    folded = fold(question.text).text
    meant: dict[str, dict[str, float]] = {}
    for recording, products in shelves.items():
        found = Shelf(products).named_in(folded) if products else {}
        if found:
            best = max(found.values())
            meant[recording] = {product: weight for product, weight in found.items() if weight >= 0.6 * best}
    return meant
