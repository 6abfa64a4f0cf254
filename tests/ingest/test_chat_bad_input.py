"""Malformed chat files of every format: what comes out is an error that names the file, or whole messages, never half of one."""

import io
import json
import random
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.digest import Json
from archive.errors import LiveProofError
from archive.recording import Message
from ingest.chat import ChatContext, detect, formats, read_head
from ingest.chat.json_records import RECORD_MAX_CHARS
from ingest.errors import InputTooLarge, InvalidContent, UnknownFormat
from ingest.input_file import check_file
from ingest.products import MAX_OFFSET_MS
from tests.ingest.written_chats import (
    ASS_HEAD,
    IM_HEAD,
    SAMPLES,
    START,
    USEC,
    array,
    barrage,
    douyin,
    downloaded,
    im_line,
    kuaishou,
    lines,
    tiktok,
    twitch,
    twitch_comment,
    wall,
    workbook,
    youtube,
    youtube_item,
)

FORMATS = {known.name: known for known in formats()}
JSON_SAMPLES = [
    name
    for name in SAMPLES
    if name.partition(":")[0] not in ("bilibili_xml", "danmaku_ass", "chat_downloader_csv", "twitch_text", "im_csv", "im_xlsx")
]
TEXT_SAMPLES = [name for name in SAMPLES if name != "im_xlsx"]


def read(tmp_path: Path, content: bytes, name: str | None = None, notes: list[str] | None = None) -> list[Message]:
    """Messages by the format of that name, whatever the content looks like; without a name, by detection."""
    path = tmp_path / "chat.dat"
    path.write_bytes(content)
    file = check_file(path, "chat", 1 << 30, may_be_empty=True)
    known = FORMATS[name] if name else detect(file, read_head(file))
    if known is None:
        return []
    told = notes if notes is not None else []
    messages = list(known.read(file, ChatContext(0, START, 10_000, told.append)))
    for message in messages:
        (message.text + (message.author or "") + (message.raw_offset or "") + (message.raw_wall or "") + message.source).encode()
        assert "\x00" not in message.text + (message.author or "") + (message.raw_offset or "") + (message.raw_wall or "")
        assert isinstance(message.at_ms, int) and abs(message.at_ms) <= MAX_OFFSET_MS
        assert isinstance(message.uncertainty_ms, int) and message.uncertainty_ms >= 0
        assert len(message.text) <= 10_000
    return messages


def outcome(tmp_path: Path, content: bytes, name: str | None = None) -> list[Message] | None:
    """Messages, or None for an error that names the file. Anything else is a failure."""
    try:
        return read(tmp_path, content, name)
    except LiveProofError as refused:
        assert "chat.dat" in str(refused)
        assert len(str(refused)) < 2000
        return None


def told(message: Message) -> tuple[object, ...]:
    return (message.text, message.author, message.raw_offset, message.raw_wall, message.kind)


