"""A prompt written down as if it had been said: Whisper is known to do that over silence and music.

What it looks like: the words that the recogniser was told, in the order in which it was told them, and nothing else. A host says a
product's name among other words, and several of them in just that order hardly ever.
"""

import re
from collections.abc import Sequence

from archive.simplified import simplified_throughout

# So many told words in a row with nothing else are an echo whatever the sound is like.
SURELY = 4
# Of the letters, this share may be something else: a 和 between two names, a syllable cut off.
_ELSE = 0.1
_IGNORED = re.compile(r"[^\w]+|_", re.UNICODE)


def echoes_prompt(text: str, told: Sequence[str], *, weak: bool) -> bool:
    """Whether a text is but what the recogniser was told. `weak`: the sound hardly supports that anybody spoke; a name alone then suffices.

    Clear speech that is one name, or lists two or three, is taken for what it is.
    """
    letters = _folded(text)
    if not letters or not told:
        return False
    # Told words in their order, each found behind the one before it in the text.
    at = covered = found = 0
    for word in map(_folded, told):
        place = letters.find(word, at) if word else -1
        if place >= 0 and place - at <= _ELSE * len(letters):
            at = place + len(word)
            covered += len(word)
            found += 1
    if covered < (1 - _ELSE) * len(letters):
        return False
    return found >= SURELY or (weak and found >= 1)


def _folded(text: str) -> str:
    return _IGNORED.sub("", simplified_throughout(text)).lower()
