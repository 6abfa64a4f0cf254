"""The same questions put to every index over the same recordings get the same answers, whatever happened to the recordings before.

Tolerance: what is found is the same, and the best moment is in 95 of 100 questions (scores within 0.02); of the five best, nine in ten are.
Where more passages match than are looked at, engines may draw the line differently; no more than that is allowed for here.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from archive.timeline import WallTime
from search.answer import Answer, ask
from search.indexes import Filter, Index, Terms, open_index
from search.indexes.milvus import MilvusIndex
from search.indexing import index_recording
from search.moments import Moment
from tests.search.varied_sessions import (
    DAY_MS,
    FIRST_EVENING,
    HOSTS,
    PLATFORMS,
    QUESTIONS,
    ROOMS,
    SHELF,
    GramVectors,
    Session,
    grown,
    heard_again,
    session,
)
from tests.simulators.milvus import fresh_place, settle

SAME_BEST, SAME_FIVE, SCORE = 0.95, 0.90, 0.02
CATEGORIES = ("warranty", "return", "shipping", "material", "price", "gift")
EMBEDDER = GramVectors()


@dataclass
class Pair:
    """Two indexes that were told the same."""

    embedded: Index
    milvus: MilvusIndex
    draw: random.Random
    sessions: dict[str, Session] = field(default_factory=dict)

    def hold(self, held: Session) -> None:
        self.sessions[held.recording.id] = held
        for index in (self.embedded, self.milvus):
            index_recording(index, held.recording, held.segments, held.products, held.events, held.messages, EMBEDDER)

    def forget(self, name: str) -> None:
        del self.sessions[name]
        assert self.embedded.remove(name) and self.milvus.remove(name)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    place = fresh_place()
    held = Pair(open_index(tmp_path_factory.mktemp("embedded")), MilvusIndex(place), random.Random(20261122))
    for number in range(6):
        held.hold(session(held.draw, f"evening-{number}", held.draw.randint(25, 70)))
    settle(place)
    yield held
    held.embedded.close()
    held.milvus.close()


def some_filter(draw: random.Random, names: Sequence[str]) -> dict[str, object]:
    """None, one or two limits of what is searched."""

    def moment() -> WallTime:
        return FIRST_EVENING.plus_ms(draw.randrange(-DAY_MS, 10 * DAY_MS))

    limits = {
        "recording": lambda: draw.choice(names),
        "host": lambda: draw.choice([host for host in HOSTS if host]),
        "platform": lambda: draw.choice(PLATFORMS),
        "room": lambda: draw.choice(ROOMS),
        "since": moment,
        "until": moment,
        "calls": lambda: draw.random() < 0.5,
        "category": lambda: draw.choice(CATEGORIES),
        "among": lambda: tuple(draw.sample(list(names), draw.randint(0, 4))),
        "product": lambda: draw.choice(SHELF).product_id,
    }
    return {name: limits[name]() for name in draw.sample(sorted(limits), draw.choice((0, 0, 1, 1, 2)))}


def best(answer: Answer) -> tuple[str, int, int] | None:
    return place(answer.moments[0]) if answer.moments else None


def place(moment: Moment) -> tuple[str, int, int]:
    return moment.recording, moment.start_ms, moment.end_ms


def same_answers(pair: Pair, questions: int) -> None:
    same_best = overlap = shown = 0
    for _ in range(questions):
        question, limits = pair.draw.choice(QUESTIONS), some_filter(pair.draw, sorted(pair.sessions))
        embedder = EMBEDDER if pair.draw.random() < 0.5 else None
        one, other = (ask(index, question, embedder=embedder, **limits) for index in (pair.embedded, pair.milvus))  # type: ignore[arg-type]
        assert one.coverage == other.coverage, (question, limits)
        close = not one.moments or not other.moments or abs(one.moments[0].score - other.moments[0].score) <= SCORE
        same_best += one.found == other.found and best(one) == best(other) and close and one.not_heard == other.not_heard
        overlap += len(set(map(place, one.moments)) & set(map(place, other.moments)))
        shown += max(len(one.moments), len(other.moments))
    assert same_best >= SAME_BEST * questions
    assert overlap >= SAME_FIVE * shown
    assert shown > questions  # most questions have several moments to compare


def test_fresh_recordings_answer_alike(pair: Pair) -> None:
    same_answers(pair, 60)


def test_each_index_knows_the_same_of_what_it_holds(pair: Pair) -> None:
    assert pair.embedded.passage_count() == pair.milvus.passage_count()
    assert pair.embedded.hosts() == pair.milvus.hosts()
    for _ in range(40):
        limits = some_filter(pair.draw, sorted(pair.sessions))
        wanted = Filter(**limits)  # type: ignore[arg-type]
        assert pair.embedded.ids(wanted) == pair.milvus.ids(wanted)
        assert pair.embedded.totals(wanted) == pair.milvus.totals(wanted)
        assert pair.embedded.recordings(wanted) == pair.milvus.recordings(wanted)


def test_terms_are_counted_alike(pair: Pair) -> None:
    terms = {"words": ["质保", "发货", "大衣", "飞机"], "grams": ["质保", "运费", "鹅绒", "毛肚", "机洗"], "chat": ["机洗", "发货"]}
    assert pair.embedded.frequencies(terms) == pair.milvus.frequencies(terms)


def test_a_filter_lets_the_same_passages_through(pair: Pair) -> None:
    asked = Terms({"grams": {"质保": 2.0, "运费": 1.5, "发货": 1.0}, "words": {"质保": 2.0, "大衣": 1.0}})
    doubtful = 0
    for _ in range(40):
        limits = some_filter(pair.draw, sorted(pair.sessions)) | {"doubtful": pair.draw.choice((None, True, False))}
        wanted = Filter(**limits)  # type: ignore[arg-type]
        one, other = (
            {(found.recording_id, found.first, found.last) for found in index.candidates(asked, wanted, 5_000)}
            for index in (pair.embedded, pair.milvus)
        )
        assert one == other, wanted
        doubtful += bool(limits["doubtful"] and one)
    assert doubtful


def test_meaning_is_as_near_in_each_whatever_is_let_through(pair: Pair) -> None:
    for question in QUESTIONS * 2:
        vector = EMBEDDER.embed_question(question)
        limits = some_filter(pair.draw, sorted(pair.sessions)) | {"doubtful": pair.draw.choice((None, None, True, False))}
        wanted = Filter(**limits)  # type: ignore[arg-type]
        one, other = ([found.score for found in index.nearest(vector, wanted, 20)] for index in (pair.embedded, pair.milvus))
        assert one == pytest.approx(other, abs=0.005), wanted


def test_after_growth_another_transcript_replacement_and_removal_they_answer_alike(pair: Pair) -> None:
    names = sorted(pair.sessions)
    pair.hold(grown(pair.draw, pair.sessions[names[0]], 25))
    pair.hold(heard_again(pair.draw, pair.sessions[names[1]]))
    pair.hold(session(pair.draw, names[2], 30))
    pair.forget(names[3])
    pair.hold(session(pair.draw, "late", 40))
    same_answers(pair, 40)
    test_terms_are_counted_alike(pair)
    test_each_index_knows_the_same_of_what_it_holds(pair)


def test_a_live_evening_that_grows_line_by_line_is_the_evening_held_at_once(pair: Pair) -> None:
    whole = session(pair.draw, "live", 30)
    for reached in range(6, 31, 6):
        pair.hold(Session(whole.recording, whole.segments[:reached], whole.products, whole.events, whole.messages))
    same_answers(pair, 30)
    vectors = pair.milvus.vectors("live", EMBEDDER.name)
    assert vectors.keys() == pair.embedded.vectors("live", EMBEDDER.name).keys()
