"""The committed retrieval sets are what their marked talk yields, and their answers stand where their patterns say."""

import json

import pytest

from tests.benchmarks.retrieval_sets.cues import Cue
from tests.benchmarks.retrieval_sets.make import HERE, PLANS, files_of
from tests.benchmarks.retrieval_sets.mandarin_noise import as_digits
from tests.benchmarks.retrieval_sets.marked_source import SourceMistake, Speech, read_marked
from tests.benchmarks.retrieval_sets.queries_of import QueryMistake, answered, read_questions, spans_of

SETS = tuple(PLANS)


@pytest.mark.parametrize("name", SETS)
def test_a_committed_set_is_what_its_marked_talk_yields(name: str) -> None:
    lying = {path.relative_to(HERE / name).as_posix() for path in (HERE / name / "streams").rglob("*") if path.is_file()}
    yielded = files_of(name)
    assert lying | {"queries.jsonl"} == set(yielded)
    for path, text in yielded.items():
        assert (HERE / name / path).read_text("utf-8") == text, path


@pytest.mark.parametrize("name", SETS)
def test_each_answer_begins_and_ends_with_a_cue_and_each_cue_has_words(name: str) -> None:
    files = files_of(name)
    borders: dict[str, set[int]] = {}
    for path, text in files.items():
        if path.endswith("transcript.srt"):
            cues = [block.split("\n") for block in text.strip().split("\n\n")]
            assert all(len(cue) == 3 and cue[2].strip() for cue in cues)
            times = [_ms(time) for cue in cues for time in cue[1].split(" --> ")]
            assert times == sorted(times)
            borders[path.split("/")[1]] = set(times)
    queries = [json.loads(line) for line in files["queries.jsonl"].splitlines()]
    assert len({query["id"] for query in queries}) == len(queries)
    for query in queries:
        assert bool(query["answers"]) == (query["kind"] != "no_answer")
        assert all({answer["from_ms"], answer["to_ms"]} <= borders[answer["stream"]] for answer in query["answers"])


def test_a_promise_said_again_without_a_mark_is_noticed(tmp_path) -> None:
    source = tmp_path / "s.txt"
    source.write_text("@stream s | x | h | t | 2026-01-01T00:00:00Z\n===\n{ship:当天发货}。\n我们当天发货的\n", "utf-8")
    (tmp_path / "queries.txt").write_text("direct | 发货 | s | - | ship | 当天发货 | 当天就发吗\n", "utf-8")

    speech = [part for part in read_marked(source).body if isinstance(part, Speech)]
    cues = [Cue(place * 2_000, place * 2_000 + 1_500, part.tokens, place) for place, part in enumerate(speech)]
    (question,) = read_questions(tmp_path / "queries.txt", "q")
    spans = list(spans_of("s", cues))
    with pytest.raises(QueryMistake, match="also said in s"):
        answered(question, {"s": cues}, spans)
    assert [(span.first, span.last) for span in answered(question, {"s": cues[:1]}, spans)] == [(0, 0)]


def test_a_mark_left_open_says_its_line(tmp_path) -> None:
    source = tmp_path / "s.txt"
    source.write_text("@stream s | x | h | t | 2026-01-01T00:00:00Z\n===\n好的\n{ship:当天发货\n", "utf-8")
    with pytest.raises(SourceMistake, match="line 4: ship is not closed"):
        read_marked(source)


@pytest.mark.parametrize(
    ("words", "after", "digits"),
    [
        ("两千九百八", "", "2980"),
        ("一万一千八", "", "11800"),
        ("一千零九十九", "", "1099"),
        ("八点二", "克", "8.2"),
        ("九二五", "银", "925"),
    ],
)
def test_numbers_are_written_as_a_recogniser_would(words: str, after: str, digits: str) -> None:
    assert as_digits(words, after) == digits


@pytest.mark.parametrize(("words", "after"), [("一", "个"), ("七八", "个"), ("万", "一"), ("三", "心")])
def test_words_that_are_no_figure_stay_words(words: str, after: str) -> None:
    assert as_digits(words, after) is None


def _ms(clock: str) -> int:
    hours, minutes, seconds = clock.replace(",", ".").split(":")
    return round((int(hours) * 3_600 + int(minutes) * 60 + float(seconds)) * 1_000)
