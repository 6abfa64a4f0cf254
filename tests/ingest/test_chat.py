"""Chat files of each dialect: detected by content, laid on the time line, raw fields kept, broken files read as far as they go."""

import time
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.errors import LiveProofError
from archive.recording import Message, MessageKind
from archive.timeline import ClockMap, WallTime
from ingest.chat import ChatContext, ChatHeader, detect, read_head
from ingest.chat_files import read_messages, recognise
from ingest.errors import InputTooLarge, InvalidContent, UnknownFormat
from ingest.input_file import InputFile, check_file
from ingest.settings import IngestSettings

CHINA = ZoneInfo("Asia/Shanghai")
START = WallTime.parse("2026-11-18T20:00:00+08:00")
START_S = START.epoch_ms // 1000

MAIN_SITE = '<?xml version="1.0" encoding="UTF-8"?><i><chatserver>chat.bilibili.com</chatserver><chatid>1</chatid>{}</i>'
RECORDER = (
    '<?xml version="1.0" encoding="utf-8"?>\n<?xml-stylesheet type="text/xsl" href="#s"?>\n<i>\n'
    '<BililiveRecorder version="2.6" />'
    '<BililiveRecorderRecordInfo roomid="7734200" shortid="0" name="暖岚优选" title="冬日 &quot;专场&quot;" '
    'areanameparent="购物" areanamechild="服饰" start_time="2026-11-18T20:00:00.0000000+08:00" />\n{}\n</i>\n'
)


def file_of(tmp_path: Path, content: str | bytes, name: str = "chat.dat") -> InputFile:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return check_file(path, "chat", 1 << 30, may_be_empty=True)


def read(
    tmp_path: Path, content: str | bytes, *, at: int = 0, wall: WallTime | None = None, notes: list[str] | None = None, limit: int = 10_000
) -> list[Message]:
    file = file_of(tmp_path, content)
    known = detect(file, read_head(file))
    assert known is not None
    told = notes if notes is not None else []
    return list(known.read(file, ChatContext(at, wall, limit, told.append)))


def header(tmp_path: Path, content: str) -> ChatHeader:
    file = file_of(tmp_path, content)
    known = detect(file, read_head(file))
    assert known is not None
    return known.header(read_head(file), CHINA)


def test_the_main_sites_file_keeps_hash_offset_and_send_time(tmp_path: Path) -> None:
    content = MAIN_SITE.format('<d p="490.19,1,25,16777215,1584268892,0,a16fe0dd,29950852386521095">会起球吗</d>')
    assert read(tmp_path, content, at=1000) == [
        Message(491_190, "会起球吗", "a16fe0dd", MessageKind.CHAT, "490.19", "1584268892", 1000, "bilibili_xml/bilibili")
    ]


def test_a_ninth_slot_does_no_harm(tmp_path: Path) -> None:
    (message,) = read(tmp_path, MAIN_SITE.format('<d p="0.47900,4,25,15138834,1626077354,0,5bd04b14,51870527213010951,10">好</d>'))
    assert (message.at_ms, message.author) == (479, "5bd04b14")


def test_bililive_recorders_file_has_chat_gifts_super_chats_and_guards(tmp_path: Path) -> None:
    content = RECORDER.format(
        f'<d p="12.345,1,25,16777215,{START_S + 12},0,910000001,0" user="雨后" raw="[&quot;x&quot;]">这个假一赔十吗 &amp; 包邮 &lt;3</d>'
        '<sc ts="20.5" user="北方的熊" uid="2" price="30" time="60">已下单</sc>'
        '<gift ts="30" user="路过的猫" uid="3" giftname="小花花" giftcount="3" />'
        '<guard ts="40.25" user="老王" uid="4" level="3" count="1" />'
    )
    source = "bilibili_xml/bililive_recorder"
    assert read(tmp_path, content) == [
        Message(12_345, "这个假一赔十吗 & 包邮 <3", "雨后", MessageKind.CHAT, "12.345", str(START_S + 12), 1000, source),
        Message(20_500, "已下单", "北方的熊", MessageKind.PAID, "20.5", None, 1000, source),
        Message(30_000, "小花花 ×3", "路过的猫", MessageKind.GIFT, "30", None, 1000, source),
        Message(40_250, "guard 3 ×1", "老王", MessageKind.PAID, "40.25", None, 1000, source),
    ]
    assert header(tmp_path, content) == ChatHeader(START, "bilibili", "7734200", "暖岚优选", '冬日 "专场"')


