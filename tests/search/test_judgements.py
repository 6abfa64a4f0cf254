"""Judgements of answers: kept line by line, read back, and what they make of a run."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.timeline import WallTime
from search.errors import JudgementsUnreadable
from search.judgements import Asked, Grade, Judgement, Judgements, judged_questions, verdict_on
from search.relevance import Judged, Place, Returned, score

NOW = WallTime.parse("2026-11-20T10:00:00+08:00")
WARRANTY = Asked("质保几年", (("recording", "evening"),))


def verdict(place: Place | None, grade: Grade, asked: Asked = WARRANTY) -> Judgement:
    return Judgement(asked, place, grade, "质保三年", "阿明", NOW)


def test_judgements_come_back_and_a_later_one_of_the_same_place_replaces_the_earlier(tmp_path: Path) -> None:
    kept = Judgements(tmp_path / "own.jsonl")
    place = Place("evening", 1000, 5000)
    kept.add(verdict(place, "no"))
    kept.add(verdict(Place("evening", 9000, 12000), "near"))
    kept.add(verdict(place, "answers"))
    assert [(each.place, each.grade) for each in kept.all()] == [(place, "answers"), (Place("evening", 9000, 12000), "near")]
    assert kept.all()[0].asked == WARRANTY and kept.all()[0].at == NOW


def test_a_line_that_a_crash_cut_short_costs_only_itself(tmp_path: Path) -> None:
    kept = Judgements(tmp_path / "own.jsonl")
    kept.add(verdict(Place("evening", 0, 1000), "answers"))
    with kept.path.open("a", encoding="utf-8") as torn:
        torn.write('{"question": "质保')
    assert len(kept.all()) == 1
    kept.add(verdict(Place("evening", 5000, 6000), "no"))
    with pytest.raises(JudgementsUnreadable, match="line 2"):
        kept.all()  # in the middle nobody can tell what it was


def test_what_is_no_judgement_is_refused_with_its_line(tmp_path: Path) -> None:
    kept = Judgements(tmp_path / "own.jsonl")
    kept.add(verdict(Place("evening", 0, 1000), "answers"))
    kept.path.write_text(json.dumps({"question": "x", "grade": "perhaps"}) + "\n" + kept.path.read_text("utf-8"), "utf-8")
    with pytest.raises(JudgementsUnreadable, match="line 1"):
        kept.all()


def test_a_question_is_settled_by_an_answer_or_by_there_being_none() -> None:
    never, open_still = Asked("能机洗吗"), Asked("多少钱")
    held = [
        verdict(Place("evening", 0, 1000), "answers"),
        verdict(Place("evening", 5000, 6000), "no"),
        verdict(None, "answers", never),
        verdict(Place("evening", 0, 1000), "no", open_still),
    ]
    settled = {asked.question: judged.answers for asked, judged in judged_questions(held)}
    assert settled == {"质保几年": (Place("evening", 0, 1000),), "能机洗吗": ()}


def test_a_place_that_was_judged_is_known_again_where_its_borders_moved() -> None:
    held = [verdict(Place("evening", 1000, 5000), "near")]
    assert verdict_on(Place("evening", 500, 5200), held) == "near"
    assert verdict_on(Place("evening", 60_000, 65_000), held) is None
    assert verdict_on(Place("other", 1000, 5000), held) is None


def test_scores_count_hits_misses_and_silence() -> None:
    questions = [
        Judged("first", (Place("a", 1000, 5000),), "direct"),
        Judged("third", (Place("a", 50_000, 55_000), Place("b", 0, 4000)), "paraphrase"),
        Judged("lost", (Place("a", 90_000, 95_000),), "paraphrase"),
        Judged("never", ()),
        Judged("invented", ()),
    ]
    far, nearly = Place("a", 200_000, 205_000), Place("b", 1500, 9000)
    run = {
        "first": Returned((Place("a", 800, 5500),)),
        "third": Returned((far, Place("a", 0, 60_000), nearly)),
        "lost": Returned((), found=False),
        "never": Returned((), found=False),
        "invented": Returned((far,)),
    }
    got = score(questions, run)
    assert (got.questions, got.answerable, got.unanswerable) == (5, 3, 2)
    assert got.success_at_1 == pytest.approx(1 / 3) and got.success_at_5 == pytest.approx(2 / 3)
    assert got.reciprocal_rank == pytest.approx((1 + 1 / 3) / 3)
    assert got.start_error_ms == (200 + 1500) / 2
    assert (got.silent_rightly, got.silent_wrongly) == (1, 1)
    assert got.by_kind["paraphrase"] == (2, 0.0, 0.5)


@given(st.lists(st.integers(0, 60_000), min_size=2, max_size=2), st.integers(0, 60_000), st.integers(0, 40_000))
def test_a_place_hits_only_what_it_covers_by_half_without_being_much_longer(span: list[int], start: int, length: int) -> None:
    low, high = sorted(span)
    place, answer = Place("a", start, start + length), Place("a", low, high + 1)
    got = score([Judged("q", (answer,))], {"q": Returned((place,))}).success_at_1 == 1.0
    covered = max(0, min(place.to_ms, answer.to_ms) - max(place.from_ms, answer.from_ms))
    assert got == (2 * covered >= answer.to_ms - answer.from_ms and length <= answer.to_ms - answer.from_ms + 15_000)
