"""Chat that is being answered: which viewer's question a host reads out, and which words after it are the answer."""

import bisect
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import msgspec

from archive.recording import Message
from archive.simplified import simplified_throughout
from search.chinese import bigrams, fold, normalise
from search.passages import IndexedUnit

# A question is read out so long after it was typed at most, or so long before that by its clock; an answer takes so long.
QUESTION_REACH_MS, QUESTION_AHEAD_MS = 75_000, 3_000
ANSWER_REACH_MS = 22_000
FEWEST_CHARS, LEAST_SHARE = 4, 0.5
_ASKS = r"吗|嘛|么|呢|不|没|多少|几|哪|谁|怎么|啥|能不能|行不行|会不会|可不可以|是不是|有没有"
_READ_OUT = re.compile(rf"(?:问(?!题)|纹|有人说|有人打|看到有|那个谁|弹幕).{{0,24}}(?:{_ASKS})|问(?!题)")
_ASKING = re.compile(rf"{_ASKS}|[?？]")


@dataclass(frozen=True, slots=True)
class Answering:
    """The question that is being answered, and when it was read out; none is at first."""

    question: str = ""
    asked_ms: int = -ANSWER_REACH_MS


class ChatAnswered:
    """Follows talk, unit by unit in the order of time. `messages`: chat in the order of time."""

    def __init__(self, messages: Sequence[Message], now: Answering | None = None) -> None:
        asked = [message for message in messages if len(normalise(message.text)) >= FEWEST_CHARS]
        self._times = [message.at_ms for message in asked]
        self._texts = [message.text for message in asked]
        self.now = now or Answering()

    def joined(self, unit: IndexedUnit) -> IndexedUnit:
        """The unit with the question that it reads out or answers."""
        said = simplified_throughout(unit.unit.text)
        reads = bool(_READ_OUT.search(said))
        start_ms = unit.unit.start_ms
        best = self._read_out(unit.folded, start_ms)
        if best:
            self.now = Answering(best, start_ms)
        elif self.now.question and start_ms - self.now.asked_ms > ANSWER_REACH_MS:
            self.now = Answering()
        # words of the question in a sentence that asks nothing are its answer's
        echoed = bool(best) and bool(_ASKING.search(said))
        return msgspec.structs.replace(unit, question=self.now.question, reads_question=reads or echoed)

    def _read_out(self, folded: str, start_ms: int) -> str:
        """The question whose words these are, the last of equals."""
        first = bisect.bisect_left(self._times, start_ms - QUESTION_REACH_MS)
        last = bisect.bisect_right(self._times, start_ms + QUESTION_AHEAD_MS)
        if first == last:
            return ""
        grams = set(bigrams(folded))
        best, best_share = "", LEAST_SHARE
        for text in self._texts[first:last]:
            asked = _grams(text)
            share = len(asked & grams) / len(asked) if asked else 0.0
            if share >= best_share:
                best, best_share = text, share
        return best


@lru_cache(maxsize=4096)
def _grams(question: str) -> frozenset[str]:
    """Each is compared with a minute of talk, and chat says the same again and again."""
    return frozenset(bigrams(fold(question).text))
