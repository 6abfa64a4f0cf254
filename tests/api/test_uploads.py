"""Uploads by tus: they break off and go on, tell only what is durable, refuse what isn't right, and are admitted by the same gate."""

import base64
import hashlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import api_settings
from api.upload_headers import NAME_MAX_BYTES, safe_name
from api.upload_store import FOLDER
from api.uploads import uploads_of
from api.workplace import Workplace, open_workplace
from archive.settings import ArchiveSettings
from archive.timeline import WallTime
from search.settings import SearchSettings
from tests.api.conftest import NOW, media, srt
from tests.api.test_problems import refused

TUS = {"tus-resumable": "1.0.0"}
BYTES = {**TUS, "content-type": "application/offset+octet-stream"}
LINES = [(1000, 3000, "大家晚上好"), (4000, 7000, "七天无理由退货")]


class Time:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> WallTime:
        return self.now


@dataclass
class Place:
    client: TestClient
    workplace: Workplace
    time: Time

    @property
    def folder(self) -> Path:
        return self.workplace.archive.home / FOLDER

    def left(self) -> list[Path]:
        """Folders of uploads on the disk."""
        return [found for found in self.folder.iterdir() if found.name != "receipts"] if self.folder.exists() else []


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    passing = Time()
    opened = open_workplace(ArchiveSettings(home=tmp_path / "home", free_space_margin_bytes=0, actor="tester"), passing)
    opened.search_settings = SearchSettings(embedding_model="none")
    api_settings.cache_clear()
    yield Place(TestClient(create_app(opened), base_url="http://127.0.0.1"), opened, passing)
    opened.close()
    api_settings.cache_clear()


@pytest.fixture
def limited(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    def limit(**settings: int) -> None:
        for name, value in settings.items():
            monkeypatch.setenv(f"LIVEPROOF_{name.upper()}", str(value))
        api_settings.cache_clear()

    yield limit
    monkeypatch.undo()
    api_settings.cache_clear()


@pytest.fixture(scope="module")
def part(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return media(tmp_path_factory.mktemp("part") / "录制-7734200-20261118-200000-000-夜场.flv", 3)


def metadata(**values: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items())


def begin(client: httpx.Client, length: int, **told: str) -> str:
    """The address of a new upload."""
    headers = {**TUS, "upload-length": str(length), **({"upload-metadata": metadata(**told)} if told else {})}
    answer = client.post("/v1/uploads", headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.headers["location"]


def send(client: httpx.Client, address: str, offset: int, content: object, **headers: str) -> httpx.Response:
    return client.patch(address, content=content, headers={**BYTES, "upload-offset": str(offset), **headers})  # type: ignore[arg-type]


def offset_of(client: httpx.Client, address: str) -> int:
    answer = client.head(address, headers=TUS)
    assert answer.status_code == 200, answer.text
    return int(answer.headers["upload-offset"])


def upload(client: httpx.Client, content: bytes, **told: str) -> str:
    """The id of a complete upload."""
    address = begin(client, len(content), **told)
    assert send(client, address, 0, content).status_code == 204
    return address.rpartition("/")[2]


def check_of(algorithm: str, content: bytes) -> str:
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, content).digest()).decode()}"


def test_what_is_offered_is_told(place: Place) -> None:
    told = place.client.options("/v1/uploads")
    assert told.status_code == 204
    assert told.headers["tus-version"] == told.headers["tus-resumable"] == "1.0.0"
    assert set(told.headers["tus-extension"].split(",")) == {"creation", "creation-with-upload", "termination", "checksum", "expiration"}
    assert int(told.headers["tus-max-size"]) == api_settings().upload_max_bytes
    assert told.headers["tus-checksum-algorithm"] == "sha256,sha1"


