"""Every chat format: told from all the others, laid on the time line, raw fields and doubts kept. Bilibili's XML has tests of its own."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.opening import Archive
from archive.recording import Message, MessageKind
from archive.timeline import WallTime
from ingest.admission import IngestRequest, admit
from ingest.chat import CHINA, ChatContext, ChatHeader, detect, formats, read_head
from ingest.chat.placing import UNKNOWN_START_UNCERTAINTY_MS
from ingest.errors import InvalidContent, UnknownFormat
from ingest.input_file import check_file
from ingest.settings import ingest_settings
from tests.ingest.written_chats import (
    ASS_HEAD,
    IM_HEAD,
    SAMPLES,
    START,
    START_S,
    USEC,
    array,
    ass_line,
    barrage,
    douyin,
    downloaded,
    im_line,
    kuaishou,
    larger,
    lines,
    message_id,
    tiktok,
    twitch,
    twitch_comment,
    wall,
    workbook,
    youtube,
    youtube_item,
    youtube_live,
)

CHAT, GIFT, PAID, SYSTEM, AGENT = MessageKind.CHAT, MessageKind.GIFT, MessageKind.PAID, MessageKind.SYSTEM, MessageKind.AGENT


def read(
    tmp_path: Path, content: bytes | str, *, at: int = 0, wall_start: WallTime | None = START, notes: list[str] | None = None
) -> list[Message]:
    path = tmp_path / "chat.dat"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    file = check_file(path, "chat", 1 << 30, may_be_empty=True)
    known = detect(file, read_head(file))
    assert known is not None
    told = notes if notes is not None else []
    return list(known.read(file, ChatContext(at, wall_start, 10_000, told.append)))


def header(content: bytes) -> ChatHeader:
    return next(known for known in formats() if known.detect(content)).header(content, CHINA)


def brief(messages: list[Message]) -> list[tuple[int, str, str | None, MessageKind]]:
    return [(message.at_ms, message.text, message.author, message.kind) for message in messages]


ASKED = [(1000, "会起球吗", "雨后", CHAT), (2000, "包邮吗", "老王", CHAT)]
RAW_S, RAW_MS, RAW_US = str(START_S + 1), str(START.epoch_ms + 1000), str(USEC + 1_000_000)
EXPECTED: dict[str, list[tuple[int, str, str | None, MessageKind]]] = {
    "bilibili_xml": ASKED,
    "danmaku_ass": [(1000, "会起球吗", None, CHAT), (2000, "包邮吗", None, CHAT), (3000, "求上三号链接，谢谢", "老王", PAID)],
    "danmaku_ass:nothing said": [],
    "youtube_live_chat:replay": [(-5000, "早", "雨后", CHAT), ASKED[0], (2000, "¥30", "老王", PAID)],
    "youtube_live_chat:live": ASKED,
    "youtube_live_chat:page": ASKED,
    "youtube_live_chat:one page": ASKED,
    "twitch_downloader": [(1000, "会起球吗", "Yuhou", CHAT), (2500, "包邮吗", "Wang", CHAT)],
    "twitch_downloader:indented": [(1000, "会起球吗", "Yuhou", CHAT), (2500, "包邮吗", "Wang", CHAT)],
    "douyin_barrage_grab": [(0, "雨后 来了", "雨后", SYSTEM), ASKED[0], (2000, "小心心 ×3", "老王", GIFT)],
    "douyin_barrage_grab:array": ASKED,
    "tiktok_live": ASKED,
    "tiktok_live:events": ASKED,
    "tiktok_live:base message": ASKED[:1],
    "douyin_messages": ASKED,
    "douyin_messages:snake case": ASKED,
    "douyin_messages:relayed": ASKED[:1],
    "douyin_messages:packet": [ASKED[0], (2000, "包邮吗", "雨后", CHAT)],
    "kuaishou": ASKED,
    "kuaishou:feeds": [ASKED[0], (1000, "包邮吗", "老王", CHAT)],
    "jsonl": ASKED,
    "chat_downloader": [ASKED[0], (2000, "¥30", "老王", PAID)],
    "chat_downloader:lines": [(0, "会起球吗", "雨后", CHAT), (1000, "谢谢", "老王", PAID)],
    "chat_downloader_csv": [(1000, "会起球吗, 亲", "雨后", CHAT), (2000, "两行\n的话", "老王", CHAT)],
    "twitch_text": [(1000, "会起球吗", "Yuhou", CHAT), (3_661_000, "a: b", "Wang", CHAT)],
    "twitch_text:wall": [(1000, "hello", "Yuhou", CHAT), (2500, "hi", "Wang", CHAT)],
    "im_xlsx": [(2000, "假一赔十", "小李", AGENT), (1000, "会起球吗", "雨后", CHAT)],
    "im_json": [(2000, "假一赔十", "小李", AGENT), (1000, "会起球吗", "雨后", CHAT)],
    "im_json:english": [(1000, "会起球吗", "a", CHAT)],
    "im_csv": [(2000, "假一赔十", "小李", AGENT), (1000, "会起球吗", "雨后", CHAT)],
    "im_csv:titled, tabs": ASKED,
    "im_csv:gbk": ASKED,
}


@pytest.mark.parametrize("sample", SAMPLES)
def test_each_format_is_told_from_all_the_others(sample: str) -> None:
    claims = [known.name for known in formats() if known.detect(SAMPLES[sample])]
    own = sample.partition(":")[0]
    assert claims[0] == own
    # A table may have any columns, so that some dumps are tables as well; it is asked last.
    assert set(claims[1:]) <= {"im_json", "im_csv"}


def test_there_is_a_sample_of_every_format() -> None:
    assert {sample.partition(":")[0] for sample in SAMPLES} == {known.name for known in formats()} == set(larger(1))


@pytest.mark.parametrize("sample", EXPECTED)
def test_messages_come_with_words_author_kind_and_place(tmp_path: Path, sample: str) -> None:
    assert brief(read(tmp_path, SAMPLES[sample])) == EXPECTED[sample]


@pytest.mark.parametrize("sample", EXPECTED)
@pytest.mark.parametrize("at", [-7000, 60_000])
def test_messages_move_with_their_file(tmp_path: Path, sample: str, at: int) -> None:
    assert [m.at_ms - at for m in read(tmp_path, SAMPLES[sample], at=at)] == [at_ms for at_ms, *_ in EXPECTED[sample]]


@pytest.mark.parametrize(
    "sample, which, raw_offset, raw_wall, uncertainty_ms, source",
    [
        ("danmaku_ass", 0, "00:00:01.00", None, 10_000, "danmaku_ass/lossy"),
        ("youtube_live_chat:replay", 1, "1000", RAW_US, 1000, "youtube_live_chat/replay"),
        ("youtube_live_chat:live", 0, "2234", RAW_US, 3000, "youtube_live_chat/live"),
        ("twitch_downloader", 0, "1.0", "2026-11-18T12:00:01Z", 1000, "twitch_downloader"),
        ("douyin_barrage_grab:array", 0, None, str(message_id(1000)), 15_000, "douyin_barrage_grab/message_id"),
        ("tiktok_live", 0, None, RAW_MS, 3000, "tiktok_live"),
        ("douyin_messages", 0, None, RAW_MS, 3000, "douyin_messages"),
        ("douyin_messages:snake case", 0, None, RAW_S, 3000, "douyin_messages"),
        ("douyin_messages:packet", 0, None, str(message_id(1000)), 15_000, "douyin_messages/message_id"),
        ("kuaishou", 0, None, RAW_MS, 3000, "kuaishou"),
        ("kuaishou:feeds", 1, None, None, 60_000, "kuaishou"),
        ("chat_downloader", 0, "1", RAW_US, 1000, "chat_downloader"),
        ("chat_downloader:lines", 0, None, str(USEC), 3000, "chat_downloader"),
        ("chat_downloader_csv", 0, "1", str(USEC), 1000, "chat_downloader_csv"),
        ("twitch_text", 1, "1:01:01", None, 1000, "twitch_text"),
        ("twitch_text:wall", 1, None, "2026-11-18 12:00:02.500", 3000, "twitch_text"),
        ("im_xlsx", 0, None, "2026-11-18 20:00:02", 3000, "im_table"),
        ("im_json", 0, None, "2026-11-18 20:00:02", 3000, "im_table"),
        ("im_csv", 1, None, "2026-11-18 20:00:01", 3000, "im_table"),
    ],
)
def test_raw_times_stay_as_they_stood_and_say_how_sure_the_place_is(
    tmp_path: Path, sample: str, which: int, raw_offset: str | None, raw_wall: str | None, uncertainty_ms: int, source: str
) -> None:
    found = read(tmp_path, SAMPLES[sample])[which]
    assert (found.raw_offset, found.raw_wall, found.uncertainty_ms, found.source) == (raw_offset, raw_wall, uncertainty_ms, source)


@pytest.mark.parametrize(
    "sample", ["douyin_messages", "tiktok_live", "kuaishou", "douyin_barrage_grab:array", "twitch_text:wall", "im_csv"]
)
def test_wall_times_without_a_known_start_count_from_the_first_and_say_so(tmp_path: Path, sample: str) -> None:
    notes: list[str] = []
    messages = read(tmp_path, SAMPLES[sample], wall_start=None, notes=notes)
    first = min(at_ms for at_ms, *_ in EXPECTED[sample])
    assert [message.at_ms for message in messages] == [at_ms - first for at_ms, *_ in EXPECTED[sample]]
    assert {message.uncertainty_ms for message in messages} == {UNKNOWN_START_UNCERTAINTY_MS}
    assert any("--started-at" in note for note in notes)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "gb18030"])
@pytest.mark.parametrize("sample", [name for name in SAMPLES if name not in ("bilibili_xml", "im_xlsx", "im_csv:gbk")])
def test_every_encoding_says_the_same(tmp_path: Path, sample: str, encoding: str) -> None:
    assert brief(read(tmp_path, SAMPLES[sample].decode().encode(encoding))) == EXPECTED[sample]


def test_headers_tell_what_a_file_knows_of_its_session() -> None:
    assert header(SAMPLES["twitch_downloader"]) == ChatHeader(START, "twitch", "host", "主播", "专场")
    assert header(SAMPLES["douyin_messages"]) == ChatHeader(platform="douyin", room="77")
    assert header(SAMPLES["tiktok_live"]) == ChatHeader(platform="tiktok", room="88")
    assert header(SAMPLES["douyin_barrage_grab"]) == ChatHeader(platform="douyin", room="77")
    assert header(SAMPLES["im_csv"]) == ChatHeader()


def test_a_danmaku_copy_is_labelled_and_a_caption_file_is_not_taken_for_one(tmp_path: Path) -> None:
    notes: list[str] = []
    read(tmp_path, SAMPLES["danmaku_ass"], notes=notes)
    assert "lossy" in notes[0]
    caption = ASS_HEAD.replace("Style: R2L", "Style: Default") + "".join(
        f"Dialogue: 0,0:00:0{n}.00,0:00:0{n + 1}.00,Default,,0,0,0,,{{\\b1}}第{n}句\n" for n in range(5)
    )
    assert not any(known.detect(caption.encode()) for known in formats())
    assert not any(known.detect((caption + ass_line(1000, "飘过")).encode()) for known in formats())


def test_chat_that_speaks_of_markup_is_not_taken_for_xml(tmp_path: Path) -> None:
    assert brief(read(tmp_path, lines([douyin(1000, "<i>好看</i>", "雨后")]))) == [(1000, "<i>好看</i>", "雨后", CHAT)]


def test_names_inside_texts_do_not_tell_a_format(tmp_path: Path) -> None:
    spoof = '{"replayChatItemAction": {"comments": [1]}}'
    assert read(tmp_path, lines([{"at_ms": 1, "text": spoof}]))[0].source == "jsonl"


def test_barrages_without_ids_stand_by_their_neighbour_and_a_file_without_any_is_refused(tmp_path: Path) -> None:
    undated = barrage(0, "包邮吗", "老王", MsgId=0)
    messages = read(tmp_path, lines([undated, barrage(5000, "会起球吗", "雨后"), undated]))
    assert [(m.at_ms, m.uncertainty_ms, m.raw_wall) for m in messages] == [(5000, 15_000, str(message_id(5000))), (5000, 60_000, "0")]
    with pytest.raises(InvalidContent, match=r"chat\.dat: nothing in it tells when any of its 2 messages was sent \(record 1"):
        read(tmp_path, lines([undated, undated]))


def test_chat_of_another_year_is_refused_with_the_question_whose_it_is(tmp_path: Path) -> None:
    with pytest.raises(InvalidContent, match=r"more than 1000 hours from the recording.s start .*--started-at"):
        read(tmp_path, SAMPLES["douyin_messages"], wall_start=WallTime.parse("2025-11-18T20:00:00+08:00"))


def test_comments_without_any_time_are_refused(tmp_path: Path) -> None:
    feed = {"user": {"principalId": "3x", "userName": "雨后"}, "content": "会起球吗"}
    with pytest.raises(InvalidContent, match="nothing in it tells when"):
        read(tmp_path, lines([feed]))


@pytest.mark.parametrize(
    "more, kind, text",
    [
        ({"method": "WebcastGiftMessage", "gift": {"name": "小心心"}, "repeatCount": "3", "content": ""}, GIFT, "小心心 ×3"),
        ({"method": "WebcastMemberMessage", "content": "来了"}, SYSTEM, "来了"),
        ({"method": "WebcastScreenChatMessage", "content": "上屏"}, CHAT, "上屏"),
        ({"method": "WebcastEmojiChatMessage", "content": "[比心]"}, CHAT, "[比心]"),
    ],
)
def test_kinds_of_web_messages(tmp_path: Path, more: dict[str, object], kind: MessageKind, text: str) -> None:
    method = str(more.pop("method"))
    record = douyin(1000, "x", "雨后", method, **more)
    record.update(more)
    assert brief(read(tmp_path, lines([record]))) == [(1000, text, "雨后", kind)]


def test_kuaishous_gifts_carry_their_own_time(tmp_path: Path) -> None:
    gift = {"id": "g", "user": {"userName": "老王"}, "giftName": "荧光棒", "batchSize": 5, "time": START.epoch_ms + 9000}
    packet = {"commentFeeds": [], "giftFeeds": [gift]}
    assert brief(read(tmp_path, lines([kuaishou(1000, "好", "雨后"), packet])))[1] == (9000, "荧光棒 ×5", "老王", GIFT)


def test_a_head_says_what_can_be_stored(tmp_path: Path) -> None:
    for title, kept in (("\ud800专场\x00", "\ufffd专场"), ("\x00", None), ("长" * 600, "长" * 500)):
        content = twitch([twitch_comment(1000, "hi", "Wang")]).replace('"专场"'.encode(), json.dumps(title).encode())
        assert header(content).title == kept


def test_a_cropped_twitch_chat_counts_from_the_crop(tmp_path: Path) -> None:
    notes: list[str] = []
    content = twitch([twitch_comment(601_500, "hi", "Wang")]).replace(b'"start": 0', b'"start": 600')
    (message,) = read(tmp_path, content, notes=notes)
    assert (message.at_ms, message.raw_offset) == (1500, "601.5")
    assert "cropped" in notes[0]
    assert header(content).started_at == START.plus_ms(600_000)


def test_youtube_keeps_deleted_messages_as_recalled(tmp_path: Path) -> None:
    by_author = youtube(9000, {"markChatItemsByAuthorAsDeletedAction": {"externalChannelId": "UC老王"}})
    content = [youtube(n * 1000, youtube_item(n * 1000, "好", who)) for n, who in ((1, "雨后"), (2, "老王"), (3, "老王"))]
    assert [m.recalled for m in read(tmp_path, lines([*content, by_author]))] == [False, True, True]
    assert [m.recalled for m in read(tmp_path, SAMPLES["youtube_live_chat:replay"])] == [False, True, False]


def test_youtubes_emoji_memberships_and_edits_are_read(tmp_path: Path) -> None:
    runs = [
        {"text": "好看"},
        {"emoji": {"emojiId": "😀", "shortcuts": [":grinning:"]}},
        {"emoji": {"emojiId": "UC/1", "shortcuts": [":_heart:"], "isCustomEmoji": True}},
    ]
    joined = {"headerSubtext": {"runs": [{"text": "Welcome"}]}, "message": None}
    edited = {
        "replaceChatItemAction": {"targetItemId": "p", "replacementItem": youtube_item(5000, "改了", "甲")["addChatItemAction"]["item"]}
    }  # type: ignore[index]
    content = [
        youtube(1000, youtube_item(1000, "", "甲", message={"runs": runs})),
        youtube(2000, youtube_item(2000, "", "乙", "liveChatMembershipItemRenderer", **joined)),
        youtube(3000, {"addChatItemAction": {"item": {"liveChatPlaceholderItemRenderer": {"id": "p", "timestampUsec": "1"}}}}),
        youtube(5000, edited),
    ]
    assert brief(read(tmp_path, lines(content))) == [
        (1000, "好看😀:_heart:", "甲", CHAT),
        (2000, "Welcome", "乙", PAID),
        (5000, "改了", "甲", CHAT),
    ]


def test_a_live_chat_is_placed_by_the_recorders_estimate_where_no_start_is_known(tmp_path: Path) -> None:
    (message,) = read(tmp_path, lines([youtube_live(1000, youtube_item(1000, "好", "甲"))]), wall_start=None)
    assert (message.at_ms, message.uncertainty_ms) == (2234, 10_000)


def test_replays_whose_time_stamps_are_the_downloads_are_placed_by_their_offsets(tmp_path: Path) -> None:
    content = [{**downloaded(at, "好", "甲"), "timestamp": USEC + n} for n, at in enumerate((307_000, 964_000))]
    assert [m.at_ms for m in read(tmp_path, array(content))] == [307_000, 964_000]


def test_finer_offsets_are_preferred_and_a_ticker_that_stands_alone_is_kept(tmp_path: Path) -> None:
    content = [
        downloaded(2000, "好", "甲", video_offset_time_msec=2664),
        downloaded(9000, None, "乙", amount="¥5", ticker_duration=60, message_type="ticker_paid_message_item"),
    ]
    assert brief(read(tmp_path, array(content))) == [(2664, "好", "甲", CHAT), (9000, "¥5", "乙", PAID)]


@pytest.mark.parametrize(
    "written, at_ms, uncertainty_ms",
    [
        ("2026-11-18 20:00:05", 5000, 3000),
        ("2026/11/18 20:00:05", 5000, 3000),
        ("2026/11/18 20:01", 60_000, 60_000),
        ("２０２６/11/18 20:01", 60_000, 60_000),
        ("2026-11-18 20:01", 60_000, 60_000),
        ("2026年11月18日 20:00:05", 5000, 3000),
        ("2026年11月18日20时00分05秒", 5000, 3000),
        ("2026-11-18T12:00:05Z", 5000, 3000),
        ("2026-11-18 20:00:05.250", 5250, 3000),
        ("20261118200005", 5000, 3000),
        (str(START_S + 5), 5000, 3000),
        (str(START.epoch_ms + 5001), 5001, 3000),
    ],
)
def test_times_of_exports_are_read_as_people_write_them(tmp_path: Path, written: str, at_ms: int, uncertainty_ms: int) -> None:
    (message,) = read(tmp_path, f"{IM_HEAD}{written},雨后,买家,会起球吗,,\n")
    assert (message.at_ms, message.uncertainty_ms, message.raw_wall) == (at_ms, uncertainty_ms, written)


def test_day_and_time_may_stand_in_two_columns(tmp_path: Path) -> None:
    (message,) = read(tmp_path, "日期,时间,内容\n2026-11-18,20:00:05,会起球吗\n")
    assert (message.at_ms, message.raw_wall) == (5000, "2026-11-18 20:00:05")


@pytest.mark.parametrize(
    "role, kind",
    [
        ("买家", CHAT),
        ("客服", AGENT),
        ("商家客服", AGENT),
        ("机器人", AGENT),
        ("系统消息", SYSTEM),
        ("Seller", AGENT),
        ("", CHAT),
        ("?", CHAT),
    ],
)
def test_roles_become_kinds(tmp_path: Path, role: str, kind: MessageKind) -> None:
    assert read(tmp_path, IM_HEAD + im_line(0, "好", "甲", role))[0].kind == kind


@pytest.mark.parametrize(
    "state, recalled",
    [
        ("是", True),
        ("已撤回", True),
        ("TRUE", True),
        ("1", True),
        ("否", False),
        ("未撤回", False),
        ("", False),
        ("已读", False),
        ("0", False),
    ],
)
def test_recalled_messages_stay_and_say_so(tmp_path: Path, state: str, recalled: bool) -> None:
    (message,) = read(tmp_path, IM_HEAD + im_line(0, "假一赔十", "甲", recalled=state))
    assert (message.text, message.recalled) == ("假一赔十", recalled)


def test_columns_of_any_name_can_be_named_by_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = f"何时,谁,说了啥\n{wall(1000)},雨后,会起球吗\n"
    with pytest.raises(UnknownFormat):
        read(tmp_path, content)
    monkeypatch.setenv("LIVEPROOF_CHAT_COLUMNS", json.dumps({"time": "何时", "text": "说了啥", "sender": "谁"}))
    ingest_settings.cache_clear()
    try:
        assert brief(read(tmp_path, content)) == ASKED[:1]
        assert brief(read(tmp_path, workbook([["何时", "谁", "说了啥"], [wall(1000), "雨后", "会起球吗"]]))) == ASKED[:1]
    finally:
        ingest_settings.cache_clear()


def test_later_rows_may_have_members_that_the_first_has_not(tmp_path: Path) -> None:
    rows = [{"time": wall(1000), "text": "a"}, {"recalled": True, "text": "b", "sender": "甲", "time": wall(2000)}]
    assert [(m.at_ms, m.text, m.author, m.recalled) for m in read(tmp_path, lines(rows))] == [
        (1000, "a", None, False),
        (2000, "b", "甲", True),
    ]


def test_a_row_out_of_reach_is_left_out_and_told(tmp_path: Path) -> None:
    notes: list[str] = []
    rows = IM_HEAD + im_line(0, "好", "甲") + "2024-01-01 00:00:00,甲,买家,太早,,\n"
    assert len(read(tmp_path, rows, notes=notes)) == 1
    assert "the first is line 3" in notes[0]


def test_large_files_are_read_a_piece_at_a_time(tmp_path: Path) -> None:
    """More text than one piece of the buffer in every layout, with characters of several bytes across the seams."""
    for name, make in larger(4000).items():
        messages = read(tmp_path, make())
        assert len(messages) == 4000, name
        assert messages[3999].at_ms // 1000 == 399, name
        assert messages[1234].text == "主播这条围巾会起球吗，第234次问了", name


def test_the_samples_pass_the_checks_that_any_folder_of_chat_can_be_put_to(tmp_path: Path) -> None:
    for name, content in SAMPLES.items():
        (tmp_path / name.replace(":", " ")).write_bytes(content)
    command = [sys.executable, "-m", "tests.benchmarks.chat_samples", str(tmp_path), "--markdown"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    rows = done.stdout.splitlines()[2:]
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(rows) == len(SAMPLES) and all(row.endswith("| ok |") for row in rows)


SAID = st.text(min_size=1, max_size=30).filter(lambda text: not any("\ud800" <= char <= "\udfff" for char in text) and "\x00" not in text)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(said=st.lists(st.tuples(st.integers(0, 10**7), SAID), min_size=1, max_size=8), layout=st.sampled_from(["lines", "array"]))
def test_json_formats_give_back_every_text_and_time(tmp_path: Path, said: list[tuple[int, str]], layout: str) -> None:
    write = lines if layout == "lines" else array
    for make in (douyin, tiktok, downloaded, kuaishou, lambda at, text, who: youtube(at + 1, youtube_item(at + 1, text, who))):
        messages = read(tmp_path, write(make(at, text, "甲") for at, text in said))
        step = 1000 if make is downloaded else 1
        late = 0 if make in (douyin, tiktok, downloaded, kuaishou) else 1
        assert [(m.at_ms // step, m.text) for m in messages] == [((at + late) // step, text) for at, text in said]


def test_chat_of_several_formats_is_admitted_with_its_raw_fields(archive: Archive, flv: Callable[..., Path], tmp_path: Path) -> None:
    chats = {"barrage.json": SAMPLES["douyin_barrage_grab"], "im.xlsx": SAMPLES["im_xlsx"], "im.csv": SAMPLES["im_csv:gbk"]}
    for name, content in chats.items():
        (tmp_path / name).write_bytes(content)
    request = IngestRequest(media=(flv(),), chat=tuple(tmp_path / name for name in chats), started_at=START, recording_id="evening")
    admitted = admit(archive, request, "tester")
    held = archive.catalog.messages("evening")
    assert [m.at_ms for m in held] == [0, 1000, 1000, 1000, 2000, 2000, 2000]
    assert sorted(m.raw_wall or "" for m in held if m.source.startswith("douyin")) == [str(message_id(at)) for at in (500, 1000, 2000)]
    assert {(m.order_id, m.kind, m.recalled) for m in held if m.order_id} == {("4200000000017", AGENT, True)}
    assert {(m.source.split("/")[0], m.source_number) for m in held} == {("douyin_barrage_grab", 1), ("im_table", 2), ("im_table", 3)}
    assert admitted.recording.platform == "douyin"
    assert admit(archive, request, "tester").already_held