def test_blrecs_file_counts_send_times_in_milliseconds(tmp_path: Path) -> None:
    content = (
        "<?xml version='1.0' encoding='UTF-8'?><i><metadata><user_name>小鹿</user_name><room_id>77</room_id><room_title>专场</room_title>"
        "<live_start_time>2026-11-18T19:58:00+08:00</live_start_time><record_start_time>2026-11-18T20:00:00+08:00</record_start_time></metadata>"
        f'<d p="5.00000,1,25,16777215,{START.epoch_ms + 5000},0,42,9" uid="42" user="雨后">雨后: 好看</d>'
        f'<toast ts="{START_S + 9}" uid="1" user="老王" role_name="舰长" num="2" unit="月"/></i>'
    )
    first, toast = read(tmp_path, content, wall=START)
    assert (first.text, first.raw_wall, first.source) == ("雨后: 好看", str(START.epoch_ms + 5000), "bilibili_xml/blrec")
    assert (toast.at_ms, toast.text, toast.kind, toast.raw_wall) == (9000, "舰长 ×2", MessageKind.PAID, str(START_S + 9))
    found = header(tmp_path, content)
    assert (found.started_at, found.room, found.host, found.title) == (START, "77", "小鹿", "专场")


def test_biliups_entries_with_wall_time_alone_are_placed_by_the_chat_around_them(tmp_path: Path) -> None:
    chat = "".join(f'<d p="{n}.0,1,25,16777215,{START_S + n},0,1,0">好</d>' for n in range(1, 30))
    paid = (
        f'<s timestamp="{START_S + 17}" uid="7" username="老王" price="30" type="super_chat" num="1" giftname="">求上链接</s>'
        f'<s timestamp="{START_S + 18}" uid="7" username="老王" price="1" type="gift" num="5" giftname="小花花"></s>'
        f'<o timestamp="{START_S + 20}">进场</o>'
    )
    messages = read(tmp_path, f"<i>{chat}{paid}</i>")
    assert [(m.at_ms, m.kind, m.text, m.uncertainty_ms) for m in messages[-3:]] == [
        (17_000, MessageKind.PAID, "求上链接", 3000),
        (18_000, MessageKind.GIFT, "小花花 ×5", 3000),
        (20_000, MessageKind.SYSTEM, "进场", 3000),
    ]


def test_wall_time_with_nothing_to_place_it_stands_by_its_neighbour_and_says_how_unsure(tmp_path: Path) -> None:
    messages = read(tmp_path, f'<i><d p="50,1,25,1,0,0,1,0">好</d><s timestamp="{START_S}" username="老王" type="gift" giftname="花"/></i>')
    assert [(m.at_ms, m.uncertainty_ms) for m in messages] == [(50_000, 1000), (50_000, 60_000)]


def test_bililive_tools_file_without_an_end_is_read(tmp_path: Path) -> None:
    content = (
        "<?xml version='1.0' encoding='utf-8'?>\n<i>\n"
        f"<metadata><platform>douyin</platform><video_start_time>{START.epoch_ms}</video_start_time>"
        f'</metadata>\n<d p="9.000,1,25,16777215,{START.epoch_ms + 9000},0,9,9,0" user="b" uid="9" timestamp="1">后</d>\n'
        f'<gift user="c" uid="8" giftname="心" giftcount="1" price="0.1" ts="{START.epoch_ms + 5000}"/>\n<d p="2.0,1,25,167'
    )
    notes: list[str] = []
    messages = read(tmp_path, content, wall=START, notes=notes)
    assert [(m.at_ms, m.text, m.author) for m in messages] == [(9000, "后", "b"), (5000, "心 ×1", "c")]
    assert len(notes) == 1 and "no well-formed XML" in notes[0]
    assert header(tmp_path, content).started_at == START


