"""However a session is cut into batches, and whatever else comes with them: what is held is what one pass over the whole makes of it."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from archive.recording import EventKind, Message, Part, Product, ProductEvent, Recording
from archive.timeline import ClockMap, WallTime
from archive.transcript import Segment
from search.earlier_claims import EarlierClaims
from search.growing import SEAM_LAGS_MS, Growth
from search.indexes import Index, open_index
from search.indexing import IndexedCounts, WordsAtHand, index_words
from search.passages import IndexedUnit
from search.promises import Claim, Promise, taken_back_by
from search.seams import NO_SEAMS, Told
from tests.search.test_growing_index import rows
from tests.search.varied_sessions import FIRST_EVENING, SHELF, GramVectors, Session, line, session

LINES = 220


_BUSY = (
    "不好意思更正一下",
    "质保是两年不是三年",
    "有人问能不能机洗",
    "可以机洗的",
    "来看三号链接",
    "这个水壶质保三年",
    "鹅绒被充绒量一千克",
)


def busy_session(draw: random.Random, lines: int) -> Session:
    """Nobody but the host says what is on air; hardly a pause, corrections, and chat that is read out and answered."""
    segments, at = [], 0
    for number in range(1, lines + 1):
        text = draw.choice(_BUSY) if draw.random() < 0.6 else line(draw)
        length = 900 + 180 * len(text)
        segments.append(Segment(number, None, at, at + length, text, risk=("low_probability",) if draw.random() < 0.1 else ()))
        at += length + draw.choice((0, 100, 100, 300, 500, 1_600))
    asked = ("能机洗吗这个", "能不能机洗呀", "质保几年", "三号链接多少钱")
    chat = tuple(Message(when, draw.choice(asked), "viewer") for when in range(0, at, 9_000))
    return Session(Recording("evening", None, None, None, None, None, at, FIRST_EVENING), tuple(segments), SHELF, (), chat)


@dataclass(frozen=True, slots=True)
class Spoken(WordsAtHand):
    """The words of a session so far; each batch keeps those before."""

    def keeps(self, version: int) -> bool:
        return True


def so_far(whole: Session, lines: int, version: int) -> tuple[Told, Spoken]:
    """The session as it was when so many of its lines had been said."""
    said = whole.segments[:lines]
    end_ms = said[-1].end_ms
    told = Told(
        replace(whole.recording, duration_ms=end_ms, live=lines < len(whole.segments)),
        whole.products,
        [event for event in whole.events if event.at_ms <= end_ms],
    )
    return told, Spoken(said, [message for message in whole.messages if message.at_ms <= end_ms], version)


def add(index: Index, told: Told, words: Spoken) -> IndexedCounts:
    return index_words(index, told, words, GramVectors(), words.version)


def held_at_once(folder: Path, told: Told, words: Spoken) -> dict[str, list[tuple[object, ...]]]:
    index = open_index(folder)
    add(index, told, words)
    index.close()
    return rows(folder)


def cuts(draw: random.Random, count: int) -> list[int]:
    return [*sorted(draw.sample(range(20, count), 5)), count]


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    opened = open_index(tmp_path / "index")
    yield opened
    opened.close()


@pytest.mark.parametrize("made", [lambda draw: session(draw, "evening", LINES), lambda draw: busy_session(draw, LINES)])
@pytest.mark.parametrize("seed", range(2))
def test_any_cut_into_batches_gives_what_one_pass_gives(
    index: Index, tmp_path: Path, made: Callable[[random.Random], Session], seed: int
) -> None:
    draw = random.Random(seed)
    whole = made(draw)
    described = 0
    for batch, lines in enumerate(cuts(draw, LINES), 1):
        told, words = so_far(whole, lines, batch)
        counts = add(index, told, words)
        described += counts.anew
        if batch % 3 == 1:
            assert rows(tmp_path / "index") == held_at_once(tmp_path / f"at-once-{batch}", told, words)
    assert described < 6 * counts.units * 0.6  # and not because all of it was described each time
    at_once = open_index(tmp_path / "whole")
    assert add(at_once, told, words) == replace(counts, anew=counts.units)
    at_once.close()


@pytest.mark.parametrize("seed", range(6))
def test_from_whichever_seam_it_is_gone_on_with_it_becomes_the_same(seed: int) -> None:
    whole = busy_session(random.Random(seed), 150)
    told, words = so_far(whole, 150, 1)
    growth = Growth(told, words.messages(None))
    pieces = list(growth.pieces(words.segments(0)))
    units = [unit for piece in pieces for unit in piece.units]
    claims = [claim for piece in pieces for claim in piece.claims]
    settled = {(level, passage.first): passage for piece in pieces for passage in piece.passages for level in (passage.level,)}

    class Held:
        def units(self, first: int, last: int) -> Sequence[IndexedUnit]:
            return units[first : last + 1]

        def claims(self, before: int, products: frozenset[str], since_ms: int) -> Iterator[tuple[int, Claim, Sequence[IndexedUnit]]]:
            for number, linked in reversed(list(enumerate(claims[:before]))):
                yield number, replace(linked.claim, grams=frozenset()), units[linked.claim.first : linked.claim.last + 1]

    seams = growth.passed
    assert len(seams) > 5
    for seam in seams:
        chat = [message for message in words.chat if message.at_ms >= seam.chat_needed_ms]
        again = Growth(told, chat, seam, Held())
        more = list(again.pieces(words.segments(seam.segment)))
        assert [unit for piece in more for unit in piece.units] == units[seam.unit :]
        found = [claim for piece in more for claim in piece.claims]
        assert [(each.corrects, replace(each.claim, grams=frozenset())) for each in found] == [
            (each.corrects, replace(each.claim, grams=frozenset())) for each in claims[seam.claims :]
        ]
        passages = [passage for piece in more for passage in piece.passages]
        assert all(settled[passage.level, passage.first] == passage for passage in passages)
        assert seam.settled + len(passages) == growth.passages == again.passages
        assert (again.transcribed, again.risky, again.units) == (growth.transcribed, growth.risky, growth.units)
        assert seam.messages + len(again.messages) == len(growth.messages)


def test_a_batch_is_described_with_little_of_what_was_before(index: Index) -> None:
    whole = session(random.Random(3), "evening", 400)
    add(index, *so_far(whole, 398, 1))
    counts = add(index, *so_far(whole, 400, 2))
    per_unit_ms = whole.segments[-1].end_ms / len(whole.segments)
    assert counts.anew * per_unit_ms < SEAM_LAGS_MS[0] + 150_000


def test_what_takes_an_earlier_promise_back_finds_it_however_long_ago(index: Index, tmp_path: Path) -> None:
    talk = [(10, "来看一号链接鹅绒被"), (14, "这个被子质保三年")]
    talk += [(at, "今天天气特别冷大家多穿一点") for at in range(30, 4_000, 7)]
    talk += [(4_010, "再说一号链接鹅绒被"), (4_016, "不好意思更正一下"), (4_019, "鹅绒被质保是两年不是三年")]
    said = [Segment(n, None, at * 1000, at * 1000 + 3_000, text) for n, (at, text) in enumerate(talk, 1)]
    whole = Session(Recording("evening", None, None, None, None, None, 4_030_000, FIRST_EVENING), tuple(said), SHELF, (), ())
    add(index, *so_far(whole, len(said) - 3, 1))
    counts = add(index, *so_far(whole, len(said), 2))
    assert counts.anew < 40
    assert any(claim.corrects == 0 for claim in index.claims("evening"))
    assert rows(tmp_path / "index") == held_at_once(tmp_path / "other", *so_far(whole, len(said), 2))


def test_of_a_products_earlier_promises_only_so_many_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    def claim(number: int, topic: str, correction: bool = False) -> Claim:
        promise = Promise("warranty", "affirmed", None, None, (topic,), correction)
        return Claim(number, number, number * 1_000, number * 1_000 + 900, frozenset({"duvet"}), promise)

    monkeypatch.setattr("search.promises.MOST_LOOKED_AT", 7)
    earlier, correction = EarlierClaims(), claim(30, "warranty", True)
    for number in range(10):
        earlier.add(number, claim(number, "warranty"))
    for number in range(10, 16):
        earlier.add(number, claim(number, "other"))
    assert taken_back_by(correction, earlier.of(correction)) == 9
    earlier.add(16, claim(16, "other"))
    assert taken_back_by(correction, earlier.of(correction)) is None


def late_chat(told: Told, words: Spoken, draw: random.Random) -> tuple[Told, Spoken]:
    return told, replace(words, chat=[*words.chat, replace(words.chat[0], at_ms=draw.randrange(told.recording.duration_ms // 4))])


def late_words(told: Told, words: Spoken, draw: random.Random) -> tuple[Told, Spoken]:
    at = draw.randrange(told.recording.duration_ms // 4)
    return told, replace(words, said=[*words.said, Segment(len(words.said) + 1, None, at, at + 2_500, "这个水壶质保三年")])


def another_shelf(told: Told, words: Spoken, draw: random.Random) -> tuple[Told, Spoken]:
    return replace(told, products=[*told.products, Product("new", "小鹿毛绒玩具", "9", ("小鹿",))]), words


def late_event(told: Told, words: Spoken, draw: random.Random) -> tuple[Told, Spoken]:
    at = draw.randrange(told.recording.duration_ms // 4)
    return replace(told, events=sorted([*told.events, ProductEvent(EventKind.CARD_SHOWN, "duvet", at)], key=lambda each: each.at_ms)), words


def another_clock(told: Told, words: Spoken, draw: random.Random) -> tuple[Told, Spoken]:
    clock = ClockMap(0, WallTime.parse("2026-11-12T20:00:00+08:00"), 1_000, "given", 1)
    part = Part(1, "sha256:0", 1, "a.mp4", told.recording.duration_ms, "mp4", None, clock)
    return replace(told, recording=replace(told.recording, parts=(part,))), words


@pytest.mark.parametrize("changed", [late_chat, late_words, another_shelf, late_event, another_clock])
@pytest.mark.parametrize("seed", [11, 12])
def test_what_changes_before_a_seam_is_described_anew(index: Index, tmp_path: Path, changed: object, seed: int) -> None:
    assert callable(changed)
    draw = random.Random(seed)
    whole = session(draw, "evening", LINES)
    whole = replace(whole, products=SHELF, messages=whole.messages or (session(random.Random(1), "x", 9).messages))
    add(index, *so_far(whole, 160, 1))
    told, words = changed(*so_far(whole, LINES, 2), draw)
    add(index, told, words)
    assert rows(tmp_path / "index") == held_at_once(tmp_path / "other", told, words)


def test_another_sentence_model_or_another_transcript_is_not_gone_on_with(index: Index) -> None:
    whole = session(random.Random(5), "evening", LINES)
    told, words = so_far(whole, LINES, 1)
    counts = add(index, told, words)
    assert index_words(index, told, words, None).anew == counts.units
    add(index, told, words)
    again = WordsAtHand(words.said, words.chat, 2)
    assert index_words(index, told, again, GramVectors()).anew == counts.units


class Interrupting(GramVectors):
    """While it embeds, somebody else writes the recording."""

    def __init__(self, meanwhile: Index, told: Told, words: Spoken) -> None:
        self._meanwhile: Index | None = meanwhile
        self._told, self._words = told, words

    def embed_passages(self, texts: Sequence[str]) -> list[list[float]]:
        index, self._meanwhile = self._meanwhile, None
        if index:
            add(index, self._told, self._words)
        return super().embed_passages(texts)


def test_two_that_index_a_recording_at_once_leave_it_whole(index: Index, tmp_path: Path) -> None:
    whole = session(random.Random(6), "evening", LINES)
    add(index, *so_far(whole, 120, 1))
    other = open_index(tmp_path / "index")
    told, words = so_far(whole, LINES, 3)
    index_words(index, told, words, Interrupting(other, *so_far(whole, 170, 2)), 3)
    other.close()
    assert rows(tmp_path / "index") == held_at_once(tmp_path / "other", told, words)


def test_what_was_forgotten_is_not_gone_on_with(index: Index) -> None:
    whole = session(random.Random(7), "evening", 120)
    add(index, *so_far(whole, 120, 1))
    assert index.seams("evening")[0].of
    index.remove("evening")
    assert index.seams("evening") == (NO_SEAMS, "")
    counts = add(index, *so_far(whole, 120, 2))
    assert counts.anew == counts.units
