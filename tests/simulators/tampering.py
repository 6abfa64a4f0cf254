"""An archive with something of everything in it, and somebody who changes one character, digit or bit of it at a time, and puts it back."""

import io
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from pydantic import SecretStr

from archive.admission import Extension, Source
from archive.case_attachments import attach
from archive.case_record import RecordPiece
from archive.case_stages import Stage
from archive.evidence_package import build_package
from archive.media_checks import Finding
from archive.opening import Archive, open_archive
from archive.reveal import reveal
from archive.screen_readings import ScreenText
from archive.settings import ArchiveSettings
from archive.timeline import WallTime
from archive.transcript import Provenance, Segment, Word
from tests.archive.held import CHAT, EVENTS, SHELF, add_transcript, admit, open_case
from tests.simulators.time_stamp_authority import authority

Value: TypeAlias = int | float | str | bytes
YEAR_MS = 365 * 24 * 3600_000
LOG_TABLES = ("custody_entries", "checkpoints", "timestamps")
# Notes of work under way, which no evidence rests on: when a witness or an authority was last asked and what it said, the number that a
# stamp's row goes by (renewals are held to what they renew by digest), and when to renew it (later than its certificate is found).
WORKING_NOTES: Mapping[str, tuple[str, ...]] = {
    "witness_copies": ("*",),
    "alembic_version": ("*",),
    "timestamps": ("id", "requested_at_ms", "attempts", "tried_at_ms", "last_error", "authority", "algorithm", "expires_at_ms"),
}


class SetClock:
    """A clock that moves on a second a reading, from where it is set."""

    def __init__(self, now: WallTime) -> None:
        self.now = now

    def __call__(self) -> WallTime:
        self.now = self.now.plus_ms(1000)
        return self.now


def fill(home: Path, media: Mapping[str, Path], work: Path) -> ArchiveSettings:
    """Make a home in which every table has rows: two parts with a gap, chat, shelf, words and an edit, an extension, what was read of the
    screen and of papers, a case with papers and steps, a package, a reveal, holds, a purged session, checkpoints and granted time-stamps.
    The package is copied to `work`/package.zip."""
    with authority(work / "authority") as tsa:
        settings = ArchiveSettings(home=home, free_space_margin_bytes=0, tsa_urls=SecretStr(tsa.url), tsa_roots=tsa.root_pem)
        clock = SetClock(WallTime.now().plus_ms(-5 * YEAR_MS))
        archive = open_archive(settings, clock)
        admit(archive, "gone", [], messages=CHAT[:1])
        archive.retention.refresh("gone", "ann")
        clock.now = WallTime.now()
        archive.retention.purge(archive.retention.plan_purge(), "ann")
        raw = archive.store.put(io.BytesIO(b"<i><d p='1.5,1,25,16777215,0,0,a,0'>...</d></i>"))
        came_with = {"messages": CHAT, "products": SHELF, "events": EVENTS, "sources": (Source("chat", *raw, "chat.xml"),)}
        admit(archive, "r1", [media["flv"], media["other"]], 2_000, **came_with)
        for part in archive.catalog.recording("r1").parts:
            archive.clocks.add_maps("r1", {part.number: replace(part.clock, uncertainty_ms=900, method="anchors")}, {"by": "ann"}, "ann")
        archive.clocks.add_shift("r1", 1, 100, 8000, "chat_answers", {"answers": {"lag_ms": 7100}}, "ann")
        add_transcript(archive, "r1")
        archive.transcripts.edit("r1", 2, "这条手串保真假一赔十啊", "听清了句尾的字", "ann", archive.clock())
        late = (Source("chat", *archive.store.put(io.BytesIO(b"<i></i>")), "late.xml"),)
        held = archive.catalog.recording("r1")
        more = (replace(CHAT[0], source_number=2, order_id="42"),)
        archive.catalog.extend(Extension(held, 1, held.gaps, held.duration_ms, False, messages=more, sources=late), "ann")
        said = Segment(1, 2, 4_000, 5_000, "还有运费险", (Word(4_000, 5_000, "还有运费险", 0.9),))
        archive.transcripts.go_on("r1", heard_by(archive, "faster-whisper"), [said], [(4_000, 5_000)], [], "ann")
        archive.media_checks.add("r1", 1, 0, "key_pictures", [Finding("unheard", 500, 900)], "ann")
        card = ScreenText(0, 1_500, "4号链接", (0.5, 0.17, 0.08, 0.06), 0.98)
        archive.screens.add("r1", 1, heard_by(archive, "rapidocr"), 2, [card], "ann")
        case_id = open_case(archive, "r1")
        attach(archive, case_id, io.BytesIO("客服: 您好\n".encode()), "im.txt", "im_log", "ann", title="聊天记录")
        pieces = [RecordPiece({"line": 1, "speaker": "客服"}, "您好", 0.9)]
        archive.records.add(case_id, 1, heard_by(archive, "text"), pieces, [{"code": "cut", "lines": 3}], "ann")
        archive.cases.take_step(case_id, Stage.VERIFICATION, "查看了录像", "ann")
        reveal(archive, case_id, None, "平台仲裁要求核对投诉人身份", "法务甲")
        archive.retention.refresh_case(case_id, "ann")
        archive.retention.place_hold("case", case_id, "诉讼进行中", "ann")
        released = archive.retention.place_hold("recording", "r1", "复核中，请勿清除", "ann")
        archive.retention.release_hold(released.id, "复核完成", "ann")
        archive.checkpoints.make("ann")
        build_package(archive, case_id, "ann", work / "package.zip")
        archive.retention.secure("case", case_id, "ann")
        archive.checkpoints.make("ann")
        archive.stamps.tick()
        archive.close()
        shutil.copytree(tsa.folder, work / "trusted")
    return settings


