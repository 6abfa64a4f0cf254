"""A prompt written down as if it had been said is marked; what a host says of the same things is not."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from archive.digest import Json
from transcribe.audio import Samples, Sound
from transcribe.engines import HeardSegment, HeardWord
from transcribe.prompt_echo import echoes_prompt
from transcribe.risk import Risk, risks_of
from transcribe.seams import Line, Piece
from transcribe.speech_regions import Region, Window
from transcribe.transcription import transcribe_batch
from transcribe.utterances import Utterance

TOLD = ("羊绒围脖", "山羊绒围巾", "小满", "和田玉手镯", "珀莱雅红宝石面霜", "Estee Lauder")


def said(text: str, *, seconds: float = 4.0, log_prob: float = -0.2, no_speech: float = 0.01) -> Utterance:
    length = round(seconds * 1000)
    return Utterance(0, length, text, (), log_prob, no_speech, length)


@pytest.mark.parametrize(
    ("utterance", "voice"),
    [
        (said("羊绒围脖，山羊绒围巾，小满，和田玉手镯"), 95),
        (said("羊絨圍脖 山羊絨圍巾 小滿 和田玉手鐲 珀萊雅紅寶石面霜。", seconds=6), 95),
        (said("山羊绒围巾、和田玉手镯", log_prob=-0.8), 95),
        (said("羊绒围脖，山羊绒围巾"), 40),
        (said("小满，Estee Lauder", no_speech=0.4), 95),
        (said("山羊绒围巾。", seconds=1.4, no_speech=0.4), 70),
    ],
)
def test_words_that_were_told_in_their_order_and_nothing_else_are_an_echo(utterance: Utterance, voice: int) -> None:
    assert Risk.PROMPT_ECHO in risks_of(utterance, voice=voice, language="zh", told=TOLD)
    assert Risk.PROMPT_ECHO not in risks_of(utterance, voice=voice, language="zh")


@pytest.mark.parametrize(
    "text",
    [
        "山羊绒围巾",
        "山羊绒围巾和田玉手镯",
        "先看这条山羊绒围巾再看和田玉手镯",
        "小满给大家带来了羊绒围脖山羊绒围巾和田玉手镯还有面霜",
        "这个手镯假一赔十",
        "围巾围巾围巾",
        "和田玉手镯，羊绒围脖，小满，山羊绒围巾",
        "。",
    ],
)
def test_what_a_host_clearly_says_of_the_same_things_is_no_echo(text: str) -> None:
    assert Risk.PROMPT_ECHO not in risks_of(said(text), voice=92, language="zh", told=TOLD)


def test_a_promise_beside_names_is_never_an_echo_however_weak_the_sound() -> None:
    for text in ("山羊绒围巾假一赔十", "羊绒围脖山羊绒围巾七天无理由", "小满保真"):
        assert not echoes_prompt(text, TOLD, weak=True)


class EchoesPrompts:
    """A recogniser that writes its prompt in the first window, as Whisper does over silence, and speech in the second."""

    name, version, model, model_digest = "constructed", "1", "none", "sha256:0"

    def __init__(self) -> None:
        self.parameters: dict[str, Json] = {"language": "zh"}

    def transcribe(self, windows: Sequence[Samples], expected: Sequence[Sequence[str]] = ()) -> list[list[HeardSegment]]:
        texts = ["，".join(expected[0]), "这条围巾是山羊绒围巾"]
        return [[HeardSegment(0, 3000, text, (HeardWord(0, 3000, text, 0.9),), -0.2, 0.05)] for text in texts]


def test_each_window_is_held_to_what_was_told_in_it(tmp_path: Path) -> None:
    (tmp_path / "silence.sound").write_bytes(bytes(2 * 16_000 * 10))
    sound = Sound.held(tmp_path / "silence.sound")
    windows = [Window(n, (Region(start, start + 3000, start + 100, start + 2900),)) for n, start in ((7, 0), (8, 5000))]
    line = Line((Piece(1, 0, 0, 10_000),))
    heard = transcribe_batch(sound, line, windows, EchoesPrompts(), [TOLD[:4], TOLD])
    assert [Risk.PROMPT_ECHO in segment.risk for segment in heard] == [True, False]
