"""What was heard in a packed window goes back to its place: one utterance one segment, times inside the speech, nothing lost."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transcribe.audio import SAMPLES_PER_MS
from transcribe.engines import HeardSegment, HeardWord
from transcribe.speech_regions import Region, Window
from transcribe.utterances import utterances_of

# Two lines of two seconds, minutes apart, laid end to end in the window: 0-2400 and 2400-4800 ms.
FAR_APART = Window(0, (Region(9800, 12_200, 10_000, 12_000), Region(99_800, 102_200, 100_000, 102_000)))


def heard(start_ms: int, end_ms: int, text: str, *, drift_ms: int = 0) -> HeardSegment:
    step = (end_ms - start_ms) // len(text)
    words = [HeardWord(start_ms + drift_ms + i * step, start_ms + drift_ms + (i + 1) * step, c, 0.9) for i, c in enumerate(text)]
    return HeardSegment(start_ms, end_ms, text, tuple(words), -0.2, 0.01)


def test_each_line_becomes_a_segment_from_its_onset_to_its_offset() -> None:
    found = utterances_of(FAR_APART, [heard(240, 2180, "今天两百九十九"), heard(2640, 4560, "七天无理由退货")])
    assert [(u.start_ms, u.end_ms, u.text) for u in found] == [
        (10_000, 12_000, "今天两百九十九"),
        (100_000, 102_000, "七天无理由退货"),
    ]
    assert found[0].words[1].start_ms == pytest.approx(10_000 + 240 - 200 + 277, abs=40)


def test_a_line_whose_words_drift_stays_in_one_piece() -> None:
    found = utterances_of(FAR_APART, [heard(240, 2180, "今天两百九十九", drift_ms=250), heard(2640, 4560, "七天无理由退货", drift_ms=-250)])
    assert [u.text for u in found] == ["今天两百九十九", "七天无理由退货"]


def test_one_whisper_segment_over_a_pause_is_cut_at_the_pause() -> None:
    one = heard(200, 4600, "今天两百九十九七天无理由退货")
    found = utterances_of(FAR_APART, [one])
    assert "".join(u.text for u in found) == one.text
    assert len(found) == 2
    assert (found[0].start_ms, found[1].start_ms) == (10_000, 100_000)


def test_a_sentence_end_cuts_inside_a_region() -> None:
    window = Window(0, (Region(0, 6000, 0, 6000),))
    found = utterances_of(window, [heard(0, 6000, "质保三年。坏了换新。")])
    assert [u.text for u in found] == ["质保三年。", "坏了换新。"]
    assert found[0].end_ms <= found[1].start_ms


def test_a_collapsed_alignment_is_spread_over_the_utterance() -> None:
    words = tuple(HeardWord(500, 500, c, 0.5) for c in "假一赔十")
    (found,) = utterances_of(Window(0, (Region(0, 2000, 0, 2000),)), [HeardSegment(0, 2000, "假一赔十", words, -0.5, 0.0)])
    assert [word.start_ms for word in found.words] == pytest.approx([0, 500, 1000, 1500], abs=20)


def test_a_price_is_one_word_and_stays_with_what_it_counts_over_a_pause_between_regions() -> None:
    window = Window(0, (Region(0, 1200, 0, 1000), Region(1200, 2400, 1400, 2400)))
    texts = ["只", "要", "1", ",", "2", "99", "元", "包", "邮"]
    words = tuple(HeardWord(100 + 200 * i, 300 + 200 * i, text, 0.9) for i, text in enumerate(texts))
    found = utterances_of(window, [HeardSegment(100, 1900, "".join(texts), words, -0.2, 0.0)])
    assert [word.text for u in found for word in u.words] == ["只", "要", "1,299", "元", "包", "邮"]
    assert any("1,299元" in u.text for u in found)


def test_utterances_of_one_region_are_as_doubtful_as_their_own_segment() -> None:
    window = Window(0, (Region(0, 4000, 0, 4000),))
    sure, unsure = heard(0, 1900, "质保三年。"), HeardSegment(2000, 4000, "坏了换新", heard(2000, 4000, "坏了换新").words, -1.7, 0.3)
    assert [u.log_prob for u in utterances_of(window, [sure, unsure])] == [-0.2, -1.7]


def test_text_without_words_keeps_its_segments_time() -> None:
    (found,) = utterances_of(Window(0, (Region(0, 2000, 100, 1900),)), [HeardSegment(0, 2000, "嗯", (), -0.5, 0.0)])
    assert (found.text, found.start_ms, found.end_ms) == ("嗯", 100, 1900)


@st.composite
def windows(draw: st.DrawFn) -> Window:
    regions, at = [], 0
    for _ in range(draw(st.integers(1, 5))):
        at += draw(st.integers(0, 4000))
        onset = at + draw(st.integers(0, 200))
        offset = onset + draw(st.integers(96, 4000))
        at = offset + draw(st.integers(0, 200))
        regions.append(Region(onset - (onset - at if onset < at else 0), at, onset, offset))
    return Window(0, tuple(regions))


TOKENS = ["好", "两百", "。", " ok", "2", "99", ".", ",", "元", "%", "¥", "i", "Phone", "15", "😀", "“", "…"]


@st.composite
def answers(draw: st.DrawFn) -> list[HeardSegment]:
    found, at = [], 0
    for _ in range(draw(st.integers(0, 5))):
        words = []
        for _ in range(draw(st.integers(1, 8))):
            at += draw(st.integers(0, 900))
            words.append(HeardWord(at, at + draw(st.integers(0, 600)), draw(st.sampled_from(TOKENS)), 0.5))
        text = "".join(word.text for word in words)
        found.append(HeardSegment(words[0].start_ms, words[-1].end_ms, text, tuple(words), -0.3, 0.0))
    return found


@settings(deadline=None)
@given(windows(), answers(), st.booleans())
def test_whatever_is_heard_nothing_is_lost_and_times_ascend_inside_speech(
    window: Window, segments: list[HeardSegment], with_sound: bool
) -> None:
    samples = (
        np.random.default_rng(len(segments)).standard_normal(window.length_ms * SAMPLES_PER_MS).astype(np.float32) if with_sound else None
    )
    found = utterances_of(window, segments, samples)
    assert "".join(w.text for u in found for w in u.words) == "".join(s.text for s in segments)
    assert [u.start_ms for u in found] == sorted(u.start_ms for u in found)
    for region in window.regions:
        inside = [u for u in found if region.onset_ms <= u.start_ms <= u.end_ms <= region.offset_ms]
        words = [word for u in inside for word in u.words]
        room_ms = (region.offset_ms - region.onset_ms) // max(1, sum(len(word.text) for word in words))
        at = region.onset_ms
        for utterance in inside:
            assert utterance.words[0].start_ms >= utterance.start_ms
            assert utterance.words[-1].end_ms <= utterance.end_ms
            assert "".join(word.text for word in utterance.words).strip() == utterance.text
            for word in utterance.words:
                assert at <= word.start_ms <= word.end_ms
                assert word.end_ms - word.start_ms >= min(20, room_ms)
                at = word.end_ms
    assert all(any(r.onset_ms <= u.start_ms <= u.end_ms <= r.offset_ms for r in window.regions) for u in found)


PAUSE_MS, PAD_MS = 900, 200


@pytest.mark.parametrize("seed", range(6))
def test_words_of_a_long_packed_window_come_back_to_the_line_they_were_said_in(seed: int) -> None:
    """A real model hears 28 s at once, many lines in it; its times stray, now and then by half a second."""
    rng = np.random.default_rng(seed)
    regions, truth, at, packed = [], [], 0, 0
    words: list[HeardWord] = []
    while packed < 25_000:
        at += PAUSE_MS + int(rng.integers(0, 60_000))
        starts = [at + step for step in np.cumsum([0, *rng.integers(160, 300, rng.integers(5, 16))]).tolist()]
        region = Region(at - PAD_MS, starts[-1] + PAD_MS, at, starts[-1])
        for begin, end in pairwise(starts):
            stray = int(rng.laplace(0, 60)) if rng.random() > 0.05 else int(rng.normal(0, 400))
            moved = packed + begin - region.start_ms + stray
            words.append(HeardWord(moved, moved + end - begin, "好", 0.9))
        truth.append(starts[:-1])
        regions.append(region)
        packed += region.length_ms
        at = starts[-1]
    whole = HeardSegment(0, packed, "好" * len(words), tuple(words), -0.2, 0.0)
    found = utterances_of(Window(0, tuple(regions)), [whole])
    back = [[w.start_ms for u in found for w in u.words if r.onset_ms <= w.start_ms < r.offset_ms] for r in regions]
    assert sum(abs(len(got) - len(true)) for got, true in zip(back, truth, strict=True)) <= 2
    same = [abs(a - b) for got, true in zip(back, truth, strict=True) if len(got) == len(true) for a, b in zip(got, true, strict=True)]
    assert np.median(same) <= 100
    assert np.percentile(same, 95) <= 300