def test_text_that_was_never_escaped_is_kept_to_the_letter(tmp_path: Path) -> None:
    said = ["1<2 && 3>2", "<3 爱你", "&nbsp;原样", "a</b>c", "&lt;已转义&gt;", "]]>"]
    lines = "".join(f'<d p="{n}.21,1,25,16777215,{START.epoch_ms},0,1602022773,0" user="甲&乙">{text}</d>\n' for n, text in enumerate(said))
    messages = read(tmp_path, f'<?xml version="1.0"?>\n<i>\n{lines}</i>')
    assert [m.text for m in messages] == [*said[:4], "<已转义>", "]]>"]
    assert {m.author for m in messages} == {"甲&乙"}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gbk", "utf-16"])
def test_other_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    declared = '<?xml version="1.0" encoding="utf-16"?>' if encoding == "utf-16" else ""
    content = f'{declared}<i><d p="1.5,1,25,1,0,0,1,0" user="雨后">包邮吗</d></i>'.encode(encoding)
    assert [(m.at_ms, m.text, m.author) for m in read(tmp_path, content)] == [(1500, "包邮吗", "雨后")]


@pytest.mark.parametrize("offset", ["", "x", "nan", "inf", "1e300", "-1e12"])
def test_entries_without_a_time_are_left_out_and_told(tmp_path: Path, offset: str) -> None:
    notes: list[str] = []
    messages = read(tmp_path, f'<i><d p="{offset},1,25,1,0,0,1,0">坏</d><d p="-1.5,1,25,1,0,0,1,0">开播前</d><d>空</d></i>', notes=notes)
    assert [(m.at_ms, m.text) for m in messages] == [(-1500, "开播前")]
    assert "2 entries without a time" in notes[0]


def test_texts_beyond_the_limit_are_cut_and_told(tmp_path: Path) -> None:
    notes: list[str] = []
    (message,) = read(tmp_path, f'<i><d p="1,1,25,1,0,0,1,0">{"长" * 500}</d></i>', notes=notes, limit=100)
    assert message.text == "长" * 100
    assert "1 texts longer than 100" in notes[0]


BOMB = '<!DOCTYPE i [<!ENTITY a "哈哈哈哈哈哈哈哈哈哈">{}]><i><d p="1,1,25,1,0,0,1,0" user="&z;">&z;</d></i>'.format(
    "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(25))
)
FILE_READER = '<!DOCTYPE i [<!ENTITY x SYSTEM "file:///etc/passwd">]><i><d p="1,1,25,1,0,0,1,0">&x;</d></i>'


