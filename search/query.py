"""Understanding a question: what is asked for, without the talk around it; products, quantities, concepts, times, negation."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from archive.recording import Product
from archive.simplified import simplified_throughout
from search.asked_time import AskedTime, find_times
from search.asked_words import asks_condition, clauses_of, wants_correction, what_is_asked, without_the_asker
from search.chinese import Folded, bigrams, content_words, fold
from search.concepts import ConceptHit, load_lexicon
from search.errors import InvalidQuestion
from search.foreign_names import LEAST_LETTERS, foreign_names
from search.other_spellings import OtherSpelling, brand_spellings, is_stop_word, misspelt_hits, other_spellings, short_hits
from search.products_asked import AskedNames, NamedProduct, named_products
from search.quantities import Quantity, find_quantities
from search.sounds import fold_syllable, other_sound_bigrams, sound_bigrams, syllables, typed_sounds

NAME_SHARE = 0.2
MOST_KIN = 8
MEANT_SHARE = 0.6
_NEGATIVE = re.compile(r"不(?!锈)|没|无(?!理由)|别|非|\b(?:not?|never|without|isn't|doesn't|didn't|won't|can't|cannot)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Term:
    """A word of the question: folded text, folded syllables (empty for Latin), whether it may be matched by sound.

    `also`: what else it may have been meant to be, each weighing less than the word itself. `names`: it may be a foreign name, which a
    transcript may hold in the other script, as it sounds.
    """

    text: str
    sound: tuple[str, ...]
    also: tuple[OtherSpelling, ...] = ()
    names: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for. `concepts` by name with weights; `terms` are its content words in order.

    `text` is the question as it was asked; what is looked for has neither the asker's own data nor the times of session and order, which
    are `times`. `kin`: concepts that only another one led to, which one, and the weight of the link; they are among `concepts` too.
    `asides`: stretches of `folded` that tell what happened beside what was said, with their weight. `also_named`: a name of the product
    that is known otherwise, such as from the order. `other_sounds`: pairs of syllables of rarer readings, with that of `sounds` which each
    stands for.
    """

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
    kin: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    asides: tuple[tuple[int, int, float], ...] = ()
    times: tuple[AskedTime, ...] = ()
    wants_correction: bool = False
    asks_condition: bool = False
    also_named: str = ""
    other_sounds: Mapping[str, str] = field(default_factory=dict)

    def naming(self, names: Sequence[tuple[int, int]]) -> "Question":
        """The same question, knowing where in `folded` it only names the product."""
        concepts, kin = _weighed(self.mentions, names, self.asides)
        return replace(self, names=tuple(names), concepts=concepts, kin=kin, categories=_categories(concepts))

    def share_of(self, term: str) -> float:
        """1 for what is asked, less for what happened, 0.2 for what only names the product: that counts once, as the product."""
        at = self.folded.find(term)
        if at < 0 or not (self.names or self.asides):
            return 1.0
        share = 0.0
        while at >= 0:
            share = max(share, _share_at(at, at + len(term), self.names, self.asides))
            at = self.folded.find(term, at + 1)
        return share


def understand(text: str, *, max_chars: int = 500, also_named: str = "", leaving_out: Sequence[str] = ()) -> Question:
    """Reads a question. InvalidQuestion if it is empty or longer than `max_chars`.

    `leaving_out`: words of it that are known to be no part of what is asked, such as the host's name.
    """
    if len(text) > max_chars:
        raise InvalidQuestion(f"the question has {len(text)} characters, at most {max_chars} are searched: shorten it to what was promised")
    if not any(char.isalnum() for char in text):
        raise InvalidQuestion("the question is empty: say in a few words what may have been promised")
    times = find_times(text)
    plain = simplified_throughout(without_the_asker(_without(text, [(time.start, time.end) for time in times], leaving_out)))
    stripped = what_is_asked(plain)
    spoken = fold(stripped)
    folded = spoken.text
    pieces = [fold(piece).text for piece in re.split(r"[\s,，。;；!！?？、]+", stripped) if piece]
    words = [word for piece in pieces for word in content_words(piece) if not is_stop_word(word)]
    heard = syllables(folded)
    mentions = load_lexicon().find(folded, heard)
    mentions += short_hits(folded, words) + misspelt_hits(folded, mentions)
    asides = _asides(plain, stripped, spoken)
    concepts, kin = _weighed(mentions, (), asides)
    return Question(
        text,
        stripped,
        _terms(folded, words, brand_spellings(folded, heard)),
        tuple(dict.fromkeys(gram for piece in pieces for gram in bigrams(piece) if not is_stop_word(gram))),
        tuple(dict.fromkeys(sound_bigrams(typed_sounds(folded)))),
        concepts,
        tuple(find_quantities(stripped)),
        _categories(concepts),
        bool(_NEGATIVE.search(stripped)),
        folded,
        tuple(mentions),
        kin=kin,
        asides=asides,
        times=tuple(times),
        wants_correction=wants_correction(plain),
        asks_condition=asks_condition(plain),
        also_named=also_named,
        other_sounds=other_sound_bigrams(folded),
    )