def heard_by(archive: Archive, engine: str) -> Provenance:
    return Provenance(engine, "1.2", "small", "sha256:" + "ab" * 32, {"step_ms": 2000}, archive.clock())


class Tamperer:
    """Changes single values of a SQLite catalog past triggers and foreign keys; each change is undone when its block ends."""

    def __init__(self, home: Path, chance: random.Random) -> None:
        self._database = sqlite3.connect(home / "catalog.db", isolation_level=None)
        self._database.text_factory = str
        self._chance = chance
        for (name,) in self._database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            self._database.execute(f'DROP TRIGGER "{name}"')
        there = self._database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'").fetchall()
        self._columns = {name: self._evident(name) for (name,) in sorted(there)}

    def tables(self) -> list[str]:
        """Tables with columns that evidence rests on; in a home that `fill` made, none of them is empty."""
        return [name for name, columns in self._columns.items() if columns]

    def empty_tables(self) -> list[str]:
        return [name for name in self.tables() if self._database.execute(f'SELECT 1 FROM "{name}"').fetchone() is None]  # noqa: S608

    def close(self) -> None:
        self._database.close()

    @contextmanager
    def one_value_changed(self, table: str) -> Iterator[str]:
        """Change one character, digit or bit of one value of one row, all chosen by chance; says which."""
        while True:
            row = self._chance.choice([row for (row,) in self._database.execute(f'SELECT rowid FROM "{table}"')])  # noqa: S608
            column, is_row_id = self._chance.choice(self._columns[table])
            (value,) = self._database.execute(f'SELECT "{column}" FROM "{table}" WHERE rowid = ?', (row,)).fetchone()  # noqa: S608
            if value is None:
                continue
            other = changed(value, self._chance)
            try:
                self._set(table, column, row, other)
                break
            except sqlite3.IntegrityError:
                continue
        try:
            yield f"{table}.{column} of row {row}: {str(value)[:60]!r} became {str(other)[:60]!r}"
        finally:
            self._set(table, column, int(other) if is_row_id else row, value)

    def _set(self, table: str, column: str, row: int, value: Value) -> None:
        self._database.execute(f'UPDATE "{table}" SET "{column}" = ? WHERE rowid = ?', (value, row))  # noqa: S608

    def _evident(self, table: str) -> list[tuple[str, bool]]:
        left_out = WORKING_NOTES.get(table, ())
        described = self._database.execute(f'PRAGMA table_info("{table}")').fetchall()
        alone = sum(bool(key) for *_, key in described) == 1
        named = [(name, kind == "INTEGER" and bool(key) and alone) for _, name, kind, _, _, key in described]
        return [] if "*" in left_out else [each for each in named if each[0] not in left_out]


def changed(value: Value, chance: random.Random) -> Value:
    """The value with one digit, character or bit of it another."""
    if isinstance(value, bytes):
        at = chance.randrange(len(value))
        return value[:at] + bytes([value[at] ^ 1 << chance.randrange(8)]) + value[at + 1 :]
    if isinstance(value, str):
        at = chance.randrange(len(value)) if value else 0
        return value[:at] + chance.choice([c for c in "0123456789abcXYZ 的是不" if c != value[at : at + 1]]) + value[at + 1 :]
    while True:
        text = repr(value)
        at = chance.choice([place for place, char in enumerate(text) if char.isdigit()])
        other = type(value)(text[:at] + chance.choice("0123456789") + text[at + 1 :])
        if other != value:
            return other


@contextmanager
def one_bit_flipped(path: Path, chance: random.Random) -> Iterator[str]:
    """Flip one bit of a file, read-only or not, and back."""
    at, bit = chance.randrange(path.stat().st_size), 1 << chance.randrange(8)

    def flip() -> None:
        mode = path.stat().st_mode
        path.chmod(0o600)
        with path.open("r+b") as file:
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ bit]))
        path.chmod(mode)

    flip()
    try:
        yield f"bit {bit:#x} of byte {at} of {path.name}"
    finally:
        flip()


@dataclass
class Tally:
    """How many changes of a kind were tried, and which were not found."""

    tried: int
    missed: list[str]


def tally(times: int, change: Callable[[], tuple[bool, str]]) -> Tally:
    """Try a change so many times; each says whether it was found, and what it was."""
    outcomes = [change() for _ in range(times)]
    return Tally(times, [what for found, what in outcomes if not found])