@pytest.mark.parametrize("content", [BOMB, FILE_READER, BOMB.encode("utf-16")])
def test_entities_are_refused_at_once(tmp_path: Path, content: str | bytes) -> None:
    began = time.monotonic()
    with pytest.raises(InvalidContent, match="document type"):
        read(tmp_path, content)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "piece",
    ["<d ", '<d p="', '<d p="1" ', "<d p='", "</d>", '<d p="1,1">', "<i>", "&amp;", "<!--", '"'],
)
def test_hostile_repetition_takes_no_longer_than_its_size(tmp_path: Path, piece: str) -> None:
    began = time.monotonic()
    read(tmp_path, "<i>" + piece * (2_000_000 // len(piece)))
    assert time.monotonic() - began < 20


def test_neutral_json_lines_are_read(tmp_path: Path) -> None:
    content = '{"at_ms": 10799, "user": "雨后", "text": "哈哈哈"}\n\n'
    content += '{"at_ms": 12394, "user": null, "text": "", "kind": "gift", "recalled": true}\n'
    assert read(tmp_path, content, at=500) == [
        Message(11_299, "哈哈哈", "雨后", MessageKind.CHAT, "10799", None, 0, "jsonl"),
        Message(12_894, "", None, MessageKind.GIFT, "12394", None, 0, "jsonl", True),
    ]


@pytest.mark.parametrize(
    "line, says",
    [
        ('{"at_ms": "soon", "text": "x"}', "line 2, field at_ms"),
        ('{"at_ms": 1e400, "text": "x"}', "line 2, field at_ms"),
        ('{"at_ms": 99999999999999, "text": "x"}', "line 2, field at_ms"),
        ('{"text": "x"}', "line 2, field at_ms"),
        ('{"at_ms": 5}', "line 2, field text"),
        ('{"at_ms": 5, "text": ["x"]}', "line 2, field text"),
        ('{"at_ms": 5, "text": "x", "kind": "shout"}', "line 2, field kind"),
        ("[5]", "line 2 must be an object"),
        ("oops", "line 2 is no valid JSON"),
    ],
)
def test_a_bad_json_line_is_named(tmp_path: Path, line: str, says: str) -> None:
    with pytest.raises(InvalidContent, match=says):
        read(tmp_path, f'{{"at_ms": 1, "user": "a", "text": "b"}}\n{line}\n')


def test_a_last_json_line_that_breaks_off_is_left_out_and_told(tmp_path: Path) -> None:
    notes: list[str] = []
    messages = read(tmp_path, '{"at_ms": 1, "user": "a", "text": "b"}\n{"at_ms": 2, "us', notes=notes)
    assert len(messages) == 1 and "line 2, the last, breaks off" in notes[0]


@pytest.mark.parametrize(
    "content", ["plain words", "<html><body><i>x</i></body></html>", "[]", '{"a": 1}', b"\x89PNG\r\n", b"\x00" * 300_000]
)
def test_what_is_no_chat_is_refused_by_name(tmp_path: Path, content: str | bytes) -> None:
    file = file_of(tmp_path, content, "不是弹幕.xml")
    with pytest.raises(UnknownFormat, match="不是弹幕"):
        detect(file, read_head(file))


def test_an_empty_chat_file_is_an_empty_chat(tmp_path: Path) -> None:
    files = [file_of(tmp_path, content, name) for name, content in (("a.xml", ""), ("b.xml", "\ufeff \n"))]
    notes: list[str] = []
    chats = recognise(files, [], CHINA)
    assert read_messages(chats, [], None, IngestSettings(), notes.append) == ()
    assert len(notes) == 2


def jsonl(tmp_path: Path, name: str, *at_ms: int) -> InputFile:
    return file_of(tmp_path, "".join(f'{{"at_ms": {at}, "user": "u", "text": "{name}"}}\n' for at in at_ms), name)


def clocks(*starts_at_ms: int) -> list[ClockMap]:
    return [ClockMap(at, START.plus_ms(at), 1000, "file_name") for at in starts_at_ms]


def times(chats: Callable[[], list[InputFile]], media: list[str], starts: list[ClockMap]) -> list[int]:
    found = read_messages(recognise(chats(), media, CHINA), starts, START, IngestSettings(), [].append)
    return [message.at_ms for message in found]


def test_a_chat_file_goes_with_the_part_of_its_name(tmp_path: Path) -> None:
    chats = [jsonl(tmp_path, "part-2.jsonl", 5), jsonl(tmp_path, "part-1.chat.jsonl", 7)]
    assert times(lambda: chats, ["part-1.flv", "part-2.flv"], clocks(0, 60_000)) == [7, 60_005]


def test_as_many_chats_as_parts_go_by_position(tmp_path: Path) -> None:
    chats = [jsonl(tmp_path, "a.jsonl", 5), jsonl(tmp_path, "b.jsonl", 7)]
    assert times(lambda: chats, ["x.flv", "y.flv"], clocks(0, 60_000)) == [5, 60_007]


def test_one_chat_for_several_parts_counts_from_the_recordings_start(tmp_path: Path) -> None:
    assert times(lambda: [jsonl(tmp_path, "all.jsonl", 90_000, 5)], ["x.flv", "y.flv"], clocks(0, 60_000)) == [5, 90_000]


def test_one_chat_whose_head_knows_its_start_is_placed_by_it(tmp_path: Path) -> None:
    content = RECORDER.format('<d p="1.0,1,25,1,0,0,1,0" user="a">好</d>').replace("T20:00:00.0000000", "T20:00:30.0000000")
    assert times(lambda: [file_of(tmp_path, content, "all.xml")], ["x.flv", "y.flv"], clocks(0, 60_000)) == [31_000]


def test_a_chat_whose_head_is_of_another_year_is_refused(tmp_path: Path) -> None:
    content = RECORDER.format('<d p="1.0,1,25,1,0,0,1,0" user="a">好</d>').replace("2026-11-18T", "2001-11-18T")
    with pytest.raises(InvalidContent, match=r"all\.xml: its head says .* more than 1000 hours"):
        times(lambda: [file_of(tmp_path, content, "all.xml")], ["x.flv", "y.flv"], clocks(0, 60_000))


def test_more_messages_than_allowed_are_refused(tmp_path: Path) -> None:
    chats = recognise([jsonl(tmp_path, "a.jsonl", *range(11))], [], CHINA)
    with pytest.raises(InputTooLarge, match="more than the 10 messages"):
        read_messages(chats, [], None, IngestSettings(chat_max_messages=10), [].append)


XML_BITS = st.lists(
    st.sampled_from(
        [
            "<i>",
            "</i>",
            '<d p="1.5,1,25,1,1795003200,0,7,0" user="u">',
            "</d>",
            '<d p="',
            '">',
            "<gift ts='3' giftname='x'/>",
            '<sc ts="2">',
            "</sc>",
            "<metadata>",
            "<![CDATA[",
            "]]>",
            "<!--",
            "-->",
            "&",
            "&#0;",
            "&#x41;",
            "&lt;",
            "\x00",
            "\ud83d\ude00",
            "字",
            "<s timestamp=\"1795003200\" type='gift'/>",
        ]
    )
    | st.text(max_size=6),
    max_size=40,
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(bits=XML_BITS)
def test_no_xml_breaks_the_reader_and_every_message_can_be_stored(tmp_path: Path, bits: list[str]) -> None:
    content = ("<i>" + "".join(bits)).encode("utf-8", "surrogatepass")
    try:
        messages = read(tmp_path, content)
    except LiveProofError as refused:
        assert "chat.dat" in str(refused)
        return
    for message in messages:
        assert "\x00" not in message.text + (message.author or "")
        (message.text + (message.author or "")).encode()
        assert isinstance(message.at_ms, int)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(lines=st.lists(st.tuples(st.integers(0, 10**8), st.text(max_size=20)), min_size=1, max_size=10))
def test_well_formed_chat_gives_back_every_text_and_time(tmp_path: Path, lines: list[tuple[int, str]]) -> None:
    from lxml import etree

    root = etree.Element("i")
    kept = []
    for at_ms, text in lines:
        clean = "".join(char for char in text if char >= " " and char not in "\ufffe\uffff" and not "\ud800" <= char <= "\udfff")
        element = etree.SubElement(root, "d", p=f"{at_ms / 1000:.3f},1,25,1,0,0,1,0", user="u")
        element.text = clean
        kept.append((at_ms, clean))
    messages = read(tmp_path, etree.tostring(root, encoding="utf-8"))
    assert [(message.at_ms, message.text) for message in messages] == kept
