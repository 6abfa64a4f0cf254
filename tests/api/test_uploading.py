"""`liveproof upload` against a real server over a line that breaks: every byte arrives once, whatever is killed, cut or damaged."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from api.errors import UploadRefused, UploadServerUnavailable
from api.settings import ApiSettings
from api.upload_store import FOLDER
from api.uploading import Uploaded, UploadRequest, upload
from archive.programs import ffmpeg_program
from ingest.errors import FileChanged, InvalidRequest
from tests.api.conftest import media, srt
from tests.api.test_cli import liveproof
from tests.api.test_uploads import LINES, serving
from tests.simulators.breaking_relay import Relay, relaying
from tests.simulators.recorder import leave_chat

MIB = 1 << 20


def large(file: Path, seed: int) -> Path:
    """A recording of 53 MB that nobody compressed."""
    source = f"testsrc2=size=640x360:rate=10:duration=15.{seed}"
    command = [ffmpeg_program(), "-v", "error", "-y", "-f", "lavfi", "-i", source, "-c:v", "rawvideo", "-pix_fmt", "yuv420p", file]
    subprocess.run(command, check=True, timeout=60)
    return file


@dataclass
class Line:
    """A server, the line to it, and a client that remembers in a folder of its own."""

    relay: Relay
    server: httpx.Client
    home: Path
    folder: Path

    def upload(self, request: UploadRequest, tell: Callable[[str, int, int], None] | None = None, **settings: object) -> Uploaded:
        chosen = {"upload_state": self.folder / "state", "upload_chunk_bytes": 4 * MIB, "upload_patience_s": 60, **settings}
        return upload(request, self.relay.address, ApiSettings(**chosen), tell or (lambda *_: None), lambda *_: None)  # type: ignore[arg-type]

    def uploads(self) -> list[Path]:
        kept = self.home / FOLDER
        return [found for found in kept.iterdir() if found.name != "receipts"] if kept.exists() else []


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, Path]]:
    home = tmp_path_factory.mktemp("served") / "home"
    with serving(home) as (client, _):
        yield client, home


@pytest.fixture
def line(served: tuple[httpx.Client, Path], tmp_path: Path) -> Iterator[Line]:
    client, home = served
    with relaying(client.base_url.port or 0) as relay:
        yield Line(relay, client, home, tmp_path)


@pytest.fixture
def part(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Another one for each test, so that none is held already."""
    seed = sum(map(ord, request.node.name)) % 90 / 30
    return media(tmp_path / "录制-7734200-20261118-200000-000-夜场.flv", round(2 + seed))


def digest(file: Path) -> str:
    return "sha256:" + hashlib.sha256(file.read_bytes()).hexdigest()


def parts_of(uploaded: Uploaded) -> list[object]:
    return [part["digest"] for part in uploaded.recording["part_list"]]  # type: ignore[union-attr, index, call-overload]


def test_a_session_goes_through_a_line_that_breaks_every_few_megabytes(line: Line) -> None:
    file = large(line.folder / "a.mkv", 1)
    line.relay.cut_after = 9 * MIB
    line.relay.damage_at = 30 * MIB
    seen: list[int] = []
    done = line.upload(UploadRequest((file,), about={"id": "broken-line", "title": "夜场"}), lambda _name, at, _total: seen.append(at))
    assert parts_of(done) == [digest(file)]
    assert done.recording["title"] == "夜场"
    assert not done.already_held
    assert seen[-1] == file.stat().st_size
    assert line.relay.damage_at is None
    assert line.relay.sent < 2 * file.stat().st_size
    assert line.relay.connections > 5
    assert line.uploads() == []


