"""Chinese in simplified script, for reading and for matching: derived when shown or indexed, while evidence keeps what was written.

By OpenCC's `t2s`, which goes by phrases (乾净 → 干净, but 乾隆 stays). Names can come out wrong, so nothing that is stored or hashed is
ever converted, and what is shown stands beside the raw text, never in its place.
"""

import re
from functools import lru_cache
from typing import Final, Protocol

_CONFIG: Final = "t2s"
# Converted within some phrases only (回覆 → 回复, 深沈 → 深沉), though never alone; simplified text has them in no such phrase.
_IN_PHRASES: Final = "藉沈哩瞭覆衹甦彷"
_HAN: Final = ((0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF))
# Where kana or hangul stand in a clause, its characters are Japanese or Korean: 東京の図書館 is no traditional Chinese. Where they are
# many, all of the text is.
_CLAUSE: Final = re.compile(r"[^\s。！？!?；;]*[\s。！？!?；;]*")
_OTHER_SHARE: Final = 0.2
_OTHER_SCRIPT: Final = re.compile(r"[\u3041-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3]")


class _Converter(Protocol):
    """The part of `opencc.OpenCC` that is used."""

    def convert(self, text: str) -> str: ...


def simplified(text: str) -> str:
    """The text in simplified script, character for character at its place; Japanese and Korean, told by kana and hangul, as they are."""
    if _is_plain(text) or len(_OTHER_SCRIPT.findall(text)) > _OTHER_SHARE * sum(map(str.isalpha, text)):
        return text
    return "".join(piece if _OTHER_SCRIPT.search(piece) else _converted(piece) for piece in _CLAUSE.findall(text))


def simplified_throughout(text: str) -> str:
    """As `simplified`, but whatever the language: for matching, where question and text must come out alike (図書館, 東京の図書館)."""
    return text if _is_plain(text) else _converted(text)


def reading_of(text: str) -> str | None:
    """What to show beside a text that isn't in simplified script; None where that says nothing new."""
    read = simplified(text)
    return None if read == text else read


def _is_plain(text: str) -> bool:
    return text.isascii() or _changing().isdisjoint(text)


def _converted(text: str) -> str:
    if _is_plain(text):
        return text
    converted = _converter().convert(text)
    if len(converted) == len(text):
        return converted
    # No phrase of the dictionary changes its length today; one that did would move every offset behind it.
    return "".join(single if len(single := _converter().convert(char)) == 1 else char for char in text)


@lru_cache(maxsize=1)
def _converter() -> _Converter:
    """Loaded once. Converting reads the dictionary and changes nothing, so threads share it."""
    from opencc import OpenCC

    converter: _Converter = OpenCC(_CONFIG)
    return converter


@lru_cache(maxsize=1)
def _changing() -> frozenset[str]:
    """Characters by which text is worth converting: most has none of them, and asking this is many times faster than converting it."""
    every = [chr(code) for first, last in _HAN for code in range(first, last + 1)]
    converted = _converter().convert("\n".join(every)).split("\n")
    return frozenset(char for char, other in zip(every, converted, strict=True) if char != other) | frozenset(_IN_PHRASES)
