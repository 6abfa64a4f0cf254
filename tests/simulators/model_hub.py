"""A model hub on this machine: what `huggingface_hub` asks of huggingface.co to describe a model and to fetch its files.

Large files are redirected to `/cdn/…`, as LFS files are. `faults` name what goes wrong; each download is logged with its Range.
"""

import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "1234567890abcdef1234567890abcdef12345678"
LARGE_BYTES = 10_000


@dataclass
class ModelHub:
    """`repositories`: {"org/name": {file: content}}. `breaks_after`: a large file's stream ends after so many bytes, `breaks` times.
    `wrong`: files that come as other bytes of the same length. `refuses`: the status of every answer; `refuses_next`: from the
    next break on. `token`: asked for if set.
    `pause_s`: silence within each large file. `ignores_range`: Range is answered with the whole."""

    url: str = ""
    repositories: dict[str, dict[str, bytes]] = field(default_factory=dict)
    commit: str = COMMIT
    breaks_after: int | None = None
    breaks: int = 0
    wrong: set[str] = field(default_factory=set)
    refuses: int | None = None
    refuses_next: int | None = None
    token: str | None = None
    pause_s: float = 0
    ignores_range: bool = False
    lies_about: dict[str, str] = field(default_factory=dict)
    extra_names: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    sent: list[tuple[str, str | None]] = field(default_factory=list)

    def described(self, repository: str) -> dict[str, object]:
        """The answer of /api/models/…?blobs=true."""
        siblings: list[dict[str, object]] = []
        for name, content in self.repositories[repository].items():
            told: dict[str, object] = {"rfilename": name, "size": len(content), "blobId": _git_sha1(content)}
            if len(content) >= LARGE_BYTES:
                sha256 = self.lies_about.get(name, hashlib.sha256(content).hexdigest())
                told["lfs"] = {"sha256": sha256, "size": len(content), "pointerSize": 134}
            siblings.append(told)
        siblings += [{"rfilename": name, "size": 3, "blobId": _git_sha1(b"bad")} for name in self.extra_names]
        return {"_id": "1", "id": repository, "modelId": repository, "sha": self.commit, "private": False, "siblings": siblings, "tags": []}


def _git_sha1(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


@contextlib.contextmanager
def model_hub() -> Iterator[ModelHub]:
    """A running hub on a free port."""
    hub = ModelHub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def _answer(self, with_body: bool) -> None:
            path = unquote(urlsplit(self.path).path)
            hub.asked.append(path)
            if hub.refuses:
                return self._say(hub.refuses, {"X-Error-Message": "no"}, b"{}", with_body)
            if hub.token and not path.startswith("/cdn/") and self.headers["Authorization"] != f"Bearer {hub.token}":
                return self._say(401, {"X-Error-Message": "Invalid credentials"}, b"{}", with_body)
            if path.startswith("/api/models/"):
                repository = "/".join(path.split("/")[3:5])
                if repository not in hub.repositories:
                    return self._say(404, {"X-Error-Code": "RepoNotFound"}, b"{}", with_body)
                body = json.dumps(hub.described(repository)).encode()
                return self._say(200, {"Content-Type": "application/json"}, body, with_body)
            if path.startswith("/cdn/"):
                return self._file("/".join(path.split("/")[2:4]), "/".join(path.split("/")[4:]), with_body)
            repository, rest = "/".join(path.split("/")[1:3]), path.split("/")[5:]
            name = "/".join(rest)
            content = hub.repositories.get(repository, {}).get(name)
            if content is None:
                return self._say(404, {"X-Error-Code": "EntryNotFound"}, b"{}", with_body)
            if len(content) >= LARGE_BYTES:
                headers = {"Location": f"{hub.url}/cdn/{repository}/{name}", "X-Repo-Commit": hub.commit}
                headers |= {"X-Linked-Size": str(len(content)), "X-Linked-ETag": f'"{hashlib.sha256(content).hexdigest()}"'}
                return self._say(302, headers, b"", with_body)
            return self._file(repository, name, with_body)

        def _file(self, repository: str, name: str, with_body: bool) -> None:
            content = hub.repositories[repository][name]
            if name in hub.wrong:
                content = bytes(byte ^ 1 for byte in content[:50]) + content[50:]
            asked = self.headers["Range"]
            hub.sent.append((name, asked))
            start = int(asked.removeprefix("bytes=").split("-")[0]) if asked and not hub.ignores_range else 0
            body, status = content[start:], 206 if start else 200
            headers = {"ETag": f'"{_git_sha1(content)}"', "X-Repo-Commit": hub.commit, "Accept-Ranges": "bytes"}
            if start:
                headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            if len(content) >= LARGE_BYTES and hub.breaks_after is not None and hub.breaks > 0:
                hub.breaks -= 1
                hub.refuses = hub.refuses_next or hub.refuses
                self._say(status, headers, body, with_body, only=hub.breaks_after)
                self.close_connection = True
                return
            self._say(status, headers, body, with_body)

        def _say(self, status: int, headers: dict[str, str], body: bytes, with_body: bool, only: int | None = None) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if with_body:
                self.wfile.write(body[:only])
                self.wfile.flush()
            if hub.pause_s and len(body) >= LARGE_BYTES:
                time.sleep(hub.pause_s)

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
