"""A second recogniser on the same sound marks what it hears otherwise and changes nothing; hearing anew goes by what it was told."""

from collections.abc import Iterator

import pytest

from api import operations
from api.processing import open_jobs, process_or_index, transcribe_again
from api.second_opinions import start_second_opinion
from api.told_settings import settings_with
from api.workplace import Workplace
from archive.errors import NotFound
from archive.transcript import Segment, Transcript
from archive.transcripts import edits_of, machine_version
from archive.verification import verify_archive
from ingest.admission import IngestRequest
from tests.api.test_growing_words import START, cut, newest, opened_at
from transcribe.errors import ModelMissing, NoSecondOpinion


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """A session heard by faster-whisper with the demo model, version 1."""
    folder = tmp_path_factory.mktemp("second")
    place = opened_at(folder / "home")
    place.transcribe_settings = place.transcribe_settings.model_copy(update={"whisper_batch": 1})
    operations.ingest(place, IngestRequest(media=tuple(cut(folder, ())), recording_id="r1", started_at=START), "tester")
    with open_jobs(place) as jobs:
        jobs.wait(process_or_index(jobs, "r1"))
    yield place
    place.close()


def misheard(place: Workplace) -> tuple[Transcript, int]:
    """A further version of the same recogniser in which the longest line has another number; that line's number."""
    true = place.archive.transcripts.version("r1", 1)
    at = max(range(len(true.segments)), key=lambda index: len(true.segments[index].text))
    said = list(true.segments)
    text = said[at].text
    wrong = Segment(0, 1, said[at].start_ms, said[at].end_ms, text + "二十八", (), (), 0.9)
    said[at] = wrong
    parameters = {**true.provenance.parameters, "job": f"changed-{place.archive.transcripts.newest_version('r1')}"}
    provenance = type(true.provenance)(*true.provenance.by, parameters, place.archive.clock())
    stored = place.archive.transcripts.store_heard("r1", provenance, said, true.speech, true.skipped, "tester", anew=True)
    operations.index(place, "r1")
    return place.archive.transcripts.version("r1", stored.version), at + 1


def second(place: Workplace, **wanted: object) -> Transcript:
    with open_jobs(place) as jobs:
        jobs.wait(str(start_second_opinion(jobs, place, "r1", **wanted)["job"]))  # type: ignore[arg-type]
    return newest(place)


def opinion(transcript: Transcript) -> dict[str, object]:
    told = transcript.provenance.parameters["second_opinion"]
    assert isinstance(told, dict)
    return dict(told)


def test_a_second_opinion_marks_what_it_hears_otherwise_and_changes_no_word_or_time(heard: Workplace) -> None:
    before, wrong = misheard(heard)
    after = second(heard)
    assert after.version == before.version + 1
    assert [(s.text, s.start_ms, s.end_ms, s.words) for s in after.segments] == [
        (s.text, s.start_ms, s.end_ms, s.words) for s in before.segments
    ]
    marked = [s for s in after.segments if s.heard_otherwise is not None]
    assert [s.number for s in marked] == [wrong] and "second_opinion" in marked[0].risk
    assert "二十八" not in (marked[0].heard_otherwise or "二十八")
    told = opinion(after)
    assert (told["engine"], told["model"], told["digest"]) == ("openai-whisper", "demo-whisper", before.provenance.model_digest)
    assert (told["of_version"], told["compared"], told["disagreeing"]) == (before.version, len(before.segments), 1)
    assert after.provenance.by == before.provenance.by
    assert operations.indexed_version(heard, "r1") == after.version
    assert heard.archive.transcripts.version("r1", before.version).segments == before.segments
    assert verify_archive(heard.archive).passed
    assert not (heard.archive.home / "scratch").exists() or not list((heard.archive.home / "scratch").glob("*.sound"))


def test_only_what_was_asked_for_is_compared_and_an_edit_by_hand_stays(heard: Workplace) -> None:
    _, wrong = misheard(heard)
    other = 1 if wrong != 1 else 2
    heard.archive.transcripts.edit("r1", other, "听清了的话", "听了三遍", "小王", heard.archive.clock())
    after = second(heard, segments=[other])
    machine = heard.archive.transcripts.version("r1", machine_version(after))
    assert opinion(machine)["compared"] == 1
    assert all(s.heard_otherwise is None for s in machine.segments if s.number != other)
    assert after.provenance.engine == "human" and [edit["by"] for edit in edits_of(after)] == ["小王"]
    assert after.segments[other - 1].text == "听清了的话" and after.segments[other - 1].risk == ("edited_by_hand",)
    again = heard.archive.transcripts.version("r1", machine_version(second(heard, segments=[wrong])))
    assert [s.number for s in again.segments if s.heard_otherwise is not None] == [wrong]
    assert len(again.provenance.parameters["earlier_second_opinions"]) == 1  # type: ignore[arg-type]
    assert verify_archive(heard.archive).passed


def test_words_that_a_second_recogniser_doubts_are_no_answer(heard: Workplace) -> None:
    before, wrong = misheard(heard)
    question = before.segments[wrong - 1].text
    assert operations.search(heard, question, recording="r1").found
    after = second(heard, segments=[wrong])
    answer = operations.search(heard, question, recording="r1")
    assert any("second_opinion" in moment.risk for moment in answer.doubtful)
    assert not any(wrong in moment.segments for moment in answer.moments if moment.answers)
    assert after.segments[wrong - 1].heard_otherwise


def test_what_cannot_be_heard_again_is_refused_plainly(heard: Workplace) -> None:
    with open_jobs(heard) as jobs:
        with pytest.raises(NotFound, match="no segment 99"):
            start_second_opinion(jobs, heard, "r1", segments=[99])
        with pytest.raises(NoSecondOpinion, match="wrote the transcript itself"):
            start_second_opinion(jobs, heard, "r1", engine="faster-whisper", model="demo-whisper")
        with pytest.raises(NoSecondOpinion, match="no-such-model"):
            start_second_opinion(jobs, heard, "r1", model="no-such-model")
        with pytest.raises(ModelMissing):
            transcribe_again(jobs, "r1", settings_with(heard.transcribe_settings, model="no-such-model"))


def test_hearing_anew_hears_with_what_it_was_told(heard: Workplace) -> None:
    with open_jobs(heard) as jobs:
        jobs.wait(transcribe_again(jobs, "r1", settings_with(heard.transcribe_settings, engine="openai-whisper", beam=2)))
    provenance = newest(heard).provenance
    if provenance.engine == "human":
        provenance = heard.archive.transcripts.version("r1", machine_version(newest(heard))).provenance
    assert (provenance.engine, provenance.parameters["beam_size"]) == ("openai-whisper", 2)
    assert heard.transcribe_settings.whisper_engine == "faster-whisper"