def test_a_client_killed_at_any_moment_is_followed_by_one_that_goes_on(line: Line) -> None:
    file = large(line.folder / "b.mkv", 2)
    settings = {"LIVEPROOF_UPLOAD_STATE": str(line.folder / "state"), "LIVEPROOF_UPLOAD_CHUNK_BYTES": str(2 * MIB)}
    command = [sys.executable, "-m", "api.cli", "upload", str(file), "--to", line.relay.address, "--id", "killed-client", "--json"]
    line.relay.pause_s = 0.005
    for until in (8 * MIB, 25 * MIB):
        with subprocess.Popen(command, env={**os.environ, **settings}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as client:
            give_up = time.monotonic() + 40
            while line.relay.sent < until:
                assert time.monotonic() < give_up
                assert client.poll() is None
                time.sleep(0.01)
            client.send_signal(signal.SIGKILL)
    line.relay.pause_s = 0
    ran = liveproof(line.folder / "no-home", *command[3:], **settings)
    told = json.loads(ran.stdout)
    assert told["recording"] == "killed-client"
    assert told["files"][0]["found_bytes"] >= 20 * MIB
    assert told["files"][0]["digest"] == told["part_list"][0]["digest"] == digest(file)
    assert line.relay.sent < file.stat().st_size + 10 * MIB
    assert not (line.folder / "no-home").exists(), "a client needs no archive of its own"


def test_a_server_that_is_killed_and_comes_back_has_what_was_durable(tmp_path: Path) -> None:
    file = large(tmp_path / "c.mkv", 3)
    home = tmp_path / "home"
    with serving(home) as (client, process), relaying(client.base_url.port or 0) as relay:
        line = Line(relay, client, home, tmp_path)
        reached = threading.Event()
        result: list[Uploaded] = []
        request = UploadRequest((file,), about={"id": "killed-server"})

        def tell(_name: str, at: int, _total: int) -> None:
            if at > 20 * MIB:
                reached.set()

        relay.pause_s = 0.002
        sending = threading.Thread(target=lambda: result.append(line.upload(request, tell)))
        sending.start()
        assert reached.wait(40)
        process.kill()
        process.wait(20)
        relay.pause_s = 0
        with serving(home) as (again, _):
            relay.target = again.base_url.port or 0
            sending.join(timeout=90)
            assert result, "the upload didn't end"
            assert parts_of(result[0]) == [digest(file)]
            assert relay.sent < file.stat().st_size + 16 * MIB


def test_what_was_sent_is_not_sent_again(line: Line, part: Path) -> None:
    chat = leave_chat(part)
    request = UploadRequest((part,), (chat,), about={"host": "小岚"})
    first = line.upload(request)
    assert not first.already_held
    assert [(each.role, each.found_bytes) for each in first.files] == [("chat", 0), ("media", 0)]
    sent = line.relay.sent
    again = line.upload(request)
    assert again.already_held
    assert again.recording["recording"] == first.recording["recording"]
    assert line.relay.sent - sent < 2000
    with pytest.raises(UploadRefused, match="another host"):
        line.upload(UploadRequest((part,), (chat,), about={"host": "阿哲"}))
    # Another machine, which remembers nothing: told by name, size and digest.
    shutil.rmtree(line.folder / "state")
    sent = line.relay.sent
    assert line.upload(UploadRequest((part,))).already_held
    assert line.relay.sent - sent < 2000


def test_an_admission_whose_answer_was_lost_is_found_again(line: Line, part: Path) -> None:
    line.relay.swallow_answer_to = b"POST /v1/recordings"
    done = line.upload(UploadRequest((part,), about={"id": "lost-answer"}))
    assert done.recording["recording"] == "lost-answer"
    assert line.relay.swallow_answer_to is None
    assert parts_of(done) == [digest(part)]


def test_a_client_killed_between_admission_and_its_own_note_finds_the_recording(
    line: Line, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = leave_chat(part)
    request = UploadRequest((part,), (chat,), about={"id": "killed-late"})

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("api.uploading._compare", killed)
        with pytest.raises(KeyboardInterrupt):
            line.upload(request)
    sent = line.relay.sent
    assert line.upload(request).already_held
    assert line.relay.sent - sent < 4000


def test_a_file_that_changes_meanwhile_ends_the_upload_and_nothing_of_it_stays(line: Line) -> None:
    file = large(line.folder / "d.mkv", 4)
    before = len(line.uploads())

    def grow(_name: str, at: int, _total: int) -> None:
        if at == 8 * MIB:
            with file.open("ab") as stream:
                stream.write(b"more")

    with pytest.raises(FileChanged, match=r"d\.mkv"):
        line.upload(UploadRequest((file,)), grow)
    assert len(line.uploads()) == before
    assert list((line.folder / "state" / "uploads").glob("*.json")) == []


def test_uploads_that_the_server_lost_are_sent_anew_and_the_others_not(line: Line, part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = media(line.folder / "录制-7734200-20261118-210000-000-夜场.flv", 5)
    request = UploadRequest((part, other), about={"id": "lost-uploads"})

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("api.uploading._admit", killed)
        with pytest.raises(KeyboardInterrupt):
            line.upload(request)
    for kept in line.uploads():
        if (kept / "bytes" / part.name).exists():
            shutil.rmtree(kept)
    done = line.upload(request)
    assert parts_of(done) == [digest(part), digest(other)]
    assert [each.found_bytes for each in done.files] == [0, other.stat().st_size]


def test_behind_a_proxy_that_takes_small_requests_only_smaller_ones_are_sent(line: Line) -> None:
    file = large(line.folder / "e.mkv", 5)
    line.relay.largest_body = MIB
    done = line.upload(UploadRequest((file,), about={"id": "small-bodies"}))
    assert parts_of(done) == [digest(file)]


def test_the_server_s_own_words_say_why_it_refuses(line: Line, part: Path) -> None:
    (line.folder / "broken.json").write_text("[{", "utf-8")
    with pytest.raises(UploadRefused, match=r"broken\.json"):
        line.upload(UploadRequest((part,), products=line.folder / "broken.json", about={"id": "refused"}))
    # What was sent of it stays for the next try, without the broken file.
    sent = line.relay.sent
    assert parts_of(line.upload(UploadRequest((part,), about={"id": "refused"}))) == [digest(part)]
    assert line.relay.sent - sent < 4000


def test_captions_alone_are_a_session(line: Line) -> None:
    words = line.folder / "words.srt"
    words.write_text(srt(LINES), "utf-8")
    done = line.upload(UploadRequest(captions=words, about={"id": "only-words", "started_at": "2026-11-18T20:00:00+08:00"}))
    assert done.recording["recording"] == "only-words"
    with pytest.raises(InvalidRequest):
        line.upload(UploadRequest())
    with pytest.raises(InvalidRequest, match="twice"):
        line.upload(UploadRequest(captions=words, chat=(words,)))


def test_passwords_in_an_address_are_neither_shown_nor_kept(line: Line, part: Path) -> None:
    settings = {"LIVEPROOF_UPLOAD_STATE": str(line.folder / "state"), "LIVEPROOF_UPLOAD_PATIENCE_S": "1"}
    address = line.relay.address.replace("//", "//ann:geheim@")
    ran = liveproof(line.folder / "home", "upload", str(part), "--to", address, "--id", "with-password", **settings)
    assert "with-password" in ran.stdout
    kept = "".join(file.read_text("utf-8") for file in (line.folder / "state" / "uploads").iterdir())
    assert "127.0.0.1" in kept
    line.relay.close()
    failed = liveproof(line.folder / "home", "upload", str(part), "--to", address.replace(str(line.relay.port), "9"), expect=75, **settings)
    assert "http://127.0.0.1:9" in failed.stderr
    assert "geheim" not in ran.stdout + ran.stderr + kept + failed.stdout + failed.stderr


def test_what_is_no_liveproof_server_is_said_to_be_none(tmp_path: Path, part: Path) -> None:
    class Moved(SimpleHTTPRequestHandler):
        def do_OPTIONS(self) -> None:
            self.send_response(308 if self.path.startswith("/moved") else 204)
            self.send_header("Location", "https://ann:geheim@example.com/")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Moved) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        for path, says in (("", "no LiveProof server"), ("/moved", "https://example.com/: give that address")):
            with pytest.raises(UploadServerUnavailable, match=says):
                upload(
                    UploadRequest((part,)),
                    f"http://127.0.0.1:{other.server_port}{path}",
                    ApiSettings(upload_state=tmp_path / "state"),
                    lambda *_: None,
                    lambda *_: None,
                )
        other.shutdown()
    for address in ("ftp://x", "x", "http://", "http://x:99999", "http://x/?a=b"):
        with pytest.raises(InvalidRequest, match="--to"):
            upload(UploadRequest((part,)), address, ApiSettings(upload_state=tmp_path), lambda *_: None, lambda *_: None)
