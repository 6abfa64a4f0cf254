"""Asking: the exact words and their times, the product, corrections, viewers' questions, and “not said” with its coverage."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.recording import Gap, Product
from archive.timeline import WallTime
from archive.transcript import Segment, Word
from search.answer import Answer, ask
from search.errors import InvalidQuestion
from search.indexes import Index, open_index
from search.indexing import index_recording
from tests.search.sessions import DUVET, EVENING, SILK, TALK, chat, events, recording, segments


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    opened = open_index(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def evening(index: Index) -> Index:
    index_recording(index, recording(), segments(), [DUVET, SILK], events(), chat(), None)
    return index


def best(answer: Answer) -> str:
    return answer.moments[0].quote


def test_the_words_are_quoted_exactly_with_their_times(evening: Index) -> None:
    answer = ask(evening, "主播有没有说过鹅绒被质保三年")
    moment = answer.moments[0]
    assert answer.found
    assert "这个被子质保三年" in moment.quote
    spoken = [text for at, text in TALK if moment.start_ms <= at * 1000 < moment.end_ms]
    assert moment.quote == " ".join(spoken)
    assert moment.wall_start == EVENING.plus_ms(moment.start_ms)
    assert moment.promise is not None
    assert moment.promise.category == "warranty"
    assert moment.promise.quantity is not None
    assert moment.promise.quantity.describe() == "P3Y"


def test_a_misheard_word_is_found_by_its_sound_and_quoted_as_heard(index: Index) -> None:
    index_recording(index, recording(), segments(((5, "晚上好"), (10, "里面填的都是白鹅容"), (30, "点点关注"))), [], [], [], None)
    moment = ask(index, "填的是白鹅绒吗").moments[0]
    assert "白鹅容" in moment.quote
    assert any(reason.kind == "sound" for reason in moment.why)


@pytest.mark.parametrize("complaint", ["鹅绒被坏了不给修", "鹅绒被用坏了,让我自己出钱修", "买的鹅绒被坏了修不了"])
def test_a_complaint_of_a_product_is_answered_by_what_was_promised_of_it_in_other_words(evening: Index, complaint: str) -> None:
    answer = ask(evening, complaint)
    assert answer.found
    assert "质保三年" in best(answer)
    assert not ask(evening, complaint.replace("鹅绒被", "吹风机")).found


def test_what_is_promised_is_what_was_said_instead_where_the_moment_takes_it_back(index: Index) -> None:
    pan = Product("pan", "不粘锅", "1", ("不粘锅",))
    talk = ((5, "来看这个不粘锅"), (9, "整机质保三年"), (13, "不对不对说错了"), (17, "质保是两年"), (21, "两年之内免费换"))
    index_recording(index, recording(), segments(talk), [pan], [], [], None)
    moment = ask(index, "不粘锅整机质保三年吗").moments[0]
    assert "整机质保三年" in moment.quote
    assert "质保是两年" in moment.quote
    assert moment.promise is not None
    assert moment.promise.quantity is not None
    assert moment.promise.quantity.describe() == "P2Y"


def test_the_product_asked_about_decides_between_like_promises(evening: Index) -> None:
    assert "盖过了也可以退" in best(ask(evening, "鹅绒被盖过能退吗"))
    assert "盖过就不能退" in best(ask(evening, "蚕丝被盖过能退吗"))
    assert "盖过就不能退" in best(ask(evening, "盖过能退吗", product="silk"))


def test_how_the_product_is_known_is_said(evening: Index, tmp_path: Path) -> None:
    on_air = ask(evening, "质保三年").moments[0].product
    assert on_air is not None
    assert (on_air.product_id, on_air.how) == ("duvet", "on_air")
    with_shelf_only = open_index(tmp_path / "shelf")
    index_recording(with_shelf_only, recording(), segments(), [DUVET, SILK], [], [], None)
    inferred = ask(with_shelf_only, "质保三年").moments[0].product
    with_shelf_only.close()
    assert inferred is not None
    assert (inferred.product_id, inferred.how) == ("duvet", "inferred")
    assert on_air.confidence is None
    assert inferred.confidence is not None and 0 < inferred.confidence < 1


def test_a_later_correction_comes_before_the_claim_and_says_so(evening: Index) -> None:
    answer = ask(evening, "鹅绒被充绒量多少")
    assert "一千克不是一千两百克" in best(answer)
    assert any(reason.kind == "correction" for reason in answer.moments[0].why)
    assert any("充绒量一千两百克" in moment.quote for moment in answer.moments[1:])


def test_the_answer_to_a_viewer_is_found_by_the_viewers_words(evening: Index) -> None:
    moment = ask(evening, "蚕丝被能机洗吗").moments[0]
    assert "不能水洗" in moment.quote
    assert any(line.text == "蚕丝被能机洗吗" for line in moment.chat)
    assert all(line.author is None for line in moment.chat)


def test_what_was_never_said_is_not_found_and_coverage_stands_beside_it(evening: Index) -> None:
    answer = ask(evening, "鹅绒被支持花呗分期免息吗")
    assert not answer.found
    assert answer.coverage.recordings == 1
    assert answer.coverage.captions_only == 1
    assert answer.coverage.transcribed_ms == len(TALK) * 3500 - 500
    assert {"花呗", "分期"} <= set(answer.not_heard)


def test_gaps_and_doubtful_stretches_are_counted(index: Index) -> None:
    session = recording()
    gapped = type(session)(session.id, None, None, None, None, None, 125_000, EVENING, gaps=(Gap(30_000, 38_000, "recorder restarted"),))
    doubtful = [Segment(1, None, 0, 4000, "质保三年"), Segment(2, None, 5000, 8000, "谢谢观看", risk=("repeats",))]
    index_recording(index, gapped, doubtful, [], [], [], None)
    coverage = ask(index, "质保三年").coverage
    assert (coverage.missing_ms, coverage.risky_ms, coverage.transcribed_ms) == (8_000, 3_000, 7_000)


def test_an_empty_index_answers_not_said(index: Index) -> None:
    answer = ask(index, "质保三年")
    assert not answer.found
    assert answer.moments == ()
    assert answer.coverage.recordings == 0


def test_without_products_events_and_chat_the_words_are_still_found(index: Index) -> None:
    index_recording(index, recording(), segments(), [], [], [], None)
    moment = ask(index, "这个被子保修几年").moments[0]
    assert "质保三年" in moment.quote
    assert moment.product is None


def test_long_segments_are_cut_and_timed_by_their_words(index: Index) -> None:
    said = "今天天气真的特别好我们先聊一会儿。然后来看这一床被子。它是质保三年的。大家放心买就可以了。现在开始上链接。"
    words = tuple(Word(at * 500, at * 500 + 450, char) for at, char in enumerate(said))
    index_recording(index, recording(), [Segment(1, None, 0, len(said) * 500, said, words)], [], [], [], None)
    moment = ask(index, "质保三年").moments[0]
    assert moment.quote in said
    assert "质保三年" in moment.quote
    assert moment.start_ms == words[said.index(moment.quote)].start_ms
    assert moment.end_ms - moment.start_ms <= 20_000


def test_host_and_time_limit_where_is_searched(index: Index) -> None:
    other_day = WallTime.parse("2026-11-20T20:00:00+08:00")
    index_recording(index, recording(), segments(), [], [], [], None)
    index_recording(index, recording("later", "阿May", other_day), segments(), [], [], [], None)
    assert {moment.recording for moment in ask(index, "质保三年", host="阿May").moments} == {"later"}
    assert {moment.recording for moment in ask(index, "质保三年", until=other_day).moments} == {"evening"}
    assert {moment.recording for moment in ask(index, "质保三年", since=other_day).moments} == {"later"}
    assert {moment.recording for moment in ask(index, "质保三年").moments} == {"evening", "later"}
    assert ask(index, "质保三年", recording="nowhere").coverage.recordings == 0


def test_a_recording_that_does_not_sell_the_product_is_not_searched(index: Index) -> None:
    index_recording(index, recording(), segments(), [DUVET], [], [], None)
    index_recording(index, recording("other"), segments(), [Product("kettle", "电水壶")], [], [], None)
    assert {moment.recording for moment in ask(index, "质保三年", product="duvet").moments} == {"evening"}


def test_a_recording_whose_shelf_is_unknown_is_searched_whatever_product_is_asked_about(index: Index) -> None:
    index_recording(index, recording(), segments(), [], [], [], None)
    assert ask(index, "质保三年", product="duvet").found


def test_a_moment_begins_with_the_utterance_that_answers_not_with_what_led_to_it(index: Index) -> None:
    talk = ((5, "四号链接是一只手镯"), (9, "每一只都有证书"), (13, "鉴定是假的我给你假一赔十"), (17, "大家看清楚它不是籽料"))
    index_recording(index, recording(), segments(talk), [], [], [], None)
    moment = ask(index, "有没有说假一赔十").moments[0]
    assert moment.start_ms == 13_000
    assert moment.promise is not None
    assert (moment.promise.category, moment.promise.polarity) == ("compensation", "affirmed")


@pytest.mark.parametrize("question", ["", "  ?!", "质" * 501])
def test_an_empty_or_endless_question_is_refused(evening: Index, question: str) -> None:
    with pytest.raises(InvalidQuestion):
        ask(evening, question)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=1, max_size=60).filter(lambda text: any(char.isalnum() for char in text)))
def test_any_question_is_answered_with_moments_that_hold_their_promises(evening: Index, question: str) -> None:
    spoken = {at * 1000: text for at, text in TALK}
    answer = ask(evening, question, limit=10)
    for moment in answer.moments:
        assert 0 <= moment.score <= 1
        assert 0 < moment.end_ms - moment.start_ms <= 20_000
        assert moment.quote.split(" ")[0] == spoken[moment.start_ms]


class Likeness:
    """A model for which everything is alike, and what speaks of service most of all."""

    name = "likeness"

    def embed_passages(self, texts: Sequence[str]) -> list[list[float]]:
        return [[1.0, 0.0] if "质保" in text else [0.9, 0.43589] for text in texts]

    def embed_question(self, text: str) -> list[float]:
        return [1.0, 0.0]


def test_meaning_brings_in_what_shares_no_word(index: Index) -> None:
    index_recording(index, recording(), segments(), [], [], [], Likeness())
    answer = ask(index, "service lasts how many seasons", embedder=Likeness())
    assert not answer.found
    assert (
        ask(index, "这个被子能用多少个冬天", embedder=Likeness()).moments[0].score > ask(index, "这个被子能用多少个冬天").moments[0].score
    )
