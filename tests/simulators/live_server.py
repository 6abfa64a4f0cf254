"""A live room on 127.0.0.1: a session that goes out in real time as HLS, HTTP-FLV and RTMP, with everything that goes wrong on the way.

What was on air when is known to the frame (`Broadcast`), so a capture can be held to it. Servers cut connections, fall silent, lose
segments, let tokens expire, move their window on, and replay a GOP cache to who connects anew.
"""

import http.server
import json
import socket
import struct
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from archive.programs import ffmpeg_program

WINDOW = 6


@dataclass(frozen=True)
class Tag:
    """One FLV tag, as it lies in the file."""

    at_ms: int
    data: bytes
    is_head: bool
    is_key: bool


@dataclass
class Broadcast:
    """A session on air since `started` (seconds since 1970): media time m goes out at started + m."""

    flv: Path
    segments: list[tuple[bytes, int, int]]
    tags: list[Tag]
    flv_header: bytes
    duration_ms: int
    started: float = 0.0
    keys: list[int] = field(default_factory=list)

    def begin(self) -> None:
        self.started = time.time()

    def now_ms(self) -> int:
        return round(1000 * (time.time() - self.started))

    def wall_ms(self, media_ms: int) -> int:
        return round(1000 * self.started) + media_ms

    def frames(self) -> list[str]:
        """Digest of every picture in order."""
        return frame_digests(self.flv)


def prepare(folder: Path, source: Path, seconds: float, segment_s: float = 2.0) -> Broadcast:
    """Loop a source to the length that is wanted, and cut it for HLS; nothing is encoded anew."""
    folder.mkdir(parents=True, exist_ok=True)
    flv = folder / "session.flv"
    _ffmpeg(
        "-stream_loop",
        "-1",
        "-i",
        source,
        "-t",
        seconds,
        "-map",
        "0:v",
        "-map",
        "0:a",
        "-c",
        "copy",
        "-flvflags",
        "no_duration_filesize",
        flv,
    )
    _ffmpeg("-i", flv, "-c", "copy", "-f", "segment", "-segment_time", segment_s, "-segment_list", folder / "list.csv", folder / "%05d.ts")
    rows = [line.split(",") for line in (folder / "list.csv").read_text().splitlines()]
    spans = [(folder / name, round(1000 * float(start)), round(1000 * float(end))) for name, start, end in rows]
    starts = [start for _, start, _ in spans] + [spans[-1][2]]
    segments = [(path.read_bytes(), starts[n], starts[n + 1] - starts[n]) for n, (path, _, _) in enumerate(spans)]
    content = flv.read_bytes()
    tags = _tags(content)
    return Broadcast(flv, segments, tags, content[:13], tags[-1].at_ms, keys=[tag.at_ms for tag in tags if tag.is_key])


def drawn_session(file: Path, seconds: int) -> Path:
    """A source in which every picture differs from every other: 10 a second, a key frame each second, with a sound that rises."""
    picture = ["-f", "lavfi", "-i", f"testsrc2=size=192x108:rate=10:duration={seconds}"]
    sound = ["-f", "lavfi", "-i", f"aevalsrc='sin(2*PI*t*(200+20*t))':s=16000:d={seconds}"]
    coding = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "10", "-bf", "0", "-c:a", "aac", "-shortest"]
    _ffmpeg(*picture, *sound, *coding, file)
    return file


def frame_digests(file: Path) -> list[str]:
    """Digest of every decoded picture of a file, in order."""
    done = subprocess.run(
        [ffmpeg_program(), "-v", "quiet", "-i", file, "-map", "0:v:0", "-fps_mode", "passthrough", "-f", "framemd5", "-"],
        capture_output=True,
        timeout=120,
    )
    return [line.rsplit(",", 1)[1].strip() for line in done.stdout.decode().splitlines() if line and not line.startswith("#")]


def _tags(content: bytes) -> list[Tag]:
    at, found = 13, []
    while at + 11 <= len(content):
        kind, size = content[at], int.from_bytes(content[at + 1 : at + 4], "big")
        stamp = int.from_bytes(content[at + 4 : at + 7], "big") | content[at + 7] << 24
        body = content[at + 11 : at + 11 + size]
        is_head = kind == 18 or (kind == 9 and len(body) > 1 and body[1] == 0) or (kind == 8 and body[0] >> 4 == 10 and body[1] == 0)
        is_key = kind == 9 and body[0] >> 4 == 1 and body[1] == 1
        found.append(Tag(stamp, content[at : at + 11 + size + 4], is_head, is_key))
        at += 11 + size + 4
    return found


