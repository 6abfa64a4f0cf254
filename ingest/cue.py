"""What every caption format is read into."""

from typing import NamedTuple

from archive.transcript import Word


class Cue(NamedTuple):
    """One caption, in ms; with words and a confidence where the format has them."""

    start_ms: int
    end_ms: int
    text: str
    words: tuple[Word, ...] = ()
    confidence: float | None = None
