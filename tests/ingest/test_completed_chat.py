"""A chat file that came again, longer: what of it is new, however often people say the same."""

from archive.recording import Message, MessageKind
from ingest.completed_chat import not_brought_before


def line(text: str, source: int, at_ms: int = 1000, recalled: bool = False) -> Message:
    return Message(at_ms, text, "青柠", MessageKind.CHAT, "1.0", "1795003201", 0, "bilibili_xml", recalled, source)


def test_each_line_is_left_out_as_often_as_it_was_brought() -> None:
    brought = [line("1", 1), line("1", 1), line("好", 1)]
    again = [line("1", 2), line("1", 2), line("1", 2), line("好", 2), line("新", 2)]
    assert [message.text for message in not_brought_before(again, {2}, brought)] == ["1", "新"]


def test_where_a_line_was_laid_does_not_make_it_new_but_its_recall_does() -> None:
    assert not_brought_before([line("好", 2, at_ms=41_000)], {2}, [line("好", 1)]) == ()
    recalled = line("好", 2, recalled=True)
    assert not_brought_before([recalled], {2}, [line("好", 1)]) == (recalled,)


def test_lines_of_other_files_stay() -> None:
    other = line("好", 3)
    assert not_brought_before([line("好", 2), other], {2}, [line("好", 1), line("好", 1)]) == (other,)
