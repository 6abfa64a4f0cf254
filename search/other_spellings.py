"""What a word of a question may stand for besides itself: a slip of the keys, a brand, letters typed for Chinese words."""

from dataclasses import dataclass
from functools import lru_cache

from search.brands import brand_names
from search.chinese import is_word
from search.concepts import ConceptHit, load_lexicon
from search.english import GRAMMAR
from search.sounds import fold_syllable, syllables
from search.typos import changed_over, near_latin

TYPO_WEIGHT = 0.6
SHORT_WEIGHT = 0.8
BRAND_WEIGHT = 0.9
MOST_BRAND_NAMES = 4
HEARD_AS_TYPO = 0.6
# Initials of pinyin that buyers type for a word.
_SHORT = {
    "sf": "顺丰",
    "yfx": "运费险",
    "jyps": "假一赔十",
    "kd": "快递",
    "tk": "退款",
    "fh": "发货",
    "zp": "正品",
    "zl": "质量",
    "hh": "换货",
}


@dataclass(frozen=True, slots=True)
class OtherSpelling:
    """`how`: typo, short or brand; `weight` against the word as it was written; `sound`: folded syllables, where it has any."""

    text: str
    weight: float
    how: str
    sound: tuple[str, ...] = ()


def is_stop_word(word: str) -> bool:
    """Whether an English word says nothing of what is asked."""
    return word in GRAMMAR


@lru_cache(maxsize=20_000)
def other_spellings(word: str) -> tuple[OtherSpelling, ...]:
    """Other spellings of a folded word, likeliest first; most words have none."""
    if not (word.isascii() and word.isalpha()):
        return ()
    if word in _SHORT:
        return (OtherSpelling(_SHORT[word], SHORT_WEIGHT, "short"),)
    return tuple(OtherSpelling(known, TYPO_WEIGHT, "typo") for known in near_latin(word)[:4])


def brand_spellings(folded: str, sounds: list[str]) -> dict[str, tuple[OtherSpelling, ...]]:
    """By brand as the question names it, how else it is written: Dyson is 戴森 too."""
    found: dict[str, tuple[OtherSpelling, ...]] = {}
    for hit in brand_names(folded, sounds):
        written = folded[hit.start : hit.end]
        # names in the other script first: those of the same one mostly share their letters
        others = [*(name for name in hit.others if name.isascii() != written.isascii()), *hit.others]
        found[written] = tuple(
            OtherSpelling(name, BRAND_WEIGHT * hit.weight, "brand", _sound_of(name))
            for name in tuple(dict.fromkeys(others))[:MOST_BRAND_NAMES]
        )
    return found


def _sound_of(name: str) -> tuple[str, ...]:
    return () if any(char.isascii() for char in name) else tuple(fold_syllable(sound) for sound in syllables(name))


def short_hits(folded: str, words: list[str]) -> list[ConceptHit]:
    """Concepts of what letters stand for, where the letters stand."""
    hits = []
    for word in words:
        for other in other_spellings(word):
            start = folded.find(word)
            names = load_lexicon().by_term.get(other.text, ())
            hits += [ConceptHit(name, word, start, start + len(word), other.weight / len(names)) for name in names]
    return hits


def misspelt_hits(folded: str, mentions: list[ConceptHit]) -> list[ConceptHit]:
    """Concepts of terms that were written with two characters changed over."""
    taken = [False] * len(folded)
    for hit in mentions:
        taken[hit.start : hit.end] = [True] * (hit.end - hit.start)
    terms = load_lexicon().by_term
    return [
        ConceptHit(name, each.written, each.start, each.end, HEARD_AS_TYPO / len(terms[each.known]), True)
        for each in changed_over(folded, taken)
        for name in terms[each.known]
        if not is_word(each.written)
    ]
