"""The gate as a whole: what comes in is held with its clock, chat and shelf; a bad request changes nothing; the same again is the same."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from archive.digest import digest_file
from archive.errors import AlreadyHeld, LiveProofError
from archive.opening import Archive
from archive.recording import EventKind, Gap
from archive.timeline import WallTime
from ingest.admission import Admitted, IngestRequest, admit
from ingest.errors import InvalidContent, InvalidRequest, UnknownFormat, UnreadableFile
from tests.archive.held import open_test_archive

Flv = Callable[..., Path]
START = WallTime.parse("2026-11-18T20:00:00+08:00")
SRT = "1\n00:00:01,000 --> 00:00:02,500\n这条围巾百分之百山羊绒\n\n2\n00:00:03,000 --> 00:00:04,000\n假一赔十\n"
PART_1, PART_2 = "录制-7734200-20261118-200000-000-暖岚专场", "录制-7734200-20261118-200044-000-暖岚专场"


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def chat_xml(start: str, *entries: tuple[float, str]) -> str:
    lines = "".join(f'<d p="{at},1,25,16777215,0,0,1,0" user="雨后">{text}</d>' for at, text in entries)
    return (
        f'<i><BililiveRecorderRecordInfo roomid="7734200" name="暖岚优选" title="专场" start_time="2026-11-18T{start}+08:00" />{lines}</i>'
    )


@pytest.fixture
def session(flv: Flv, tmp_path: Path) -> IngestRequest:
    """Two parts 40 s apart by their names, a chat each, a shelf and events."""
    return IngestRequest(
        media=(flv(f"{PART_1}.flv", 0), flv(f"{PART_2}.flv", 1)),
        chat=(
            written(tmp_path / f"{PART_1}.xml", chat_xml("20:00:00.000", (1.5, "包邮吗"))),
            written(tmp_path / f"{PART_2}.xml", chat_xml("20:00:44.000", (0.5, "回来了"))),
        ),
        products=written(tmp_path / "products.json", '[{"product_id": "p1", "title": "围巾", "shelf_no": 1, "price_minor": 29900}]'),
        events=written(
            tmp_path / "events.json",
            '[{"event": "explain_start", "product_id": "p1", "at": "2026-11-18T20:00:45+08:00", "time_base": "wall"}]',
        ),
    )


def test_a_session_in_two_parts_is_held_with_its_gap_chat_and_shelf(archive: Archive, session: IngestRequest) -> None:
    admitted = admit(archive, session, "小王")
    held = archive.catalog.recording(admitted.recording.id)
    assert held == admitted.recording and not admitted.already_held and admitted.captions is None
    assert (held.platform, held.room, held.host, held.title, held.started_at) == ("bilibili", "7734200", "暖岚优选", "专场", START)
    first, second = held.parts
    assert (first.start_ms, second.start_ms) == (0, 44_000)
    assert held.gaps == (Gap(first.duration_ms, 44_000, "between_parts"),)
    assert held.duration_ms == 44_000 + second.duration_ms
    assert second.clock.wall_start == START.plus_ms(44_000)
    assert [(m.at_ms, m.text) for m in archive.catalog.messages(held.id)] == [(1500, "包邮吗"), (44_500, "回来了")]
    assert [(e.event, e.at_ms) for e in archive.catalog.events(held.id)] == [(EventKind.EXPLAIN_START, 45_000)]
    assert archive.catalog.products(held.id)[0].shelf_no == "1"


def test_every_file_is_kept_as_it_came_and_logged_once(archive: Archive, session: IngestRequest) -> None:
    held = admit(archive, session, "小王").recording
    assert session.products and session.events
    brought = [digest_file(path) for path in (*session.media, *session.chat, session.products, session.events)]
    assert set(archive.store.digests()) == set(brought)
    assert [part.digest for part in held.parts] == brought[:2]
    assert [(s.role, s.digest) for s in archive.catalog.sources(held.id)] == list(
        zip(("chat", "chat", "products", "product_events"), brought[2:], strict=True)
    )
    (entry,) = archive.custody.entries()
    assert (entry.actor, entry.action, entry.subject) == ("小王", "admit", held.id)
    assert all(digest in entry.detail for digest in brought)


def test_the_request_speaks_before_the_chats_head(archive: Archive, session: IngestRequest) -> None:
    asked = IngestRequest(
        session.media, "双十一-1", session.chat, platform="抖音", host="小美", title="别的", started_at=START.plus_ms(5000)
    )
    held = admit(archive, asked, "小王").recording
    assert (held.id, held.platform, held.host, held.title, held.room) == ("双十一-1", "抖音", "小美", "别的", "7734200")
    assert held.started_at == START.plus_ms(5000)
    assert held.parts[1].clock.wall_start == START.plus_ms(49_000)


def test_captions_alone_are_a_recording_without_media(archive: Archive, tmp_path: Path) -> None:
    captions = written(tmp_path / "字幕.srt", SRT.encode("gbk"))
    chat = written(tmp_path / "chat.jsonl", '{"at_ms": 1200, "user": "雨后", "text": "听得到"}\n')
    admitted = admit(archive, IngestRequest((), "s01", (chat,), captions, started_at=START), "小王")
    held = admitted.recording
    assert (held.has_media, held.duration_ms, held.started_at) == (False, 4000, START)
    assert held.wall_at(3000) == (START.plus_ms(3000), 1000)
    assert admitted.captions is not None
    assert [(s.start_ms, s.text, s.part) for s in admitted.captions] == [(1000, "这条围巾百分之百山羊绒", None), (3000, "假一赔十", None)]
    transcript = archive.transcripts.latest("s01")
    assert transcript is not None
    assert (transcript.provenance.engine, transcript.provenance.model, transcript.version) == ("imported", "srt", 1)
    assert transcript.provenance.model_digest == digest_file(captions)
    assert transcript.segments == admitted.captions
    assert transcript.speech == ((1000, 2500), (3000, 4000))
    assert [m.at_ms for m in archive.catalog.messages("s01")] == [1200]


def test_captions_with_media_know_their_part(archive: Archive, flv: Flv, tmp_path: Path) -> None:
    admitted = admit(archive, IngestRequest((flv(),), captions=written(tmp_path / "c.srt", SRT)), "小王")
    assert admitted.captions is not None
    assert [segment.part for segment in admitted.captions] == [1, 1]


def test_the_same_again_changes_nothing(archive: Archive, session: IngestRequest, tmp_path: Path) -> None:
    asked = IngestRequest(session.media, None, session.chat, written(tmp_path / "c.srt", SRT), session.products, session.events)
    first = admit(archive, asked, "小王")
    log = list(archive.custody.entries())
    again = admit(archive, asked, "小李")
    assert again == Admitted(first.recording, first.captions, True)
    assert list(archive.custody.entries()) == log
    latest = archive.transcripts.latest(first.recording.id)
    assert latest is not None and latest.version == 1


def test_ids_without_a_name_come_from_the_content(archive: Archive, flv: Flv, tmp_path: Path) -> None:
    one = admit(archive, IngestRequest((flv("a.flv"),)), "小王").recording.id
    other = admit(archive, IngestRequest((flv("b.flv", 1),)), "小王").recording.id
    with_captions = admit(archive, IngestRequest((flv("c.flv"),), captions=written(tmp_path / "c.srt", SRT)), "小王").recording.id
    assert len({one, other, with_captions}) == 3
    elsewhere = open_test_archive(tmp_path / "elsewhere")
    assert admit(elsewhere, IngestRequest((flv("renamed.flv"),)), "小王").recording.id == one
    elsewhere.close()


def test_an_id_that_stands_for_something_else_is_refused_and_keeps_nothing(archive: Archive, flv: Flv, tmp_path: Path) -> None:
    admit(archive, IngestRequest((flv("a.flv"),), "live-1", title="甲"), "小王")
    kept, log = set(archive.store.digests()), list(archive.custody.entries())
    chat = written(tmp_path / "chat.jsonl", '{"at_ms": 1, "user": "a", "text": "b"}\n')
    for request, what in (
        (IngestRequest((flv("b.flv", 1),), "live-1"), "media"),
        (IngestRequest((flv("a.flv"),), "live-1", (chat,)), "chat"),
        (IngestRequest((flv("a.flv"),), "live-1", title="乙"), "title"),
        (IngestRequest((flv("a.flv"),), "live-1", started_at=START), "started at"),
    ):
        with pytest.raises(AlreadyHeld, match=f"live-1 is already held with other {what}"):
            admit(archive, request, "小王")
    assert (set(archive.store.digests()), list(archive.custody.entries())) == (kept, log)


@pytest.mark.parametrize(
    "recording_id",
    [
        "../x",
        "a/b",
        "",
        ".",
        "..",
        ".hidden",
        "-rf",
        "a b",
        "a\n",
        "x" * 101,
        "C:\\x",
        "%2e%2e",
        "a\x00",
        "é",
        "rec;drop",
        "🌸",
        "~root",
        "a'b",
    ],
)
@pytest.mark.usefixtures("unchanged")
def test_ids_that_could_play_tricks_are_refused(archive: Archive, flv: Flv, recording_id: str) -> None:
    with pytest.raises(InvalidRequest, match="can't be an id"):
        admit(archive, IngestRequest((flv(),), recording_id), "小王")


@pytest.mark.parametrize("recording_id", ["a", "2026-11-18_暖岚.专场", "专场", "x" * 100])
def test_plain_ids_are_taken(archive: Archive, tmp_path: Path, recording_id: str) -> None:
    captions = written(tmp_path / "c.srt", SRT)
    assert admit(archive, IngestRequest((), recording_id, captions=captions), "小王").recording.id == recording_id


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    "name, content, error, says",
    [
        ("products", '[{"product_id": "p1", "title": "围巾", "price_minor": "两百九"}]', InvalidContent, "row 1, field price_minor"),
        ("products", None, UnreadableFile, "no products file"),
        ("events", '[{"event": "boom", "product_id": "p1", "at_ms": 1}]', InvalidContent, "row 1, field event"),
        ("captions", "没有时间", UnknownFormat, "no caption file"),
        ("captions", "", UnreadableFile, "is empty"),
        ("chat", "plain words", UnknownFormat, "no chat file"),
        ("chat", '{"at_ms": 1, "text": "a"}\n{"at_ms": "x", "text": "a"}\n', InvalidContent, "line 2, field at_ms"),
    ],
)
def test_one_bad_file_keeps_the_whole_session_out(
    archive: Archive, flv: Flv, tmp_path: Path, name: str, content: str | None, error: type[LiveProofError], says: str
) -> None:
    bad = tmp_path / f"bad-{name}"
    if content is not None:
        written(bad, content)
    brought: dict[str, object] = {name: (bad,) if name == "chat" else bad}
    with pytest.raises(error, match=says) as refused:
        admit(archive, IngestRequest((flv(),), **brought), "小王")  # type: ignore[arg-type]
    assert f"bad-{name}" in str(refused.value)


@pytest.mark.usefixtures("unchanged")
def test_requests_that_make_no_sense_are_refused(archive: Archive, flv: Flv, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="nothing to ingest"):
        admit(archive, IngestRequest(), "小王")
    with pytest.raises(InvalidRequest, match="the title must be one line"):
        admit(archive, IngestRequest((flv(),), title="两\n行"), "小王")
    with pytest.raises(InvalidRequest, match="starts no later than"):
        admit(archive, IngestRequest((flv(f"{PART_2}.flv"), flv(f"{PART_1}.flv", 1))), "小王")


def test_a_file_name_that_is_no_utf8_is_held_readably(archive: Archive, flv: Flv, tmp_path: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xb2\xe2.flv"))
    flv().rename(odd)
    (part,) = admit(archive, IngestRequest((odd,)), "小王").recording.parts
    part.file_name.encode()
    assert part.file_name.endswith(".flv")


def test_progress_reaches_the_whole_and_never_goes_back(archive: Archive, session: IngestRequest) -> None:
    told: dict[str, list[tuple[int, int]]] = {}
    admit(archive, session, "小王", lambda step, done, total: told.setdefault(step, []).append((done, total)))
    assert set(told) == {"probe", "store"}
    for steps in told.values():
        assert [done for done, _ in steps] == sorted(done for done, _ in steps)
        assert steps[-1][0] == steps[-1][1] > 0


def test_two_that_bring_the_same_at_once_get_one_recording(session: IngestRequest, tmp_path: Path) -> None:
    archives = [open_test_archive(tmp_path / "shared-home") for _ in range(2)]
    found: list[Admitted] = []
    workers = [threading.Thread(target=lambda opened=opened: found.append(admit(opened, session, "小王"))) for opened in archives]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)
    assert len(found) == 2
    assert found[0].recording == found[1].recording
    assert sorted(admitted.already_held for admitted in found) == [False, True]
    assert len(archives[0].catalog.recordings()) == 1 and archives[0].custody.verify() == 1
    for opened in archives:
        opened.close()


def test_an_ingest_that_died_between_catalog_and_captions_is_finished_by_the_next(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = IngestRequest((), "s01", captions=written(tmp_path / "c.srt", SRT))

    def power_cut(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(type(archive.transcripts), "add", power_cut)
        with pytest.raises(KeyboardInterrupt):
            admit(archive, asked, "小王")
    assert archive.catalog.has("s01") and archive.transcripts.latest("s01") is None
    finished = admit(archive, asked, "小王")
    transcript = archive.transcripts.latest("s01")
    assert finished.already_held and transcript is not None and transcript.segments == finished.captions


KILLED = """
import json, os, signal, sys
from pathlib import Path
from ingest.admission import IngestRequest, admit
from tests.archive.held import open_test_archive
home, step, media = sys.argv[1], sys.argv[2], tuple(map(Path, sys.argv[3:]))
def die(now, done, total):
    if now == step and done:
        os.kill(os.getpid(), signal.SIGKILL)
admitted = admit(open_test_archive(Path(home)), IngestRequest(media), "小王", die)
print(json.dumps({"id": admitted.recording.id, "already": admitted.already_held}))
"""


@pytest.mark.parametrize("step", ["probe", "store"])
def test_an_ingest_that_was_killed_ends_well_when_run_again(session: IngestRequest, tmp_path: Path, step: str) -> None:
    def run(at_step: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", KILLED, str(tmp_path / "home"), at_step, *map(str, session.media)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[2])

    assert run(step).returncode == -signal.SIGKILL
    looked = open_test_archive(tmp_path / "home")
    assert looked.catalog.recordings() == [] and looked.custody.head() is None
    ended = run("never")
    assert ended.returncode == 0, ended.stderr
    (held,) = looked.catalog.recordings()
    assert json.loads(ended.stdout.splitlines()[-1]) == {"id": held.id, "already": False}
    assert all(looked.store.has(part.digest) for part in held.parts)
    looked.close()
