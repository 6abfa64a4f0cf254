"""The concept lexicon: what hosts say ↔ what buyers say, as groups of terms.

How a group is written is told in `search.lexicon`. A term in n groups weighs 1/n, a single character half; the words of a group's
`pattern` weigh PATTERN_WEIGHT.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from search.chinese import FILLERS, fold, is_word, whole_words
from search.lexicon import Group, LexiconMistake, groups
from search.sounds import syllables

MAX_TERM_CHARS = 12
MAX_LATIN_CHARS = 32
MAX_LATIN_WORDS = 6
HEARD_AS_WEIGHT = 0.7
PATTERN_WEIGHT = 0.8
CORRECTION_CONCEPT = "correction"
_OF_TALK = frozenset(word for word in FILLERS if len(word) == 1 and word not in "给被只得过之") | frozenset("啥咋")
_LATIN = re.compile("[a-z]")
_LATIN_WORD = re.compile("[a-z0-9]+|[^\\sa-z0-9]+")


@dataclass(frozen=True, slots=True)
class Concept:
    """One group. `terms` are folded as text is for indexing; `zh` and `en` name it to people; `related` are the concepts, by name and
    weight (0.1…0.8), that a question with this one also looks for."""

    name: str
    category: str | None
    terms: frozenset[str]
    zh: str
    en: str
    related: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ConceptHit:
    """A term of a concept at `start:end` of folded text. `heard_as`: only the sound matches."""

    concept: str
    term: str
    start: int
    end: int
    weight: float
    heard_as: bool = False


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All groups, with the terms by their text and by their toneless sound."""

    concepts: Mapping[str, Concept]
    by_term: Mapping[str, tuple[str, ...]]
    by_sound: Mapping[tuple[str, ...], tuple[str, ...]]
    patterns: tuple[tuple[str, re.Pattern[str]], ...] = ()

    def label(self, name: str, language: str) -> str:
        """What people are shown as this concept's name, in Chinese (`zh`…) or else English; an index of another version may hold names
        that this lexicon doesn't, they stand for themselves."""
        concept = self.concepts.get(name)
        label = (concept.zh if language.startswith("zh") else concept.en) if concept else ""
        return label or name.replace("_", " ")

    def find(self, folded: str, sounds: list[str] | None = None) -> list[ConceptHit]:
        """Hits in folded text, longest terms first; a term inside a longer one doesn't count. With `sounds`, misheard terms too."""
        hits: list[ConceptHit] = []
        taken = [False] * len(folded)
        found = [
            (start, start + length)
            for length in range(min(MAX_TERM_CHARS, len(folded)), 0, -1)
            for start in range(len(folded) - length + 1)
            if folded[start : start + length] in self.by_term and not _inside_latin(folded, start, start + length)
        ]
        if _LATIN.search(folded):
            # English words are long; most talk has none
            found = sorted({*found, *self._in_english(folded)}, key=lambda span: (span[0] - span[1], span[0]))
        for start, end in found:
            if all(taken[start:end]):
                continue
            term = folded[start:end]
            names = self.by_term[term]
            weight = (0.5 if end - start == 1 else 1.0) / max(len(names), 1)
            hits.extend(ConceptHit(name, term, start, end, weight) for name in names)
            taken[start:end] = [True] * (end - start)
        for name, pattern in self.patterns:
            hits.extend(ConceptHit(name, match[0], *match.span(), PATTERN_WEIGHT) for match in pattern.finditer(folded) if match[0])
        if sounds is not None:
            hits.extend(self._heard(folded, sounds, taken))
        return hits

    def _in_english(self, folded: str) -> Iterator[tuple[int, int]]:
        """Terms of whole English words: a term begins and ends with a word."""
        words = [match.span() for match in _LATIN_WORD.finditer(folded)]
        for at, (start, _) in enumerate(words):
            for _, end in words[at : at + MAX_LATIN_WORDS]:
                if end - start > MAX_LATIN_CHARS:
                    break
                if folded[start:end] in self.by_term:
                    yield start, end

    def _heard(self, folded: str, sounds: list[str], taken: list[bool]) -> list[ConceptHit]:
        hits: list[ConceptHit] = []
        ends: frozenset[int] | None = None
        for length in range(4, 1, -1):
            for start in range(len(folded) - length + 1):
                terms = self.by_sound.get(tuple(sounds[start : start + length]))
                if not terms or any(taken[start : start + length]):
                    continue
                if length == 2:
                    ends = _word_ends(folded) if ends is None else ends
                    terms = _misheard_as(folded, start, ends, terms)
                    if not terms:
                        continue
                meant = {name: term for term in reversed(terms) for name in self.by_term[term]}
                weight = HEARD_AS_WEIGHT / len(meant)
                hits.extend(ConceptHit(name, term, start, start + length, weight, True) for name, term in meant.items())
                taken[start : start + length] = [True] * length
        return hits


