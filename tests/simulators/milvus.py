"""A real Milvus protocol server for tests: Milvus Lite in a process of its own, bound to 127.0.0.1, one a test process.

Each caller gets a prefix of its own for its collections, so that tests can't see each other's rows.
"""

import atexit
import contextlib
import functools
import itertools
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from search.indexes.milvus_server import MilvusPlace

_numbers = itertools.count(1)
START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class MilvusLite:
    """A running server. `data`: the folder that it keeps everything in."""

    uri: str
    data: Path
    process: subprocess.Popen[bytes]


@contextlib.contextmanager
def running(data: Path) -> Iterator[MilvusLite]:
    """A server of its own, for tests that stop it or look at its files."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "milvus_lite", "server", "--data-dir", str(data), "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("Milvus Lite did not start") from None
                time.sleep(0.05)
        yield MilvusLite(f"http://127.0.0.1:{port}", data, process)
    finally:
        process.kill()
        process.wait(30)


@functools.cache
def shared() -> MilvusLite:
    """The test process's server; it stops and its folder goes when the process ends."""
    data = Path(tempfile.mkdtemp(prefix="lp-milvus-"))
    opened = contextlib.ExitStack()
    atexit.register(shutil.rmtree, data, ignore_errors=True)
    atexit.register(opened.close)
    return opened.enter_context(running(data))


def fresh_place(server: MilvusLite | None = None) -> MilvusPlace:
    """Where nobody has written yet. What others write is seen at once, and vectors are compared exactly, so that tests tell the same each
    time: the server's own choice, HNSW, finds too little here where a filter lets few through."""
    prefix = f"t{os.getpid()}_{next(_numbers)}"
    return MilvusPlace((server or shared()).uri, prefix=prefix, call_seconds=60, fresh_seconds=0, vector_index="FLAT")


def settle(place: MilvusPlace) -> None:
    """Have everything written down in segments, where searching is quick."""
    from pymilvus import MilvusClient

    client = MilvusClient(uri=place.uri)
    for name in client.list_collections():
        if name.startswith(f"{place.prefix}_"):
            client.flush(name)
    client.close()
