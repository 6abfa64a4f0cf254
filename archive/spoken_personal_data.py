"""When personal data is heard: spans to bleep in a clip for viewing, by the times of words (G9). Originals and proof clips keep them."""

from collections.abc import Sequence

from archive.errors import NotFound
from archive.opening import Archive
from archive.redaction import spoken_spans, word_places
from archive.transcript import Segment

# A recogniser's word times are off by this much now and then.
PADDING_MS = 200


# What is read out may begin before a clip does.
AROUND_MS = 15_000


def bleeps_within(archive: Archive, recording_id: str, from_ms: int, to_ms: int) -> list[tuple[int, int]]:
    """Spans of a clip to bleep: personal data that any transcript version of the recording heard there, as far as they lie in the clip.

    A transcript can be wrong, so this finds most of it, not all: listen before handing the clip on. NotFound if nothing was transcribed.
    """
    newest = archive.transcripts.newest_version(recording_id)
    if not newest:
        raise NotFound(f"recording {recording_id} has no transcript to go by: transcribe it, or give --bleep FROM-TO")
    spans: list[tuple[int, int]] = []
    for version in range(1, newest + 1):
        said = archive.transcripts.version(recording_id, version).segments
        near = [each for each in said if each.start_ms < to_ms + AROUND_MS and each.end_ms > from_ms - AROUND_MS]
        spans += [(start, end) for start, end, _ in spoken_personal_data(near)]
    merged: list[tuple[int, int]] = []
    for start, end in sorted((max(start, from_ms), min(end, to_ms)) for start, end in spans if start < to_ms and end > from_ms):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


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
