"""`/v1/recordings/{id}/second-opinions`, and what the command line shares with it: who is to hear what again."""

from collections.abc import Sequence
from typing import Annotated, Final, Literal, TypeAlias

from fastapi import APIRouter, Body, Request
from pydantic import BaseModel, ConfigDict, Field

from api.examples import answers_with, asked_with
from api.fields import At, IdInPath, Reply
from api.processing import ask_second_opinion
from api.second_hearing import wanted_spans
from api.workplace import Workplace
from archive.errors import InvalidTime
from archive.jobs import Jobs
from archive.transcripts import machine_version
from transcribe.errors import NoSecondOpinion
from transcribe.second_choice import second_settings

router = APIRouter(prefix="/v1/recordings", tags=["recordings"])

SEGMENTS_MAX = 1000
_REGIONS: Final = ("speech_threshold", "speech_min_pause_ms", "speech_pad_ms", "speech_window_ms")
Ms: TypeAlias = Annotated[int, Field(ge=0, le=10**12)]


class NewSecondOpinion(BaseModel):
    """What to hear again: a span in ms, or segments by number; neither: all of it. Engine and model as the settings say, or these."""

    model_config = ConfigDict(extra="forbid")

    from_ms: Ms | None = None
    to_ms: Ms | None = None
    segments: Annotated[list[Annotated[int, Field(ge=1, le=10_000_000)]], Field(max_length=SEGMENTS_MAX)] = []
    engine: Literal["auto", "faster-whisper", "openai-whisper"] | None = None
    model: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[\w.-]+$", description="A model's name.")] | None = None


ASKED = answers_with(
    {"recording": "nuanlan-1118", "job": "second-opinion:nuanlan-1118:1", "engine": "openai-whisper", "model": "small"}, 202
)
NEW = asked_with("A minute of it", {"from_ms": 60_000, "to_ms": 120_000})


@router.post("/{recording_id}/second-opinions", status_code=202, summary="Have another recogniser hear it", responses=ASKED)
def ask_for_second_opinion(
    request: Request, workplace: At, recording_id: IdInPath, wanted: Annotated[NewSecondOpinion, Body(openapi_examples=NEW)]
) -> Reply:
    """Starts a job; when it is done, the newest transcript says where the two disagree. Poll `/v1/jobs/{job}`."""
    jobs: Jobs | None = getattr(request.app.state, "jobs", None)
    if jobs is None:
        raise NoSecondOpinion(f"this server runs no jobs: run liveproof transcribe {recording_id} --second-opinion")
    return start_second_opinion(jobs, workplace, recording_id, wanted.from_ms, wanted.to_ms, wanted.segments, wanted.engine, wanted.model)


def start_second_opinion(
    jobs: Jobs,
    workplace: Workplace,
    recording_id: str,
    from_ms: int | None = None,
    to_ms: int | None = None,
    segments: Sequence[int] = (),
    engine: str | None = None,
    model: str | None = None,
) -> Reply:
    """The job, and who will hear. NotFound, InvalidTime, NoSecondOpinion; what the settings name but is not there: ModelMissing."""
    archive = workplace.archive
    recording = archive.catalog.recording(recording_id)
    newest = archive.transcripts.latest(recording_id)
    if newest is None:
        raise NoSecondOpinion(f"recording {recording_id} has no transcript yet: run liveproof work, then ask for a second opinion")
    start, end = from_ms or 0, recording.duration_ms if to_ms is None else to_ms
    if start >= end:
        raise InvalidTime(f"{start}–{end} ms is no span of {recording_id}, which lasts {recording.duration_ms} ms")
    given = from_ms is not None or to_ms is not None
    spans = wanted_spans(newest, [(start, end)] if given else [], segments)
    first = archive.transcripts.version(recording_id, machine_version(newest)).provenance
    named = {"second_whisper_engine": engine, "second_whisper_model": model}
    settings = workplace.transcribe_settings.model_copy(update={name: value for name, value in named.items() if value})
    chosen = second_settings(settings, first, archive.home)
    # The same regions as the first was given; and no names are suggested, so that it hears for itself.
    regions = {name: first.parameters[name] for name in _REGIONS if isinstance(first.parameters.get(name), int | float)}
    chosen = chosen.model_copy(update={**regions, "whisper_expected_words": "off"})
    job = ask_second_opinion(jobs, recording_id, chosen, spans)
    return {"recording": recording_id, "job": job, "engine": chosen.whisper_engine, "model": chosen.whisper_model}
