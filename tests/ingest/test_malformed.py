"""Every malformed case through the gate: an error that names the file and leaves nothing, or an admission that says what is wrong."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from archive import schema
from archive.errors import LiveProofError
from archive.opening import Archive
from archive.verification import verify_archive
from ingest.admission import IngestRequest, admit
from ingest.input_file import storable
from tests.archive.held import open_test_archive
from tests.ingest.malformed import CASES, Case, Whole
from tests.ingest.malformed.case import make_whole

SECONDS_MAX = 20
DOCUMENT = Path(__file__).parents[2] / "docs" / "formats.md"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    return make_whole(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """One archive for all cases; at the end everything in it must verify."""
    opened = open_test_archive(tmp_path_factory.mktemp("gate") / "home")
    yield opened
    assert verify_archive(opened).passed
    opened.close()


def state(archive: Archive) -> dict[str, object]:
    """Row counts of every table, the log's head and the objects: what a refusal must leave as it was."""
    with archive.database.reading() as connection:
        tables = schema.metadata.sorted_tables
        rows = {table.name: connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables}
    return {**rows, "head": archive.custody.head(), "objects": sorted(archive.store.digests())}


def brought(archive: Archive, request: IngestRequest) -> str | None:
    """Bring it to the gate. None if it was admitted whole, else the error's text; nothing partial is left either way."""
    before = state(archive)
    try:
        admitted = admit(archive, request, "tester")
    except LiveProofError as error:
        assert state(archive) == before, "a refusal left something behind"
        return str(error)
    recording = admitted.recording
    assert recording.duration_ms > 0 and len(recording.parts) == len(request.media)
    assert archive.catalog.recording(recording.id) == recording
    assert archive.catalog.counts(recording.id)[0] == len(archive.catalog.messages(recording.id))
    return None


def names_a_file(said: str, request: IngestRequest) -> bool:
    files = [*request.media, *request.chat, *(path for path in (request.captions, request.products, request.events) if path)]
    # A name that can't be printed is shown escaped.
    shown = [*(storable(os.fsencode(path.name).decode("utf-8", "replace")) for path in files), *(repr(path)[-60:-2] for path in files)]
    return any(name in said for name in shown)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}: {case.name}")
def test_it_is_refused_by_name_or_admitted_and_described(case: Case, gate: Archive, whole: Whole, tmp_path: Path) -> None:
    request = case.make(tmp_path, whole)
    began = time.process_time()
    said = brought(gate, request)
    assert time.process_time() - began < SECONDS_MAX
    assert case.outcome == "either" or (said is None) == (case.outcome == "admitted"), said
    assert said is None or names_a_file(said, request), said


def test_the_document_counts_the_cases_by_kind() -> None:
    counts: dict[str, int] = {}
    for case in CASES:
        counts[case.kind] = counts.get(case.kind, 0) + 1
    rows = [f"| {kind} | {count} |" for kind, count in counts.items()]
    document = DOCUMENT.read_text("utf-8")
    missing = [row for row in (*rows, f"| together | {len(CASES)} |") if row not in document]
    assert missing == [] and len(CASES) >= 150


BIG = """
import re, sys, threading, time
from pathlib import Path
from archive.errors import LiveProofError
from ingest.admission import IngestRequest, admit
from ingest.settings import IngestSettings
from tests.archive.held import open_test_archive

def own_kib():
    return int(re.search("RssAnon:\\\\s+(\\\\d+)", Path("/proc/self/status").read_text())[1])

def watch():
    while True:
        seen.append(own_kib())
        time.sleep(0.02)

archive = open_test_archive(Path(sys.argv[1]))
seen = [own_kib()]
threading.Thread(target=watch, daemon=True).start()
request = IngestRequest(captions=Path(sys.argv[2]), chat=(Path(sys.argv[3]),))
try:
    admit(archive, request, "tester", settings=IngestSettings(chat_max_bytes=1 << 33))
    said = "admitted"
except LiveProofError as error:
    said = f"{type(error).__name__}: {error}"
print(said.replace(chr(10), " "))
print((max(seen) - seen[0]) >> 10, len(archive.catalog.recordings()), round(time.process_time()))
"""