@pytest.mark.parametrize("sample", JSON_SAMPLES)
def test_a_json_file_cut_anywhere_gives_whole_messages_only(tmp_path: Path, sample: str) -> None:
    content, name = SAMPLES[sample], sample.partition(":")[0]
    whole = [told(message) for message in read(tmp_path, content, name)]
    for cut in range(1, len(content), 1 + len(content) // 300):
        found = outcome(tmp_path, content[:cut], name)
        assert found is None or [told(message) for message in found] == whole[: len(found)], content[:cut][-80:]


@pytest.mark.parametrize(
    "sample", ["danmaku_ass", "chat_downloader_csv", "twitch_text", "twitch_text:wall", "im_csv", "im_csv:titled, tabs"]
)
def test_a_text_file_cut_anywhere_gives_whole_messages_or_says_that_its_last_line_has_no_end(tmp_path: Path, sample: str) -> None:
    content, name = SAMPLES[sample], sample.partition(":")[0]
    whole = [told(message) for message in read(tmp_path, content, name)]
    for cut in range(1, len(content)):
        notes: list[str] = []
        try:
            found = [told(message) for message in read(tmp_path, content[:cut], name, notes)]
        except LiveProofError as refused:
            assert "chat.dat" in str(refused)
            continue
        if found != whole[: len(found)]:
            assert any("no end" in note or "breaks off" in note for note in notes), content[:cut][-80:]
            assert all(row in whole for row in found[:-1])


@pytest.mark.parametrize("sample", ["im_xlsx"])
def test_a_workbook_cut_anywhere_is_refused(tmp_path: Path, sample: str) -> None:
    content = SAMPLES[sample]
    for cut in range(4, len(content) - 1, 97):
        with pytest.raises(InvalidContent, match=r"chat\.dat"):
            read(tmp_path, content[:cut], "im_xlsx")


ODD: dict[str, Json] = {
    "nothing": None,
    "true": True,
    "empty text": "",
    "list": [1, ["x"]],
    "object": {"runs": 5, "text": None, "nickname": []},
    "huge number": 10**400,
    "negative": -(10**15),
    "fraction": 1.5e300,
    "long text": "9" * 5000,
    "broken text": "\ud800\x00\n",
}


def replaced(value: Json, odd: Json) -> Iterator[Json]:
    """The value with each of its parts in turn replaced by `odd`."""
    yield odd
    if isinstance(value, dict):
        for name, member in value.items():
            for other in replaced(member, odd):
                yield {**value, name: other}
    elif isinstance(value, list | tuple):
        for position, item in enumerate(value):
            for other in replaced(item, odd):
                yield [*value[:position], other, *value[position + 1 :]]


def names_in(value: Json) -> Iterator[str]:
    """Names of members at any depth."""
    if isinstance(value, dict):
        yield from value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ():
        yield from names_in(inner)


def documents(content: bytes) -> list[Json]:
    try:
        return [json.loads(content)]
    except ValueError:
        return [json.loads(line) for line in content.decode().splitlines()]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("sample", JSON_SAMPLES)
def test_members_of_any_other_type_break_no_reader(tmp_path: Path, sample: str, odd: str) -> None:
    """`10**400` is more digits than Python turns into a number without being asked: such a record is left out, or refused."""
    whole = documents(SAMPLES[sample])
    for position, document in enumerate(whole):
        for other in replaced(document, ODD[odd]):
            content = "\n".join(json.dumps(item) for item in [*whole[:position], other, *whole[position + 1 :]]).encode() + b"\n"
            outcome(tmp_path, content, sample.partition(":")[0])


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "zeros in front": lambda content: b"\x00" * 1000 + content,
    "zeros behind": lambda content: content + b"\x00" * 100_000,
    "zeros between": lambda content: content.replace(b"\n", b"\n" + b"\x00" * 64 + b"\n"),
    "bytes that are no text": lambda content: content[: len(content) // 2] + b"\xff\xfe\xfd\xc0" + content[len(content) // 2 :],
    "twice": lambda content: content + content,
    "a byte order mark in the middle": lambda content: content + b"\xef\xbb\xbf" + content,
    "old Mac line ends": lambda content: content.replace(b"\r\n", b"\n").replace(b"\n", b"\r"),
    "Windows line ends": lambda content: content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
    "half a UTF-16 character": lambda content: content.decode("utf-8", "replace").encode("utf-16")[:-1],
    "UTF-16 without a mark": lambda content: content.decode("utf-8", "replace").encode("utf-16-le"),
    "Latin text taken for UTF-8": lambda content: content.decode("latin-1").encode("utf-8"),
    "backwards": lambda content: content[::-1],
    "brackets left open": lambda content: content + b'{"a": [[{"b": "',
    "a page of a web server": lambda content: b"<html><body>502 Bad Gateway</body></html>\n" + content,
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("sample", SAMPLES)
def test_damaged_files_are_read_or_refused_by_name(tmp_path: Path, sample: str, damage: str) -> None:
    content = DAMAGE[damage](SAMPLES[sample])
    outcome(tmp_path, content)
    outcome(tmp_path, content, sample.partition(":")[0])


@pytest.mark.parametrize("damage", ["zeros behind", "zeros between", "Windows line ends"])
@pytest.mark.parametrize(
    "sample", ["youtube_live_chat:live", "douyin_messages", "tiktok_live", "kuaishou", "jsonl", "twitch_text", "im_csv"]
)
def test_what_leaves_the_words_whole_loses_none(tmp_path: Path, sample: str, damage: str) -> None:
    name = sample.partition(":")[0]
    assert list(map(told, read(tmp_path, DAMAGE[damage](SAMPLES[sample]), name))) == list(map(told, read(tmp_path, SAMPLES[sample], name)))


@pytest.mark.parametrize(
    "make", [douyin, tiktok, kuaishou, barrage, downloaded, lambda at, said, who: youtube(at, youtube_item(at, said, who))]
)
def test_a_recorder_that_was_killed_and_started_again_loses_half_a_line(tmp_path: Path, make: Callable[..., object]) -> None:
    good = [json.dumps(make(at, "好", "甲"), ensure_ascii=False) for at in (1000, 2000, 3000)]
    notes: list[str] = []
    messages = read(tmp_path, "\n".join([good[0], good[1][:40], good[1], good[2], ""]).encode(), notes=notes)
    assert [message.at_ms for message in messages] == [1000, 2000, 3000]
    assert any("the first is line 2" in note for note in notes)
    assert [m.at_ms for m in read(tmp_path, "\n".join([good[0][:50], *good]).encode())] == [1000, 2000, 3000]


ABSURD = [
    "",
    "x",
    "nan",
    "inf",
    "-inf",
    "1e400",
    "-1e30",
    "99999999999999999999",
    None,
    [],
    {},
    True,
    -1,
    0,
    1e300,
    "１２３",
    "0x10",
    "1_000",
]


@pytest.mark.parametrize("value", ABSURD)
def test_absurd_times_are_left_out_or_placed_within_reach(tmp_path: Path, value: Json) -> None:
    good = downloaded(1000, "好", "甲")
    odd_times = {"time_in_seconds": value, "timestamp": value, "time_text": "0:01"}
    found = outcome(tmp_path, array([good, {"message": "坏", "author": "乙", **odd_times}]), "chat_downloader")
    assert found and found[0].at_ms == 1000
    common = {"method": "WebcastChatMessage", "msgId": value, "createTime": value}
    assert outcome(tmp_path, lines([douyin(1000, "好", "甲"), {"common": common, "content": "坏", "eventTime": value}]), "douyin_messages")
    assert outcome(tmp_path, lines([kuaishou(1000, "好", "甲"), {**kuaishou(2000, "坏", "乙"), "timestamp": value}]), "kuaishou")
    assert outcome(tmp_path, lines([barrage(1000, "好", "甲"), barrage(2000, "坏", "乙", MsgId=value)]), "douyin_barrage_grab")
    comment = {**twitch_comment(2000, "坏", "乙"), "content_offset_seconds": value, "created_at": value}
    assert outcome(tmp_path, twitch([twitch_comment(1000, "好", "甲"), comment]), "twitch_downloader")
    item = youtube_item(2000, "坏", "乙", timestampUsec=value)
    action = {"replayChatItemAction": {"actions": [item], "videoOffsetTimeMsec": value}}
    assert outcome(tmp_path, lines([youtube(1000, youtube_item(1000, "好", "甲")), action]), "youtube_live_chat")


@pytest.mark.parametrize(
    "written",
    [
        "明天",
        "2026-13-01 20:00:00",
        "2026-11-18",
        "20:00:05",
        "2026-11-18 25:00:00",
        "9" * 30,
        "0000-00-00 00:00:00",
        "-5",
    ],
)
def test_a_time_in_a_table_that_is_none_is_named_by_row_and_column(tmp_path: Path, written: str) -> None:
    with pytest.raises(InvalidContent, match="line 3, column 发送时间"):
        read(tmp_path, (IM_HEAD + im_line(0, "好", "甲") + f"{written},甲,买家,坏,,\n").encode())
    with pytest.raises(InvalidContent, match="row 2, column 发送时间"):
        read(tmp_path, workbook([["发送时间", "消息内容"], [written, "坏"]]))
    with pytest.raises(InvalidContent, match="row 1, column time"):
        read(tmp_path, array([{"time": written, "text": "坏"}]))


@pytest.mark.parametrize(
    "content, says",
    [
        (f'{IM_HEAD}{wall(0)},甲,买家,"没有收尾', "a quote left open"),
        (f"{IM_HEAD}{wall(0)},甲\n", "line 2: it has fewer cells"),
        (f"{IM_HEAD}{wall(0)},甲,买家,{'长' * 200_000},,\n", "field larger than field limit"),
    ],
)
def test_broken_rows_of_a_table_are_named(tmp_path: Path, content: str, says: str) -> None:
    with pytest.raises(InvalidContent, match=says):
        read(tmp_path, content.encode())


def test_a_broken_record_within_an_array_is_named(tmp_path: Path) -> None:
    records = [json.dumps(douyin(at, "好", "甲"), ensure_ascii=False) for at in (1000, 2000, 3000)]
    records[1] = records[1].replace('"user":', '"user"', 1)
    with pytest.raises(InvalidContent, match="record 2 is no valid JSON: Expecting ':' delimiter"):
        read(tmp_path, ("[" + ",\n".join(records) + "]").encode(), "douyin_messages")


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"common":', '{"comments":[['])
@pytest.mark.parametrize("name", ["douyin_messages", "youtube_live_chat", "twitch_downloader", "chat_downloader", "im_json", "jsonl"])
def test_nesting_deeper_than_the_parser_goes_is_refused(tmp_path: Path, name: str, opening: str) -> None:
    began = time.process_time()
    found = outcome(tmp_path, opening.encode() * 200_000, name)
    assert not found
    assert time.process_time() - began < 20


@pytest.mark.parametrize(
    "name", ["douyin_messages", "chat_downloader", "im_json", "jsonl", "twitch_text", "im_csv", "chat_downloader_csv", "danmaku_ass"]
)
@pytest.mark.parametrize("filling", ["x", '{"', "[", '"', "\\", "[0:00:01] a: ", "Dialogue: ", ",", "{\\move("])
def test_one_endless_line_takes_no_longer_than_its_size(tmp_path: Path, name: str, filling: str) -> None:
    began = time.process_time()
    outcome(tmp_path, (filling * (RECORD_MAX_CHARS // len(filling) + 1000)).encode(), name)
    assert time.process_time() - began < 20


def test_a_giant_text_is_refused_by_record_and_one_just_below_is_cut(tmp_path: Path) -> None:
    giant = json.dumps([douyin(1000, "好", "甲"), douyin(2000, "长" * (2 * RECORD_MAX_CHARS), "乙")], ensure_ascii=False).encode()
    with pytest.raises(InvalidContent, match="record 2 is broken, or longer than"):
        read(tmp_path, giant, "douyin_messages")
    notes: list[str] = []
    messages = read(tmp_path, lines([douyin(1000, "好", "甲"), douyin(2000, "长" * 1_000_000, "乙")]), notes=notes)
    assert len(messages[1].text) == 10_000
    assert any("texts cut to 10000" in note for note in notes)


def test_a_number_that_lies_across_two_pieces_of_the_file_is_one(tmp_path: Path) -> None:
    """JSON is read in pieces of 262 144 characters."""
    comments = json.dumps([twitch_comment(1000, "hi", "Wang")])
    for cut in range(1, len("-12.5e+3") + 1):
        opening, before = '{"embeddedData": "', '", "length": '
        content = f'{opening}{"x" * ((1 << 18) - len(opening) - len(before) - cut)}{before}-12.5e+3, "comments": {comments}}}'
        assert [message.at_ms for message in read(tmp_path, content.encode(), "twitch_downloader")] == [1000]


@pytest.mark.parametrize("name", ["jsonl", "douyin_messages", "kuaishou", "twitch_downloader", "chat_downloader", "im_json"])
def test_a_name_of_any_length_is_cut(tmp_path: Path, name: str) -> None:
    content = SAMPLES[name].replace("雨后".encode(), b"y" * 5000).replace(b"Yuhou", b"y" * 5000)
    assert [len(message.author or "") for message in read(tmp_path, content, name)].count(200) == 1


def test_what_a_parser_says_of_broken_xml_is_told_in_a_sentence_of_bounded_length(tmp_path: Path) -> None:
    notes: list[str] = []
    content = f'<?xml version="1.0" encoding="UTF-{"9" * 5000}"?>\n<i><d p="1.0,1,25,1,0,0,1,0" user="a">好</d></i>'
    assert [message.at_ms for message in read(tmp_path, content.encode(), "bilibili_xml", notes)] == [1000]
    assert any("no well-formed XML" in note for note in notes) and all(len(note) < 500 for note in notes)


def test_errors_that_name_a_file_of_undecodable_bytes_can_be_stored_and_sent(tmp_path: Path) -> None:
    path = tmp_path / b"\xff\xfe.json".decode("utf-8", "surrogateescape")
    path.write_bytes(b"plain words")
    file = check_file(path, "chat", 100)
    with pytest.raises(UnknownFormat) as refused:
        detect(file, read_head(file))
    assert "\\udcff\\udcfe.json" in str(refused.value).encode().decode()


def zipped(*members: tuple[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return into.getvalue()


def with_member(name: str, change: Callable[[bytes], bytes]) -> bytes:
    """A workbook with one of its members changed."""
    with zipfile.ZipFile(io.BytesIO(SAMPLES["im_xlsx"])) as archive:
        return zipped(*((item, change(archive.read(item)) if item == name else archive.read(item)) for item in archive.namelist()))


def without_member(name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(SAMPLES["im_xlsx"])) as archive:
        return zipped(*((item, archive.read(item)) for item in archive.namelist() if item != name))


SHEET = "xl/worksheets/sheet2.xml"
DOCTYPE = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
TYPES = ("[Content_Types].xml", b"<Types/>")


def claiming(size: int) -> bytes:
    """An archive whose one sheet says it unpacks to so many bytes."""
    content = bytearray(zipped(("xl/a.xml", b"<x/>"), TYPES))
    at = content.index(b"PK\x01\x02") + 24
    content[at : at + 4] = size.to_bytes(4, "little")
    return bytes(content)


@pytest.mark.parametrize(
    "content, error, says",
    [
        (claiming(600 << 20), InputTooLarge, "unpacks to"),
        (claiming(1 << 10), InvalidContent, "workbook"),
        (zipped(TYPES, ("xl/a.xml", b"0" * (20 << 20))), InputTooLarge, "200 times its size"),
        (zipped(TYPES, *((f"xl/{n}.xml", b"") for n in range(2500))), InputTooLarge, "holds 2501 files"),
        (zipped(TYPES), InvalidContent, "workbook"),
        (zipped(TYPES, ("xl/workbook.xml", b"<workbook/>")), InvalidContent, "workbook"),
        (zipped(TYPES, ("xl/workbook.xml", DOCTYPE)), InvalidContent, "document type"),
        (with_member(SHEET, lambda xml: DOCTYPE + xml), InvalidContent, "document type"),
        (with_member(SHEET, lambda xml: DOCTYPE.decode().encode("utf-16") + xml), InvalidContent, "document type"),
        (with_member(SHEET, lambda xml: xml[: len(xml) // 2]), InvalidContent, "workbook"),
        (with_member(SHEET, lambda _xml: b""), InvalidContent, "workbook"),
        (with_member("xl/workbook.xml", lambda _xml: b"{}"), InvalidContent, "workbook"),
        (with_member("xl/styles.xml", lambda _xml: b"<styleSheet><cellXfs><xf numFmtId='x'/>"), InvalidContent, "workbook"),
        (without_member(SHEET), InvalidContent, "chat.dat"),
        (without_member("xl/workbook.xml"), InvalidContent, "workbook"),
        (b"PK\x03\x04[Content_Types].xml", InvalidContent, "workbook"),
        (workbook([["甲", "乙"], [1, 2]]), InvalidContent, "no head line names a column .*甲 | 乙"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_hostile_and_broken_workbooks_are_refused(tmp_path: Path, content: bytes, error: type[LiveProofError], says: str) -> None:
    began = time.process_time()
    with pytest.raises(error, match=says):
        read(tmp_path, content, "im_xlsx")
    assert time.process_time() - began < 20


@pytest.mark.parametrize("row", ["1048576", "99999999999", "0", "-1", "x", ""])
def test_rows_far_down_a_sheet_are_not_counted_to(tmp_path: Path, row: str) -> None:
    began = time.process_time()
    content = with_member(SHEET, lambda xml: xml.replace(b'<row r="4"', f'<row r="{row}"'.encode()))
    assert content != SAMPLES["im_xlsx"]
    outcome(tmp_path, content, "im_xlsx")
    assert time.process_time() - began < 30


def test_an_empty_workbook_is_an_empty_chat(tmp_path: Path) -> None:
    assert read(tmp_path, workbook([]), "im_xlsx") == []


def test_other_office_files_and_archives_are_no_chat(tmp_path: Path) -> None:
    for member in ("word/document.xml", "ppt/presentation.xml"):
        with pytest.raises(UnknownFormat):
            read(tmp_path, zipped(TYPES, (member, b"<x/>")))
    with pytest.raises(UnknownFormat):
        read(tmp_path, zipped(("a.txt", b"x")))


@pytest.mark.parametrize("style", ["{\\move(", "R2L,,0,0,0,,{\\move(1,2,3,4)}", "message_box,,0,0,0,,"])
@pytest.mark.parametrize("at", ["", "9:99:99.99", "-1:00:00.00", "99999:00:00.00", "0:00:00", "0:00:00.999", "a:b:c"])
def test_odd_lines_of_a_danmaku_copy_are_left_out_and_counted(tmp_path: Path, style: str, at: str) -> None:
    content = f"{ASS_HEAD}Dialogue: 0,0:00:01.00,0:00:09.00,R2L,,0,0,0,,{{\\move(1,2,3,4)}}好\nDialogue: 0,{at},{at},{style}坏\n"
    found = outcome(tmp_path, content.encode(), "danmaku_ass")
    assert found and told(found[0])[0] == "好"


TOKENS = [
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b",",
    b":",
    b"\n",
    b"\r",
    b"\\",
    b"\x00",
    b"\xff",
    b"null",
    b"-1",
    b"1e999",
    b"\\ud800",
    b"<i>",
    b"Dialogue:",
]


def mutated(content: bytes, seed: int) -> bytes:
    """The content with a few stretches removed, doubled, moved or overwritten."""
    chance = random.Random(seed)
    for _ in range(chance.randint(1, 6)):
        start = chance.randrange(len(content) + 1)
        end = min(len(content), start + chance.choice((1, 2, 8, 64, 400)))
        piece = content[start:end]
        match chance.randrange(5):
            case 0:
                content = content[:start] + content[end:]
            case 1:
                content = content[:end] + piece + content[end:]
            case 2:
                content = content[:start] + chance.choice(TOKENS) + content[start:]
            case 3:
                content = content[:start] + chance.choice(TOKENS) + content[end:]
            case _:
                content = content[:start] + chance.randbytes(len(piece)) + content[end:]
    return content or b"\n"


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(seed=st.integers(0, 2**32), name=st.sampled_from(sorted(SAMPLES)))
def test_no_mutation_breaks_any_reader(tmp_path: Path, seed: int, name: str) -> None:
    content = mutated(SAMPLES[name], seed)
    outcome(tmp_path, content)
    outcome(tmp_path, content, name.partition(":")[0])


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_hundred_mutations_break_no_reader(tmp_path: Path, sample: str) -> None:
    for seed in range(100):
        outcome(tmp_path, mutated(SAMPLES[sample], seed), sample.partition(":")[0])


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(noise=st.binary(max_size=400), name=st.sampled_from(sorted(FORMATS)))
def test_no_bytes_break_any_reader(tmp_path: Path, noise: bytes, name: str) -> None:
    outcome(tmp_path, noise)
    if noise:
        outcome(tmp_path, noise, name)


MEMBERS = {name for sample in JSON_SAMPLES for document in documents(SAMPLES[sample]) for name in names_in(document)}
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=8) | st.just(USEC),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(sorted(MEMBERS)),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(records=st.lists(JSON_VALUES, max_size=4), name=st.sampled_from(sorted({sample.partition(":")[0] for sample in JSON_SAMPLES})))
def test_no_json_breaks_any_reader(tmp_path: Path, records: list[Json], name: str) -> None:
    content = "\n".join(json.dumps(record) for record in records).encode()
    if content:
        outcome(tmp_path, content)
        outcome(tmp_path, content, name)