def _ffmpeg(*arguments: object) -> None:
    subprocess.run([ffmpeg_program(), "-v", "error", "-y", *map(str, arguments)], check=True, timeout=300)


class LiveServer:
    """HLS and HTTP-FLV of one broadcast. The fields are what goes wrong, and may be set at any time."""

    def __init__(self, broadcast: Broadcast) -> None:
        self.broadcast = broadcast
        self.down = False  # connections are closed without an answer
        self.silent = False  # connections are taken, and nothing comes
        self.dated = True  # PROGRAM-DATE-TIME in the playlist
        self.ended_at_ms: int | None = None  # ENDLIST from then on
        self.gone: set[int] = set()  # sequences that are 404
        self.token: str | None = None  # the only one that is let in
        self.gop_cache_ms = 0  # how much of the past a new FLV connection gets at once
        self.window = WINDOW
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.cuts: list[tuple[float, float]] = []
        self._flows: set[socket.socket] = set()
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server._answer(self)

            def log_message(self, *_: object) -> None: ...

        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.port = self._http.server_address[1]
        self.root = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    @property
    def hls(self) -> str:
        return f"{self.root}/live/room.m3u8"

    @property
    def flv(self) -> str:
        return f"{self.root}/live/room.flv"

    def close(self) -> None:
        self.cut()
        self._http.shutdown()
        self._http.server_close()

    def cut(self) -> None:
        """Break every connection that is open, without a word."""
        for flow in list(self._flows):
            with suppress(OSError):
                flow.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                flow.shutdown(socket.SHUT_RDWR)

    def drop_for(self, seconds: float) -> None:
        """Go away for a while."""
        began = time.time()
        self.down = True
        self.cut()
        time.sleep(seconds)
        self.down = False
        self.cuts.append((began, time.time()))

    def _answer(self, request: http.server.BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        self.requests.append((request.path, dict(request.headers)))
        if self.down:
            request.connection.shutdown(socket.SHUT_RDWR)
            return
        if self.silent:
            while self.silent and not self.down:
                time.sleep(0.1)
            request.connection.shutdown(socket.SHUT_RDWR)
            return
        if self.token is not None and parts.path.startswith("/live/") and parse_qs(parts.query).get("token") != [self.token]:
            request.send_error(403)
            return
        with suppress(BrokenPipeError, ConnectionResetError, OSError):
            if parts.path == "/live/room.m3u8":
                self._send(request, "application/vnd.apple.mpegurl", self._playlist(parts.query).encode())
            elif parts.path == "/live/master.m3u8":
                low, best = "#EXT-X-STREAM-INF:BANDWIDTH=1\nnothing.m3u8", "#EXT-X-STREAM-INF:BANDWIDTH=900000\nroom.m3u8"
                self._send(request, "application/vnd.apple.mpegurl", f"#EXTM3U\n{low}\n{best}\n".encode())
            elif parts.path.startswith("/live/s"):
                number = int(parts.path.removeprefix("/live/s").removesuffix(".ts"))
                if number in self.gone or number not in self._there():
                    request.send_error(404)
                else:
                    self._send(request, "video/mp2t", self.broadcast.segments[number][0])
            elif parts.path == "/live/room.flv":
                self._flow(request)
            elif parts.path.startswith("/room"):
                self._send(request, "text/html", b"<!DOCTYPE html><html><body>a room</body></html>")
            elif parts.path.startswith("/away/"):
                request.send_response(302)
                request.send_header("Location", parts.path.removeprefix("/away"))
                request.end_headers()
            elif parts.path == "/loop":
                request.send_response(302)
                request.send_header("Location", "/loop")
                request.end_headers()
            else:
                request.send_error(404)

    def _there(self) -> range:
        """Numbers of the segments that are complete and not too old to be served."""
        now_ms = min(self.broadcast.now_ms(), self.ended_at_ms if self.ended_at_ms is not None else 1 << 60)
        done = sum(start + length <= now_ms for _, start, length in self.broadcast.segments)
        return range(max(0, done - self.window - 2), done)

    def _playlist(self, query: str) -> str:
        there = self._there()
        shown = range(max(there.start, there.stop - self.window), there.stop)
        lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:3", f"#EXT-X-MEDIA-SEQUENCE:{shown.start}"]
        for number in shown:
            _, start, length = self.broadcast.segments[number]
            if self.dated:
                moment = datetime.fromtimestamp(self.broadcast.wall_ms(start) / 1000, UTC)
                lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{moment.isoformat(timespec='milliseconds').replace('+00:00', 'Z')}")
            lines += [f"#EXTINF:{length / 1000:.3f},", f"s{number}.ts{'?' + query if query else ''}"]
        if self.ended_at_ms is not None and self.broadcast.now_ms() >= self.ended_at_ms:
            lines.append("#EXT-X-ENDLIST")
        return "\n".join(lines) + "\n"

    def _flow(self, request: http.server.BaseHTTPRequestHandler) -> None:
        """FLV from the last key frame (or as much earlier as the cache holds), first in a burst, then as it is on air."""
        broadcast = self.broadcast
        self._flows.add(request.connection)
        try:
            request.send_response(200)
            request.send_header("Content-Type", "video/x-flv")
            request.end_headers()
            request.wfile.write(broadcast.flv_header + b"".join(tag.data for tag in broadcast.tags if tag.is_head))
            since = max((key for key in broadcast.keys if key <= broadcast.now_ms() - self.gop_cache_ms), default=0)
            for tag in broadcast.tags:
                if tag.is_head or tag.at_ms < since:
                    continue
                while (wait := tag.at_ms - broadcast.now_ms()) > 0:
                    time.sleep(min(wait / 1000, 0.2))
                    if self.down:
                        return
                while self.silent and not self.down:
                    time.sleep(0.1)
                request.wfile.write(tag.data)
        finally:
            self._flows.discard(request.connection)

    @staticmethod
    def _send(request: http.server.BaseHTTPRequestHandler, kind: str, content: bytes) -> None:
        request.send_response(200)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)


