"""`/v1/recordings/{id}/clock`: what time of day a recording's moments were, how that is known and how surely, and setting it."""

from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field

from api import clock_examples as examples
from api.clock_estimating import Estimated
from api.clock_setting import estimate_again, set_anchors
from api.clock_shapes import clock_json, estimated_json
from api.fields import At, IdInPath, Line, Milliseconds, Reply, actor
from archive.errors import InvalidClock
from archive.timeline import WallTime
from ingest.clock_anchors import ANCHOR_UNCERTAINTY_MAX_MS, ANCHOR_UNCERTAINTY_MS, ANCHORS_MAX, anchor_at

router = APIRouter(prefix="/v1/recordings", tags=["clock"])


class NewAnchor(BaseModel):
    """What time it was at a moment of a part, in the part's own time; without a part, in the recording's."""

    model_config = ConfigDict(extra="forbid")

    part: int | None = Field(default=None, ge=1, strict=True)
    at_ms: Milliseconds
    wall: str = Field(max_length=64, description="ISO 8601 with a zone.")
    uncertainty_ms: int = Field(default=ANCHOR_UNCERTAINTY_MS, ge=1, le=ANCHOR_UNCERTAINTY_MAX_MS, strict=True)


class NewClock(BaseModel):
    """Anchors with the reason for them, or the estimate from chat made again: one of both."""

    model_config = ConfigDict(extra="forbid")

    anchors: list[NewAnchor] = Field(default_factory=list, max_length=ANCHORS_MAX)
    reason: Line = ""
    only: bool = Field(default=False, description="Forget the anchors set before.")
    estimate: bool = False


@router.get("/{recording_id}/clock", summary="The clock of each part, how it is known and how surely", responses=examples.CLOCK)
def read_clock(workplace: At, recording_id: IdInPath) -> Reply:
    """With its pieces, gaps and overlaps, how far chat was moved, and every version that there was."""
    return clock_json(workplace, recording_id)


@router.post("/{recording_id}/clock", summary="Set the clock, as further versions", responses=examples.CLOCK_SET)
def set_clock(workplace: At, recording_id: IdInPath, new: Annotated[NewClock, Body(openapi_examples=examples.NEW_CLOCK)]) -> Reply:
    """Nothing is overwritten; the index moves to the new clock. `estimate` in the answer says what the chat told, if it was asked."""
    recording = workplace.archive.catalog.recording(recording_id)
    if bool(new.anchors) == new.estimate:
        raise InvalidClock("give anchors with a reason, or ask for the estimate: one of both")
    done: Estimated | None = None
    if new.estimate:
        done = estimate_again(workplace, recording_id, actor(workplace))
    else:
        anchors = [anchor_at(recording, each.part, each.at_ms, WallTime.parse(each.wall), each.uncertainty_ms) for each in new.anchors]
        set_anchors(workplace, recording, anchors, new.reason, actor(workplace), new.only)
    return {**clock_json(workplace, recording_id), "estimate": estimated_json(done) if done else None}