def test_an_upload_in_chunks_with_breaks_between_becomes_a_recording(place: Place, part: Path) -> None:
    content = part.read_bytes()
    address = begin(place.client, len(content), filename=part.name, role="media", sha256=hashlib.sha256(content).hexdigest())
    cuts = [0, 1, len(content) // 3, len(content) - 1, len(content)]
    for start, end in pairwise(cuts):
        assert offset_of(place.client, address) == start
        answer = send(place.client, address, start, content[start:end])
        assert (answer.status_code, answer.headers["upload-offset"]) == (204, str(end))
        assert answer.headers["tus-resumable"] == "1.0.0"
        assert answer.headers["upload-expires"].endswith("GMT")
    told = place.client.head(address, headers=TUS)
    assert told.headers["upload-length"] == str(len(content))
    assert told.headers["cache-control"] == "no-store"
    assert base64.b64decode(told.headers["upload-metadata"].split(",")[0].split()[1]).decode() == part.name

    captions = upload(place.client, srt(LINES).encode(), filename="words.srt", role="captions")
    body = {"parts": [address.rpartition("/")[2]], "captions": captions, "id": "live-1", "host": "小岚"}
    answer = place.client.post("/v1/recordings", json=body)
    assert answer.status_code == 201, answer.text
    recording = answer.json()
    assert recording["part_list"][0]["digest"] == "sha256:" + hashlib.sha256(content).hexdigest()
    assert recording["part_list"][0]["file"] == part.name
    assert recording["started_at"] == "2026-11-18T12:00:00.000Z"
    assert (recording["recording"], recording["host"], recording["segments"]) == ("live-1", "小岚", 2)
    assert recording["processing"] == {"job": None, "left_to": "liveproof work"}
    assert place.left() == []
    assert place.client.get(answer.headers["location"]).status_code == 200
    actions = [entry.action for entry in place.workplace.archive.custody.entries(["live-1"])]
    assert "admit" in " ".join(actions)


def test_bytes_may_come_with_the_beginning(place: Place) -> None:
    headers = {**BYTES, "upload-length": "10", "upload-checksum": check_of("sha1", b"01234")}
    answer = place.client.post("/v1/uploads", content=b"01234", headers=headers)
    assert (answer.status_code, answer.headers["upload-offset"]) == (201, "5")
    assert offset_of(place.client, answer.headers["location"]) == 5
    damaged = place.client.post("/v1/uploads", content=b"01235", headers=headers)
    refused(damaged, 460)
    assert len(place.left()) == 1


def test_another_offset_is_refused_and_changes_nothing(place: Place) -> None:
    address = begin(place.client, 10)
    send(place.client, address, 0, b"01234")
    for wrong in (0, 4, 6, 10):
        answer = send(place.client, address, wrong, b"x")
        assert "5" in str(refused(answer, 409)["detail"])
        assert answer.headers["tus-resumable"] == "1.0.0"
    assert offset_of(place.client, address) == 5


def test_of_two_writers_one_is_refused(place: Place) -> None:
    address = begin(place.client, 10)
    writer = uploads_of(place.workplace).writer(address.rpartition("/")[2], 0, None)
    refused(send(place.client, address, 0, b"01234"), 423)
    refused(place.client.delete(address, headers=TUS), 423)
    assert offset_of(place.client, address) == 0
    writer.add(b"abc")
    writer.close()
    assert offset_of(place.client, address) == 3
    assert send(place.client, address, 3, b"defghij").status_code == 204


@pytest.mark.parametrize("algorithm", ["sha256", "sha1"])
def test_a_chunk_that_was_damaged_on_its_way_is_not_kept(place: Place, algorithm: str) -> None:
    address = begin(place.client, 10)
    send(place.client, address, 0, b"012")
    told = refused(send(place.client, address, 3, b"34X", **{"upload-checksum": check_of(algorithm, b"345")}), 460)
    assert told["type"] == "urn:liveproof:problem:ChecksumMismatch"
    assert offset_of(place.client, address) == 3
    assert send(place.client, address, 3, b"345", **{"upload-checksum": check_of(algorithm, b"345")}).status_code == 204
    assert next((place.left()[0] / "bytes").iterdir()).read_bytes() == b"012345"


@pytest.mark.parametrize("header", ["md5 1B2M2Y8AsgTpgAmY7PhCfg==", "sha256 AAAA", "sha1 *", "", "sha256"])
def test_a_checksum_that_cannot_be_made_is_refused(place: Place, header: str) -> None:
    address = begin(place.client, 3)
    refused(send(place.client, address, 0, b"012", **{"upload-checksum": header}), 400)
    assert offset_of(place.client, address) == 0


def test_an_upload_that_nobody_goes_on_with_expires_and_its_bytes_are_removed(place: Place) -> None:
    hour = 3_600_000
    address, kept = begin(place.client, 10), begin(place.client, 10)
    place.time.now = NOW.plus_ms(70 * hour)
    assert send(place.client, kept, 0, b"0").status_code == 204
    place.time.now = NOW.plus_ms(72 * hour)
    answer = place.client.head(address, headers=TUS)
    assert answer.status_code == 410
    refused(send(place.client, address, 0, b"0"), 410)
    assert uploads_of(place.workplace).sweep() == 1
    assert place.client.head(address, headers=TUS).status_code == 404
    assert offset_of(place.client, kept) == 1
    assert len(place.left()) == 1


def test_what_a_crash_left_half_made_or_a_hand_spoilt_goes_after_an_hour_and_stops_nothing(place: Place) -> None:
    begin(place.client, 5)
    half, spoilt = place.folder / ("a" * 32), place.folder / ("b" * 32)
    half.mkdir()
    (spoilt / "bytes").mkdir(parents=True)
    (spoilt / "upload.json").write_text('{"id": ')
    place.time.now = WallTime.now()  # folders' ages are the file system's
    address = begin(place.client, 5)
    assert place.client.head(f"/v1/uploads/{'b' * 32}", headers=TUS).status_code == 404
    assert half.exists()
    assert spoilt.exists()
    place.time.now = WallTime.now().plus_ms(3_700_000)
    uploads_of(place.workplace).sweep()
    assert not half.exists()
    assert not spoilt.exists()
    assert offset_of(place.client, address) == 0


def test_an_upload_given_up_is_gone(place: Place) -> None:
    address = begin(place.client, 10)
    send(place.client, address, 0, b"01234")
    assert place.client.delete(address, headers=TUS).status_code == 204
    assert place.client.head(address, headers=TUS).status_code == 404
    refused(send(place.client, address, 5, b"56789"), 404)
    refused(place.client.delete(address, headers=TUS), 404)
    assert place.left() == []


def test_clients_that_cannot_patch_say_it_by_a_header_on_post_alone(place: Place) -> None:
    address = begin(place.client, 5)
    override = {**BYTES, "upload-offset": "0", "x-http-method-override": "PATCH"}
    assert place.client.post(address, content=b"01234", headers=override).status_code == 204
    assert place.client.get(address, headers={**TUS, "x-http-method-override": "DELETE"}).status_code == 405
    assert offset_of(place.client, address) == 5
    assert place.client.post(address, headers={**TUS, "x-http-method-override": "DELETE"}).status_code == 204
    assert place.left() == []


def test_other_versions_and_types_are_refused(place: Place) -> None:
    address = begin(place.client, 5)
    for spoken in ({}, {"tus-resumable": "0.2.2"}):
        answer = place.client.post("/v1/uploads", headers={**spoken, "upload-length": "5"})
        refused(answer, 412)
        assert answer.headers["tus-version"] == "1.0.0"
        assert place.client.head(address, headers=spoken).status_code == 412
    refused(send(place.client, address, 0, b"01234", **{"content-type": "application/octet-stream"}), 415)
    refused(place.client.post("/v1/uploads", content=b"01", headers={**TUS, "upload-length": "5"}), 415)


@pytest.mark.parametrize("length", [None, "", "-1", "1.5", "ten", "１０", "9" * 30])
def test_a_length_that_is_none_is_refused(place: Place, length: str | None) -> None:
    headers = TUS if length is None else {**TUS, "upload-length": length.encode()}  # type: ignore[dict-item]
    refused(place.client.post("/v1/uploads", headers=headers), 400)
    refused(place.client.post("/v1/uploads", headers={**TUS, "upload-defer-length": "1"}), 400)
    assert place.left() == []


@pytest.mark.parametrize(
    "header",
    [
        "filename *",
        "filename AAA",
        "filename " + base64.b64encode(b"\xff\xfe").decode(),
        "filename YQ==,filename Yg==",
        ",",
        " , YQ==",
        "role " + base64.b64encode(b"root").decode(),
        "sha256 " + base64.b64encode(b"12").decode(),
        ",".join(f"k{n} YQ==" for n in range(17)),
        "filename " + base64.b64encode(b"a" * 5000).decode(),
    ],
)
def test_metadata_that_cannot_be_read_is_refused(place: Place, header: str) -> None:
    refused(place.client.post("/v1/uploads", headers={**TUS, "upload-length": "5", "upload-metadata": header}), 400)
    assert place.left() == []


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("../../../etc/passwd", "passwd"),
        ("C:\\录像\\夜场.flv", "夜场.flv"),
        ("..", "unnamed"),
        (".", "unnamed"),
        ("", "unnamed"),
        ("a/", "unnamed"),
        ("夜场\x00\n.flv", "夜场.flv"),
        ("gpj.\u202eexe.flv", "gpj.exe.flv"),
        ("upload.json", "upload.json"),
        ("--output.flv", "--output.flv"),
    ],
)
def test_a_hostile_name_stays_in_its_room(place: Place, sent: str, stored: str) -> None:
    address = begin(place.client, 5, filename=sent)
    assert send(place.client, address, 0, b"01234").status_code == 204
    folder = place.folder / address.rpartition("/")[2]
    assert [file.name for file in (folder / "bytes").iterdir()] == [stored]
    assert {file.name for file in folder.iterdir()} == {"upload.json", "lock", "bytes"}


