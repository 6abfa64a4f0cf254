"""Words that are expected in a window, as the text that Whisper is told went before it (`<|startofprev|>` and their tokens).

Both recognisers are given the same tokens, so that they can be compared.
"""

import re
from collections.abc import Callable, Sequence

# Half of the context is the most that Whisper was trained with; a quarter leaves room for 28 s of fast speech, which takes 300 tokens.
_SHARE_OF_CONTEXT = 4
_MOST_WORDS, _LONGEST_WORD = 200, 100
_SPECIAL = re.compile(r"<\|.*?\|>|[\x00-\x1f\x7f]")
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def prompt_of(words: Sequence[str], encode: Callable[[str], list[int]], context: int) -> list[int]:
    """Tokens of the words that fit, the first ones first, none of them cut; empty without words. `context`: the decoder's, in tokens.

    What looks like one of Whisper's special tokens is taken out of them, and words of more than 100 characters are passed over.
    """
    most = context // _SHARE_OF_CONTEXT - 1
    kept: list[str] = []
    tokens: list[int] = []
    for word in list(words)[:_MOST_WORDS]:
        plain = _SPECIAL.sub(" ", word).strip()
        if not plain or len(plain) > _LONGEST_WORD or plain in kept:
            continue
        between = "，" if _WIDE.search("".join([*kept, plain])) else ", "
        longer = encode(" " + between.join([*kept, plain]))
        if len(longer) <= most:
            kept.append(plain)
            tokens = longer
    return tokens


def for_each(expected: Sequence[Sequence[str]], windows: int, *, wanted: bool) -> list[Sequence[str]]:
    """One sequence of words for each window; none at all where the model is not to be told. ValueError if their numbers differ."""
    if expected and len(expected) != windows:
        raise ValueError(f"{len(expected)} sequences of expected words for {windows} windows")
    return list(expected) if expected and wanted else [()] * windows
