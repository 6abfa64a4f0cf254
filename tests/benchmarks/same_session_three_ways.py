"""The demo session recorded in different ways: is the promise found at the same wall time, within its stated uncertainty, in all of them?

    python -m tests.benchmarks.same_session_three_ways [--folder DIR]

One file, seven parts with 40 s missing, chat that is late, a clock that is wrong; all admitted and heard by the product itself (the demo
models), asked the demo's question, and compared with the session's truth. The files with the same sound are heard once. Fails where a
promise lies outside its ±. Takes two minutes on two idle cores.
"""

import argparse
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from api import operations
from api.clock_estimating import Estimated, estimate
from api.processing import open_jobs, process_or_index
from api.workplace import Workplace, open_workplace
from archive.settings import ArchiveSettings
from archive.timeline import WallTime, format_ms
from archive.transcript import Provenance, Segment, Transcript
from ingest.admission import IngestRequest
from search.settings import SearchSettings
from tests.simulators.same_session import (
    PROMISED_AT,
    QUESTION,
    SEVEN_MS,
    STARTED,
    TRUTH,
    Line,
    one_file,
    platform_dump,
    recorder_xml,
    seven_parts,
    viewers_lines,
)
from transcribe.models import BUNDLED_NAME
from transcribe.settings import TranscribeSettings

LATE_MS = 40_000
NAMED = "录制-7734200-20261118-200000-000-暖岚优选冬日好物专场.flv"


@dataclass(frozen=True)
class Way:
    """One way in which the session was recorded. `seven`: in parts; otherwise one file of the name given."""

    name: str
    file: str = NAMED
    chat: tuple[Path, ...] = ()
    seven: bool = False
    started_at: WallTime | None = None


@dataclass(frozen=True)
class Found:
    """Where the promise was found: its wall time and ±, and how far that is from the truth; the clock's method and the chat's shifts."""

    way: str
    at_ms: int
    wall: WallTime
    uncertainty_ms: int
    method: str
    decision: str
    shifts: Mapping[int, int] = field(default_factory=dict)

    @property
    def error_ms(self) -> int:
        return self.wall.epoch_ms - PROMISED_AT.epoch_ms

    @property
    def holds(self) -> bool:
        return abs(self.error_ms) <= self.uncertainty_ms


