"""Text that goes round in circles is heard again in shorter pieces, and what really is said ten times over stays."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from archive.digest import Json
from transcribe.audio import Samples
from transcribe.engines import HeardSegment
from transcribe.hearing_again import Heard, again_in_halves, goes_round
from transcribe.speech_regions import Region, Window

SAID = "今天这件羊绒大衣三百九十九现货发出七天无理由退换"
CHANT = "买它" * 40


@dataclass
class Parrot:
    """A recogniser that falls into a loop on whatever is longer than it can take; otherwise it writes what was said, by its length."""

    longest_ms: int
    name: str = "parrot"
    version: str = "1"
    model: str = "ears"
    model_digest: str = "sha256:" + "e" * 64
    parameters: dict[str, Json] = field(default_factory=dict)
    calls: list[list[Sequence[str]]] = field(default_factory=list)

    def transcribe(self, windows: Sequence[Samples], expected: Sequence[Sequence[str]] = ()) -> list[list[HeardSegment]]:
        self.calls.append(list(expected))
        lengths = [len(window) // 16 for window in windows]
        said = [CHANT if ms > self.longest_ms else f"{SAID[: ms // 500]}{ms}" for ms in lengths]
        return [[HeardSegment(0, ms, text, (), -0.1, 0.0)] for ms, text in zip(lengths, said, strict=True)]


def window_of(*lengths_ms: int) -> Window:
    starts = [1000 + sum(lengths_ms[:index]) + 500 * index for index in range(len(lengths_ms))]
    return Window(7, tuple(Region(start, start + ms, start + 100, start + ms - 100) for start, ms in zip(starts, lengths_ms, strict=True)))


def sound_of(window: Window) -> Samples:
    return np.ones(window.length_ms * 16, np.float32)


def heard_by(parrot: Parrot, window: Window, samples: Samples | None = None, names: Sequence[str] = ()) -> list[Heard]:
    samples = sound_of(window) if samples is None else samples
    return again_in_halves(Heard(window, samples, parrot.transcribe([samples])[0]), sound_of, parrot, names)


def test_what_does_not_go_round_is_kept_as_it_was_heard() -> None:
    parrot = Parrot(30_000)
    assert [piece.window for piece in heard_by(parrot, window_of(3000, 4000))] == [window_of(3000, 4000)]
    assert len(parrot.calls) == 1


def test_a_packed_window_that_goes_round_is_heard_in_halves_between_its_regions() -> None:
    parrot, window = Parrot(9000), window_of(3000, 4000, 5000, 3000)
    pieces = heard_by(parrot, window, names=["羊绒大衣"])
    assert [piece.window.regions for piece in pieces] == [window.regions[:2], window.regions[2:]]
    assert not any(goes_round(piece.segments) for piece in pieces)
    assert parrot.calls[-1] == [["羊绒大衣"], ["羊绒大衣"]]


def test_a_half_that_still_goes_round_is_halved_in_turn() -> None:
    pieces = heard_by(Parrot(6000), window_of(3000, 2000, 5000, 3000))
    assert [piece.window.length_ms for piece in pieces] == [5000, 5000, 3000]


def test_one_long_utterance_is_cut_where_it_is_quietest_and_no_sound_is_lost() -> None:
    window = window_of(10_000)
    samples = sound_of(window)
    samples[6000 * 16 : 6100 * 16] = 0
    first, second = heard_by(Parrot(8000), window, samples)
    assert 7000 <= first.window.regions[0].end_ms <= 7100
    assert first.window.regions[0].end_ms == second.window.regions[0].start_ms
    assert (first.window.regions[0].onset_ms, second.window.regions[0].offset_ms) == (1100, 10_900)


def test_what_goes_round_however_short_it_is_cut_stays_as_it_was_first_heard() -> None:
    parrot, window = Parrot(100), window_of(9000, 8000)
    assert [piece.window for piece in heard_by(parrot, window)] == [window]
    # The whole, its halves, and the halves of each.
    assert [len(call) for call in parrot.calls] == [0, 2, 2, 2]