def _terms(folded: str, words: Sequence[str], brands: Mapping[str, tuple[OtherSpelling, ...]]) -> tuple[Term, ...]:
    """A brand is one term, whatever the segmenter made of it; so is a foreign name that nobody knows."""
    foreign = {name for name in foreign_names(folded) if not any(name in brand for brand in brands)}
    foreign |= {name for name in brands if name.isascii() and len(name) >= LEAST_LETTERS}
    pieces = {piece for name in (*brands, *foreign) for piece in (*name, *name.split()) if piece != name}
    pieces |= {word for word in words for name in foreign if word in name and word != name and not word.isascii()}
    whole = (name for name in (*brands, *sorted(foreign, key=folded.find)) if not is_stop_word(name))
    kept = dict.fromkeys((*(word for word in words if word not in pieces), *whole))
    return tuple(Term(word, _sound_of(word), (*brands.get(word, ()), *other_spellings(word)), word in foreign) for word in kept)


def _without(text: str, spans: Sequence[tuple[int, int]], words: Sequence[str]) -> str:
    """The text without these spans and words, unless nothing would be left."""
    left = text
    for start, end in reversed(spans):
        left = left[:start] + " " + left[end:]
    for word in words:
        left = left.replace(word, " ")
    return left if any(char.isalnum() for char in left) else text


def _asides(plain: str, stripped: str, folded: Folded) -> tuple[tuple[int, int, float], ...]:
    asides = []
    for clause in clauses_of(plain, stripped):
        inside = [at for at, origin in enumerate(folded.origins) if clause.start <= origin < clause.end]
        if inside:
            asides.append((inside[0], inside[-1] + 1, clause.weight))
    return tuple(asides)


def _share_at(start: int, end: int, names: Sequence[tuple[int, int]], asides: Sequence[tuple[int, int, float]]) -> float:
    share = NAME_SHARE if any(first <= start and end <= last for first, last in names) else 1.0
    return share * min((weight for first, last, weight in asides if first <= start and end <= last), default=1.0)


def _weighed(
    mentions: Sequence[ConceptHit], names: Sequence[tuple[int, int]], asides: Sequence[tuple[int, int, float]]
) -> tuple[dict[str, float], dict[str, tuple[str, float]]]:
    """Concepts with weights, kin among them, and by kin what led to it with the weight of the link."""
    concepts: dict[str, float] = {}
    for hit in mentions:
        concepts[hit.concept] = max(concepts.get(hit.concept, 0.0), hit.weight * _share_at(hit.start, hit.end, names, asides))
    known = load_lexicon().concepts
    led: dict[str, tuple[str, float]] = {}
    for name, weight in concepts.items():
        for other, link in known[name].related.items():
            if other not in concepts and (other not in led or concepts[led[other][0]] * led[other][1] < weight * link):
                led[other] = (name, link)
    nearest = sorted(led.items(), key=lambda item: (-concepts[item[1][0]] * item[1][1], item[0]))[:MOST_KIN]
    kin = dict(nearest)
    return concepts | {other: concepts[name] * link for other, (name, link) in nearest}, kin


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
    return {recording: {each.product_id: each.weight for each in named} for recording, named in products_named(question, shelves).items()}


def products_named(question: Question, shelves: Mapping[str, Sequence[Product]]) -> dict[str, list[NamedProduct]]:
    """As `products_meant`, with how each is known, surest first."""
    names = AskedNames(question.text, question.also_named)
    meant: dict[str, list[NamedProduct]] = {}
    for recording, products in shelves.items():
        if found := named_products(names, products) if products else []:
            meant[recording] = [each for each in found if each.weight >= MEANT_SHARE * found[0].weight]
    return meant
