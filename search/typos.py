"""What a question's word may have been meant to be: one edit away in Latin, two characters changed over in Chinese."""

from dataclasses import dataclass
from functools import lru_cache

from search.chinese import is_word
from search.concepts import load_lexicon

LEAST_LATIN = 5
LEAST_CHINESE = 3
LONGEST_CHINESE = 6


@dataclass(frozen=True, slots=True)
class Misspelt:
    """`written` at `start:end` of folded text, and the term of the lexicon that it may be."""

    start: int
    end: int
    written: str
    known: str


def deletions(word: str) -> frozenset[str]:
    """The word and what is left of it without any one character: two words one edit apart share one of these."""
    return frozenset((word, *(word[:at] + word[at + 1 :] for at in range(len(word)))))


def transposed(word: str) -> set[str]:
    """The word with each two neighbouring characters changed over, itself not among them."""
    return {word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(len(word) - 1)} - {word}


def one_edit_apart(one: str, other: str) -> bool:
    """Equal but for one character put in, left out, another one, or two neighbours changed over (Damerau 1964)."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    short, long = sorted((one, other), key=len)
    same = next((at for at, (left, right) in enumerate(zip(short, long, strict=False)) if left != right), len(short))
    if len(short) < len(long):
        return short[same:] == long[same + 1 :]
    return short[same + 1 :] == long[same + 1 :] or (
        short[same : same + 2] == long[same : same + 2][::-1] and short[same + 2 :] == long[same + 2 :]
    )


def near_latin(word: str, known: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Latin words of the lexicon and of `known` that are one edit away from a word of five letters or more; none if it is one of them."""
    if len(word) < LEAST_LATIN or word in known or word in latin_words():
        return ()
    near = {found for key in deletions(word) for found in _latin_by_deletion().get(key, ())}
    near |= {each for each in known if each.isascii() and len(each) >= LEAST_LATIN}
    return tuple(sorted(each for each in near if one_edit_apart(word, each)))


def changed_over(folded: str, taken: list[bool]) -> list[Misspelt]:
    """Chinese terms of the lexicon with two characters changed over, where no term stands and what stands is no word."""
    terms = load_lexicon().by_term
    found: list[Misspelt] = []
    for start in range(len(folded) - LEAST_CHINESE + 1):
        for end in range(min(start + LONGEST_CHINESE, len(folded)), start + LEAST_CHINESE - 1, -1):
            if all(taken[start:end]):
                continue
            written = folded[start:end]
            for at in range(len(written) - 1):
                known = written[:at] + written[at + 1] + written[at] + written[at + 2 :]
                if known != written and known in terms and written not in terms and not written.isascii() and not is_word(written):
                    found.append(Misspelt(start, end, written, known))
                    break
    return [each for each in found if not any(o.start <= each.start and each.end <= o.end and o != each for o in found)]


@lru_cache(maxsize=1)
def latin_words() -> frozenset[str]:
    """The Latin words of the lexicon's terms."""
    return frozenset(word for term in load_lexicon().by_term if term.isascii() for word in term.split() if word.isalpha())


@lru_cache(maxsize=1)
def _latin_by_deletion() -> dict[str, tuple[str, ...]]:
    index: dict[str, set[str]] = {}
    for word in latin_words():
        if len(word) >= LEAST_LATIN:
            for key in deletions(word):
                index.setdefault(key, set()).add(word)
    return {key: tuple(sorted(words)) for key, words in index.items()}