class ThreeWays:
    """The session's files in a folder, and an archive that takes them in. Each sound is heard; without `hear` the words are those of the
    session's truth, as somebody might have captioned it, each in the part that holds it."""

    def __init__(self, folder: Path, hear: bool = True) -> None:
        self._folder = folder
        self.whole = one_file(folder / "whole.flv")
        self.lines = viewers_lines()
        settings = ArchiveSettings(home=folder / "home", free_space_margin_bytes=0)
        self.place: Workplace = open_workplace(settings, lambda: STARTED.plus_ms(4 * 3_600_000))
        self.place.transcribe_settings = TranscribeSettings(whisper_model=BUNDLED_NAME, whisper_device="cpu")
        self.place.search_settings = SearchSettings(embedding_model="none")
        self._heard: Transcript | None = None if hear else _captioned()
        self._hear = hear
        self._parts: list[Path] = []

    def close(self) -> None:
        self.place.close()

    def ways(self) -> list[Way]:
        """Every way of the table, its chat written."""
        own, late = STARTED, STARTED.plus_ms(LATE_MS)
        right = self._xml("right", head=own)
        return [
            Way("1 file", chat=(right,)),
            Way("7 parts, 40 s missing", seven=True),
            Way("1 file, chat offsets 40 s late", chat=(self._xml("offsets-late", head=own, offset_by_ms=LATE_MS),)),
            Way("1 file, chat by wall clock, 40 s late", chat=(platform_dump(self._folder / "late.jsonl", self.lines, LATE_MS),)),
            Way("the same, and its start given", chat=(self._folder / "late.jsonl",), started_at=own),
            Way("only the chat's head tells, 40 s late", "session.flv", (self._xml("head-late", head=late),)),
            Way("chat recorded from 40 s in, only its head tells", "session.flv", (self._xml("joined", head=late, offset_by_ms=-LATE_MS),)),
            Way("only messages' times of day tell", "session.flv", (platform_dump(self._folder / "right.jsonl", self.lines),)),
            Way("start given 40 s wrong, chat and head right", "session.flv", (right,), started_at=late),
            Way("start given 40 s wrong, messages right", "session.flv", (self._folder / "right.jsonl",), started_at=late),
            Way("start given 40 s wrong, recorder's names", seven=True, started_at=late),
        ]

    def found(self, way: Way, number: int) -> Found:
        """Admit, hear, estimate, index, and ask."""
        recording_id = f"way-{number}"
        media, chats = self._files(way, self._folder / recording_id)
        operations.ingest(self.place, IngestRequest(media, recording_id, chats, started_at=way.started_at), "benchmark")
        if self._hear and (self._heard is None or way.seven):
            with open_jobs(self.place) as jobs:
                jobs.wait(process_or_index(jobs, recording_id))
            done = estimate(self.place, recording_id, "benchmark")
            assert not done.changed, "an estimate made twice changes nothing"
            self._heard = self._heard or self.place.archive.transcripts.latest(recording_id)
        else:
            done = self._as_heard_before(recording_id)
        return self._asked(way, recording_id, done)

    def _as_heard_before(self, recording_id: str) -> Estimated:
        """With the words of the first file heard, each in the part that holds it; what no part holds was not heard."""
        archive, heard = self.place.archive, self._heard
        assert heard is not None
        recording = archive.catalog.recording(recording_id)
        said = [replace(s, part=part.number) for s in heard.segments if (part := recording.part_at(s.start_ms))]
        archive.transcripts.add(recording_id, heard.provenance, said, heard.speech, heard.skipped, "benchmark")
        done = estimate(self.place, recording_id, "benchmark")
        operations.index(self.place, recording_id)
        return done

    def _asked(self, way: Way, recording_id: str, done: Estimated) -> Found:
        archive = self.place.archive
        moment = operations.search(self.place, QUESTION, recording=recording_id, limit=1).moments[0]
        assert "假一赔十" in moment.quote, moment.quote
        assert moment.wall_start is not None
        method = archive.catalog.recording(recording_id).parts[0].clock.method
        decision = str(archive.clocks.maps(recording_id)[-1].basis.get("decision", done.decision))
        shifts = {shift.source: shift.shift_ms for shift in archive.clocks.shifts(recording_id)}
        return Found(way.name, moment.start_ms, moment.wall_start, moment.uncertainty_ms, method, decision, shifts)

    def _files(self, way: Way, folder: Path) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
        if not way.seven:
            folder.mkdir()
            return (Path(shutil.copyfile(self.whole, folder / way.file)),), way.chat
        if not self._parts:
            folder.mkdir()
            self._parts = seven_parts(self.whole, folder)
        parts, chats = self._parts, []
        for part, (start, end) in zip(parts, SEVEN_MS, strict=True):
            within = [line for line in self.lines if start <= line.at_ms < end]
            chats.append(recorder_xml(part.with_suffix(".xml"), within, head=STARTED.plus_ms(start), offset_by_ms=-start))
        return tuple(parts), tuple(chats)

    def _xml(self, name: str, *, head: WallTime, offset_by_ms: int = 0) -> Path:
        kept: list[Line] = [line for line in self.lines if line.at_ms + offset_by_ms >= 0]
        return recorder_xml(self._folder / f"{name}.xml", kept, head=head, offset_by_ms=offset_by_ms)


def _captioned() -> Transcript:
    said = tuple(Segment(n, None, line["start_ms"], line["end_ms"], line["text"]) for n, line in enumerate(TRUTH["lines"]))
    spans = tuple((segment.start_ms, segment.end_ms) for segment in said)
    return Transcript("", 0, Provenance("imported", "", "truth", None, {}, STARTED), said, spans)


def table(found: Sequence[Found]) -> str:
    """As Markdown."""
    rows = [
        "| recorded as | found at | wall clock | ± s | off by s | within | clock by | chat moved by s |",
        "|---|---|---|---:|---:|---|---|---|",
    ]
    for each in found:
        moved = ", ".join(f"{shift / 1000:+.1f}" for shift in each.shifts.values()) or "—"
        wall = each.wall.plus_ms(8 * 3_600_000).iso()[11:23]
        rows.append(
            f"| {each.way} | {format_ms(each.at_ms)} | {wall} | {each.uncertainty_ms / 1000:.1f} | "
            f"{each.error_ms / 1000:+.1f} | {'yes' if each.holds else 'NO'} | {each.method} ({each.decision}) | {moved} |"
        )
    return "\n".join(rows)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--folder", type=Path, default=None, help="where the archive is made (default: a temporary folder)")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        ways = ThreeWays(Path(name))
        try:
            found = [ways.found(way, number) for number, way in enumerate(ways.ways(), 1)]
        finally:
            ways.close()
    print(f"the promise was spoken at {PROMISED_AT.plus_ms(8 * 3_600_000).iso()[11:23]} (UTC+8)\n\n{table(found)}")
    missed = [each.way for each in found if not each.holds]
    if missed:
        raise SystemExit(f"outside its ±: {missed}")


if __name__ == "__main__":
    main()
