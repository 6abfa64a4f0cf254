"""ffmpeg's absence and failures are told in words; reports come as PDF, or as HTML where no Chinese font is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive import report
from archive.atomic_write import written_whole
from archive.errors import ProgramFailed
from archive.programs import ffmpeg_program, run_ffmpeg
from archive.report import Document, Section, as_html, chinese_font, paragraph, table, write_report
from archive.timeline import WallTime
from tests.conftest import require_or_skip

SECTION = Section("节", (paragraph("#let x = 1 $y$ *z* 假一赔十"), table(("a",), [("b" * 80,)])))
DOCUMENT = Document("报告 <Report>", "副题", "case-1", (SECTION,))
AT = WallTime.parse("2026-11-20T00:00:00Z")


@pytest.fixture
def no_system_programs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PATH", "/nonexistent")
    ffmpeg_program.cache_clear()
    yield
    ffmpeg_program.cache_clear()


def test_without_a_system_ffmpeg_the_wheels_binary_is_used(no_system_programs: None) -> None:
    assert "imageio_ffmpeg" in ffmpeg_program()
    assert run_ffmpeg(["-version"], 30, "asking for its version").startswith(b"ffmpeg version")


def test_a_failure_carries_the_purpose_and_ffmpegs_own_words(tmp_path: Path) -> None:
    with pytest.raises(ProgramFailed, match=r"cutting nothing: ffmpeg failed: .*nothing\.flv"):
        run_ffmpeg(["-i", tmp_path / "nothing.flv", "-f", "null", "-"], 30, "cutting nothing")


def test_an_endless_run_is_stopped_and_the_setting_named() -> None:
    with pytest.raises(ProgramFailed, match="LIVEPROOF_SUBPROCESS_TIMEOUT_S"):
        run_ffmpeg(["-re", "-f", "lavfi", "-i", "anullsrc", "-f", "null", "-"], 1, "waiting")


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "kept.txt"
    target.write_text("before")
    with pytest.raises(ZeroDivisionError), written_whole(target) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]


def test_a_report_is_a_pdf_and_the_same_each_time(tmp_path: Path) -> None:
    require_or_skip(chinese_font(), "no Chinese font is installed")
    (tmp_path / "again").mkdir()
    one, two = write_report(DOCUMENT, tmp_path, AT), write_report(DOCUMENT, tmp_path / "again", AT)
    assert one.name == "report.pdf"
    assert one.read_bytes().startswith(b"%PDF")
    assert one.read_bytes() == two.read_bytes()


def test_without_a_chinese_font_the_report_is_html_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "chinese_font", lambda: None)
    written = write_report(DOCUMENT, tmp_path, AT)
    assert written.name == "report.html"
    assert "fonts-noto-cjk" in written.read_text(encoding="utf-8")


def test_what_is_said_in_a_report_is_never_markup() -> None:
    page = as_html(DOCUMENT)
    assert "&lt;Report&gt;" in page
    assert "#let x = 1 $y$ *z*" in page