@pytest.mark.parametrize("opening", [b'<i><d p="1.0,1,25,1,0,0,1,0">', b'[{"message": "', b"<i>"], ids=["a text", "a JSON text", "no tag"])
def test_two_gigabytes_in_one_line_take_bounded_time_and_memory(tmp_path: Path, opening: bytes) -> None:
    """The file is sparse: its zeros take no room on the disk, and are read all the same. Pages of the file itself are not counted."""
    chat, captions = tmp_path / "one-line.xml", tmp_path / "words.srt"
    captions.write_text("1\n00:00:01,000 --> 00:00:02,000\n好\n", "utf-8")
    with chat.open("wb") as target:
        target.write(opening)
        target.truncate(2 << 30)
        target.seek(0, os.SEEK_END)
        target.write(b"</d></i>")
    command = [sys.executable, "-c", BIG.replace("\\\\", "\\"), str(tmp_path / "home"), str(captions), str(chat)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=Path(__file__).parents[2])
    assert ran.returncode == 0, ran.stderr
    said, figures = ran.stdout.strip().splitlines()[-2:]
    grown_mib, held, seconds = map(int, figures.split())
    assert (held == 1) == (said == "admitted") and ("one-line.xml" in said or said == "admitted")
    assert grown_mib < 150 and seconds < 60


def test_a_file_that_changes_while_it_is_read_is_refused(gate: Archive, whole: Whole, tmp_path: Path) -> None:
    def grow(path: Path) -> None:
        with path.open("ab") as stream:
            stream.write(b"more")

    def replaced(path: Path) -> None:
        path.rename(path.with_suffix(".old"))
        path.write_bytes(path.with_suffix(".old").read_bytes())

    def cut(path: Path) -> None:
        os.truncate(path, path.stat().st_size // 2)

    def rewritten(path: Path) -> None:
        times = path.stat()
        path.write_bytes(path.read_bytes()[::-1])
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    for number, change in enumerate((grow, replaced, cut, rewritten, Path.unlink)):
        (tmp_path / str(number)).mkdir()
        good, bad = tmp_path / str(number) / "a.flv", tmp_path / str(number) / "b.flv"
        good.write_bytes(whole["flv"].read_bytes() + b"changing %d" % number)
        bad.write_bytes(whole["flv"].read_bytes() + b"changed %d" % number)
        before = state(gate)
        done: list[int] = []

        def once(step: str, at: int, total: int, bad: Path = bad, change: object = change, done: list[int] = done) -> None:
            if not done:
                done.append(1)
                change(bad)  # type: ignore[operator]

        with pytest.raises(LiveProofError) as raised:
            admit(gate, IngestRequest((good, bad)), "tester", once)
        assert "b.flv" in str(raised.value) and state(gate) == before


def test_the_command_says_one_line_and_leaves_nothing(whole: Whole, tmp_path: Path) -> None:
    """A sample through the real process, with names that must not reach a terminal or a program as they are."""
    wanted = ("a link to /dev/zero", "NUL in the name", "zeros alone", "a playlist that reads /etc/passwd", "a ZIP bomb")
    chosen = [case for case in CASES if any(case.name.endswith(name) for name in wanted) and case.outcome == "refused"][:5]
    home = tmp_path / "home"
    environment = {**os.environ, "LIVEPROOF_HOME": str(home), "LIVEPROOF_EMBEDDING_MODEL": "none", "HF_HUB_OFFLINE": "1"}
    for number, case in enumerate(chosen):
        folder = tmp_path / str(number)
        folder.mkdir()
        request = case.make(folder, whole)
        if any("\x00" in str(path) for path in request.media):
            continue  # no process can be given such a name
        options = [
            option for name in ("captions", "products", "events") if (path := getattr(request, name)) for option in (f"--{name}", str(path))
        ]
        command = [sys.executable, "-m", "api.cli", "ingest", "--no-process", "--json", *options, "--", *map(str, request.media)]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        assert ran.returncode in (30, 31, 32, 33, 34) and "Traceback" not in ran.stderr + ran.stdout, (case, ran.stderr)
        assert names_a_file(json.loads(ran.stdout)["error"]["message"], request)
    opened = open_test_archive(home)
    assert opened.catalog.recordings() == [] and opened.custody.head() is None and list(opened.store.digests()) == []
    opened.close()


def test_memory_of_this_process_stayed_small() -> None:
    """Sizes that a file only declares must not be taken at their word: all cases before this ran in this process."""
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10 < 2500