def test_a_long_name_is_cut_and_keeps_its_ending() -> None:
    name = safe_name("夜" * 1000 + ".flv")
    assert name.endswith("夜.flv")
    assert NAME_MAX_BYTES - 3 < len(name.encode()) <= NAME_MAX_BYTES
    assert len(safe_name("a." + "夜" * 1000).encode()) <= NAME_MAX_BYTES


@pytest.mark.parametrize("upload_id", ["..", "receipts", "0" * 32, "F" * 32, "%2e%2e%2fsecrets", "a" * 300])
def test_no_id_leads_elsewhere(place: Place, upload_id: str) -> None:
    begin(place.client, 5)
    for method in ("HEAD", "DELETE"):
        assert place.client.request(method, f"/v1/uploads/{upload_id}", headers=TUS).status_code in (404, 405, 412, 422)
    assert len(place.left()) == 1


def test_more_than_was_announced_is_refused(place: Place) -> None:
    address = begin(place.client, 5)
    refused(send(place.client, address, 0, b"012345"), 413)
    refused(send(place.client, address, 0, iter([b"0123", b"456"])), 413)
    assert offset_of(place.client, address) == 0


def test_limits_hold_before_anything_is_written(place: Place, limited: Callable[..., None]) -> None:
    limited(upload_max_bytes=100, upload_open_max=2)
    refused(place.client.post("/v1/uploads", headers={**TUS, "upload-length": "101"}), 413)
    begin(place.client, 100)
    begin(place.client, 100)
    refused(place.client.post("/v1/uploads", headers={**TUS, "upload-length": "1"}), 507)
    assert len(place.left()) == 2


