"""Doubtful text is marked with the reason, and sound text is left unmarked."""

import pytest

from api.wording.answers import ANSWERS
from archive.case_names import DOUBTS
from archive.transcript import Word
from transcribe.risk import Risk, compression_ratio, risks_of
from transcribe.utterances import Utterance


def said(
    text: str,
    *,
    seconds: float = 3.0,
    log_prob: float = -0.2,
    no_speech: float = 0.01,
    shared_ms: int | None = None,
    sure: tuple[float, ...] = (),
) -> Utterance:
    length = round(seconds * 1000)
    words = tuple(Word(0, length, "字", probability) for probability in sure)
    return Utterance(0, length, text, words, log_prob, no_speech, length if shared_ms is None else shared_ms)


@pytest.mark.parametrize(
    ("utterance", "language"),
    [
        (said("我手上这条是百分之百山羊绒"), "zh"),
        (said("一百一十一块一毛一"), "zh"),
        (said("对对对"), "zh"),
        (said("OK 299 包邮"), "zh"),
        (said("好的好的来来来三二一上链接"), "zh"),
        (said("买它买它买它"), "zh"),
        (said("没有", seconds=0.4), "zh"),
        (said("100 120 135 斤都能穿", seconds=4), "zh"),
        (said("七天无理由退货运费险我们出假一赔十都给大家安排上", seconds=3), "zh"),
        # A host's own words near to what recognisers make up.
        (said("谢谢观看", seconds=1.2), "zh"),
        (said("感谢观看直播的宝宝们前十名送运费险", log_prob=-0.7), "zh"),
        (said("点赞关注一下主播啊这个价格只有今天有", log_prob=-0.7, seconds=4), "zh"),
        (said("这个投影仪自带中文字幕", log_prob=-0.6), "zh"),
        (said("Thank you for watching my show tonight, this blender comes with a two year warranty", log_prob=-0.6, seconds=6), "en"),
        # Scripts that belong to the language, and names that belong to all.
        (said("これはiPhone十五のケースです"), "ja"),
        (said("이 제품은 칠일 안에 환불됩니다"), "ko"),
        (said("Dieses Gerät hat zwei Jahre Garantie", seconds=2.5), "de"),
        (said("の里头是空的", seconds=2), "zh"),
        # Some words were unclear, most were not.
        (said("百分之百山羊绒", sure=(0.9, 0.95, 0.4, 0.9, 0.99, 0.45, 0.9)), "zh"),
        (said("退", seconds=0.5, sure=(0.3,)), "zh"),
    ],
    ids=lambda value: value.text if isinstance(value, Utterance) else value,
)
def test_ordinary_lines_carry_no_mark(utterance: Utterance, language: str) -> None:
    assert risks_of(utterance, [utterance], voice=85, language=language) == ()


