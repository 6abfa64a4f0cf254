"""`POST /v1/recordings/{id}/extensions`: add what was uploaded later to a recording that is held, through the gate of `liveproof extend`.

As with admissions, repeating a request changes nothing.
"""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from api import examples, operations
from api.admissions import Key, PathOf, UploadedFiles, answer, taken_in
from api.fields import At, IdInPath, actor
from archive.digest import digest_json
from ingest.extension import ExtendRequest

router = APIRouter(prefix="/v1/recordings", tags=["uploads"])


class MoreOfRecording(UploadedFiles):
    """What comes later, by its uploads. `closes`: nothing more will come, the room is not live any more."""

    closes: bool = False


@router.post(
    "/{recording_id}/extensions", status_code=201, summary="Add later parts, chat, shelf or captions", responses=examples.RECORDING
)
def extend_by_uploads(request: Request, workplace: At, recording_id: IdInPath, more: MoreOfRecording, key: Key = None) -> JSONResponse:
    """201 with the recording as it is then; 200 where all of it was held already. `processing` says who makes it searchable."""

    def take(path: PathOf) -> tuple[str, bool, tuple[str, ...]]:
        asked = ExtendRequest(
            media=tuple(path(part) for part in more.parts),
            chat=tuple(path(chat) for chat in more.chat),
            products=path(more.products) if more.products else None,
            events=path(more.events) if more.events else None,
            captions=path(more.captions) if more.captions else None,
            closes=more.closes,
        )
        extended = operations.extend(workplace, recording_id, asked, actor(workplace))
        return recording_id, extended.already_held, extended.notes

    workplace.archive.catalog.recording(recording_id)
    wanted = digest_json({"recording": recording_id, **more.model_dump(mode="json")})
    held, already_held, notes = taken_in(workplace, more, wanted, f"key {key}" if key else f"request {wanted}", take)
    return answer(request, workplace, held, already_held, notes)
