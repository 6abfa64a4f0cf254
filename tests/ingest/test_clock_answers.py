"""Chat against the speech that answers it: the lag is found where hosts answer viewers, and nothing is said where they don't."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.transcript import Segment
from ingest.clock_answers import AnswerLag, Asked, answer_lag
from tests.simulators.same_session import TRUTH, viewers_lines

SYLLABLES = (
    "绒料码裙袖领扣链环珠玉金银瓷茶米面油盐糖果肉鱼虾蟹菜瓜豆椒姜葱蒜奶酒壶杯盘碗锅铲刀剪针线布皮毛棉麻丝纸笔墨书画灯伞鞋帽袜包箱床桌椅柜"
)


def demo_speech() -> list[Segment]:
    return [Segment(n, 1, line["start_ms"], line["end_ms"], line["text"]) for n, line in enumerate(TRUTH["lines"])]


def demo_chat(late_ms: int = 0) -> list[Asked]:
    return [Asked(line.at_ms + late_ms, line.text) for line in viewers_lines()]


def test_the_demo_host_answers_about_five_seconds_after_being_asked() -> None:
    found = answer_lag(demo_chat(), demo_speech())
    assert found.lag_ms == pytest.approx(5000, abs=1000)


@pytest.mark.parametrize("late_ms", [40_000, -40_000, 300_000, -290_000])
def test_late_or_early_chat_is_found_by_as_much(late_ms: int) -> None:
    on_time, off = answer_lag(demo_chat(), demo_speech()), answer_lag(demo_chat(late_ms), demo_speech())
    assert on_time.lag_ms is not None
    assert off.lag_ms == pytest.approx(on_time.lag_ms - late_ms, abs=1000)


def test_the_same_input_gives_the_same_answer() -> None:
    assert answer_lag(demo_chat(), demo_speech()) == answer_lag(demo_chat(), demo_speech())


def test_texts_dealt_out_anew_among_the_times_say_nothing() -> None:
    """A decision rule that guesses would take one in some hundred; none of a hundred is taken."""
    chance, taken = random.Random(5), 0
    for _ in range(100):
        texts = [each.text for each in demo_chat()]
        chance.shuffle(texts)
        taken += (
            answer_lag([replace(each, text=text) for each, text in zip(demo_chat(), texts, strict=True)], demo_speech()).lag_ms is not None
        )
    assert taken == 0


def long_session(chance: random.Random, answered: float, delay_ms: int, late_ms: int) -> tuple[list[Asked], list[Segment]]:
    """Two hours of talk in topics of three minutes, each with its own words, and chat that asks about the topic on air; a share of the
    questions is answered after about `delay_ms`."""
    said: list[Segment] = []
    asked: list[Asked] = []
    for topic in range(40):
        words = [chance.choice(SYLLABLES) + chance.choice(SYLLABLES) for _ in range(30)]
        began = topic * 180_000
        for n in range(36):
            said.append(Segment(len(said), 1, began + n * 5_000, began + n * 5_000 + 4_000, "".join(chance.choices(words, k=4))))
        for _ in range(6):
            question = chance.choice(words) + chance.choice(words) + "吗"
            at = began + chance.randrange(10_000, 160_000)
            asked.append(Asked(at + late_ms, question))
            if chance.random() < answered:
                place = next(n for n, each in enumerate(said) if each.start_ms >= at + delay_ms * chance.uniform(0.7, 1.3))
                said[place] = replace(said[place], text="有人问" + question)
    return asked, said


def test_a_long_session_whose_host_answers_some_is_aligned() -> None:
    asked, said = long_session(random.Random(6), answered=0.3, delay_ms=8_000, late_ms=40_000)
    found = answer_lag(asked, said)
    assert found.lag_ms == pytest.approx(8_000 - 40_000, abs=5_000)


def test_a_long_session_whose_host_answers_nobody_says_nothing_though_chat_and_talk_share_their_topics() -> None:
    found = [answer_lag(*long_session(random.Random(seed), answered=0.0, delay_ms=8_000, late_ms=0)) for seed in range(8)]
    assert [each.lag_ms for each in found] == [None] * 8


def test_thirty_viewers_with_one_question_are_one_voice() -> None:
    crowd = [Asked(60_000 + n * 300, "零下二十度能穿吗") for n in range(30)]
    found = answer_lag(crowd, demo_speech())
    assert found.lag_ms is None
    assert found.questions == 1


def test_too_little_of_either_is_said_to_be_so() -> None:
    assert answer_lag([], demo_speech()).why == "few_questions"
    assert answer_lag(demo_chat(), demo_speech()[:5]).why == "few_utterances"
    assert answer_lag([Asked(n * 5_000, f"外星{SYLLABLES[n]}{SYLLABLES[-n]}吗") for n in range(9)], demo_speech()).why == "few_answers"


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-10_000_000, 10_000_000), st.text(max_size=30)), max_size=30),
    st.lists(st.tuples(st.integers(0, 400_000), st.integers(0, 40_000), st.text(max_size=60)), max_size=40),
)
def test_whatever_is_written_or_heard_nothing_breaks(chat: list[tuple[int, str]], speech: list[tuple[int, int, str]]) -> None:
    said = [Segment(n, 1, start, start + length, text) for n, (start, length, text) in enumerate(speech)]
    found = answer_lag([Asked(at, text) for at, text in chat], said)
    assert isinstance(found, AnswerLag)
    assert (found.lag_ms is None) == (found.why is not None)
