"""Files over HTTP, whole or by byte range (RFC 9110 §14)."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

CHUNK_BYTES = 256 << 10
_ONE_RANGE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*", re.IGNORECASE)


def file_response(request: Request, path: Path, media_type: str, etag: str, download_as: str | None = None) -> Response:
    """200 with the whole file, 206 with the one range asked for, 416 for a range past its end, 304 if the client has it already.

    A range that can't be read, one of another unit and several at once are answered with the whole file, as the RFC allows. `etag` is
    given without quotes and must change whenever the bytes do.
    """
    size = path.stat().st_size
    tag = f'"{etag}"'
    headers = {"accept-ranges": "bytes", "etag": tag, "cache-control": "private, max-age=0, must-revalidate"}
    if download_as:
        headers["content-disposition"] = f"attachment; filename*=UTF-8''{quote(download_as, safe='')}"
    if tag in [known.strip().removeprefix("W/") for known in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    condition = request.headers.get("if-range")
    span = parse_range(request.headers.get("range"), size) if condition in (None, tag) else None
    if span is not None and span[0] >= span[1]:
        return Response(status_code=416, headers={**headers, "content-range": f"bytes */{size}"})
    start, end = span or (0, size)
    headers["content-length"] = str(end - start)
    if span:
        headers["content-range"] = f"bytes {start}-{end - 1}/{size}"
    status = 206 if span else 200
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=media_type)
    return StreamingResponse(_bytes_between(path, start, end), status_code=status, headers=headers, media_type=media_type)


def parse_range(header: str | None, size: int) -> tuple[int, int] | None:
    """[start, end) in bytes of a `Range` header's one range; None where the whole file is to be sent; start ≥ end if it can't be met."""
    match = _ONE_RANGE.fullmatch(header.strip()) if header else None
    if not match or not (match[1] or match[2]):
        return None
    if not match[1]:
        return max(size - int(match[2]), 0) if int(match[2]) else size, size
    start = int(match[1])
    if match[2] and int(match[2]) < start:
        return None
    return start, min(int(match[2]) + 1, size) if match[2] else size


def _bytes_between(path: Path, start: int, end: int) -> Iterator[bytes]:
    with path.open("rb") as stream:
        stream.seek(start)
        left = end - start
        while left > 0 and (chunk := stream.read(min(CHUNK_BYTES, left))):
            left -= len(chunk)
            yield chunk
