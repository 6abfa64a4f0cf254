"""A process that admits a session or builds a package, killed with -9 from outside at a moment of the act chosen by chance (G5).

    python -m tests.simulators.killed_writer admission|packaging HOME FILES

says on standard output which step it is at, so that whoever killed it knows where it died. `Act` is the other side.
"""

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from api import operations
from api.workplace import Workplace, open_workplace
from archive import evidence_package
from archive.opening import Archive, open_archive
from archive.schema import metadata
from archive.settings import ArchiveSettings
from archive.verification import verify_archive, verify_package
from ingest.admission import IngestRequest
from tests.archive.held import CHAT, EVENTS, SHELF, add_transcript, admit, open_case

CASE, RECORDING = "case-1", "session-1"
ACTS = ("admission", "packaging")


def settings_of(home: Path) -> ArchiveSettings:
    return ArchiveSettings(home=home, free_space_margin_bytes=0)


@dataclass
class Death:
    """Where a writer died; None if it had already finished. `after_ms` since it began."""

    step: str | None
    after_ms: int


@dataclass
class Act:
    """One of ACTS in a folder: `prepare` once, then `kill_and_recover` as often as wanted, each time in a fresh home."""

    kind: str
    folder: Path
    media: Path
    takes_ms: int = 0
    deaths: list[Death] = field(default_factory=list)
    leftovers: list[int] = field(default_factory=list)
    _expected: dict[str, Any] = field(default_factory=dict)

    def prepare(self, runs: int = 3) -> None:
        """Make the files to admit or the case to package, and measure what an undisturbed act takes and leaves behind."""
        template = self.folder / "template"
        template.mkdir(parents=True)
        if self.kind == "packaging":
            archive = open_archive(settings_of(template / "home"))
            admit(archive, "r1", [self.media], messages=CHAT, products=SHELF, events=EVENTS)
            add_transcript(archive, "r1")
            open_case(archive, "r1")
            archive.close()
        else:
            _write_session(template, self.media)
        took = []
        for n in range(runs):
            self._fresh(f"undisturbed-{n}")
            took.append(self._run(self.folder / f"undisturbed-{n}", None).after_ms)
        self.takes_ms = round(statistics.median(took))
        with _opened(self.folder / "undisturbed-0") as archive:
            self._expected = _held(archive)

    def kill_and_recover(self, number: int, at: float) -> list[str]:
        """Kill a writer when the share `at` of the act's usual time is over, look at what it left, let it finish; what is wrong."""
        folder = self._fresh(f"killed-{number}")
        self.deaths.append(self._run(folder, at * self.takes_ms / 1000))
        problems: list[str] = []
        with _opened(folder) as archive:
            problems += [f"after the kill: {check.name}: {check.detail}" for check in verify_archive(archive).failures]
            problems += [] if archive.custody.verify() >= 0 else ["the chain is broken"]
        if self.kind == "packaging" and (folder / "out.zip").exists() and not verify_package(folder / "out.zip").passed:
            problems.append("half a package stands at its destination")
        place = open_workplace(settings_of(folder / "home"))
        perform(self.kind, place, folder)
        place.close()
        with _opened(folder) as archive:
            problems += [f"after going on: {check.name}: {check.detail}" for check in verify_archive(archive).failures]
            found = _held(archive)
            problems += [
                f"{what} is {found[what]}, undisturbed {self._expected[what]}" for what in found if found[what] != self._expected[what]
            ]
            self.leftovers.append(_unnamed(archive))
        if self.kind == "packaging" and not verify_package(folder / "out.zip").passed:
            problems.append("the package does not verify")
        shutil.rmtree(folder, ignore_errors=True)
        return problems

    def _fresh(self, name: str) -> Path:
        return Path(shutil.copytree(self.folder / "template", self.folder / name))

    def _run(self, folder: Path, kill_after_s: float | None) -> Death:
        command = [sys.executable, "-m", "tests.simulators.killed_writer", self.kind, str(folder / "home"), str(folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True) as writer:
            assert writer.stdout
            assert writer.stderr
            first = writer.stdout.readline()
            began = time.monotonic()
            if first != b"begin\n":
                raise RuntimeError(writer.stderr.read().decode())
            if kill_after_s is None:
                while writer.stdout.readline() not in (b"done\n", b""):
                    pass
                took_ms = round(1000 * (time.monotonic() - began))
                if writer.wait(120) != 0:
                    raise RuntimeError(writer.stderr.read().decode())
                return Death(None, took_ms)
            time.sleep(kill_after_s)
            os.killpg(writer.pid, signal.SIGKILL)
            took_ms = round(1000 * (time.monotonic() - began))
            steps = writer.stdout.read().split()
        last = steps[-1].decode() if steps else "begin"
        return Death(None if last == "done" else last, took_ms)


def _held(archive: Archive) -> dict[str, Any]:
    """What must be the same whether or not a writer was killed: rows of every table, what the log says was done, objects named."""
    with archive.database.reading() as connection:
        rows = {table.name: connection.execute(select(func.count()).select_from(table)).scalar_one() for table in metadata.sorted_tables}
    # How often the log was signed depends on how often somebody came by.
    for signed in ("checkpoints", "timestamps", "witness_copies", "custody_entries"):
        del rows[signed]
    acts = Counter((entry.action, entry.subject) for entry in archive.custody.entries())
    if ("package.sealed", CASE) in acts:
        # A making that was killed after its seal was logged is sealed again, and the log rightly tells of both.
        acts["package.sealed", CASE] = 1
    return {"rows": rows, "acts": acts}


def _unnamed(archive: Archive) -> int:
    """Objects and temporary files that nothing names: what a killed writer left behind."""
    named = {part.digest for recording in archive.catalog.recordings() for part in recording.parts}
    named |= {source.digest for recording in archive.catalog.recordings() for source in archive.catalog.sources(recording.id)}
    named |= {package.digest for case in archive.cases.cases() for package in archive.cases.packages(case.id)}
    store = archive.settings.objects_folder
    temporary = [path for path in (store / "incoming").rglob("*") if path.is_file()]
    building = list((archive.home / "building").glob("*")) if (archive.home / "building").is_dir() else []
    return len(set(archive.store.digests()) - named) + len(temporary) + len(building)


class _opened:
    """The archive of a folder's home."""

    def __init__(self, folder: Path) -> None:
        self._home = folder / "home"

    def __enter__(self) -> Archive:
        self._archive = open_archive(settings_of(self._home))
        return self._archive

    def __exit__(self, *_: object) -> None:
        self._archive.close()


def _write_session(folder: Path, media: Path) -> None:
    shutil.copyfile(media, folder / "session.flv")
    chat = [{"at_ms": n * 5, "user": f"观众{n % 97}", "text": f"第{n}条 这个真的是正品吗"} for n in range(2_000)]
    (folder / "chat.jsonl").write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in chat), "utf-8")
    shelf = [{"product_id": "p1", "shelf_no": "1号链接", "title": "手串", "price_minor": 29900, "currency": "CNY", "listing_text": "紫檀"}]
    (folder / "products.json").write_text(json.dumps(shelf, ensure_ascii=False), "utf-8")
    (folder / "events.json").write_text(json.dumps([{"event": "explain_start", "product_id": "p1", "at_ms": 1000}]), "utf-8")