def _word_ends(folded: str) -> frozenset[int]:
    return frozenset(accumulate((len(word) for word in whole_words(folded)), initial=0))


def _misheard_as(folded: str, start: int, ends: frozenset[int], terms: tuple[str, ...]) -> tuple[str, ...]:
    """Those of `terms` that two characters of other writing may stand for: two syllables meet by chance in any talk.

    Not those that are a word of their own (使用 is not 试用). Of the rest all, where both stand alone among the words and neither is one
    that any talk has; else only what agrees in tone (在讲 is not 再降, 鹅容 is 鹅绒).
    """
    written = folded[start : start + 2]
    if is_word(written):
        return ()
    # a character of any talk that stands where the term has another one is that character: 对我 is not 怼我, 是用 not 试用
    terms = tuple(term for term in terms if not any(here in _OF_TALK and here != there for here, there in zip(written, term, strict=True)))
    alone = start in ends and start + 1 in ends and start + 2 in ends and not FILLERS & set(written)
    return terms if alone else tuple(term for term in terms if _toned(term) == _toned(written))


@lru_cache(maxsize=20_000)
def _toned(word: str) -> tuple[str, ...]:
    """Its syllables with their tones (`zhi4`, `bao3`), read without what stands around it."""
    from pypinyin import Style, lazy_pinyin

    return tuple(lazy_pinyin(word, style=Style.TONE3))


def _inside_latin(text: str, start: int, end: int) -> bool:
    def latin(at: int) -> bool:
        return 0 <= at < len(text) and text[at].isascii() and text[at].isalpha()

    return (latin(start - 1) and latin(start)) or (latin(end - 1) and latin(end))


@lru_cache(maxsize=1)
def load_lexicon() -> Lexicon:
    """The lexicon that ships with the package."""
    return lexicon_of(groups())


def lexicon_of(groups_by_name: Mapping[str, Group]) -> Lexicon:
    """The lexicon of these groups. LexiconMistake for a term that is too long, written twice in one group or no word at all."""
    concepts: dict[str, Concept] = {}
    by_term: dict[str, set[str]] = defaultdict(set)
    for name, group in groups_by_name.items():
        terms = _terms_of(group)
        concepts[name] = Concept(name, group.category, terms, group.zh, group.en, group.related)
        for term in terms:
            by_term[term].add(name)
        for word in group.excepted:
            by_term.setdefault(fold(word).text, set())
    by_sound: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for term in sorted(term for term, names in by_term.items() if names):
        if 2 <= len(term) <= 4 and not term.isascii():
            sound = tuple(syllables(term))
            if all(sound):
                by_sound[sound].append(term)
    return Lexicon(
        concepts,
        {term: tuple(sorted(names)) for term, names in by_term.items()},
        {sound: tuple(terms) for sound, terms in by_sound.items()},
        tuple((group.name, re.compile(group.pattern)) for group in groups_by_name.values() if group.pattern),
    )


def _terms_of(group: Group) -> frozenset[str]:
    terms: set[str] = set()
    seen: set[str] = set()
    for written in group.terms:
        term = fold(written).text.strip()
        most = MAX_LATIN_CHARS if term.isascii() or " " in term else MAX_TERM_CHARS
        if not term or len(term) > most:
            raise LexiconMistake(group.file, group.name, f"term {written!r} has {len(term)} characters, not 1…{most}")
        # two forms of an English word are one term
        if (plain := written.lower() if _LATIN.search(term) else term) in seen:
            raise LexiconMistake(group.file, group.name, f"term {written!r} is there twice")
        seen.add(plain)
        terms.add(term)
    # words of any talk would say nothing
    return frozenset(terms - FILLERS)
