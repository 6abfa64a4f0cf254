"""G7: a human's edit is a further version that names what it changed; the machine's words stay, and no word's time is made up."""

import pytest

from archive.errors import InvalidEdit, NotFound
from archive.opening import Archive
from archive.transcripts import edits_of, machine_version
from archive.verification import verify_archive
from tests.archive.held import add_transcript, admit


@pytest.fixture
def heard(archive: Archive) -> Archive:
    admit(archive, "r1", [])
    add_transcript(archive, "r1", None)
    return archive


def test_an_edit_is_a_further_version_that_names_before_after_who_when_and_why(heard: Archive) -> None:
    at = heard.clock()
    edited = heard.transcripts.edit("r1", 2, "这条手串保真，假一赔十。", "听了三遍", "ann", at)
    assert (edited.version, edited.provenance.engine, machine_version(edited)) == (2, "human", 1)
    (edit,) = edits_of(edited)
    assert edit["before"] == "这条手串保真假一赔十"
    assert (edit["after"], edit["by"], edit["at"], edit["reason"]) == ("这条手串保真，假一赔十。", "ann", at.iso(), "听了三遍")
    assert heard.transcripts.version("r1", 1).segments[1].text == "这条手串保真假一赔十"
    assert heard.transcripts.latest("r1") == edited
    assert verify_archive(heard).passed


def test_edits_gather_on_the_machines_version_and_a_new_hearing_starts_anew(heard: Archive) -> None:
    heard.transcripts.edit("r1", 2, "甲", "一", "ann", heard.clock())
    heard.transcripts.edit("r1", 3, "乙", "二", "bob", heard.clock())
    third = heard.transcripts.edit("r1", 2, "丙", "三", "ann", heard.clock())
    assert [(e["version"], e["segment"], e["after"]) for e in edits_of(third)] == [(2, 2, "甲"), (3, 3, "乙"), (4, 2, "丙")]
    assert [s.text for s in third.segments] == ["大家看三号链接", "丙", "乙"]
    assert machine_version(third) == 1
    add_transcript(heard, "r1", None)
    again = heard.transcripts.latest("r1")
    assert again is not None and (again.version, edits_of(again)) == (5, [])
    assert verify_archive(heard).passed


def test_an_edited_segment_keeps_its_span_but_no_words_times_or_confidence(heard: Archive) -> None:
    edited = heard.transcripts.edit("r1", 2, "这条手串保真，假一赔三", "听错", "ann", heard.clock()).segments
    assert (edited[1].start_ms, edited[1].end_ms) == (3500, 6000)
    assert (edited[1].words, edited[1].confidence, edited[1].risk) == ((), None, ("edited_by_hand",))
    assert edited[0].words


def test_the_log_has_an_entry_of_the_edit_without_its_words(heard: Archive) -> None:
    heard.transcripts.edit("r1", 2, "加微信 wxid_abc12345", "补字", "ann", heard.clock())
    entry = heard.custody.head()
    assert entry is not None and (entry.action, entry.actor, entry.subject) == ("transcript.edit", "ann", "r1")
    assert "wxid_abc12345" not in entry.detail and "补字" not in entry.detail


@pytest.mark.parametrize(
    ("number", "text", "reason"), [(9, "x", "y"), (2, " ", "y"), (2, "x", " "), (2, "这条手串保真假一赔十", "y"), (2, "x" * 2001, "y")]
)
def test_an_edit_of_nothing_to_nothing_or_for_nothing_is_refused(heard: Archive, number: int, text: str, reason: str) -> None:
    with pytest.raises(InvalidEdit):
        heard.transcripts.edit("r1", number, text, reason, "ann", heard.clock())
    assert heard.transcripts.newest_version("r1") == 1


def test_an_edit_made_against_an_older_version_is_refused(heard: Archive) -> None:
    heard.transcripts.edit("r1", 2, "甲", "一", "ann", heard.clock(), expected_version=1)
    with pytest.raises(InvalidEdit, match="came meanwhile"):
        heard.transcripts.edit("r1", 2, "乙", "二", "bob", heard.clock(), expected_version=1)
    with pytest.raises(NotFound):
        heard.transcripts.edit("nothing", 1, "甲", "一", "ann", heard.clock())
