"""How words are read so that two recognisers' can be compared: what search knows of scripts, numerals, sounds and promises.

One script, no punctuation, numerals said alike (299, 二九九, 两百九十九 are the same), and of each character whether it carries a promise.
"""

import re
from typing import Final

from search.chinese import fold
from search.concepts import load_lexicon
from search.numerals import NUMERAL_CHARS, read_numeral, say_decimal
from search.sounds import syllables
from transcribe.second_opinion import Spoken

_HUNDRED_PERCENT: Final = "百分之百"
NEGATIONS: Final = frozenset("不没无未")
# 是不是, 好不好 and 有没有 ask; they deny nothing.
_ASKED: Final = re.compile(r"(\w)[不没]\1|差不多|不好意思")
# 一下, 一个 and the like count nothing.
_VAGUE: Final = re.compile(r"一(?=[下个些点起定样直般边会共条款件种])(?!个月)")


def as_spoken(text: str) -> Spoken:
    """See `transcribe.second_opinion.Spoken`."""
    folded = fold(text)
    spoken, origins = _numerals_alike(folded.text, folded.origins)
    vague = {at for match in _VAGUE.finditer(spoken) for at in range(*match.span())}
    figures = frozenset(at for at, char in enumerate(spoken) if char in NUMERAL_CHARS and at not in vague)
    asked = {at for match in _ASKED.finditer(spoken) for at in range(*match.span())}
    denied = {at for at, char in enumerate(spoken) if char in NEGATIONS and at not in asked}
    lexicon = load_lexicon()
    terms = [hit for hit in lexicon.find(spoken) if hit.end - hit.start > 1 and lexicon.concepts[hit.concept].category]
    promised = {at for hit in terms for at in range(hit.start, hit.end)}
    return Spoken(spoken, origins, tuple(syllables(spoken)), frozenset(figures | denied | promised), figures)


def _numerals_alike(folded: str, origins: tuple[int, ...]) -> tuple[str, tuple[int, ...]]:
    """Numerals of several characters said in full: 九五 as 九十五, 一百六 as 一百六十. 三四 (three or four) stays."""
    said: list[str] = []
    places: list[int] = []
    at = 0
    while at < len(folded):
        if folded.startswith(_HUNDRED_PERCENT, at):
            said.extend("百分之一百")
            places.extend(origins[at + place] for place in (0, 1, 2, 3, 3))
            at += len(_HUNDRED_PERCENT)
            continue
        numeral = read_numeral(folded, at) if folded[at] in NUMERAL_CHARS else None
        if numeral is None or numeral.end - at < 2 or numeral.upper is not None:
            said.append(folded[at])
            places.append(origins[at])
            at += 1
            continue
        words = say_decimal(format(numeral.value, "f"))
        said.extend(words)
        places.extend([origins[at]] * len(words))
        at = numeral.end
    return "".join(said), tuple(places)
