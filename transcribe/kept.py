"""Plans, segments and transcripts as JSON and back: what a durable job keeps between its steps. Round trips are exact."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast

from archive.digest import Json
from archive.transcript import Segment, Word
from transcribe.seams import Carried, Line, Piece
from transcribe.speech_regions import Region, Spans, Window
from transcribe.transcription import PartPlan, PartTranscript

_Object: TypeAlias = Mapping[str, Json]


def plan_to_json(plan: PartPlan) -> dict[str, Json]:
    """`windows`: lists of lists of [start_ms, end_ms, onset_ms, offset_ms, voice]; `line`: of [part, starts_at_ms, media_ms, length_ms]."""
    windows = [[[r.start_ms, r.end_ms, r.onset_ms, r.offset_ms, r.voice] for r in window.regions] for window in plan.windows]
    return {
        "part": plan.part,
        "windows": windows,
        "speech": plan.speech,
        "skipped": plan.skipped,
        "line": line_to_json(plan.line),
        "sound": plan.sound,
        "carried": plan.carried.as_json() if plan.carried else None,
    }


def plan_from_json(kept: Mapping[str, Json]) -> PartPlan:
    """The plan that `plan_to_json` wrote."""
    windows = tuple(
        Window(number, tuple(Region(*cast(Sequence[int], region)) for region in cast(Sequence[Json], regions)))
        for number, regions in enumerate(cast(Sequence[Json], kept["windows"]))
    )
    return PartPlan(
        cast(int, kept["part"]),
        windows,
        _spans(kept["speech"]),
        _spans(kept["skipped"]),
        line_from_json(kept["line"]),
        cast(bool, kept["sound"]),
        Carried.of(kept["carried"]),
    )


def line_to_json(line: Line) -> list[Json]:
    """A list of [part, starts_at_ms, media_ms, length_ms]."""
    return [[p.part, p.starts_at_ms, p.media_ms, p.length_ms] for p in line.pieces]


def line_from_json(kept: Json) -> Line:
    """The line that `line_to_json` wrote."""
    return Line(tuple(Piece(*cast(Sequence[int], piece)) for piece in cast(Sequence[Json], kept)))


def segments_to_json(segments: Sequence[Segment]) -> list[Json]:
    """Segments in order; `words`: lists of [start_ms, end_ms, text, probability]."""
    return [
        {
            "number": s.number,
            "part": s.part,
            "start_ms": s.start_ms,
            "end_ms": s.end_ms,
            "text": s.text,
            "words": [[w.start_ms, w.end_ms, w.text, w.probability] for w in s.words],
            "risk": list(s.risk),
            "confidence": s.confidence,
            "speaker": s.speaker,
            "heard_otherwise": s.heard_otherwise,
        }
        for s in segments
    ]


def segments_from_json(kept: Sequence[Json]) -> tuple[Segment, ...]:
    """The segments that `segments_to_json` wrote."""
    return tuple(_segment(cast(_Object, item)) for item in kept)


def transcript_to_json(transcript: PartTranscript) -> dict[str, Json]:
    """All of a part's transcript."""
    return {
        "part": transcript.part,
        "segments": segments_to_json(transcript.segments),
        "speech": transcript.speech,
        "skipped": transcript.skipped,
        "sound": transcript.sound,
    }


def transcript_from_json(kept: Mapping[str, Json]) -> PartTranscript:
    """The transcript that `transcript_to_json` wrote."""
    segments = segments_from_json(cast(Sequence[Json], kept["segments"]))
    return PartTranscript(cast(int, kept["part"]), segments, _spans(kept["speech"]), _spans(kept["skipped"]), cast(bool, kept["sound"]))


def _spans(kept: Json) -> Spans:
    return tuple((start, end) for start, end in cast(Sequence[Sequence[int]], kept))


def _segment(kept: _Object) -> Segment:
    words = tuple(
        Word(*cast(tuple[int, int, str, float | None], tuple(cast(Sequence[Json], word)))) for word in cast(Sequence[Json], kept["words"])
    )
    return Segment(
        cast(int, kept["number"]),
        cast(int | None, kept["part"]),
        cast(int, kept["start_ms"]),
        cast(int, kept["end_ms"]),
        cast(str, kept["text"]),
        words,
        tuple(cast(Sequence[str], kept["risk"])),
        cast(float | None, kept["confidence"]),
        cast(str | None, kept.get("speaker")),
        cast(str | None, kept.get("heard_otherwise")),
    )
