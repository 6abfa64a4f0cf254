"""A human's correction is never silently lost: when a recording is heard again it holds where the words do, or waits to be looked at."""

from dataclasses import replace

import pytest

from archive.carried_edits import to_look_at
from archive.errors import InvalidEdit
from archive.opening import Archive
from archive.revised_transcript import Revision, heard_by, heard_by_parameters, numbered_stretches
from archive.transcript import Provenance, Segment, Transcript, Word
from archive.transcripts import edits_of, machine_version
from archive.verification import verify_archive
from tests.archive.held import admit

LINES = [(1000, 3000, "大家看三号链接"), (3500, 6000, "这条手串保真假一赔四"), (7000, 9000, "今天发货"), (10_000, 12_000, "点点关注")]


def said(*changed: tuple[int, int, int, str]) -> list[Segment]:
    """The four lines, some of them (by index) heard otherwise."""
    otherwise = {index: (start, end, text) for index, start, end, text in changed}
    chosen = [otherwise.get(index, line) for index, line in enumerate(LINES)]
    return [Segment(0, 1, start, end, text, (Word(start, end, text, 0.9),), (), 0.9) for start, end, text in chosen]


def by(archive: Archive, model: str = "demo") -> Provenance:
    return Provenance("faster-whisper", "1.2.1", model, "sha256:" + "ab" * 32, {"beam_size": 5}, archive.clock())


@pytest.fixture
def edited(archive: Archive) -> Archive:
    """Segments 2 and 3 were corrected."""
    admit(archive, "r1", [])
    archive.transcripts.add("r1", by(archive), said(), [(0, 12_000)], [], "tester")
    archive.transcripts.edit("r1", 2, "这条手串保真，假一赔十", "听了三遍", "小王", archive.clock())
    archive.transcripts.edit("r1", 3, "今天四十八小时内发货", "补字", "小李", archive.clock())
    return archive


def heard_anew(archive: Archive, *changed: tuple[int, int, int, str]) -> Transcript:
    archive.transcripts.store_heard("r1", by(archive, "better"), said(*changed), [(0, 12_000)], [], "tester", anew=True)
    newest = archive.transcripts.latest("r1")
    assert newest is not None
    return newest


def test_edits_hold_where_the_same_words_are_heard_again_at_their_time(edited: Archive) -> None:
    newest = heard_anew(edited, (0, 1200, 3100, "大家看三号连接"), (1, 3600, 6100, "这条手串保真假一赔四"))
    assert (newest.version, machine_version(newest), newest.provenance.engine) == (5, 4, "human")
    assert [s.text for s in newest.segments] == ["大家看三号连接", "这条手串保真，假一赔十", "今天四十八小时内发货", "点点关注"]
    assert [(edit["by"], edit["reason"], edit["segment"]) for edit in edits_of(newest)] == [("小王", "听了三遍", 2), ("小李", "补字", 3)]
    assert to_look_at(newest) == ()
    assert edited.transcripts.version("r1", 4).segments[1].text == "这条手串保真假一赔四"
    assert verify_archive(edited).passed


def test_an_edit_follows_its_words_to_another_number(edited: Archive) -> None:
    first, *rest = said()
    pieces = [replace(first, end_ms=1800, text="大家看"), replace(first, start_ms=1900, text="三号链接"), *rest]
    edited.transcripts.store_heard("r1", by(edited), pieces, [], [], "tester", anew=True)
    newest = edited.transcripts.latest("r1")
    assert newest is not None and [edit["segment"] for edit in edits_of(newest)] == [3, 4]
    assert newest.segments[2].text == "这条手串保真，假一赔十"


def test_an_edit_of_words_that_are_heard_otherwise_now_waits_to_be_looked_at(edited: Archive) -> None:
    newest = heard_anew(edited, (1, 3500, 6000, "这条手串保真甲一赔十"))
    assert newest.segments[1].text == "这条手串保真甲一赔十" and newest.segments[1].risk == ()
    (left,) = to_look_at(newest)
    assert (left["before"], left["after"], left["by"], left["start_ms"], left["end_ms"]) == (
        "这条手串保真假一赔四", "这条手串保真，假一赔十", "小王", 3500, 6000,
    )  # fmt: skip
    # It waits through whatever comes, and comes back where the old words do.
    edited.transcripts.edit("r1", 4, "点点关注哦", "补字", "小王", edited.clock())
    edited.transcripts.go_on("r1", by(edited), [Segment(0, 1, 20_000, 21_000, "再见")], [], [], "tester")
    waiting = edited.transcripts.latest("r1")
    assert waiting is not None and to_look_at(waiting) == (left,)
    back = heard_anew(edited)
    assert back.segments[1].text == "这条手串保真，假一赔十" and to_look_at(back) == ()
    assert verify_archive(edited).passed


def test_a_human_settles_what_waits_by_editing_it_or_by_confirming_what_stands_there(edited: Archive) -> None:
    heard_anew(edited, (1, 3500, 6000, "这条手串保真甲一赔十"), (2, 7000, 9000, "今天下午发货"))
    once = edited.transcripts.edit("r1", 2, "这条手串保真，假一赔十！", "又听了", "小王", edited.clock())
    assert [edit["by"] for edit in to_look_at(once)] == ["小李"]
    confirmed = edited.transcripts.edit("r1", 3, "今天下午发货", "确是下午", "小李", edited.clock())
    assert to_look_at(confirmed) == ()
    segment = confirmed.segments[2]
    assert (segment.text, segment.risk, segment.confidence) == ("今天下午发货", ("edited_by_hand",), 0.9) and segment.words
    assert edits_of(confirmed)[-1]["before"] == edits_of(confirmed)[-1]["after"]
    with pytest.raises(InvalidEdit, match="just that already"):
        edited.transcripts.edit("r1", 3, "今天下午发货", "还是", "小李", edited.clock())


def test_what_the_machine_now_hears_as_the_human_wrote_it_needs_nobody(edited: Archive) -> None:
    newest = heard_anew(edited, (1, 3500, 6000, "这条手串保真假一赔十"))
    assert to_look_at(newest) == () and [edit["by"] for edit in edits_of(newest)] == ["小李"]
    assert newest.segments[1].words


def test_a_revised_version_keeps_edits_and_tells_who_heard_what(edited: Archive) -> None:
    edited.transcripts.go_on("r1", by(edited, "better"), [Segment(0, 1, 20_000, 21_000, "再见")], [], [], "tester")

    def doubted(machine: Transcript) -> Revision:
        marked = [replace(s, heard_otherwise="再也不见", risk=("second_opinion",)) if s.text == "再见" else s for s in machine.segments]
        told = heard_by_parameters(numbered_stretches(heard_by(machine)))
        provenance = replace(machine.provenance, parameters={"beam_size": 5, **told}, created_at=edited.clock())
        return Revision(provenance, marked, machine.speech, machine.skipped)

    edited.transcripts.revise("r1", doubted, "tester")
    newest = edited.transcripts.latest("r1")
    assert newest is not None and newest.provenance.engine == "human" and len(edits_of(newest)) == 2
    assert [s.text for s in newest.segments] == ["大家看三号链接", "这条手串保真，假一赔十", "今天四十八小时内发货", "点点关注", "再见"]
    assert newest.segments[4].heard_otherwise == "再也不见"
    machine = edited.transcripts.version("r1", machine_version(newest))
    assert [(s.first, s.provenance.model) for s in machine.hearers()] == [(1, "demo"), (5, "better")]
    assert verify_archive(edited).passed