def _say(step: str) -> None:
    os.write(1, step.replace(" ", "_").encode() + b"\n")


def _saying(step: str, act: Callable[..., Any]) -> Callable[..., Any]:
    def said(*arguments: Any, **named: Any) -> Any:
        _say(step)
        return act(*arguments, **named)

    return said


def perform(kind: str, place: Workplace, folder: Path, progress: Callable[[str, int, int], None] = operations.ignore_progress) -> None:
    """The act, whole."""
    if kind == "admission":
        request = IngestRequest(
            media=(folder / "session.flv",),
            recording_id=RECORDING,
            chat=(folder / "chat.jsonl",),
            products=folder / "products.json",
            events=folder / "events.json",
        )
        operations.ingest(place, request, "ann", progress)
    else:
        operations.package(place, CASE, folder / "out.zip", "ann", progress)


def main(kind: str, home: Path, folder: Path) -> None:
    place = open_workplace(settings_of(home))
    archive = place.archive
    steps: set[str] = set()

    def progress(step: str, done: int, total: int) -> None:
        if (named := f"{step} {done}" if step == "package" else step) not in steps:
            steps.add(named)
            _say(named)

    # Announce what has no progress of its own; the acts themselves are untouched.
    type(archive.catalog).admit = _saying("commit", type(archive.catalog).admit)  # type: ignore[method-assign]
    type(archive.retention).secure = _saying("retain", type(archive.retention).secure)  # type: ignore[method-assign]
    type(archive.checkpoints).make = _saying("checkpoint", type(archive.checkpoints).make)  # type: ignore[method-assign]
    type(archive.store).put_file = _saying("store_file", type(archive.store).put_file)  # type: ignore[method-assign]
    type(archive.cases).record_package = _saying("record", type(archive.cases).record_package)  # type: ignore[method-assign]
    for name, step in (("_write_reports", "reports"), ("_seal", "seal"), ("write_zip", "zip")):
        setattr(evidence_package, name, _saying(step, getattr(evidence_package, name)))
    _say("begin")
    perform(kind, place, folder, progress)
    _say("done")
    place.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
