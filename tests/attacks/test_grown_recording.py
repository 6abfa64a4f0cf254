"""G2, G3, G4 for recordings that grew: what slipped in, was cut or changed is found, and a clip of a later part verifies by itself."""

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from archive.custody import GENESIS, CustodyEntry
from archive.digest import Json, canonical_json
from archive.evidence_package import build_package
from archive.opening import Archive, open_archive
from archive.recording import Gap
from archive.settings import ArchiveSettings
from archive.timeline import ClockMap, WallTime
from archive.transcript import Provenance, Segment
from archive.verification import verify_archive, verify_package
from ingest.admission import IngestRequest, admit
from ingest.extension import ExtendRequest, extend
from tests.archive.held import STARTED, SteppingClock, open_test_archive
from tests.archive.packages import CUSTODY, Files, changed_json, remade, stamped_archive
from tests.conftest import require_or_skip
from tests.simulators.databases import KINDS, database_url

CHAT = '<i><d p="{at},1,25,16777215,0,0,1,0" user="雨后">{text}</d></i>'


def grow(archive: Archive, media: dict[str, Path], folder: Path) -> None:
    """A recording of one part with chat, which grows by a part behind a gap, then by chat, then is closed."""
    folder.mkdir(parents=True, exist_ok=True)
    chats = [folder / f"c{n}.xml" for n in (1, 2)]
    for n, path in enumerate(chats):
        path.write_text(CHAT.format(at=2 + 14 * n, text=f"第{n}句"), "utf-8")
    admit(archive, IngestRequest((media["flv"],), "r1", (chats[0],), started_at=STARTED, live=True), "ann")
    end = archive.catalog.recording("r1").duration_ms
    lost = Gap(end, end + 2000, "connection_lost", 300)
    clock = ClockMap(end + 2000, STARTED.plus_ms(end + 2000), 200, "capture")
    extend(archive, "r1", ExtendRequest((media["other"],), clocks=(clock,), gaps=(lost,)), "capture")
    extend(archive, "r1", ExtendRequest(chat=(chats[1],)), "ann")
    extend(archive, "r1", ExtendRequest(closes=True), "ann")


def say(archive: Archive, at_ms: int) -> None:
    said = [Segment(0, 2, at_ms, at_ms + 2500, "这条手串保真假一赔十", (), (), 0.8), Segment(0, 1, 500, 900, "大家好", (), (), 0.9)]
    provenance = Provenance("faster-whisper", "1", "demo", "sha256:" + "ab" * 32, {"beam_size": 5}, archive.clock())
    archive.transcripts.add("r1", provenance, said, [(500, 900), (at_ms, at_ms + 2500)], [], "ann")


