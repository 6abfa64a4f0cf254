"""Doubtful text is marked with the reason, and sound text is left unmarked."""

import pytest

from transcribe.risk import Risk, compression_ratio, risks_of
from transcribe.utterances import Utterance


def said(text: str, *, seconds: float = 3.0, log_prob: float = -0.2, no_speech: float = 0.01, shared_ms: int | None = None) -> Utterance:
    length = round(seconds * 1000)
    return Utterance(0, length, text, (), log_prob, no_speech, length if shared_ms is None else shared_ms)


@pytest.mark.parametrize(
    "text", ["我手上这条是百分之百山羊绒", "一百一十一块一毛一", "对对对", "OK 299 包邮", "好的好的来来来三二一上链接"]
)
def test_ordinary_lines_carry_no_mark(text: str) -> None:
    assert risks_of(said(text)) == ()


@pytest.mark.parametrize(
    ("utterance", "risk"),
    [
        (said("谢谢大家" * 12, seconds=8), Risk.REPETITION),
        (said("宝宝宝宝宝宝宝宝宝宝"), Risk.REPETITION),
        (said("七天无理由退货", log_prob=-1.4), Risk.LOW_PROBABILITY),
        (said("七天无理由退货", no_speech=0.8), Risk.NO_SPEECH),
        (said("七天无理由退货运费险我们出", seconds=0.4), Risk.SPEAKING_RATE),
        (said("嗯", seconds=9), Risk.SPEAKING_RATE),
        (said("七天无理由退货", shared_ms=100), Risk.OUTSIDE_SPEECH),
        (said("请不吝点赞 订阅 转发"), Risk.PHANTOM),
        (said("Thank you for watching!"), Risk.PHANTOM),
        (said("ご視聴ありがとうございました"), Risk.PHANTOM),
        (said("시청해주셔서 감사합니다"), Risk.PHANTOM),
    ],
)
def test_each_reason_to_doubt_is_named(utterance: Utterance, risk: Risk) -> None:
    assert risk in risks_of(utterance)


def test_the_same_line_three_times_in_a_row_is_a_loop() -> None:
    loop = [said("欢迎来到直播间")] * 3
    assert Risk.REPETITION in risks_of(loop[0], loop)
    assert Risk.REPETITION not in risks_of(loop[0], loop[:2])


def test_the_compression_ratio_is_openais() -> None:
    from whisper.utils import compression_ratio as openais

    for text in ("今天只要两百九十九块钱到手", "谢谢" * 30):
        assert compression_ratio(text) == openais(text)
