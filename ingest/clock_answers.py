"""How far chat lies from speech, told by the answers: hosts read viewers' questions out and answer them, some seconds after they were sent.

A question shares rare words with its answer. Each pair of a question and an utterance that share some has a lag, and the question votes
for it, with one vote in all, split among the utterances by how unlikely the shared words are by chance; an utterance takes one vote at
most, so that thirty viewers who ask the same are one. Where chat and speech belong together the votes heap up at one lag. Whether the heap
is more than chance is asked of the same votes with each question moved at random (by up to JITTER_MS, so that chat keeps talking of the
product on air): the answer is used only if no such chance heap comes near it and no other lag rivals it. Otherwise nothing is said.

The lag that is found holds the time that hosts take: ANSWER_DELAY_MS ± ANSWER_DELAY_UNCERTAINTY_MS, an assumption (a message is on the
host's screen after a second or two and is read within some seconds to a quarter of a minute); it was not measured on real sessions.
"""

import bisect
import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archive.transcript import Segment

ANSWER_DELAY_MS = 7_000
ANSWER_DELAY_UNCERTAINTY_MS = 8_000
REACH_MS = 900_000
JITTER_MS = 60_000
TRIALS = 200
QUESTIONS_LEAST, QUESTIONS_MAX = 4, 5_000
UTTERANCES_LEAST = 20
ANSWERS_LEAST = 2.5
OVER_CHANCE = 1.3
RIVAL_MOST = 0.7
BIN_MS = 500
HEAP_MS = 5_000
APART_MS = 20_000
UTTERANCE_MS = 8_000
REPEATED_MS = 60_000
_SEED = 20261118
_ASKS = re.compile(
    r"[?？]|吗|嘛|么|呢|多少|几|怎么|咋|什么|啥|哪|谁|何时|能不能|可不可以|可以不|是不是|有没有|会不会|要不要|行不行|好不好|讲一下|讲讲|介绍|看一下|看看|试"
    r"|\b(?:how|what|when|where|which|why|who|can|does|do|is|are|will)\b",
    re.IGNORECASE,
)
_RUN = re.compile(r"[\u3400-\u9fff]+|[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Asked:
    """A viewer's message, at `at_ms` by whatever clock is to be held against the speech."""

    at_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class AnswerLag:
    """What the answers tell. `lag_ms`: how long after their messages they are heard, None where nothing can be said, and then `why`:
    few_questions, few_utterances, few_answers, chance, rival. `answers`: the height of the heap, in answers; `by_chance`: that of the
    greatest heap of the moved questions; `rival`: the next heap's share of this one; `error_ms`: two standard errors of the lag."""

    lag_ms: int | None
    error_ms: int
    questions: int
    answers: float
    by_chance: float
    rival: float
    why: str | None = None


def answer_lag(asked: Sequence[Asked], said: Sequence[Segment], reach_ms: int = REACH_MS) -> AnswerLag:
    """Hold questions against speech, over lags of up to `reach_ms` either way. The same input gives the same answer."""
    questions = _questions(asked)
    utterances = sorted(_utterances(said))
    if len(questions) < QUESTIONS_LEAST:
        return AnswerLag(None, 0, len(questions), 0.0, 0.0, 0.0, "few_questions")
    if len(utterances) < UTTERANCES_LEAST:
        return AnswerLag(None, 0, len(questions), 0.0, 0.0, 0.0, "few_utterances")
    lags, weights, voters = _votes(questions, utterances, reach_ms)
    if not len(lags):
        return AnswerLag(None, 0, len(questions), 0.0, 0.0, 0.0, "few_answers")
    heaps = _heaps(lags, weights, reach_ms)
    top = int(np.argmax(heaps))
    answers = float(heaps[top])
    elsewhere = np.abs(np.arange(len(heaps)) - top) * BIN_MS > APART_MS
    rival = float(np.max(heaps[elsewhere], initial=0.0)) / answers
    chance = _by_chance(lags, weights, voters, len(questions), reach_ms)
    found = AnswerLag(None, 0, len(questions), round(answers, 2), round(chance, 2), round(rival, 2))
    if answers < ANSWERS_LEAST:
        return _refused(found, "few_answers")
    if answers < OVER_CHANCE * chance:
        return _refused(found, "chance")
    if rival > RIVAL_MOST:
        return _refused(found, "rival")
    lag, error = _centre(lags, weights, top * BIN_MS - reach_ms + BIN_MS // 2)
    return AnswerLag(round(lag), math.ceil(error), found.questions, found.answers, found.by_chance, found.rival)


def _refused(found: AnswerLag, why: str) -> AnswerLag:
    return AnswerLag(None, 0, found.questions, found.answers, found.by_chance, found.rival, why)


def _questions(asked: Sequence[Asked]) -> list[tuple[int, frozenset[str]]]:
    """(time, words) of messages that ask something; the same words again within a minute are the same question."""
    found: list[tuple[int, frozenset[str]]] = []
    last: dict[frozenset[str], int] = {}
    for each in sorted(asked, key=lambda message: message.at_ms):
        if not _ASKS.search(each.text):
            continue
        words = frozenset(_words(each.text))
        if not words or (words in last and each.at_ms - last[words] < REPEATED_MS):
            continue
        last[words] = each.at_ms
        found.append((each.at_ms, words))
    step = -(-len(found) // QUESTIONS_MAX)
    return found[:: max(1, step)]


def _words(text: str) -> Iterator[str]:
    """Pairs of Chinese characters that stand beside each other, and words and numbers in Latin letters."""
    for run in _RUN.findall(unicodedata.normalize("NFKC", text).lower()):
        if run[0].isascii():
            yield run
        else:
            yield from (run[n : n + 2] for n in range(len(run) - 1))


def _utterances(said: Sequence[Segment]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """(start, words) of pieces of speech of some seconds; a long segment is cut by its words' times, else evenly."""
    for segment in said:
        text = segment.text
        count = max(1, -(-(segment.end_ms - segment.start_ms) // UTTERANCE_MS))
        size = -(-len(text) // count)
        for first in range(0, len(text), max(1, size)):
            piece = tuple(set(_words(text[first : first + size + 1])))
            if piece:
                yield _time_of(segment, first), piece


def _time_of(segment: Segment, char: int) -> int:
    passed = 0
    for word in segment.words:
        passed += len(word.text.strip())
        if passed > char:
            return word.start_ms
    return segment.start_ms + (segment.end_ms - segment.start_ms) * char // max(1, len(segment.text))


Floats = NDArray[np.float64]
Indexes = NDArray[np.int64]


def _votes(
    questions: Sequence[tuple[int, frozenset[str]]], utterances: Sequence[tuple[int, tuple[str, ...]]], reach_ms: int
) -> tuple[Floats, Floats, Indexes]:
    """Lag in ms, weight and question of every vote. A word in many utterances tells nothing and is passed over."""
    spoken: dict[str, list[int]] = defaultdict(list)
    for number, (_, words) in enumerate(utterances):
        for word in words:
            spoken[word].append(number)
    total = len(utterances)
    common = max(5, total // 30)
    starts = [start for start, _ in utterances]
    lags: list[float] = []
    weights: list[float] = []
    voters: list[int] = []
    answered: list[int] = []
    for voter, (asked_ms, question) in enumerate(questions):
        evidence: dict[int, float] = defaultdict(float)
        first, last = bisect.bisect_left(starts, asked_ms - reach_ms), bisect.bisect_right(starts, asked_ms + reach_ms)
        for word in question:
            places = spoken.get(word, ())
            if 0 < len(places) <= common:
                for number in places[bisect.bisect_left(places, first) : bisect.bisect_left(places, last)]:
                    evidence[number] += math.log(total / len(places))
        # One pair of characters that stands in one utterance only could be chance as well as not: odds are even there.
        unanswered = float(total)
        whole = unanswered + sum(math.exp(min(e, 30.0)) for e in evidence.values())
        for number, e in evidence.items():
            lags.append(starts[number] - asked_ms)
            weights.append(math.exp(min(e, 30.0)) / whole)
            voters.append(voter)
            answered.append(number)
    share = np.asarray(weights, dtype=np.float64)
    taken = np.bincount(np.asarray(answered, dtype=np.int64), weights=share, minlength=total)
    share = share / np.maximum(1.0, taken)[np.asarray(answered, dtype=np.int64)]
    return np.asarray(lags, dtype=np.float64), share, np.asarray(voters, dtype=np.int64)


def _heaps(lags: Floats, weights: Floats, reach_ms: int) -> Floats:
    """Votes within HEAP_MS of each lag, the near ones counting more; one value a BIN_MS from −`reach_ms`."""
    bins = 2 * reach_ms // BIN_MS + 1
    places = np.floor((lags + reach_ms) / BIN_MS).astype(np.int64)
    inside = (places >= 0) & (places < bins)
    counted = np.bincount(places[inside], weights=weights[inside], minlength=bins)
    width = HEAP_MS // BIN_MS
    kernel = 1 - np.abs(np.arange(-width + 1, width)) / width
    heaped = np.convolve(counted, kernel, mode="same") if bins > len(kernel) else counted
    return np.asarray(heaped, dtype=np.float64)


def _by_chance(lags: Floats, weights: Floats, voters: Indexes, count: int, reach_ms: int) -> float:
    """The greatest heap among TRIALS in which each question is moved at random: higher than this would be seen once in as many tries."""
    chance = np.random.default_rng(_SEED)
    greatest = 0.0
    for _ in range(TRIALS):
        moved = lags + chance.uniform(-JITTER_MS, JITTER_MS, count)[voters]
        greatest = max(greatest, float(np.max(_heaps(moved, weights, reach_ms + JITTER_MS))))
    return greatest


def _centre(lags: Floats, weights: Floats, top_ms: int) -> tuple[float, float]:
    """Middle of the votes of a heap, and two standard errors of it."""
    near = np.abs(lags - top_ms) <= HEAP_MS
    x, w = lags[near], weights[near]
    order = np.argsort(x)
    middle = float(x[order][int(np.searchsorted(np.cumsum(w[order]), w.sum() / 2))])
    scatter = float(np.sqrt(np.average((x - middle) ** 2, weights=w)))
    return middle, 2 * scatter / math.sqrt(max(1.0, float(w.sum())))
