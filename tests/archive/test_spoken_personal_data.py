"""Personal data that was said is found in time, so that it can be bleeped."""

from pathlib import Path

import pytest

from archive.clip import cut_clip
from archive.errors import NotFound
from archive.opening import Archive
from archive.spoken_personal_data import bleeps_within, spoken_personal_data
from archive.transcript import Provenance, Segment, Word
from tests.archive.generated_media import beep_starts_ms
from tests.archive.held import admit
from tests.archive.test_redaction import said


def test_a_number_over_two_segments_is_bleeped_in_both_with_padding() -> None:
    heard = said((10_000, 12_200, "打幺三八幺二三四五六七"), (12_900, 13_500, "八恭喜你"))
    assert spoken_personal_data(heard, padding_ms=100) == [(10_100, 12_300, "手机号"), (12_800, 13_150, "手机号")]


def test_spans_that_touch_after_padding_are_one() -> None:
    heard = said((0, 2_200, "打幺三八幺二三四五六七"), (2_300, 2_500, "八好"))
    assert [(start, kind) for start, _, kind in spoken_personal_data(heard)] == [(0, "手机号")]


def test_a_pause_longer_than_three_seconds_parts_numbers() -> None:
    assert spoken_personal_data(said((0, 2_000, "幺三八幺二三"), (9_000, 9_500, "四五六七八"))) == []


def test_without_word_times_the_segment_is_divided_evenly() -> None:
    found = spoken_personal_data([Segment(1, 1, 0, 2_000, "电话号码是幺三八幺二三四五六七八好了好")], padding_ms=0)
    assert found == [(526, 1685, "手机号")]


def test_words_that_are_not_in_the_text_make_the_whole_segment_bleeped() -> None:
    segment = Segment(1, 1, 0, 3_000, "电话13812345678", (Word(0, 1_000, "电话"), Word(1_000, 3_000, "幺三八幺二三四五六七八")))
    assert spoken_personal_data([segment], padding_ms=0) == [(0, 3_000, "手机号")]


def test_prices_links_and_the_host_counting_are_left_alone() -> None:
    lines = ["三号链接两百九十九到手", "五四三二一上链接", "拍一发五质保三年", "四零零八二零八八二零客服电话"]
    assert spoken_personal_data(said(*((n * 2_000, n * 2_000 + 1_900, line) for n, line in enumerate(lines)))) == []


def test_what_any_version_heard_is_bleeped_and_nothing_else_is(archive: Archive, media: dict[str, Path], tmp_path: Path) -> None:
    admit(archive, "r1", [media["flv"]])
    heard = said((800, 4_000, "中奖的电话幺三八幺二三四五六七八恭喜"), (4_500, 6_000, "下一单三号链接"))
    machine = Provenance("faster-whisper", "1", "demo", None, {}, archive.clock())
    archive.transcripts.add("r1", machine, heard, [], [], "tester")
    archive.transcripts.edit("r1", 1, "中奖的尾号七八恭喜", "听写有误", "tester", archive.clock())
    (span,) = bleeps_within(archive, "r1", 0, 8_000)
    assert 1_400 <= span[0] <= 1_700
    assert 3_500 <= span[1] <= 3_900
    assert bleeps_within(archive, "r1", 4_000, 8_000) == []
    clip = cut_clip(archive, "r1", 0, 8_000, tmp_path / "clip.mp4", "tester", bleep=[span])
    # The session beeps at 1000, 3500 and 5200 ms; the second of them lies under the span.
    starts = beep_starts_ms(clip.view)
    assert [any(abs(start - beep) < 120 for start in starts) for beep in (1_000, 3_500, 5_200)] == [True, False, True]


def test_without_a_transcript_nothing_is_claimed_to_be_bleeped(archive: Archive, media: dict[str, Path]) -> None:
    admit(archive, "r1", [media["flv"]])
    with pytest.raises(NotFound, match="--bleep FROM-TO"):
        bleeps_within(archive, "r1", 0, 8_000)
