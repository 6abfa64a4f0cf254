"""A witness that takes POSTed checkpoints over HTTP and keeps them in memory; `status` is what it answers from now on."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class WitnessServer:
    url: str = ""
    status: int = 201
    notes: list[str] = field(default_factory=list)
    credentials: list[str | None] = field(default_factory=list)


@contextlib.contextmanager
def witness_server() -> Iterator[WitnessServer]:
    """A running witness on a free port of this machine."""
    made = WitnessServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            note = self.rfile.read(int(self.headers["Content-Length"])).decode()
            made.credentials.append(self.headers["Authorization"])
            if 200 <= made.status < 300:
                made.notes.append(note)
            self.send_response(made.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.url = f"http://127.0.0.1:{server.server_port}/checkpoints"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
