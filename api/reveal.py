"""`/v1/cases/…/reveals`: showing who the complainant is, with a reason and an entry in the custody log each time (G9)."""

from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field

from api.fields import At, IdInPath, Line, Reply, actor
from archive.digest import Json
from archive.reveal import REASON_MAX_CHARS, reveal, reveals_of

router = APIRouter(prefix="/v1/cases", tags=["cases"])

_EXAMPLE: dict[str, Json] = {
    "case": "case-0001",
    "pseudonym": "观众-1A2B3C4D",
    "reason": "平台仲裁要求核对投诉人身份",
    "actor": "operator (web)",
    "at": "2026-11-20T01:30:00.000Z",
}
REVEALED: dict[int | str, dict[str, object]] = {
    201: {"content": {"application/json": {"example": {**_EXAMPLE, "name": "爱吃瓜的小李"}}}},
}
REVEALS: dict[int | str, dict[str, object]] = {200: {"content": {"application/json": {"example": {"reveals": [_EXAMPLE]}}}}}


class NewReveal(BaseModel):
    """Why the name is needed. `who`: a pseudonym or name, which must be that of the order's buyer; by default the buyer."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(max_length=REASON_MAX_CHARS, description="At least 10 characters; the custody log keeps it.")
    who: Line | None = None


@router.post("/{case_id}/reveals", status_code=201, summary="Show who the complainant is", responses=REVEALED)
def make(workplace: At, case_id: IdInPath, new: Annotated[NewReveal, Body()]) -> Reply:
    """Each call is an entry of the custody log. From then on the case's packages call that person 投诉人; nobody else can be shown."""
    shown = reveal(workplace.archive, case_id, new.who, new.reason, actor(workplace))
    return {**shown.reveal.as_json(), "name": shown.name}


@router.get("/{case_id}/reveals", summary="Who was shown, why and by whom", responses=REVEALS)
def listed(workplace: At, case_id: IdInPath) -> Reply:
    """Pseudonyms and reasons, no names."""
    workplace.archive.cases.case(case_id)
    found: list[Json] = [each.as_json() for each in reveals_of(workplace.archive, case_id)]
    return {"reveals": found}
