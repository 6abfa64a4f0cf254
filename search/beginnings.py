"""Where a moment begins: at the unit that somebody who wants to hear the promise would begin to play at.

What was asked alone doesn't tell it: the product's name may lie seconds before, the condition a breath before. Each unit near it is worth
what it leaves out, how soon what was asked is said, and how sentences begin in talk. The weights were fitted on where answers of the
public sets begin, and hold about as well for streams that were left out; they are rounded.
"""

import re

import numpy as np

from search.concepts import CORRECTION_CONCEPT
from search.matching import Field, Floats, Rows
from search.quantities import QuantityKind
from search.thoughts import SILENCE_MS, asks

SOON_MS = 6_000
LEAD_MS = 8_000
BREATH_MS = 80
CONDITION_PAUSE_MS = 800
# An utterance with an amount that holds so much of what the whole window holds of the question is part of the answer.
ANSWERS = 0.4
LATE, LATE_S, EARLY, EARLY_S = 1.0, 5.0, 0.9, 40.0
# What a unit costs for each share of the question that is said before it and missed then, and gains for what is said soon after it begins.
_MISSED, _SOON, _LATER_5_S, _EARLIER = -3.0, 1.8, 0.5, -1.7
_BREATH, _ANNOUNCES, _LEADS, _HANGS, _AMOUNT = 0.8, -1.8, 0.8, -1.2, 0.8
_AFTER_QUESTION, _AFTER_READ_OUT, _AFTER_CONDITION = 0.8, 0.7, -1.0
_LEADING = re.compile(
    "第[一二三四五六]|然后|但|还有|另外|就是|首先|所以|如果|要是|而且|不过|只要|凡是|因为|那|这|它|他|她|你|您|我|咱"
    r"|(?:and|but|so|if|then|also|now|plus|because|this|that|it|we|you|our|i|they|these|when|once|for|no|yes)\b"
)
_ANNOUNCING = re.compile("(?:来|好|那)*[零一二三四五六七八九十百]+号")
_HANGING = re.compile("[的了过着们吗呢吧啊呀嘛得地]")
_ASKED_FOR = {
    QuantityKind.DURATION: re.compile(r"几(?:年|个?月|天|周|个?小时|个?钟头)|多久|多长时间|\bhow long\b"),
    QuantityKind.MONEY: re.compile(r"多少钱|几块|几元|什么价|\bhow much\b"),
}
_CONDITION = re.compile(r"要是|如果|只要|万一|假如|一旦|倘若|凡是|但凡|的话|\b(?:if|when|once|unless)\b")


class Beginnings:
    """Where moments begin among the rows of a field, for one question. `asked`: its folded words."""

    def __init__(self, field: Field, hits: Floats, taken_back: Floats, asked: str = "") -> None:
        self._field = field
        self._hits = hits
        self._taken_back = taken_back
        self._asked_for = [kind for kind, words in _ASKED_FOR.items() if words.search(asked)]
        self._known: dict[int, float] = {}

    def of(self, first: int, last: int, core: int, worth: Floats) -> int:
        """The row, from one before `first` on, at which the window begins best.

        `core`: the row from which on nearly all of what was asked is said; `worth`: each term's share of the question.
        """
        field = self._field
        opened = first - 1 if self._runs_on(first) else first
        while opened < core and field.starts[core] - field.starts[opened] > LEAD_MS:
            opened += 1
        if opened == last:
            return self._with_taking_back(last)
        rows = range(opened, last + 1)
        inside = self._hits[opened : last + 1]
        from_here = np.maximum.accumulate(inside[::-1])[::-1] @ worth
        whole = float(from_here[max(first - opened, 0)])
        if whole <= 0:
            return first
        values = np.empty(len(rows))
        for at, row in enumerate(rows):
            missed = max(1 - float(from_here[at]) / whole, 0.0)
            soon_until = row + 1
            while soon_until <= last and field.ends[soon_until] - field.starts[row] <= SOON_MS:
                soon_until += 1
            soon = float(self._hits[row:soon_until].max(axis=0) @ worth) / whole
            later = max(int(field.starts[row] - field.starts[core]), 0) / 5_000
            values[at] = self._of_itself(row) + _MISSED * missed + _SOON * soon + _LATER_5_S * later + (_EARLIER if row < first else 0.0)
        begun = rows[_safest(np.exp(values - values.max()), field.starts[opened : last + 1])]
        return self._with_taking_back(min(begun, self._answered_by(first, begun, whole, worth)))

    def _answered_by(self, first: int, begun: int, whole: float, worth: Floats) -> int:
        """The first row of the window that answers a question for a time or a price, though one is said again behind `begun`."""
        for row in range(first, begun if self._asked_for else first):
            unit = self._field.units[row]
            is_amount = any(quantity.kind in self._asked_for for quantity in unit.quantities) and not unit.reads_question
            if is_amount and float(self._hits[row] @ worth) >= ANSWERS * whole:
                return row
        return begun

    def _with_taking_back(self, row: int) -> int:
        """What is said instead begins with the words that take the other back."""
        at = row
        while self._taken_back[at] > 0 and self._field.starts[row] - self._field.starts[at] <= SOON_MS:
            if any(mention.concept == CORRECTION_CONCEPT for mention in self._field.units[at].mentions):
                return at
            at -= 1
        return row

    def _runs_on(self, row: int) -> bool:
        """Whether the row before may be of the same thought."""
        if row == int(self._field.first_of[row]) or self._field.starts[row] - self._field.ends[row - 1] > SILENCE_MS:
            return False
        return self._field.units[row - 1].on_air == self._field.units[row].on_air

    def _of_itself(self, row: int) -> float:
        """How well a thought begins here, whatever was asked."""
        if row not in self._known:
            self._known[row] = self._read(row)
        return self._known[row]

    def _read(self, row: int) -> float:
        field, unit = self._field, self._field.units[row]
        starts_all = row == int(field.first_of[row])
        pause = 1_500 if starts_all else int(field.starts[row] - field.ends[row - 1])
        value = _BREATH if pause >= BREATH_MS else 0.0
        if _ANNOUNCING.match(unit.folded):
            value += _ANNOUNCES
        if _LEADING.match(unit.folded):
            value += _LEADS
        elif _HANGING.match(unit.folded):
            value += _HANGS
        if unit.quantities:
            value += _AMOUNT
        if not starts_all:
            before = field.units[row - 1]
            value += _AFTER_QUESTION if asks(before.unit.text) else 0.0
            value += _AFTER_READ_OUT if before.reads_question else 0.0
            value += _AFTER_CONDITION if pause < CONDITION_PAUSE_MS and _CONDITION.search(before.folded) else 0.0
        return value


def _safest(likely: Floats, starts: Rows) -> int:
    """Which to begin at, as likely as each is the one: who begins early hears it all a little later, who begins late may miss it."""
    late = (starts[:, None] - starts[None, :]) / 1_000
    gain = np.where(late > 0, np.maximum(LATE - late / LATE_S, 0.0), EARLY + late / EARLY_S)
    np.fill_diagonal(gain, 1.0)
    return int(np.argmax(gain @ likely))
