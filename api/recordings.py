"""`/v1/recordings`: what is held, what was said and written, what is missing, and the media to play."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api import answers, examples, operations
from api.fields import At, FromMs, IdInPath, Reply, ToMs, actor
from api.media import file_response
from api.transcript_edits import edit_transcript
from api.transcript_printing import edits_by_segment
from archive.catalog_json import event_json
from archive.errors import NotFound
from archive.redaction import Pseudonyms, mask, pseudonym_secret
from archive.rendition import part_numbered, playback_file, version_of

router = APIRouter(prefix="/v1/recordings", tags=["recordings"])

LINES_MAX = 5000
Limit = Annotated[int, Query(ge=1, le=LINES_MAX, description="At most so many lines.")]


@router.get("", summary="All recordings, newest session first", responses=examples.RECORDINGS)
def list_recordings(workplace: At) -> Reply:
    found = workplace.archive.catalog.recordings()
    return {"recordings": [answers.holding_json(operations.holding(workplace, recording.id)) for recording in found]}


@router.get("/{recording_id}", summary="One recording: parts, times, gaps, counts, transcript", responses=examples.RECORDING)
def show_recording(workplace: At, recording_id: IdInPath) -> Reply:
    return answers.holding_json(operations.holding(workplace, recording_id))


@router.get("/{recording_id}/transcript", summary="What was said, with the transcript's provenance", responses=examples.TRANSCRIPT)
def read_transcript(
    workplace: At,
    recording_id: IdInPath,
    from_ms: FromMs = None,
    to_ms: ToMs = None,
    version: Annotated[int | None, Query(ge=1, le=1_000_000, description="Default: the newest.")] = None,
    limit: Limit = 1000,
) -> Reply:
    """Segments that overlap the span; one that people edited says in `edit` who, when, why, and what the machine heard.

    `more` is true where `limit` cut the answer short: ask on from the last segment's end.
    """
    recording = workplace.archive.catalog.recording(recording_id)
    if version is None:
        transcript = workplace.archive.transcripts.latest(recording_id)
    else:
        transcript = workplace.archive.transcripts.version(recording_id, version)
    if transcript is None:
        raise NotFound(f"recording {recording_id} has no transcript yet: run liveproof work, or wait until it is transcribed")
    edits = edits_by_segment(workplace, transcript)
    said = [s for s in transcript.segments if (from_ms is None or s.end_ms > from_ms) and (to_ms is None or s.start_ms < to_ms)]
    return {
        "recording": recording_id,
        "transcript": answers.transcript_json(transcript),
        "segments": [
            {**answers.segment_json(recording, segment), **({"edit": edits[segment.number]} if segment.number in edits else {})}
            for segment in said[:limit]
        ],
        "more": len(said) > limit,
    }


class Correction(BaseModel):
    """Other words for one segment, by its number. With `version` it is refused if that is no longer the newest."""

    model_config = ConfigDict(extra="forbid")

    segment: Annotated[int, Field(ge=1, le=10_000_000)]
    text: Annotated[str, Field(max_length=10_000)]
    reason: Annotated[str, Field(min_length=1, max_length=2000)]
    version: Annotated[int | None, Field(ge=1, le=1_000_000)] = None


@router.post("/{recording_id}/transcript/edits", status_code=201, summary="Correct a segment", responses=examples.TRANSCRIPT)
def correct_transcript(workplace: At, recording_id: IdInPath, correction: Correction) -> Reply:
    """A further version, which search finds from now on; the machine's words stay in theirs (G7)."""
    edited = edit_transcript(
        workplace, recording_id, correction.segment, correction.text, correction.reason, actor(workplace), correction.version
    )
    recording = workplace.archive.catalog.recording(recording_id)
    changed = [answers.segment_json(recording, s) for s in edited.segments if s.number == correction.segment]
    return {"recording": recording_id, "transcript": answers.transcript_json(edited), "segments": changed, "more": False}


@router.get("/{recording_id}/chat", summary="Viewers' messages, pseudonymised", responses=examples.CHAT)
def read_chat(workplace: At, recording_id: IdInPath, from_ms: FromMs = None, to_ms: ToMs = None, limit: Limit = 1000) -> Reply:
    """Names, phone numbers and the like leave the archive only as pseudonyms (G9); the same viewer keeps the same one."""
    recording = workplace.archive.catalog.recording(recording_id)
    found = workplace.archive.catalog.messages(recording.id, from_ms, to_ms)
    host = [recording.host] if recording.host else []
    pseudonyms = Pseudonyms(pseudonym_secret(workplace.archive.home), f"recording {recording.id}", public=host)
    names = pseudonyms.names(line.author for line in found)
    return {
        "recording": recording_id,
        "messages": [
            answers.message_json(replace(line, author=names.get(line.author or ""), text=mask(line.text, names).text))
            for line in found[:limit]
        ],
        "more": len(found) > limit,
    }


@router.get("/{recording_id}/products", summary="The shelf, and what was on air when", responses=examples.PRODUCTS)
def read_products(workplace: At, recording_id: IdInPath) -> Reply:
    recording = workplace.archive.catalog.recording(recording_id)
    return {
        "recording": recording_id,
        "products": [answers.product_card_json(product) for product in workplace.archive.catalog.products(recording.id)],
        "events": [event_json(event) for event in workplace.archive.catalog.events(recording.id)],
    }


@router.get("/{recording_id}/coverage", summary="How much was recorded and transcribed, and how sure it is", responses=examples.COVERAGE)
def read_coverage(workplace: At, recording_id: IdInPath) -> Reply:
    return answers.lanes_json(operations.holding(workplace, recording_id))


@router.head("/{recording_id}/parts/{number}/media", include_in_schema=False)
@router.get(
    "/{recording_id}/parts/{number}/media",
    summary="A part to play: MP4, by byte range",
    response_class=Response,
    responses={200: {"content": {"video/mp4": {}}}, 206: {"description": "The range asked for"}, 416: {"description": "Past the end"}},
)
def play_part(request: Request, workplace: At, recording_id: IdInPath, number: int) -> Response:
    """Time 0 is the part's own start. The packets are the original's wherever a browser can play those; the original stays as it is."""
    part = part_numbered(workplace.archive, recording_id, number)
    file = playback_file(workplace.archive, part)
    return file_response(request, file, "video/mp4", version_of(part))
