"""Where a thought ends in talk: at the end of some seconds where a sentence, a pause or a change of product is near."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from search.passages import IndexedUnit

SILENCE_MS = 4_000
_ENDS = frozenset("吗呢么有不？?。")
_ASKED = re.compile(
    r"(?:吗|呢|么|没有|不)[？?。]?$|[？?]$|有人问|([能有是要给会包用管])不\1.{0,3}$"
    r"|^(?:is|are|do|does|can|could|will|would|what|how)\b",
    re.IGNORECASE,
)


def asks(text: str) -> bool:
    """Whether a piece of talk asks something, by its form: what follows is likelier to be the answer."""
    said = text.strip()
    # most talk has nothing of it
    return bool(said) and (said[-1] in _ENDS or said[0].isascii() or "不" in said or "问" in said) and bool(_ASKED.search(said))


def end_of_thought(units: Sequence["IndexedUnit"], start: int, target_ms: int, longest_ms: int) -> int:
    """Index of the last unit of the thought that begins with `start`: from `target_ms` on it ends where another one or another product
    begins, at `longest_ms` or a silence anywhere."""
    begun = units[start].unit.start_ms
    end = start
    while end + 1 < len(units):
        after = units[end + 1]
        if after.unit.end_ms - begun > longest_ms or after.unit.start_ms - units[end].unit.end_ms > SILENCE_MS:
            break
        if units[end].unit.end_ms - begun >= target_ms and (after.unit.opens_thought or after.on_air != units[end].on_air):
            break
        end += 1
    return end
