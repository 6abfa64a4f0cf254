"""Papers that are damaged, or made to do harm: each is read as far as it goes, with a note, and nothing else happens."""

import io
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import ClassVar

import pytest

from archive.case_attachments import sniff
from archive.digest import Json, canonical_json
from tests.transcribe.hostile_papers import Hostile, hostile_papers
from transcribe.ocr import Line, Ocr, Picture
from transcribe.record_text import RecordText, read_record
from transcribe.record_text.limits import ReadLimits
from transcribe.record_text.taking_apart import frames_of
from transcribe.settings import TranscribeSettings

SETTINGS = TranscribeSettings(
    ocr_threads=1,
    record_seconds=15,
    record_memory_bytes=1 << 30,
    record_unpacked_max_bytes=64 << 20,
    record_max_chars=200_000,
    record_ocr_max=3,
)
HOSTILE = hostile_papers()


class _Blind:
    """Reads nothing, and holds that it is given no picture larger than OCR is to be given."""

    name, version, model, model_digest = "none", "", "none", "sha256:" + "00" * 32
    parameters: ClassVar[dict[str, Json]] = {}

    def read(self, picture: Picture) -> list[Line]:
        assert max(picture.shape[:2]) <= 2000 and picture.shape[2] == 3
        return []


def the_ocr() -> Ocr:
    return _Blind()


def read(paper: Path, content: bytes) -> RecordText:
    paper.write_bytes(content)
    return read_record(paper, sniff(io.BytesIO(content)), SETTINGS, the_ocr)


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda each: each[0])
def test_a_hostile_paper_is_read_as_far_as_it_goes_and_harms_nothing(tmp_path: Path, hostile: Hostile) -> None:
    name, content, expected = hostile
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = read(tmp_path / "paper", content)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 300 << 10, f"{name} took {grown >> 10} MB here"
    assert found.pieces or found.notes or found.counts.get("pages") or found.counts.get("pictures") or found.format
    if expected:
        assert expected in [note["code"] for note in found.notes]
    canonical_json([[dict(piece.place), piece.text] for piece in found.pieces])
    assert not any("\0" in piece.text or any("\ud800" <= letter <= "\udfff" for letter in piece.text) for piece in found.pieces)
    assert "root:" not in "".join(piece.text for piece in found.pieces)


def test_there_are_as_many_hostile_papers_as_are_asked_for() -> None:
    assert len(HOSTILE) >= 70 and len({name for name, _, _ in HOSTILE}) == len(HOSTILE)


def test_a_process_that_hangs_is_ended_and_its_text_so_far_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    say = _said(b'{"place": {"page": 1}, "text": "so far"}')
    found = _read_by(tmp_path, monkeypatch, f"import os, time\nos.write(1, {say!r})\ntime.sleep(600)", seconds=1)
    assert [piece.text for piece in found.pieces] == ["so far"]
    assert found.notes == ({"code": "took_too_long"},)


@pytest.mark.parametrize(
    "script",
    [
        "import os\nos.abort()",
        "import os\nos.kill(os.getpid(), 11)",
        "import sys\nsys.exit(3)",
        "import os\nos.write(1, b'P' + (1 << 31).to_bytes(4, 'big'))",
        "import os\nos.write(1, b'P\\0\\0\\0\\x03[1]')",
        "import os\nos.write(1, b'P\\0\\0\\0\\x05{\"a\"')",
        'import os\nos.write(1, b\'I\\0\\0\\0\\x40{"place":{},"width":9999,"height":9999,"region":[0,0,1,1]}\\nxxxx\')',
        "import sys\nsys.stderr.write('x' * 10_000_000)",
    ],
)
def test_a_process_that_dies_or_talks_nonsense_ends_with_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    assert _read_by(tmp_path, monkeypatch, script, seconds=20).notes == ({"code": "reading_stopped"},)


def test_time_that_passes_while_what_was_said_is_read_is_not_held_against_the_process(tmp_path: Path) -> None:
    paper = tmp_path / "paper"
    paper.write_text("一\n二\n三\n", "utf-8")
    limits = ReadLimits.of(TranscribeSettings(record_seconds=3))
    told = []
    for frame in frames_of(paper, "text/plain", limits):
        told.append(frame.kind)
        time.sleep(0.9)
    assert told == ["S", "P", "P", "P", "D"]


def test_nothing_of_this_process_surroundings_reaches_the_one_that_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEPROOF_S3_SECRET_KEY", "hunter2")
    said = "json.dumps({'place': {}, 'text': ' '.join(os.environ)}).encode()"
    script = f"import os, json\nb = {said}\nos.write(1, b'P' + len(b).to_bytes(4, 'big') + b)"
    (piece,) = _read_by(tmp_path, monkeypatch, script, seconds=20).pieces
    assert "LIVEPROOF" not in piece.text


def test_the_reading_process_can_write_no_file(tmp_path: Path) -> None:
    code = (
        "from transcribe.record_text.apart import confine\nfrom transcribe.record_text.limits import ReadLimits\n"
        f"confine(ReadLimits.from_json('''{ReadLimits.of(SETTINGS).to_json()}'''))\nopen('out', 'wb', 0).write(b'x' * 100)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(Path.cwd())}, capture_output=True, timeout=60)
    assert b"File too large" in done.stderr
    assert not (tmp_path / "out").exists() or (tmp_path / "out").stat().st_size == 0


def _said(body: bytes) -> bytes:
    return b"P" + len(body).to_bytes(4, "big") + body


def _read_by(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str, seconds: int) -> RecordText:
    """Read a paper by a program that stands in for Python, as if what reads had gone wrong in that way."""
    program = folder / "python"
    program.write_text(f"#!{sys.executable}\n{script}\n", "utf-8")
    program.chmod(0o755)
    paper = folder / "paper"
    paper.write_text("x", "utf-8")
    monkeypatch.setattr(sys, "executable", str(program))
    return read_record(paper, "text/plain", SETTINGS.model_copy(update={"record_seconds": seconds}), the_ocr)
