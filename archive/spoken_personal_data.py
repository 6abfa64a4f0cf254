"""When personal data is heard: spans to bleep in a clip for viewing, by the times of words (G9). Originals and proof clips keep them."""

from collections.abc import Sequence

from archive.redaction import spoken_spans, word_places
from archive.transcript import Segment

# A recogniser's word times are off by this much now and then.
PADDING_MS = 200


def spoken_personal_data(said: Sequence[Segment], padding_ms: int = PADDING_MS) -> list[tuple[int, int, str]]:
    """(start_ms, end_ms, kind) on the recording's time line, in order, padded, none overlapping; touching ones are one.

    `said` are segments in time order. A segment without words is divided evenly over its characters, one whose words can't be found in
    its text is taken whole.
    """
    found: list[tuple[int, int, str]] = []
    for segment, spans in zip(said, spoken_spans(said), strict=True):
        for start, end, kind in spans:
            heard = _times(segment, start, end)
            found.append((max(0, heard[0] - padding_ms), heard[1] + padding_ms, kind))
    merged: list[tuple[int, int, str]] = []
    for from_ms, to_ms, kind in sorted(found):
        if merged and from_ms <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(to_ms, merged[-1][1]), merged[-1][2])
        else:
            merged.append((from_ms, to_ms, kind))
    return merged


def _times(segment: Segment, start: int, end: int) -> tuple[int, int]:
    """When the characters from `start` to `end` of a segment's text are heard."""
    if not segment.words:
        a_char = (segment.end_ms - segment.start_ms) / max(1, len(segment.text))
        return segment.start_ms + int(start * a_char), segment.start_ms + int(end * a_char) + 1
    placed = list(zip(segment.words, word_places(segment), strict=True))
    touched = [word for word, (first, last) in placed if first < end and start < last]
    # Words that aren't in the text may be just what was said there.
    if not touched or any(first == last for _, (first, last) in placed):
        return segment.start_ms, segment.end_ms
    return min(word.start_ms for word in touched), max(word.end_ms for word in touched)
