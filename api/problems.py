"""Errors over HTTP: `application/problem+json` (RFC 9457), saying what is wrong and how to mend it, in the asker's language.

`detail` is the error's own message, which names the file or field; `title` and `mend` come from the catalogue by the error's kind.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from jinja2 import Environment, FileSystemLoader
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from api.fields import asked_language
from api.messages import MESSAGES, message
from archive.digest import Json
from archive.errors import LiveProofError

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:liveproof:problem:"
FIELDS_SHOWN = 20
_PAGE = Environment(loader=FileSystemLoader(Path(__file__).parent / "web" / "templates"), autoescape=True).get_template("problem.html")

log = structlog.get_logger(__name__)


class ProblemResponse(JSONResponse):
    media_type = MEDIA_TYPE


def install(app: FastAPI) -> None:
    """Answer every error of `app` as a problem."""
    app.add_exception_handler(LiveProofError, _of_liveproof)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(OperationalError, _of_database)
    app.add_exception_handler(Exception, _of_anything)


def wants_page(request: Request) -> bool:
    """Whether a person's browser asks for a page, not a program for data."""
    return request.url.path == "/" and "text/html" in request.headers.get("accept", "")


def problem(request: Request, kind: str, status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Json) -> Response:
    """A problem of a kind that the catalogue knows, or of its status; as a small page where a person looks at it."""
    language = asked_language(request)
    known = kind if f"problem.{kind}" in MESSAGES else _kind_of(status)
    content: dict[str, Json] = {
        "type": TYPE_PREFIX + known,
        "title": message(f"problem.{known}", language),
        "status": status,
        "detail": detail,
        "mend": message(f"problem.{known}.mend", language),
        "instance": request.url.path,
        **more,
    }
    answered_in = {"content-language": language, **(headers or {})}
    if wants_page(request):
        return HTMLResponse(_PAGE.render(language=language, **content), status_code=status, headers=answered_in)
    return ProblemResponse(content, status_code=status, headers=answered_in)


def _kind_of(status: int) -> str:
    if status in (401, 403, 404, 405, 409, 413, 415, 422):
        return {
            401: "NotAllowed",
            403: "NotAllowed",
            404: "NotFound",
            405: "WrongMethod",
            409: "Conflict",
            413: "TooLarge",
            415: "WrongType",
            422: "Invalid",
        }[status]
    return "BadRequest" if status < 500 else "ServerFault"


async def _of_liveproof(request: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, LiveProofError) else 500
    if status >= 500:
        log.error("request_failed", path=request.url.path, status=status, error=str(error))
    return problem(request, type(error).__name__, status, str(error))


async def _of_validation(request: Request, error: Exception) -> Response:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    fields: list[Json] = [{"field": _field(entry["loc"]), "says": str(entry["msg"])} for entry in found[:FIELDS_SHOWN]]
    said = "; ".join(f"{_field(entry['loc'])}: {entry['msg']}" for entry in found[:FIELDS_SHOWN])
    return problem(request, "Invalid", 422, said or "the request can't be read", fields=fields)


def _field(place: Sequence[int | str]) -> str:
    """`body.from_ms` of `("body", "from_ms")`. Keys that the client made up are cut short."""
    return ".".join(str(step)[:80] for step in place).encode("utf-8", "replace").decode()


async def _of_http(request: Request, error: Exception) -> Response:
    status, headers, said = 500, None, ""
    if isinstance(error, HTTPException):
        status, headers, said = error.status_code, error.headers, str(error.detail)
    if said == HTTPStatus(status).phrase and status == 404:
        said = f"there is nothing at {request.url.path}"
    return problem(request, _kind_of(status), status, said, headers)


async def _of_database(request: Request, error: Exception) -> Response:
    log.error("database_failed", path=request.url.path, error=str(error).splitlines()[0])
    return problem(request, "DatabaseUnavailable", 503, "the catalog did not answer in time; nothing was changed", {"retry-after": "5"})


async def _of_anything(request: Request, error: Exception) -> Response:
    """A fault of ours. The log has the traceback, the answer doesn't."""
    log.error("request_failed", path=request.url.path, error=repr(error), exc_info=error)
    return problem(request, "ServerFault", 500, "LiveProof failed at this request; the server's log says where")
