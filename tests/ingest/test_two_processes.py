"""Processes that bring the same files at once, and the same files again: one recording, nothing doubled, nothing touched."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import func, select

from archive import schema
from archive.opening import Archive, open_archive
from archive.settings import ArchiveSettings
from archive.verification import verify_archive
from ingest.admission import IngestRequest, admit
from tests.archive.generated_media import make_media
from tests.archive.held import SteppingClock
from tests.simulators.databases import KINDS, database_url

HERE = Path(__file__).parents[2]
BRING = """
import json, sys, time
from pathlib import Path
from archive.opening import open_archive
from archive.settings import ArchiveSettings
from ingest.admission import IngestRequest, admit
home, url, go, media, chat = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), json.loads(sys.argv[4]), json.loads(sys.argv[5])
archive = open_archive(ArchiveSettings(home=home, database_url=url, free_space_margin_bytes=0))
print("ready", flush=True)
until = time.monotonic() + 60
while not go.exists() and time.monotonic() < until:
    time.sleep(0.001)
done = admit(archive, IngestRequest(tuple(map(Path, media)), chat=tuple(map(Path, chat))), "process")
print(json.dumps([done.recording.id, done.already_held]))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three parts of a session by their names' times, and chat."""
    made = tmp_path_factory.mktemp("session")
    for number in range(3):
        make_media(made / f"录制-7734200-20261118-20000{number * 3}-000-夜场.flv", 2, seed=number)
    lines = [{"at_ms": 500 * n, "user": "青柠", "text": f"第{n}句"} for n in range(20)]
    (made / "chat.jsonl").write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
    return made


@pytest.fixture(params=KINDS)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ArchiveSettings]:
    with database_url(request.param, tmp_path) as url:
        yield ArchiveSettings(home=tmp_path / "home", database_url=url, free_space_margin_bytes=0)


def parts(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.flv"))


def at_once(settings: ArchiveSettings, go: Path, requests: Sequence[tuple[Sequence[Path], Sequence[Path]]]) -> list[tuple[str, bool]]:
    """Every request by a process of its own, all let go in the same moment: (recording, already held) of each."""
    open_archive(settings).close()
    fixed = [sys.executable, "-c", BRING, str(settings.home), str(settings.database_url), str(go)]
    running = [
        subprocess.Popen(
            [*fixed, json.dumps([*map(str, media)]), json.dumps([*map(str, chat)])], stdout=subprocess.PIPE, text=True, cwd=HERE
        )
        for media, chat in requests
    ]
    for process in running:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    go.touch()
    told = [process.communicate(timeout=120)[0] for process in running]
    assert [process.returncode for process in running] == [0] * len(running)
    return [tuple(json.loads(lines.strip().splitlines()[-1])) for lines in told]


def counted(archive: Archive) -> dict[str, int]:
    with archive.database.reading() as connection:
        return {t.name: connection.execute(select(func.count()).select_from(t)).scalar_one() for t in schema.metadata.sorted_tables}


def files_under(home: Path) -> dict[str, tuple[int, int, int]]:
    """Every stored object and derived proof with inode, size and time of writing."""
    found = [path for name in ("objects", "derived") for path in (home / name).rglob("*") if path.is_file() and "locks" not in path.parts]
    return {str(path.relative_to(home)): (path.stat().st_ino, path.stat().st_size, path.stat().st_mtime_ns) for path in found}


def test_four_processes_that_bring_the_same_session_leave_one_recording(folder: Path, settings: ArchiveSettings, tmp_path: Path) -> None:
    told = at_once(settings, tmp_path / "go", [(parts(folder), [folder / "chat.jsonl"])] * 4)
    assert len({recording for recording, _ in told}) == 1
    assert sorted(held for _, held in told) == [False, True, True, True]
    archive = open_archive(settings, SteppingClock())
    rows = counted(archive)
    assert (rows["recordings"], rows["parts"], rows["messages"], rows["sources"]) == (1, 3, 20, 1)
    assert [entry.action for entry in archive.custody.entries()].count("admit") == 1
    assert len(list(archive.store.digests())) == 4
    assert verify_archive(archive).passed
    archive.close()


def test_processes_that_bring_overlapping_parts_share_their_bytes_and_nothing_else(
    folder: Path, settings: ArchiveSettings, tmp_path: Path
) -> None:
    first, second, third = parts(folder)
    told = at_once(settings, tmp_path / "go", [([first, second], []), ([second, third], []), ([first, second], [])])
    assert told[0][0] == told[2][0] != told[1][0]
    assert sorted((told[0][1], told[2][1])) == [False, True] and told[1][1] is False
    archive = open_archive(settings, SteppingClock())
    assert counted(archive)["recordings"] == 2 and counted(archive)["parts"] == 4
    assert len(list(archive.store.digests())) == 3
    assert verify_archive(archive).passed
    archive.close()


def test_bringing_a_session_again_changes_nothing(folder: Path, settings: ArchiveSettings) -> None:
    archive = open_archive(settings, SteppingClock())
    request = IngestRequest(tuple(parts(folder)), chat=(folder / "chat.jsonl",))
    first = admit(archive, request, "tester")
    before = counted(archive), archive.custody.head(), files_under(settings.home)
    for _ in range(2):
        again = admit(archive, request, "somebody else")
        assert (again.already_held, again.recording) == (True, first.recording)
    assert (counted(archive), archive.custody.head(), files_under(settings.home)) == before
    archive.close()


def test_a_watcher_and_an_ingest_of_the_same_folder_leave_one_recording(folder: Path, tmp_path: Path) -> None:
    """The real commands, started together; whoever comes second finds it held."""
    home = tmp_path / "home"
    environment = {
        **os.environ,
        "LIVEPROOF_HOME": str(home),
        "LIVEPROOF_EMBEDDING_MODEL": "none",
        "HF_HUB_OFFLINE": "1",
        "LIVEPROOF_WATCH_QUIET_S": "0",
        "LIVEPROOF_MEDIA_CHECK": "none",
    }
    watched = tmp_path / "rooms"
    watched.mkdir()
    for part in parts(folder):
        (watched / part.name).write_bytes(part.read_bytes())
    command = [sys.executable, "-m", "api.cli"]
    commands = (
        ["watch", str(watched), "--once", "--no-process", "--json"],
        ["ingest", *map(str, parts(watched)), "--no-process", "--json"],
    )
    running = [
        subprocess.Popen([*command, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for arguments in commands
    ]
    told = [process.communicate(timeout=150) for process in running]
    assert [process.returncode for process in running] == [0, 0], told
    archive = open_archive(ArchiveSettings(home=home, free_space_margin_bytes=0))
    assert len(archive.catalog.recordings()) == 1
    assert [entry.action for entry in archive.custody.entries()].count("admit") == 1
    assert verify_archive(archive).passed
    archive.close()
