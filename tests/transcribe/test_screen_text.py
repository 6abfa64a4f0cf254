"""Lines that stand on the screen are found with times and places; what moves or counts is left out; what stands still costs little."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from archive.digest import Json
from archive.recording import Part
from archive.screen_readings import ScreenText
from archive.timeline import ClockMap
from tests.transcribe.drawn_screens import HEIGHT, WIDTH, Shown, Written, character_errors, film
from transcribe.errors import PicturesUnreadable
from transcribe.ocr import Line, Ocr, Picture, open_ocr
from transcribe.screen_text import PartScreen, Stretch, joined, read_part, read_stretch, stretches_of
from transcribe.screen_tracks import same_text
from transcribe.settings import TranscribeSettings

SETTINGS = TranscribeSettings(ocr_threads=1)
STEP_MS = SETTINGS.screen_text_step_ms
CARD = Written("三号链接 山羊绒围巾", 40, 40)
PRICE = Written("到手价299元 买贵退差价", 40, 100, 24)
LOWER = Written("到手价259元 买贵退差价", 40, 100, 24)
CAPTION = Written("质保三年 假一赔十", 300, 310, 22, board=None, ink=(255, 255, 255))
SESSION = (Shown(CARD, 7000, 25_000), Shown(PRICE, 7000, 15_000), Shown(LOWER, 15_000, 25_000), Shown(CAPTION, 0, 30_000))


@dataclass
class Counted:
    """A reader that counts its calls."""

    within: Ocr
    calls: int = 0
    name: str = "rapidocr"
    version: str = ""
    model: str = ""
    model_digest: str = ""
    parameters: dict[str, Json] = field(default_factory=dict)

    def read(self, picture: Picture) -> list[Line]:
        self.calls += 1
        return self.within.read(picture)


@pytest.fixture(scope="module")
def reader() -> Ocr:
    return open_ocr(SETTINGS)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("films")


@pytest.fixture(scope="module")
def still(films: Path) -> Path:
    return film(films / "still.mp4", 30_000, SESSION)


def part(duration_ms: int, starts_at_ms: int = 0) -> Part:
    return Part(1, "sha256:0", 1, "a.mp4", duration_ms, "mp4", {}, ClockMap(starts_at_ms, None, 0, "unknown"))


def line_of(texts: Sequence[ScreenText], wanted: str) -> ScreenText:
    found = [text for text in texts if character_errors(wanted, text.text) <= 1 and same_text(wanted, text.text)]
    assert len(found) == 1, (wanted, [text.text for text in texts])
    return found[0]


def assert_stood(screen: PartScreen, shown: Sequence[Shown], offset_ms: int = 0, late_ms: int = STEP_MS) -> None:
    for each in shown:
        text = line_of(screen.texts, each.line.text)
        assert 0 <= text.start_ms - offset_ms - each.from_ms <= late_ms, (each.line.text, text)
        assert -1 <= text.end_ms - offset_ms - each.to_ms <= late_ms, (each.line.text, text)
    assert len(screen.texts) == len(shown), [text.text for text in screen.texts]


def test_lines_are_found_with_their_words_times_and_places(still: Path, reader: Ocr) -> None:
    screen = read_part(still, part(30_000), reader, SETTINGS)
    assert_stood(screen, SESSION)
    for each in SESSION:
        left, top, width, height = line_of(screen.texts, each.line.text).box
        found = (left * WIDTH, top * HEIGHT, (left + width) * WIDTH, (top + height) * HEIGHT)
        assert found == pytest.approx(each.line.box, abs=20)


def test_a_host_who_walks_about_behind_the_lines_changes_neither_words_nor_times(films: Path, reader: Ocr) -> None:
    counted = Counted(reader)
    moving = film(films / "moving.mp4", 30_000, SESSION, moving=True)
    assert_stood(read_part(moving, part(30_000), counted, SETTINGS), SESSION)
    assert counted.calls < 30


def test_with_key_frames_far_apart_times_are_as_exact(films: Path, reader: Ocr) -> None:
    seldom = film(films / "seldom.mkv", 30_000, SESSION, key_every=1000)
    assert_stood(read_part(seldom, part(30_000), reader, SETTINGS), SESSION)


def test_pictures_that_come_irregularly_give_the_very_times_of_their_time_stamps(films: Path, still: Path, reader: Ocr) -> None:
    rare = films / "rare.mp4"
    chosen = "lt(n\\,3)+eq(t\\,7)+eq(t\\,15)+eq(t\\,25)+gt(t\\,29)"
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-y",
        "-i",
        str(still),
        "-vf",
        f"select='{chosen}'",
        "-vsync",
        "vfr",
        "-an",
        "-c:v",
        "libx264",
        str(rare),
    ]
    subprocess.run(command, check=True, timeout=60)
    assert_stood(read_part(rare, part(30_000), reader, SETTINGS), SESSION, late_ms=0)


def test_a_file_whose_time_stamps_begin_late_and_a_part_that_begins_late_keep_their_times(films: Path, still: Path, reader: Ocr) -> None:
    late = films / "late.ts"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-i", str(still), "-an", "-c", "copy", "-output_ts_offset", "500", str(late)],
        check=True,
        timeout=60,
    )
    assert_stood(read_part(late, part(30_000, 90_000), reader, SETTINGS), SESSION, offset_ms=90_000)


def test_stretches_that_were_kept_join_to_what_one_reading_gives(still: Path, reader: Ocr) -> None:
    spans = [(0, 9000), (9000, 18_000), (18_000, 30_000)]
    kept = [json.loads(json.dumps(read_stretch(still, span, reader, SETTINGS).to_json())) for span in spans]
    screen = joined(part(30_000), spans, [Stretch.from_json(each) for each in kept], SETTINGS)
    assert_stood(screen, SESSION)
    again = joined(part(30_000), spans, [Stretch.from_json(each) for each in kept], SETTINGS)
    assert again == screen


def test_a_picture_that_stands_for_ten_minutes_is_read_a_few_times(films: Path, reader: Ocr) -> None:
    counted = Counted(reader)
    standing = film(films / "standing.mp4", 600_000, [Shown(CARD, 0, 600_000)], fps=1, key_every=2, sound=False)
    screen = read_part(standing, part(600_000), counted, SETTINGS)
    assert [(text.start_ms, text.end_ms) for text in screen.texts] == [(0, 600_000)]
    assert counted.calls <= 4


def test_chat_that_scrolls_over_the_picture_is_counted_and_makes_no_lines(films: Path, reader: Ocr) -> None:
    chat = [
        Shown(Written(f"观众{n}说围巾真好看呀{n * 7}", 20, 330, 18, None, (255, 255, 255)), n * 1500, n * 1500 + 8000, (0, -25))
        for n in range(18)
    ]
    scrolling = film(films / "chat.mp4", 30_000, [*SESSION[:3], *chat])
    screen = read_part(scrolling, part(30_000), reader, SETTINGS)
    assert_stood(screen, SESSION[:3])
    assert sum(screen.notes["left_out"].values()) >= 5


def test_a_clock_on_the_screen_is_no_line(films: Path, reader: Ocr) -> None:
    clock = [Shown(Written(f"20:00:{n:02}", 500, 20, 20), n * 1000, n * 1000 + 1000) for n in range(30)]
    screen = read_part(film(films / "clock.mp4", 30_000, [*SESSION, *clock]), part(30_000), reader, SETTINGS)
    assert_stood(screen, SESSION)


def test_lines_beyond_the_limit_are_counted_and_the_longest_stay(still: Path, reader: Ocr) -> None:
    few = SETTINGS.model_copy(update={"screen_text_lines": 2})
    screen = read_part(still, part(30_000), reader, few)
    assert {text.text[:2] for text in screen.texts} == {"质保", "三号"}
    assert screen.notes["left_out"] == {"over_limit": 2}


def test_film_without_text_and_files_without_pictures_give_no_lines_and_say_so(films: Path, reader: Ocr) -> None:
    bare = read_part(film(films / "bare.mp4", 10_000, [], moving=True), part(10_000), reader, SETTINGS)
    assert bare.texts == () and bare.frames > 0 and "pictures" not in bare.notes
    sound = films / "sound.m4a"
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "anullsrc=d=5", str(sound)], check=True, timeout=60)
    silent = read_part(sound, part(5000), reader, SETTINGS)
    assert (silent.texts, silent.frames, silent.notes["pictures"]) == ((), 0, False)


def test_of_a_damaged_file_what_can_be_read_is_read(films: Path, still: Path, reader: Ocr) -> None:
    flv = films / "whole.flv"
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", str(still), "-c", "copy", str(flv)], check=True, timeout=60)
    content = bytearray(flv.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = bytes(3000)
    damaged = films / "damaged.flv"
    damaged.write_bytes(content[: len(content) * 9 // 10])
    screen = read_part(damaged, part(30_000), reader, SETTINGS)
    assert same_text(screen.texts[0].text, CAPTION.text) and screen.texts[0].start_ms < 500
    nothing = films / "nothing.mp4"
    nothing.write_bytes(b"\0" * 5000)
    with pytest.raises(PicturesUnreadable):
        stretches_of(nothing, part(1000))


def test_two_offers_are_two_texts_and_a_misread_stroke_is_none() -> None:
    assert same_text("到手价 ¥299", "到手价￥299") and same_text("三号链接山羊绒围巾", "三号链接山羊线围巾")
    assert not same_text("到手价299", "到手价259") and not same_text("围巾", "棉巾")
