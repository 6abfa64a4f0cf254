"""Captions that came with a recording, stored as a transcript of engine `imported`."""

from collections.abc import Sequence
from dataclasses import replace

from archive.opening import Archive
from archive.recording import Recording
from archive.transcript import Provenance, Segment
from ingest.captions import Captions
from ingest.input_file import InputFile


def import_captions(
    archive: Archive, recording: Recording, captions: Captions, file: InputFile, digest: str, actor: str
) -> tuple[Segment, ...]:
    """Store captions, whose file has this digest, unless a run before this one stored them already; their segments.

    The version's parameters name the parts that the recording had then: those are the ones that the captions speak for.
    """
    import pysubs2

    for version, known in archive.transcripts.provenances(recording.id).items():
        if known.engine == "imported" and known.model_digest == digest:
            return archive.transcripts.version(recording.id, version).segments
    placed = tuple(_in_part(segment, recording) for segment in captions.segments)
    provenance = Provenance(
        engine="imported",
        engine_version=f"pysubs2 {pysubs2.__version__}",
        model=captions.format,
        model_digest=digest,
        parameters={"file": file.name, "encoding": captions.encoding, "parts": [part.number for part in recording.parts]},
        created_at=archive.clock(),
    )
    return archive.transcripts.add(recording.id, provenance, placed, _spans(placed), (), actor).segments


def _in_part(segment: Segment, recording: Recording) -> Segment:
    part = recording.part_at(segment.start_ms)
    return replace(segment, part=part.number if part else None)


def _spans(segments: Sequence[Segment]) -> list[tuple[int, int]]:
    """The stretches that captions cover: all that can be said of what was heard."""
    spans: list[tuple[int, int]] = []
    for segment in segments:
        if spans and segment.start_ms <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], segment.end_ms))
        else:
            spans.append((segment.start_ms, segment.end_ms))
    return spans