@pytest.fixture(scope="session")
def grown(media: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("grown") / "home"
    archive = open_test_archive(home)
    grow(archive, media, home.parent)
    archive.retention.refresh("r1", "ann")
    assert verify_archive(archive).passed
    archive.close()
    return home


@pytest.fixture
def held(grown: Path, tmp_path: Path) -> Iterator[Archive]:
    shutil.copytree(grown, tmp_path / "copy")
    archive = open_test_archive(tmp_path / "copy")
    yield archive
    archive.close()


def failed(archive: Archive) -> set[str]:
    return {check.name for check in verify_archive(archive).failures}


def run_sql(archive: Archive, *statements: str) -> None:
    with archive.database.writing() as connection:
        for name in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all():
            connection.execute(text(f'DROP TRIGGER "{name}"'))
        connection.execute(text("PRAGMA defer_foreign_keys = ON"))
        for statement in statements:
            connection.execute(text(statement))


@pytest.mark.parametrize("kind", KINDS)
def test_a_grown_recording_verifies_on_both_databases(kind: str, media: dict[str, Path], tmp_path: Path) -> None:
    with database_url(kind, tmp_path) as url:
        archive = open_archive(ArchiveSettings(home=tmp_path / "home", database_url=url, free_space_margin_bytes=0), SteppingClock())
        grow(archive, media, tmp_path)
        archive.retention.refresh("r1", "ann")
        recording = archive.catalog.recording("r1")
        assert [part.number for part in recording.parts] == [1, 2] and not recording.live
        assert [(m.text, m.source_number) for m in archive.catalog.messages("r1")] == [("第0句", 1), ("第1句", 2)]
        assert [entry.action for entry in archive.custody.entries(["r1"])] == ["admit", "extend", "extend", "extend", "retain"]
        report = verify_archive(archive)
        assert report.passed, report.failures
        archive.close()


@pytest.mark.parametrize(
    "statements",
    [
        (
            "INSERT INTO parts SELECT recording_id, 3, digest, size_bytes, '混入.flv', 1000, container, probe, damage FROM parts "
            "WHERE number = 2",
            "INSERT INTO clock_maps SELECT recording_id, 3, 1, 99000, wall_start_ms, uncertainty_ms, method, pieces, basis, made_at_ms "
            "FROM clock_maps WHERE part = 2",
        ),
        ("DELETE FROM clock_maps WHERE part = 2", "DELETE FROM parts WHERE number = 2"),
        ("UPDATE recordings SET duration_ms = duration_ms + 1",),
        ("UPDATE gaps SET end_ms = end_ms - 100",),
        ("DELETE FROM gaps",),
        ("UPDATE clock_maps SET wall_start_ms = wall_start_ms + 1 WHERE part = 2",),
        ("UPDATE clock_maps SET starts_at_ms = starts_at_ms + 1 WHERE part = 2",),
        ("UPDATE messages SET text = '没说过' WHERE number = 2",),
        ("UPDATE sources SET file_name = 'x' WHERE number = 2",),
        ("DELETE FROM sources WHERE number = 2",),
    ],
)
def test_what_was_slipped_in_or_changed_past_the_log_is_found(held: Archive, statements: tuple[str, ...]) -> None:
    run_sql(held, *statements)
    assert {"rows", "claims"} <= failed(held)


def test_the_word_that_it_is_over_taken_back_is_found(held: Archive) -> None:
    run_sql(held, "UPDATE recordings SET live = 1")
    assert failed(held) == {"claims"}


def rewrite(archive: Archive, change: Callable[[list[CustodyEntry]], list[CustodyEntry]]) -> None:
    """The whole chain made anew around a change, as who holds the database can make it."""
    entries, previous = change(list(archive.custody.entries())), GENESIS
    run_sql(archive, "DELETE FROM custody_entries")
    for seq, entry in enumerate(entries, 1):
        draft = replace(entry, seq=seq, previous=previous)
        previous = draft.expected_digest()
        with archive.database.writing() as connection:
            connection.execute(
                text("INSERT INTO custody_entries VALUES (:seq, :at, :actor, :action, :subject, :detail, :previous, :digest)"),
                {
                    "seq": seq,
                    "at": draft.at.epoch_ms,
                    "actor": draft.actor,
                    "action": draft.action,
                    "subject": draft.subject,
                    "detail": draft.detail,
                    "previous": draft.previous,
                    "digest": previous,
                },
            )


def test_an_extensions_entry_cut_out_of_a_chain_made_anew_is_found(held: Archive) -> None:
    rewrite(held, lambda entries: [entry for entry in entries if entry.seq != 2])
    found = failed(held)
    assert "custody" not in found, "the chain itself holds"
    assert {"rows", "timestamps"} <= found


def test_an_extensions_entry_that_names_another_part_is_found(held: Archive) -> None:
    def exchange(entries: list[CustodyEntry]) -> list[CustodyEntry]:
        detail: dict[str, Json] = json.loads(entries[1].detail)
        parts: Any = detail["parts"]
        parts[0]["digest"] = "sha256:" + "00" * 32
        return [entries[0], replace(entries[1], detail=canonical_json(detail).decode()), *entries[2:]]

    rewrite(held, exchange)
    assert {"rows", "timestamps"} <= failed(held)


def test_a_time_stamp_owed_for_an_extension_and_taken_away_is_found(held: Archive) -> None:
    run_sql(held, "DELETE FROM timestamps WHERE id = (SELECT max(id) FROM timestamps WHERE kind = 'admission')")
    assert failed(held) == {"timestamps"}


def test_one_byte_of_a_later_part_is_found(held: Archive) -> None:
    digest = held.catalog.recording("r1").parts[1].digest
    path = held.store.path(digest)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)
    assert {check.file for check in verify_archive(held).failures} == {digest}


