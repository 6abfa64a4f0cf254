"""`/v1/retention` and `/v1/holds`: how long what is kept and why, legal holds, and what a purge would remove.

A purge itself is made on the command line only, by whoever runs the archive.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Body, Query
from pydantic import BaseModel, ConfigDict, Field

from api import retention_examples as examples
from api.fields import At, Id, IdInPath, Line, Reply, actor

router = APIRouter(prefix="/v1", tags=["retention"])


class NewHold(BaseModel):
    """Who or what is to be held, and why: a court's order, a dispute under way."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["recording", "case"]
    subject: Id
    reason: Line = Field(min_length=1)


class Release(BaseModel):
    """Why a hold is no longer needed."""

    model_config = ConfigDict(extra="forbid")

    reason: Line = Field(min_length=1)


@router.get("/retention/rules", summary="The table of retention rules", responses=examples.RETENTION_RULES)
def rules(workplace: At) -> Reply:
    """Each with law, article and effective date, or as a policy of whoever runs the archive."""
    return {"rules": [rule.as_json() for rule in workplace.archive.retention.rules]}


@router.get("/retention/purge-plan", summary="What a purge would remove, and why the rest stays", responses=examples.PURGE_PLAN)
def purge_plan(workplace: At) -> Reply:
    """Changes nothing. `digest` is what `liveproof purge --yes` is given to carry it out."""
    return workplace.archive.retention.plan_purge().as_json()


@router.get("/retention/tombstones", summary="What was purged", responses=examples.TOMBSTONES)
def tombstones(workplace: At) -> Reply:
    """With the digests of everything that went, so that a copy found elsewhere can still be recognised."""
    return {"tombstones": [stone.as_json() for stone in workplace.archive.retention.tombstones()]}


@router.get("/recordings/{recording_id}/retention", summary="Until when a recording is kept, and why", responses=examples.RETENTION)
def of_recording(workplace: At, recording_id: IdInPath) -> Reply:
    retention = workplace.archive.retention
    due = retention.due("recording", recording_id)
    recorded: list[object] = [
        {"version": each.version, "until": each.until.iso(), "set_at": each.set_at.iso()} for each in retention.versions(recording_id)
    ]
    return {"recording": recording_id, "until": retention.until(recording_id).iso(), "basis": list(due.basis), "recorded": recorded}


@router.get("/holds", summary="Legal holds", responses=examples.HOLDS)
def list_holds(workplace: At, released: Annotated[bool, Query(description="Also those that stand no more.")] = False) -> Reply:
    return {"holds": [hold.as_json() for hold in workplace.archive.retention.holds(released=released)]}


@router.post("/holds", status_code=201, summary="Place a hold", responses=examples.HOLD)
def place(workplace: At, new: Annotated[NewHold, Body(openapi_examples=examples.NEW_HOLD)]) -> Reply:
    """On a case it covers the case's recordings, attachments and packages. While it stands nothing of that can be purged."""
    return workplace.archive.retention.place_hold(new.kind, new.subject, new.reason, actor(workplace)).as_json()


@router.post("/holds/{hold_id}/release", summary="Release a hold", responses=examples.HOLD_RELEASED)
def release(workplace: At, hold_id: IdInPath, why: Release) -> Reply:
    """A hold that was released stays as it was."""
    return workplace.archive.retention.release_hold(hold_id, why.reason, actor(workplace)).as_json()
