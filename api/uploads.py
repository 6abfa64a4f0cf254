"""`/v1/uploads`: files of many gigabytes in pieces that may break off, by the tus protocol 1.0.0 (https://tus.io/protocols/resumable-upload).

Extensions: creation, creation-with-upload, termination, checksum (sha256, sha1), expiration. Bodies go to disk as they come, in constant
memory; an offset is told once the bytes before it are durable. `POST /v1/recordings` then admits what was uploaded.
"""

from collections.abc import AsyncIterator, Callable, Coroutine
from email.utils import formatdate
from typing import Annotated, TypeAlias

import anyio
from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from api import problems
from api.errors import InvalidUpload, WrongUploadType, WrongUploadVersion
from api.fields import At, IdInPath
from api.settings import api_settings
from api.upload_headers import CHECKSUMS, Checksum, checksum, described, number
from api.upload_store import Upload, Uploads, Writer
from api.workplace import Workplace
from archive.errors import LiveProofError, TooLarge

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,termination,checksum,expiration"
BYTES_TYPE = "application/offset+octet-stream"
WRITE_BYTES = 1 << 20
_SPOKEN = {"tus-resumable": VERSION, "cache-control": "no-store"}


class _TusRoute(APIRoute):
    """Says on every answer, errors too, that tus is spoken, and refuses requests that speak another version."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[None, None, Response]]:
        handle = super().get_route_handler()

        async def handle_tus(request: Request) -> Response:
            try:
                if request.method != "OPTIONS" and request.headers.get("tus-resumable") != VERSION:
                    raise WrongUploadVersion(f"tus {VERSION} is spoken here: send Tus-Resumable: {VERSION}")
                answer = await handle(request)
            except LiveProofError as error:
                headers = {**_SPOKEN, "tus-version": VERSION}
                return problems.problem(request, type(error).__name__, error.status, str(error), headers)
            except HTTPException as error:
                raise HTTPException(error.status_code, error.detail, {**(error.headers or {}), **_SPOKEN}) from error
            answer.headers.update(_SPOKEN)
            return answer

        return handle_tus


router = APIRouter(prefix="/v1/uploads", tags=["uploads"], route_class=_TusRoute)


def uploads_of(workplace: Workplace) -> Uploads:
    """The uploads of a workplace's home."""
    archive = workplace.archive
    return Uploads(archive.home, api_settings(), archive.settings.free_space_margin_bytes, archive.clock)


def _uploads(workplace: At) -> Uploads:
    return uploads_of(workplace)


Kept: TypeAlias = Annotated[Uploads, Depends(_uploads)]


@router.options("", status_code=204, response_class=Response, summary="What of tus is spoken here")
@router.options("/{upload_id}", status_code=204, response_class=Response, include_in_schema=False)
def offer() -> Response:
    headers = {
        "tus-version": VERSION,
        "tus-extension": EXTENSIONS,
        "tus-max-size": str(api_settings().upload_max_bytes),
        "tus-checksum-algorithm": ",".join(CHECKSUMS),
    }
    return Response(status_code=204, headers=headers)


@router.post("", status_code=201, response_class=Response, summary="Begin an upload, with its first bytes or without")
async def begin(request: Request, uploads: Kept) -> Response:
    """Upload-Length is needed. Upload-Metadata may have filename, role (media, chat, captions, products, events) and sha256."""
    if "upload-defer-length" in request.headers:
        raise InvalidUpload("Upload-Defer-Length is not offered: say with Upload-Length how long the file is")
    length = number("Upload-Length", request.headers.get("upload-length"))
    told, of_bytes = described(request.headers.get("upload-metadata")), checksum(request.headers.get("upload-checksum"))
    brings = request.headers.get("content-type") == BYTES_TYPE
    if not brings and request.headers.get("content-length", "0") != "0":
        raise WrongUploadType(f"bytes that come with an upload's beginning are sent as {BYTES_TYPE}")
    _check_announced(request, length)
    upload = await run_sync(uploads.create, length, told)
    if brings:
        try:
            upload = await _receive(request, uploads, upload.id, 0, of_bytes)
        except (LiveProofError, HTTPException):
            # The client was never told the address, so it could not go on.
            await run_sync(uploads.terminate, upload.id)
            raise
    return Response(status_code=201, headers={"location": f"/v1/uploads/{upload.id}", **_standing(upload)})


