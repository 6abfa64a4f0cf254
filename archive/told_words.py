"""Which words a transcript's recogniser was told to expect, as its provenance keeps them: `{"lists": [words…], "spans": [[start_ms, end_ms,
which list]…]}` under `expected_words`; `false` where it was told none."""

from archive.digest import Json
from archive.transcript import Transcript

TOLD = "expected_words"


def told_words(transcript: Transcript, start_ms: int | None = None, end_ms: int | None = None) -> tuple[str, ...] | None:
    """The words, each once, the likeliest first; only those told in a span where one is given. None where no version says what was told."""
    parameters = [stretch.provenance.parameters for stretch in transcript.heard_by] or [transcript.provenance.parameters]
    kept = [each[TOLD] for each in parameters if TOLD in each]
    if not kept:
        return None
    found: dict[str, None] = {}
    for told in kept:
        if not isinstance(told, dict):
            continue
        for first, last, which in _spans(told.get("spans")):
            if (start_ms is None or last > start_ms) and (end_ms is None or first < end_ms):
                found.update(dict.fromkeys(_words(told.get("lists"), which)))
    return tuple(found)


def _spans(kept: Json) -> list[tuple[int, int, int]]:
    found: list[tuple[int, int, int]] = []
    for span in kept if isinstance(kept, list) else ():
        match span:
            case [int(first), int(last), int(which)]:
                found.append((first, last, which))
    return found


def _words(kept: Json, which: int) -> list[str]:
    words = kept[which] if isinstance(kept, list) and 0 <= which < len(kept) else ()
    return [str(word) for word in words] if isinstance(words, list) else []