class RtmpServer:
    """RTMP of one broadcast: to each client that connects an ffmpeg sends the session from its next key frame on, in real time."""

    def __init__(self, broadcast: Broadcast) -> None:
        self.broadcast = broadcast
        self.down = False
        self.cuts: list[tuple[float, float]] = []
        self._senders: set[subprocess.Popen[bytes]] = set()
        self._clients: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"rtmp://127.0.0.1:{self.port}/live/secretkey123"

    def close(self) -> None:
        self.down = True
        self.cut()
        self._listener.close()

    def cut(self) -> None:
        for client in list(self._clients):
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        for sender in list(self._senders):
            sender.kill()

    def drop_for(self, seconds: float) -> None:
        began = time.time()
        self.down = True
        self.cut()
        time.sleep(seconds)
        self.down = False
        self.cuts.append((began, time.time()))

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self.down:
                    client.close()
                else:
                    threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        broadcast = self.broadcast
        self._clients.add(client)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        key = next((key for key in broadcast.keys if key >= broadcast.now_ms() + 300), None)
        if key is None:
            client.close()
            return
        time.sleep(max(0, (key - broadcast.now_ms() - 150) / 1000))
        command = ["-re", "-ss", f"{key / 1000:.3f}", "-i", str(broadcast.flv), "-c", "copy", "-f", "flv", "-rtmp_listen", "1"]
        sender = subprocess.Popen([ffmpeg_program(), "-v", "error", *command, f"rtmp://127.0.0.1:{port}/live/secretkey123"])
        self._senders.add(sender)
        try:
            upstream = _connected(port)
            self._clients.add(upstream)
            back = threading.Thread(target=_pump, args=(client, upstream), daemon=True)
            back.start()
            _pump(upstream, client)
        except OSError:
            pass
        finally:
            sender.kill()
            sender.wait()
            client.close()
            self._senders.discard(sender)
            self._clients.discard(client)


def _connected(port: int) -> socket.socket:
    for _ in range(100):
        with suppress(OSError):
            return socket.create_connection(("127.0.0.1", port), 1)
        time.sleep(0.02)
    raise ConnectionError


def _pump(source: socket.socket, target: socket.socket) -> None:
    source.settimeout(None)
    with suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def pretend_streamlink(folder: Path, answers: Path) -> Path:
    """A program `streamlink` in `folder` that gives the address in the file `answers`, and an error where that is empty."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "streamlink"
    program.write_text(
        "#!/usr/bin/env python3\nimport json, pathlib, sys\n"
        f"url = pathlib.Path({json.dumps(str(answers))}).read_text().strip()\n"
        'print(json.dumps({"type": "hls", "url": url, "headers": {}} if url else {"error": "No playable streams found"}))\n'
        "sys.exit(0 if url else 1)\n"
    )
    program.chmod(0o755)
    return program