@router.head("/{upload_id}", response_class=Response, summary="How far an upload is")
def tell(upload_id: IdInPath, uploads: Kept) -> Response:
    upload = uploads.find(upload_id)
    described_as = {"upload-metadata": upload.metadata} if upload.metadata else {}
    return Response(status_code=200, headers={"upload-length": str(upload.length), **described_as, **_standing(upload)})


@router.patch("/{upload_id}", status_code=204, response_class=Response, summary="Go on with an upload, from the offset it has")
async def go_on(request: Request, upload_id: IdInPath, uploads: Kept) -> Response:
    """409 at another offset, 423 while another request writes, 460 where the bytes aren't those of Upload-Checksum."""
    if request.headers.get("content-type") != BYTES_TYPE:
        raise WrongUploadType(f"bytes are sent as {BYTES_TYPE}")
    offset = number("Upload-Offset", request.headers.get("upload-offset"))
    of_bytes = checksum(request.headers.get("upload-checksum"))
    upload = await _receive(request, uploads, upload_id, offset, of_bytes)
    return Response(status_code=204, headers=_standing(upload))


@router.delete("/{upload_id}", status_code=204, response_class=Response, summary="Give an upload up")
def end(upload_id: IdInPath, uploads: Kept) -> Response:
    uploads.terminate(upload_id)
    return Response(status_code=204)


@router.post("/{upload_id}", status_code=204, response_class=Response, include_in_schema=False)
async def by_another_name(request: Request, upload_id: IdInPath, uploads: Kept) -> Response:
    """For clients that can't PATCH or DELETE: X-HTTP-Method-Override, on POST alone, so that no safe method ever changes anything."""
    wanted = request.headers.get("x-http-method-override", "").upper()
    if wanted == "PATCH":
        return await go_on(request, upload_id, uploads)
    if wanted == "DELETE":
        return await run_sync(end, upload_id, uploads)
    if wanted == "HEAD":
        return await run_sync(tell, upload_id, uploads)
    raise HTTPException(405, "an upload is gone on with by PATCH", {"allow": "HEAD, PATCH, DELETE, OPTIONS"})


async def _receive(request: Request, uploads: Uploads, upload_id: str, offset: int, of_bytes: Checksum | None) -> Upload:
    """Bring the body to disk. What arrived before a connection broke off is kept; 408 where the client falls silent."""
    writer: Writer = await run_sync(uploads.writer, upload_id, offset, of_bytes)
    try:
        _check_announced(request, writer.upload.length - offset)
        async for block in _blocks(request):
            await run_sync(writer.add, block)
        return await run_sync(writer.finish)
    except ClientDisconnect as error:
        raise HTTPException(400, "the connection broke off before the whole body had arrived") from error
    finally:
        with anyio.CancelScope(shield=True):
            await run_sync(writer.close)


async def _blocks(request: Request) -> AsyncIterator[bytes]:
    """The body in pieces of about WRITE_BYTES. Even of one that breaks off, everything that arrived comes before the error."""
    patience, waiting = api_settings().upload_idle_s, bytearray()
    stream = aiter(request.stream())
    while True:
        try:
            with anyio.fail_after(patience):
                piece = await anext(stream, None)
        except (ClientDisconnect, TimeoutError) as error:
            if waiting:
                yield bytes(waiting)
            if isinstance(error, ClientDisconnect):
                raise
            raise HTTPException(408, f"nothing arrived for {patience} seconds; what did is kept") from error
        if piece is not None:
            waiting += piece
        if waiting and (piece is None or len(waiting) >= WRITE_BYTES):
            yield bytes(waiting)
            waiting.clear()
        if piece is None:
            return


def _check_announced(request: Request, room: int) -> None:
    """Refuse a body that is too long before it is sent."""
    announced = request.headers.get("content-length")
    if announced is not None and number("Content-Length", announced) > room:
        raise TooLarge(f"the body has {announced} bytes, and {room} are left of what was announced for this upload")


def _standing(upload: Upload) -> dict[str, str]:
    return {"upload-offset": str(upload.offset), "upload-expires": formatdate(upload.expires_ms // 1000, usegmt=True)}