def test_room_is_counted_with_what_other_uploads_still_bring(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.upload_store.shutil.disk_usage", lambda _: SimpleNamespace(free=1000))
    address = begin(place.client, 600)
    refused(place.client.post("/v1/uploads", headers={**TUS, "upload-length": "401"}), 507)
    send(place.client, address, 0, bytes(600))
    begin(place.client, 401)


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_disk_that_fills_up_costs_what_was_not_durable_and_no_more(place: Place, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    address = begin(place.client, 10)
    send(place.client, address, 0, b"01234")

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as failing:
        failing.setattr(f"api.upload_store.os.{call}", full)
        refused(send(place.client, address, 5, b"56789"), 507)
    assert offset_of(place.client, address) == 5
    assert send(place.client, address, 5, b"56789").status_code == 204


def test_a_request_repeated_changes_nothing(place: Place, part: Path) -> None:
    ids = [upload(place.client, part.read_bytes(), filename=part.name) for _ in range(3)]
    first = place.client.post("/v1/recordings", json={"parts": [ids[0]]}, headers={"idempotency-key": "k-1"})
    assert (first.status_code, first.json()["already_held"]) == (201, False)
    head = place.workplace.archive.custody.head()
    again = place.client.post("/v1/recordings", json={"parts": [ids[0]]}, headers={"idempotency-key": "k-1"})
    assert (again.status_code, again.json()["already_held"]) == (200, True)
    assert again.json()["recording"] == first.json()["recording"]
    refused(place.client.post("/v1/recordings", json={"parts": [ids[1]]}, headers={"idempotency-key": "k-1"}), 409)
    # The same bytes in another upload, without a key, twice.
    for _ in range(2):
        same = place.client.post("/v1/recordings", json={"parts": [ids[1]]})
        assert (same.status_code, same.json()["recording"]) == (200, first.json()["recording"])
    refused(place.client.post("/v1/recordings", json={"parts": [ids[2]], "id": first.json()["recording"], "host": "别人"}), 409)
    now = place.workplace.archive.custody.head()
    assert head is not None
    assert now is not None
    assert [entry.action for entry in place.workplace.archive.custody.entries() if entry.seq > head.seq and "admit" in entry.action] == []
    assert [folder.name for folder in place.left()] == [ids[2]]


def test_what_cannot_be_admitted_leaves_catalog_and_uploads_as_they_were(place: Place, part: Path) -> None:
    good, words = upload(place.client, part.read_bytes(), filename=part.name), upload(place.client, b"no media", filename="x.flv")
    shelf = upload(place.client, b"[]", filename="shelf.json", role="products")
    unfinished = begin(place.client, 10).rpartition("/")[2]
    wrong_digest = upload(place.client, b"abc", sha256="0" * 64)
    head = place.workplace.archive.custody.head()
    for body, status in (
        ({}, 422),
        ({"parts": [words]}, 415),
        ({"parts": [good, good]}, 422),
        ({"parts": [good], "chat": [good]}, 422),
        ({"parts": [shelf]}, 422),
        ({"parts": [unfinished]}, 409),
        ({"parts": ["0" * 32]}, 404),
        ({"parts": ["../../secrets"]}, 422),
        ({"parts": [wrong_digest]}, 422),
        ({"parts": [good], "sha256": {good: "0" * 64}}, 422),
        ({"parts": [good], "sha256": {words: "0" * 64}}, 422),
        ({"parts": [good], "id": "../x"}, 422),
        ({"parts": [good], "started_at": "tomorrow"}, 422),
        ({"parts": [good], "colour": "red"}, 422),
    ):
        told = refused(place.client.post("/v1/recordings", json=body), status)
        assert str(place.workplace.archive.home) not in json.dumps(told)
    assert place.workplace.archive.custody.head() == head
    assert place.workplace.archive.catalog.ids() == []
    assert len(place.left()) == 5
    assert place.client.post(
        "/v1/recordings", json={"parts": [good], "sha256": {good: hashlib.sha256(part.read_bytes()).hexdigest()}}
    ).is_success


def test_an_upload_under_way_is_not_admitted(place: Place, part: Path) -> None:
    upload_id = upload(place.client, part.read_bytes(), filename=part.name)
    with uploads_of(place.workplace).held(upload_id):
        refused(place.client.post("/v1/recordings", json={"parts": [upload_id]}), 423)
    assert place.client.post("/v1/recordings", json={"parts": [upload_id]}).status_code == 201


@contextmanager
def serving(home: Path, idle_s: int = 20) -> Iterator[tuple[httpx.Client, subprocess.Popen[str]]]:
    """`liveproof serve` as a process of its own."""
    environment = {
        **os.environ,
        "LIVEPROOF_HOME": str(home),
        "LIVEPROOF_EMBEDDING_MODEL": "none",
        "LIVEPROOF_WHISPER_MODEL": "demo-whisper",
        "LIVEPROOF_FREE_SPACE_MARGIN_BYTES": "0",
        "LIVEPROOF_UPLOAD_IDLE_S": str(idle_s),
    }
    command = [sys.executable, "-u", "-m", "api.cli", "serve", "--port", "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout
            address = next(word for word in server.stdout.readline().split() if word.startswith("http://127.0.0.1:"))
            with httpx.Client(base_url=address, timeout=60, transport=httpx.HTTPTransport(retries=5)) as client:
                until = time.monotonic() + 60
                while True:
                    try:
                        if client.get("/v1/health").json()["ready"]:
                            break
                    except httpx.TransportError:
                        pass
                    assert time.monotonic() < until, "the server was not ready in 60 s"
                    time.sleep(0.1)
                yield client, server
        finally:
            server.send_signal(signal.SIGINT)
            try:
                server.wait(timeout=20)
            except subprocess.TimeoutExpired:
                server.kill()


def test_after_a_kill_the_upload_goes_on_at_the_durable_offset_and_the_part_is_whole(tmp_path: Path, part: Path) -> None:
    content = part.read_bytes()
    third, block = len(content) // 3, bytes(1 << 20)
    with serving(tmp_path / "home") as (client, server):
        large = begin(client, 60 << 20)
        with ThreadPoolExecutor(1) as beside:
            sent = threading.Event()

            def much() -> Iterator[bytes]:
                yield from [block] * 40
                sent.set()
                time.sleep(1)
                raise ConnectionError

            beside.submit(send, client, large, 0, much())
            assert sent.wait(20)
            # While the one request is still under way:
            with httpx.Client(base_url=client.base_url) as other:
                assert 16 << 20 <= offset_of(other, large) < 40 << 20
        address = begin(client, len(content), filename=part.name, role="media")
        assert send(client, address, 0, content[:third]).status_code == 204
        arrived = threading.Event()

        def broken() -> Iterator[bytes]:
            yield content[third : third + 1000]
            arrived.set()
            time.sleep(3)  # The server is killed meanwhile.
            yield content[third + 1000 :]

        with ThreadPoolExecutor(1) as beside:
            under_way = beside.submit(send, client, address, third, broken())
            assert arrived.wait(10)
            with httpx.Client(base_url=client.base_url) as other:
                until = time.monotonic() + 5
                while (refusal := send(other, address, third, b"x")).status_code != 423:
                    assert time.monotonic() < until, refusal.text
            server.kill()
            assert isinstance(under_way.exception(timeout=30), httpx.TransportError)
    with serving(tmp_path / "home") as (client, _):
        durable = offset_of(client, address)
        assert durable == third
        assert send(client, address, durable, content[durable:]).status_code == 204
        words = upload(client, srt(LINES).encode(), filename="words.srt")
        answer = client.post("/v1/recordings", json={"parts": [address.rpartition("/")[2]], "captions": words, "id": "killed"})
        assert answer.status_code == 201, answer.text
        assert answer.json()["part_list"][0]["digest"] == "sha256:" + hashlib.sha256(content).hexdigest()
        assert answer.json()["processing"]["job"] == "process:killed:1"
        until = time.monotonic() + 60
        while not client.get("/v1/recordings/killed").json()["indexed"]:
            assert time.monotonic() < until, "it was not made searchable in 60 s"
            time.sleep(0.2)


@dataclass
class Server:
    client: httpx.Client
    process: subprocess.Popen[str]
    home: Path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that waits for silent clients 2 s."""
    home = tmp_path_factory.mktemp("server") / "home"
    with serving(home, idle_s=2) as (client, process):
        yield Server(client, process, home)


def test_a_client_that_falls_silent_is_let_go_and_what_it_sent_is_kept(server: Server) -> None:
    address = begin(server.client, 100)
    reached = server.client.base_url
    with socket.create_connection((reached.host, reached.port or 80), timeout=20) as silent:
        head = f"PATCH {address} HTTP/1.1\r\nHost: {reached.host}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
        silent.sendall(f"{head}Content-Type: application/offset+octet-stream\r\nContent-Length: 100\r\n\r\n0123456789".encode())
        answer = silent.recv(4096)
    assert b" 408 " in answer.splitlines()[0]
    assert offset_of(server.client, address) == 10
    assert send(server.client, address, 10, bytes(90)).status_code == 204


def test_of_two_clients_that_write_at_once_one_gets_through(server: Server) -> None:
    address, content = begin(server.client, 8 << 20), bytes(8 << 20)

    def slowly() -> Iterator[bytes]:
        for at in range(0, len(content), 1 << 20):
            time.sleep(0.05)
            yield content[at : at + (1 << 20)]

    def write(_: int) -> int:
        with httpx.Client(base_url=server.client.base_url, timeout=30) as client:
            return send(client, address, 0, slowly()).status_code

    with ThreadPoolExecutor(4) as writers:
        said = sorted(writers.map(write, range(4)))
    assert said[0] == 204
    assert set(said[1:]) <= {409, 423}
    assert offset_of(server.client, address) == len(content)


def test_what_arrived_before_a_connection_broke_off_is_kept_and_200_mb_take_no_memory(server: Server) -> None:
    block, blocks = random.Random(4).randbytes(1 << 20), 200
    length = blocks << 20

    def most_held_kib() -> int:
        status = Path(f"/proc/{server.process.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))

    def breaks_off() -> Iterator[bytes]:
        for _ in range(50):
            yield block
        raise ConnectionError

    client = server.client
    address = begin(client, length)
    before = most_held_kib()
    with pytest.raises(ConnectionError):
        send(client, address, 0, breaks_off())
    until = time.monotonic() + 20
    while (durable := offset_of(client, address)) < 49 << 20:
        assert time.monotonic() < until, f"{durable} bytes were kept of 50 MiB"
        time.sleep(0.1)
    at = durable & 0xFFFFF
    rest = [block[at:], *([block] * (blocks - (durable >> 20) - 1))]
    hasher = hashlib.sha256()
    for piece in rest:
        hasher.update(piece)
    checksum = f"sha256 {base64.b64encode(hasher.digest()).decode()}"
    answer = send(client, address, durable, iter(rest), **{"upload-checksum": checksum})
    assert answer.status_code == 204, answer.text
    assert offset_of(client, address) == length
    grown = most_held_kib() - before
    assert grown < 40 << 10, f"{grown} KiB more were held while 200 MiB came in"
    print(f"RSS grew by {grown} KiB")
    kept = next((server.home / FOLDER / address.rpartition("/")[2] / "bytes").iterdir())
    with kept.open("rb") as stream:
        for _ in range(blocks):
            assert stream.read(1 << 20) == block
        assert stream.read(1) == b""
