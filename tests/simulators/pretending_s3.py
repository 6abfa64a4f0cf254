"""A server that speaks enough S3 to take evidence, says yes to every lock and enforces none: what a canary is there to find out."""

import re
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from archive.settings import ArchiveSettings

_XMLNS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
_LOCK_HEADERS = ("x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date", "x-amz-object-lock-legal-hold")


class PretendingS3(ThreadingHTTPServer):
    """On a free port of 127.0.0.1. Versions are kept in memory; a deleted one is gone, locked or not."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.versions: list[tuple[str, str, bytes, dict[str, str]]] = []

    def settings(self, home: Path) -> ArchiveSettings:
        """Settings of an archive that trusts it."""
        values: dict[str, object] = {
            "home": home,
            "object_store": "s3://evidence",
            "s3_endpoint": f"http://127.0.0.1:{self.server_address[1]}",
            "s3_access_key": "anybody",
            "s3_secret_key": "anything",
            "free_space_margin_bytes": 0,
        }
        return ArchiveSettings.model_validate(values)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: PretendingS3

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        if "retention" in self._query or "legal-hold" in self._query:
            until = re.search(rb"<RetainUntilDate>([^<]+)<", body)
            for key, version, _, headers in self.server.versions:
                if until and (key, version) == (self._key, self._query["versionId"][0]):
                    headers["x-amz-object-lock-retain-until-date"] = until[1].decode()
            return self._answer(200)
        version = uuid.uuid4().hex
        kept = {name: self.headers[name] for name in _LOCK_HEADERS if name in self.headers}
        self.server.versions.append((self._key, version, body, kept))
        return self._answer(200, headers={"x-amz-version-id": version, "etag": '"0"'})

    def do_HEAD(self) -> None:
        self._read()

    def do_GET(self) -> None:
        if "versioning" in self._query:
            return self._answer(200, f"<VersioningConfiguration {_XMLNS}><Status>Enabled</Status></VersioningConfiguration>".encode())
        if "versions" in self._query:
            return self._list()
        return self._read()

    def do_DELETE(self) -> None:
        version = self._query.get("versionId", [""])[0]
        self.server.versions[:] = [each for each in self.server.versions if each[1] != version]
        self._answer(204)

    def _read(self) -> None:
        wanted = self._query.get("versionId", [None])[0]
        for key, version, body, headers in reversed(self.server.versions):
            if key == self._key and wanted in (None, version):
                return self._answer(200, body, {**headers, "x-amz-version-id": version, "last-modified": "Sun, 22 Nov 2026 12:00:00 GMT"})
        return self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")

    def _list(self) -> None:
        prefix = self._query.get("prefix", [""])[0]
        entries = "".join(
            f"<Version><Key>{escape(key)}</Key><VersionId>{version}</VersionId><IsLatest>true</IsLatest><Size>{len(body)}</Size>"
            "<LastModified>2026-11-22T12:00:00.000Z</LastModified></Version>"
            for key, version, body, _ in self.server.versions
            if key.startswith(prefix)
        )
        body = f"<ListVersionsResult {_XMLNS}><Name>evidence</Name><IsTruncated>false</IsTruncated>{entries}</ListVersionsResult>"
        self._answer(200, body.encode())

    @property
    def _query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.path).query, keep_blank_values=True)

    @property
    def _key(self) -> str:
        return unquote(urlsplit(self.path).path).removeprefix("/evidence/")

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"content-type": "application/xml", **(headers or {}), "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""