@pytest.mark.parametrize(
    ("utterance", "risk"),
    [
        (said("谢谢大家" * 12, seconds=8), Risk.REPETITION),
        (said("宝宝宝宝宝宝宝宝宝宝"), Risk.REPETITION),
        (said("七天无理由退货", log_prob=-1.4), Risk.LOW_PROBABILITY),
        (said("看到效果三身奶刷", sure=(0.1, 0.3, 0.9, 0.6, 0.4, 0.1, 0.5, 0.6)), Risk.LOW_PROBABILITY),
        (said("七天无理由退货", no_speech=0.8), Risk.NO_SPEECH),
        (said("七天无理由退货运费险我们出", seconds=0.4), Risk.SPEAKING_RATE),
        (said("嗯", seconds=9), Risk.SPEAKING_RATE),
        (said("ありがとうございます", seconds=0.3), Risk.SPEAKING_RATE),
        (said("네", seconds=6), Risk.SPEAKING_RATE),
        (said("Thank you", seconds=12), Risk.SPEAKING_RATE),
        (said("七天无理由退货", shared_ms=100), Risk.OUTSIDE_SPEECH),
        (said("请不吝点赞 订阅 转发 打赏支持明镜与点点栏目"), Risk.PHANTOM),
        (said("字幕由Amara.org社区提供"), Risk.PHANTOM),
        (said("中文字幕志愿者 杨茜茜"), Risk.PHANTOM),
        (said("Subtitles by the Amara.org community"), Risk.PHANTOM),
        (said("한글자막 by 한효정"), Risk.PHANTOM),
        (said("[音乐]"), Risk.SOUND_DESCRIPTION),
        (said("（掌声）"), Risk.SOUND_DESCRIPTION),
        (said("♪ ♪"), Risk.SOUND_DESCRIPTION),
        (said("…"), Risk.SOUND_DESCRIPTION),
        (said("ご視聴ありがとうございました"), Risk.OTHER_SCRIPT),
        (said("시청해주셔서 감사합니다"), Risk.OTHER_SCRIPT),
        (said("Спасибо за просмотр"), Risk.OTHER_SCRIPT),
    ],
    ids=lambda value: value.text if isinstance(value, Utterance) else value,
)
def test_each_reason_to_doubt_is_named(utterance: Utterance, risk: Risk) -> None:
    assert risk in risks_of(utterance, language="zh")


@pytest.mark.parametrize(
    "text",
    [
        "谢谢观看",
        "感谢大家的收看，我们下期再见！",
        "请点赞订阅转发",
        "Thanks for watching, please like and subscribe.",
        "ご視聴ありがとうございました。",
        "チャンネル登録お願いします",
        "시청해주셔서 감사합니다.",
        "구독과 좋아요 부탁드립니다",
    ],
)
def test_a_closing_is_a_phantom_only_where_little_speaks_for_speech(text: str) -> None:
    plain = said(text, seconds=1.8)
    assert Risk.PHANTOM not in risks_of(plain, voice=92)
    assert Risk.PHANTOM in risks_of(plain, voice=70)
    assert Risk.PHANTOM in risks_of(said(text, seconds=1.8, log_prob=-0.6), voice=92)
    assert Risk.PHANTOM in risks_of(said(text, seconds=1.8, no_speech=0.3), voice=92)
    assert Risk.PHANTOM in risks_of(said(text, seconds=20), voice=92)


def test_what_hardly_sounds_like_a_voice_is_doubted_whatever_was_written() -> None:
    assert Risk.DOUBTFUL_SPEECH in risks_of(said("七天无理由退货"), voice=42)
    assert Risk.DOUBTFUL_SPEECH not in risks_of(said("七天无理由退货"), voice=58)


def test_nothing_is_said_of_scripts_where_the_language_is_told_from_the_sound() -> None:
    assert risks_of(said("ありがとうございます")) == ()
    assert risks_of(said("Спасибо", seconds=1), language="ru") == ()


def test_the_same_line_three_times_in_a_row_is_a_loop() -> None:
    loop = [said("欢迎来到直播间")] * 3
    assert Risk.REPETITION in risks_of(loop[0], loop)
    assert Risk.REPETITION not in risks_of(loop[0], loop[:2])


def test_a_loop_that_changes_a_word_is_still_one() -> None:
    loop = [said(text) for text in ("欢迎大家来到我们直播间", "欢迎大家来到我的直播间", "欢迎大家来到我们直播间")]
    assert all(Risk.REPETITION in risks_of(line, loop) for line in loop)


def test_the_compression_ratio_is_openais() -> None:
    from whisper.utils import compression_ratio as openais

    for text in ("今天只要两百九十九块钱到手", "谢谢" * 30):
        assert compression_ratio(text) == openais(text)


def test_every_risk_has_words_for_people_on_pages_and_in_packages() -> None:
    for risk in Risk:
        assert all(ANSWERS[f"risk.{risk}"])
        assert all(DOUBTS[risk])