@pytest.fixture(scope="session")
def package(media: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A package about a moment in the part that came later."""
    require_or_skip(shutil.which("openssl"), "openssl is not installed")
    folder = tmp_path_factory.mktemp("grown-package")
    with stamped_archive(folder) as archive:
        grow(archive, media, folder)
        second = archive.catalog.recording("r1").parts[1]
        say(archive, second.start_ms + 3000)
        archive.checkpoints.make("ann")
        archive.stamps.tick()
        case = archive.cases.open("case-1", "假一赔十未兑现", "不是小叶紫檀", "ann", order={"order_id": "1"})
        archive.cases.add_moment(case.id, "r1", second.start_ms + 3000, second.start_ms + 5500, "这条手串保真假一赔十", "承诺", "ann")
        build_package(archive, case.id, "ann", folder / "case.zip")
    return (folder / "case.zip").read_bytes()


def test_a_package_about_a_part_that_came_later_verifies_by_itself(package: bytes, tmp_path: Path) -> None:
    (tmp_path / "case.zip").write_bytes(package)
    checks = verify_package(tmp_path / "case.zip").checks
    assert all(check.passed for check in checks if check.name not in ("timestamps", "attachments")), checks
    assert sum(check.name == "timestamp" for check in checks) >= 4, "the admission, three extensions and a checkpoint"
    with zipfile.ZipFile(tmp_path / "case.zip") as opened:
        opened.extractall(tmp_path / "out")
        (base,) = {name.split("/")[0] for name in opened.namelist()}
    script = tmp_path / "out" / base / "verify.py"
    alone = subprocess.run([sys.executable, "-I", str(script)], capture_output=True, text=True, timeout=60, check=False)
    assert alone.returncode == 0, alone.stdout + alone.stderr
    assert "extension of r1" in alone.stdout


def _extension(document: Any) -> Any:
    return next(item for item in document["entries"] if item["entry"]["action"] == "extend")


CHANGES: dict[str, tuple[str, Callable[[Any], None], str]] = {
    "the extension left out": (CUSTODY, lambda d: d["entries"].remove(_extension(d)), "seal"),
    "its detail hidden": (CUSTODY, lambda d: _extension(d)["entry"].update(detail=None), "proof_clip"),
    "another actor": (CUSTODY, lambda d: _extension(d)["entry"].update(actor="nobody"), "custody"),
    "another time": (CUSTODY, lambda d: _extension(d)["entry"].update(at="2026-01-01T00:00:00.000Z"), "custody"),
    "another action": (CUSTODY, lambda d: _extension(d)["entry"].update(action="admit"), "custody"),
    "the later part left out": ("data/05-coverage/coverage.json", lambda d: d["recordings"][0]["parts"].pop(), "admission"),
    "an earlier state claimed": ("data/05-coverage/coverage.json", lambda d: d["recordings"][0].update(as_of_entry=1), "admission"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_package_of_a_grown_recording_changed_and_remade_is_found(package: bytes, name: str, tmp_path: Path) -> None:
    file, change, check = CHANGES[name]

    def apply(files: Files) -> None:
        changed_json(files, file, change)

    (tmp_path / "remade.zip").write_bytes(remade(package, apply, tmp_path))
    assert check in {each.name for each in verify_package(tmp_path / "remade.zip").failures}


def test_a_recording_that_grows_while_its_package_is_made_gives_a_package_that_holds(media: dict[str, Path], tmp_path: Path) -> None:
    archive = open_test_archive(tmp_path / "home")
    admit(archive, IngestRequest((media["flv"],), "r1", started_at=STARTED, live=True), "ann")
    case = archive.cases.open("case-1", "t", "c", "ann", order={})
    archive.cases.add_moment(case.id, "r1", 1000, 2000, "", "承诺", "ann")

    def grow_meanwhile(done: int, total: int, what: str) -> None:
        if what == "report":
            extend(archive, "r1", ExtendRequest((media["other"],)), "capture")

    build_package(archive, case.id, "ann", tmp_path / "case.zip", grow_meanwhile)
    report = verify_package(tmp_path / "case.zip")
    assert report.passed, report.failures
    assert next("1 part came later" in check.detail for check in report.checks if check.name == "admission")
    archive.close()


def test_nothing_of_a_live_recording_is_purged_and_its_retention_moves_with_its_end(media: dict[str, Path], tmp_path: Path) -> None:
    clock = SteppingClock(STARTED.plus_ms(3_600_000))
    archive = open_archive(ArchiveSettings(home=tmp_path / "home", free_space_margin_bytes=0), clock)
    admit(archive, IngestRequest((media["flv"],), "r1", started_at=STARTED, live=True), "ann")
    first = archive.retention.refresh("r1", "ann")
    extend(archive, "r1", ExtendRequest((media["other"],)), "capture")
    for part in archive.catalog.recording("r1").parts:
        until = archive.store.retention(part.digest).until
        assert until is not None and until >= first, "a new object is locked before anything else can fail"
    later = archive.retention.refresh("r1", "ann")
    assert later > first
    far = later.plus_ms(1)
    (kept,) = archive.retention.plan_purge(far).kept
    assert (kept.why, kept.subject) == ("live", "r1")
    extend(archive, "r1", ExtendRequest(closes=True), "ann")
    plan = archive.retention.plan_purge(WallTime(far.epoch_ms))
    assert [item.subject for item in plan.items] == ["r1"]
    archive.close()
