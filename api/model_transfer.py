"""One file of a hub to the disk as it comes: what came stays, and a line that breaks is taken up where it broke.

huggingface_hub's own transfer begins a file anew with each command, and loses up to 10 MB with each break; over a slow line that breaks
every few minutes neither would ever end.
"""

import time
from collections.abc import Callable
from pathlib import Path

import structlog

CONNECT_TIMEOUT_S, SILENCE_TIMEOUT_S = 20, 30
# Tries in a row that bring no byte, and the pauses between them.
PAUSES_S = (1.0, 2.0, 4.0, 8.0)
_PASSING = (408, 425, 429, 500, 502, 503, 504)

log = structlog.get_logger(__name__)

Tell = Callable[[int], None]


def transfer(url: str, partial: Path, size_bytes: int, tell: Tell, pauses_s: tuple[float, ...] | None = None) -> None:
    """Fill `partial` up to `size_bytes` from `url`. `tell` is given the bytes that are here as they come.

    Raises what the hub's client does (`httpx2.HTTPError`) once it failed `len(pauses_s) + 1` times in a row without a further byte, and
    OSError where the server sends fewer or more bytes than it said.
    """
    from httpx2 import HTTPStatusError, TransportError

    failed, pauses_s = 0, PAUSES_S if pauses_s is None else pauses_s
    while (begun := _size(partial)) < size_bytes:
        try:
            _go_on(url, partial, begun, size_bytes, tell)
            failed = 0 if _size(partial) > begun else failed + 1
            if failed > len(pauses_s):
                raise OSError("the server ends each answer before a byte of it came")
        except (HTTPStatusError, TransportError) as error:
            failed = 1 if _size(partial) > begun else failed + 1
            if failed > len(pauses_s) or (isinstance(error, HTTPStatusError) and error.response.status_code not in _PASSING):
                raise
            pause_s = pauses_s[failed - 1]
            log.warning("model.line_broke", url=url, here=_size(partial), of=size_bytes, error=str(error), again_in_s=pause_s)
            time.sleep(pause_s)


def _go_on(url: str, partial: Path, begun: int, size_bytes: int, tell: Tell) -> None:
    from httpx2 import Timeout
    from huggingface_hub.utils import build_hf_headers, get_session  # type: ignore[attr-defined]

    headers = {**build_hf_headers(), "Accept-Encoding": "identity", **({"Range": f"bytes={begun}-"} if begun else {})}
    timeout = Timeout(SILENCE_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
    with get_session().stream("GET", url, headers=headers, timeout=timeout, follow_redirects=True) as response:
        response.raise_for_status()
        # A server that knows no ranges sends the whole again.
        with partial.open("ab" if response.status_code == 206 else "wb") as target:
            for piece in response.iter_bytes():
                target.write(piece)
                target.flush()
                tell(target.tell())
                if target.tell() > size_bytes:
                    raise OSError(f"more bytes came than the {size_bytes:,} that were described")


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
