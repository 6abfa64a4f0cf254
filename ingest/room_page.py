"""From a room's page to its stream: asked of the program `streamlink`, anew at each connection, because stream addresses expire."""

import json
import shutil
import subprocess

from archive.errors import MissingProgram
from ingest.capture_address import Address, parse_address
from ingest.errors import AddressRefused, StreamUnavailable

ANSWER_MAX_BYTES = 1 << 20


def stream_of(room: Address, within_s: float) -> Address:
    """The address of a room's best stream now. MissingProgram without streamlink; StreamUnavailable while the room is not live."""
    program = shutil.which("streamlink")
    if program is None:
        raise MissingProgram(
            f"{room.shown} is a page, no stream: install streamlink, which finds its stream (pip install streamlink), "
            "or give the stream's own address"
        )
    headers = [part for name, value in room.headers for part in ("--http-header", f"{name}={value}")]
    command = [program, "--no-config", "--json", *headers, "--url", room.url, "--default-stream", "best"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=within_s, check=False, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as error:
        raise StreamUnavailable(f"streamlink found no stream on {room.shown} within {within_s:g} s") from error
    except OSError as error:
        raise MissingProgram(f"{program} can't be run: {error.strerror}. Install streamlink anew") from error
    try:
        said = json.loads(done.stdout[:ANSWER_MAX_BYTES])
        url = said.get("url")
    except (ValueError, AttributeError):
        said, url = {}, None
    if not isinstance(url, str):
        why = said.get("error") or done.stderr.decode("utf-8", "replace").strip()[-200:] or f"exit code {done.returncode}"
        raise StreamUnavailable(f"streamlink finds no stream on {room.shown}: {room.masked(str(why))[:300]}")
    asked = said.get("headers")
    found = dict(room.headers) | ({str(k): str(v) for k, v in asked.items()} if isinstance(asked, dict) else {})
    try:
        return parse_address(url, [f"{name}: {value}" for name, value in found.items()])
    except AddressRefused as error:
        raise StreamUnavailable(f"streamlink gives a stream of {room.shown} that is not captured: {error}") from error
