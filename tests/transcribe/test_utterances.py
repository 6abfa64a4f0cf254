"""What was heard in a packed window goes back to its place: one utterance one segment, times inside the speech, nothing lost."""

from hypothesis import given
from hypothesis import strategies as st

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
    assert found[0].words[1].start_ms == 10_000 + 240 - 200 + 277


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
    assert [word.start_ms for word in found.words] == [0, 500, 1000, 1500]


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


@st.composite
def answers(draw: st.DrawFn) -> list[HeardSegment]:
    found, at = [], 0
    for _ in range(draw(st.integers(0, 5))):
        words = []
        for _ in range(draw(st.integers(1, 8))):
            at += draw(st.integers(0, 900))
            words.append(HeardWord(at, at + draw(st.integers(0, 600)), draw(st.sampled_from(["好", "两百", "。", " ok"])), 0.5))
        text = "".join(word.text for word in words)
        found.append(HeardSegment(words[0].start_ms, words[-1].end_ms, text, tuple(words), -0.3, 0.0))
    return found


@given(windows(), answers())
def test_whatever_is_heard_nothing_is_lost_and_times_ascend_inside_speech(window: Window, segments: list[HeardSegment]) -> None:
    found = utterances_of(window, segments)
    assert "".join(w.text for u in found for w in u.words) == "".join(s.text for s in segments)
    at = 0
    for utterance in found:
        home = next(r for r in window.regions if r.onset_ms <= utterance.start_ms <= utterance.end_ms <= r.offset_ms)
        assert utterance.start_ms >= at or utterance.start_ms >= home.onset_ms
        at = utterance.start_ms
        previous = utterance.start_ms
        for word in utterance.words:
            assert previous <= word.start_ms <= word.end_ms <= utterance.end_ms
            previous = word.start_ms
        if utterance.words:
            assert utterance.words[0].start_ms == utterance.start_ms
    assert [u.start_ms for u in found] == sorted(u.start_ms for u in found)
