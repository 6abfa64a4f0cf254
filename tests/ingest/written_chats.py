"""Chat files of every format, written here after each format's description: two or more messages a file, nobody's real words or names.

`SAMPLES` maps `format` or `format:variant` to a file's bytes; `larger` makes a file of any number of messages of each format.
"""

import io
import json
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from archive.timeline import WallTime

START = WallTime.parse("2026-11-18T20:00:00+08:00")
START_S = START.epoch_ms // 1000
USEC = START.epoch_ms * 1000


def lines(records: Iterable[object]) -> bytes:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()


def array(records: Iterable[object]) -> bytes:
    return json.dumps(list(records), ensure_ascii=False, indent=1).encode()


def message_id(at_ms: int, number: int = 7) -> int:
    """A ByteDance message id made at so many ms after the start."""
    return ((START.epoch_ms + at_ms) // 1000 << 32) + number


def danmaku(at_ms: int, text: str, user: str) -> str:
    return f'<d p="{at_ms / 1000:.3f},1,25,16777215,{START_S + at_ms // 1000},0,{at_ms},0" user="{user}">{text}</d>\n'


def barrage(at_ms: int, text: str, user: str, kind: int = 1, **more: object) -> dict[str, object]:
    data = {"MsgId": message_id(at_ms), "User": {"Id": 5, "Nickname": user, "SecUid": "s"}, "Content": text, "RoomId": 77, **more}
    return {"Type": kind, "ProcessName": "直播伴侣", "Data": json.dumps(data, ensure_ascii=False)}


def douyin(at_ms: int, text: str, user: str, method: str = "WebcastChatMessage", **more: object) -> dict[str, object]:
    common = {"method": method, "msgId": str(message_id(at_ms)), "roomId": "77", "createTime": str(START.epoch_ms + at_ms)}
    return {"common": common, "user": {"id": "5", "nickName": user}, "content": text, **more}


def douyin_snake(at_ms: int, text: str, user: str) -> dict[str, object]:
    common = {"method": "WebcastChatMessage", "msg_id": str(message_id(at_ms)), "room_id": "77", "create_time": "0"}
    return {"common": common, "user": {"id": "5", "nickname": user}, "content": text, "event_time": str(START_S + at_ms // 1000)}


def tiktok(at_ms: int, text: str, user: str) -> dict[str, object]:
    common = {"method": "WebcastChatMessage", "message_id": message_id(at_ms), "room_id": 88, "create_time": START.epoch_ms + at_ms}
    return {"common": common, "user": {"id": 6, "nickname": user, "unique_id": "u6"}, "content": text, "content_language": "en"}


def kuaishou(at_ms: int, text: str, user: str) -> dict[str, object]:
    feed = {"id": f"k{at_ms}", "user": {"principalId": "3x", "userName": user}, "content": text, "sortRank": "1"}
    return {"payloadType": 310, "timestamp": START.epoch_ms + at_ms, "payload": {"displayWatchingCount": "3.5万", "commentFeeds": [feed]}}


def twitch_comment(at_ms: int, text: str, user: str) -> dict[str, object]:
    created = datetime.fromisoformat("2026-11-18T12:00:00+00:00") + timedelta(milliseconds=at_ms)
    return {
        "_id": f"id{at_ms}",
        "created_at": created.isoformat().replace("+00:00", "Z"),
        "content_offset_seconds": at_ms / 1000,
        "commenter": {"display_name": user, "_id": "9", "name": user.lower()},
        "message": {"body": text, "bits_spent": 0, "fragments": [{"text": text, "emoticon": None}], "user_badges": []},
    }


def twitch(comments: Iterable[dict[str, object]], indent: int | None = None) -> bytes:
    video = {"title": "专场", "id": "v1", "created_at": "2026-11-18T12:00:00Z", "start": 0, "end": 9, "length": 9.5}
    root = {"FileInfo": {"Version": {"Major": 1}}, "streamer": {"name": "主播", "login": "host", "id": 5}, "video": video}
    return json.dumps({**root, "comments": list(comments), "embeddedData": {"firstParty": []}}, ensure_ascii=False, indent=indent).encode()


def twitch_line(at_ms: int, text: str, user: str) -> str:
    return f"[{at_ms // 3_600_000}:{at_ms // 60_000 % 60:02}:{at_ms // 1000 % 60:02}] {user}: {text}\n"


def downloaded(at_ms: int, text: str | None, user: str, **more: object) -> dict[str, object]:
    at_s = at_ms // 1000
    known = {"time_in_seconds": at_s, "time_text": f"{at_s // 60}:{at_s % 60:02}", "timestamp": USEC + at_ms * 1000}
    return {"author": user, "message": text, **known, **more}


def youtube_item(at_ms: int, text: str, user: str, renderer: str = "liveChatTextMessageRenderer", **more: object) -> dict[str, object]:
    item = {
        "message": {"runs": [{"text": text}]},
        "authorName": {"simpleText": user},
        "id": f"y{at_ms}",
        "timestampUsec": str(USEC + at_ms * 1000),
        "authorExternalChannelId": f"UC{user}",
        **more,
    }
    return {"addChatItemAction": {"item": {renderer: item}}}


def youtube(at_ms: int, *actions: dict[str, object]) -> dict[str, object]:
    return {"replayChatItemAction": {"actions": list(actions), "videoOffsetTimeMsec": str(max(0, at_ms))}}


def youtube_live(at_ms: int, *actions: dict[str, object]) -> dict[str, object]:
    return {"replayChatItemAction": {"actions": list(actions)}, "videoOffsetTimeMsec": str(at_ms + 1234), "isLive": True}


def youtube_page(records: Iterable[dict[str, object]]) -> dict[str, object]:
    return {"responseContext": {"x": 1}, "continuationContents": {"liveChatContinuation": {"continuations": [], "actions": list(records)}}}


ASS_HEAD = (
    "[Script Info]\nTitle: 暖岚优选\nScriptType: v4.00+\nPlayResX: 1920\nPlayResY: 1080\n\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize\n"
    "Style: R2L,Microsoft YaHei,36\nStyle: message_box,Microsoft YaHei,20\n\n[Events]\n"
    "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
)


def ass_time(at_ms: int) -> str:
    return f"{at_ms // 3_600_000:02}:{at_ms // 60_000 % 60:02}:{at_ms // 1000 % 60:02}.{at_ms % 1000 // 10:02}"


def ass_line(at_ms: int, text: str) -> str:
    run = "{\\move(1920,36,-72,36)}{\\alpha&H33\\1cFFFFFF&}"
    return f"Dialogue: 0,{ass_time(at_ms)},{ass_time(at_ms + 12_000)},R2L,,0,0,0,,{run}{text}\n"


def wall(at_ms: int) -> str:
    return (datetime.fromisoformat("2026-11-18 20:00:00") + timedelta(milliseconds=at_ms)).isoformat(sep=" ", timespec="seconds")


IM_HEAD = "发送时间,发送人,角色,消息内容,订单号,是否撤回\n"


def im_line(at_ms: int, text: str, user: str, role: str = "买家", order: str = "", recalled: str = "否") -> str:
    return f'{wall(at_ms)},{user},{role},"{text}",{order},{recalled}\n'


def workbook(rows: Iterable[Iterable[object]], before: str | None = None) -> bytes:
    """An XLSX file; `before` is the name of an empty sheet that stands before the one with the rows."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    if before:
        book.create_sheet(before).append(["说明", "本表由系统导出"])
    sheet = book.create_sheet("聊天记录")
    for row in rows:
        sheet.append(list(row))
    into = io.BytesIO()
    book.save(into)
    return into.getvalue()


def im_workbook() -> bytes:
    second = datetime.fromisoformat("2026-11-18T20:00:02")
    return workbook(
        [
            ["店铺会话导出"],
            ["发送时间", "发送人", "角色", "消息内容", "订单号", "是否撤回"],
            [second, "小李", "客服", "假一赔十", 4_200_000_000_017, "是"],
            ["2026/11/18 20:00:01", "雨后", "买家", "会起球吗", None, None],
        ],
        before="说明",
    )


SUPER_CHAT = "".join(
    f"Dialogue: {layer},00:00:03.00,00:00:23.00,message_box,,0000,0000,0000,,{text}\n"
    for layer, text in (
        (0, "{\\pos(0,100)\\c&HFF6600\\shad0\\p1}m 0 0 l 250 0 l 250 81 l 0 81"),
        (1, "{\\pos(6,105)\\c&HFFFFFF\\fs15\\b1\\q2}老王"),
        (1, "{\\pos(6,120)\\c&HFFFFFF\\fs15\\q2}SuperChat CNY 30"),
        (1, "{\\pos(6,140)\\c&HFFFFFF\\q2}求上三号链接，\\N谢谢"),
    )
)

PAID = {"purchaseAmountText": {"simpleText": "¥30"}, "message": {}}
LIKE = {"baseMessage": {"method": "WebcastLikeMessage", "createTime": str(START.epoch_ms + 2000)}, "user": {"nickname": "老王"}}
MONEY = {"message_type": "paid_message", "author": {"name": "老王"}, "money": {"text": "¥30"}}
PACKET = [
    {"method": "WebcastChatMessage", "msg_id": message_id(at), "payload": {"room_id": 1, "content": said, "user": {"nickname": "雨后"}}}
    for at, said in ((1000, "会起球吗"), (2000, "包邮吗"))
]
SAMPLES: dict[str, bytes] = {
    "bilibili_xml": f"<?xml version='1.0'?>\n<i>\n{danmaku(1000, '会起球吗', '雨后')}{danmaku(2000, '包邮吗', '老王')}</i>".encode(),
    "danmaku_ass": (ASS_HEAD + ass_line(1000, "会起球吗") + ass_line(2000, "包邮吗") + SUPER_CHAT).encode(),
    "danmaku_ass:nothing said": ASS_HEAD.encode(),
    "youtube_live_chat:replay": lines(
        [
            {"clickTrackingParams": "x", **youtube(-5000, youtube_item(-5000, "早", "雨后"))},
            youtube(1000, youtube_item(1000, "会起球吗", "雨后")),
            youtube(2000, youtube_item(2000, "", "老王", "liveChatPaidMessageRenderer", **PAID)),
            youtube(2000, {"addLiveChatTickerItemAction": {"item": {"liveChatTickerPaidMessageItemRenderer": {"id": "t"}}}}),
            youtube(3000, {"markChatItemAsDeletedAction": {"targetItemId": "y1000", "deletedStateMessage": {"runs": []}}}),
        ]
    ),
    "youtube_live_chat:live": lines(
        [youtube_live(1000, youtube_item(1000, "会起球吗", "雨后")), youtube_live(2000, youtube_item(2000, "包邮吗", "老王"))]
    ),
    "youtube_live_chat:page": array(
        [youtube_page([youtube(1000, youtube_item(1000, "会起球吗", "雨后")), youtube(2000, youtube_item(2000, "包邮吗", "老王"))])]
    ),
    "youtube_live_chat:one page": json.dumps(
        youtube_page([youtube(1000, youtube_item(1000, "会起球吗", "雨后")), youtube(2000, youtube_item(2000, "包邮吗", "老王"))]), indent=2
    ).encode(),
    "twitch_downloader": twitch([twitch_comment(1000, "会起球吗", "Yuhou"), twitch_comment(2500, "包邮吗", "Wang")]),
    "twitch_downloader:indented": twitch([twitch_comment(1000, "会起球吗", "Yuhou"), twitch_comment(2500, "包邮吗", "Wang")], indent=2),
    "douyin_barrage_grab": lines(
        [
            barrage(500, "雨后 来了", "雨后", 3),
            barrage(1000, "会起球吗", "雨后"),
            barrage(2000, "送出 小心心", "老王", 5, GiftName="小心心", GiftCount=3),
        ]
    ),
    "douyin_barrage_grab:array": array([barrage(1000, "会起球吗", "雨后"), barrage(2000, "包邮吗", "老王")]),
    "tiktok_live": lines([tiktok(1000, "会起球吗", "雨后"), tiktok(2000, "包邮吗", "老王")]),
    "tiktok_live:events": lines(
        [
            {"type": "CommentEvent", "timestamp": START.epoch_ms + at_ms, "data": {"user": {"nickname": who}, "comment": said}}
            for at_ms, said, who in ((1000, "会起球吗", "雨后"), (2000, "包邮吗", "老王"))
        ]
    ),
    "tiktok_live:base message": array(
        [
            {"baseMessage": {"createTime": START_S + 1}, "userInfo": {"nickname": "雨后"}, "content": "会起球吗"},
            LIKE,
        ]
    ),
    "douyin_messages": lines([douyin(1000, "会起球吗", "雨后"), douyin(2000, "包邮吗", "老王")]),
    "douyin_messages:snake case": array([douyin_snake(1000, "会起球吗", "雨后"), douyin_snake(2000, "包邮吗", "老王")]),
    "douyin_messages:relayed": lines(
        [
            {"method": "WebcastChatMessage", "user": {"name": "雨后"}, "content": "会起球吗", "timestamp": START.epoch_ms + 1000},
            {"id": "10", "method": "WebcastRoomStatsMessage", "room": {"audienceCount": 5}, "timestamp": START.epoch_ms + 2000},
        ]
    ),
    "douyin_messages:packet": json.dumps(
        {"code": 200, "data": {"messages": PACKET}},
        indent=4,
    ).encode(),
    "kuaishou": lines([kuaishou(1000, "会起球吗", "雨后"), kuaishou(2000, "包邮吗", "老王")]),
    "kuaishou:feeds": array(
        [
            {"id": "1", "user": {"principal_id": "3x", "user_name": "雨后"}, "content": "会起球吗", "timestamp": START_S + 1},
            {"id": "2", "user": {"principal_id": "3y", "user_name": "老王"}, "content": "包邮吗"},
        ]
    ),
    "jsonl": lines([{"at_ms": 1000, "user": "雨后", "text": "会起球吗"}, {"at_ms": 2000, "user": "老王", "text": "包邮吗"}]),
    "chat_downloader": array(
        [
            downloaded(1000, "会起球吗", "雨后"),
            downloaded(2000, None, "老王", amount="¥30"),
            downloaded(2000, None, "老王", amount="¥30", ticker_duration=60),
        ]
    ),
    "chat_downloader:lines": lines(
        [
            {"message": "会起球吗", "message_type": "text_message", "timestamp": USEC, "author": {"id": "1", "name": "雨后"}},
            {"message": "谢谢", "timestamp": USEC + 1_000_000, **MONEY},
        ]
    ),
    "chat_downloader_csv": (
        "author_id,author_name,message,message_type,time_in_seconds,time_text,timestamp\r\n"
        f'1,雨后,"会起球吗, 亲",text_message,1,0:01,{USEC}\r\n2,老王,"两行\n的话",text_message,2,0:02,{USEC}\r\n'
    ).encode(),
    "twitch_text": (twitch_line(1000, "会起球吗", "Yuhou") + twitch_line(3_661_000, "a: b", "Wang")).encode(),
    "twitch_text:wall": b"[2026-11-18 12:00:01 UTC] Yuhou: hello\n[2026-11-18 12:00:02.500 UTC] Wang: hi\n",
    "im_xlsx": im_workbook(),
    "im_json": lines(
        [
            {"发送时间": wall(2000), "发送人": "小李", "角色": "客服", "消息内容": "假一赔十", "订单号": "42", "是否撤回": True},
            {"发送时间": wall(1000), "发送人": "雨后", "消息内容": "会起球吗"},
        ]
    ),
    "im_json:english": array([{"time": "2026-11-18T20:00:01+08:00", "sender": "a", "role": "buyer", "text": "会起球吗", "order_id": 42}]),
    "im_csv": (IM_HEAD + im_line(2000, "假一赔十", "小李", "客服", "42", "已撤回") + im_line(1000, "会起球吗", "雨后")).encode(),
    "im_csv:titled, tabs": f"飞鸽会话导出\n\n时间\t昵称\t内容\n{wall(1000)}\t雨后\t会起球吗\n{wall(2000)}\t老王\t包邮吗\n".encode(),
    "im_csv:gbk": (IM_HEAD + im_line(1000, "会起球吗", "雨后") + im_line(2000, "包邮吗", "老王")).encode("gbk"),
}  # fmt: skip


def larger(count: int) -> dict[str, Callable[[], bytes]]:
    """A file of `count` messages of each format, a message every 100 ms."""
    said = [f"主播这条围巾会起球吗，第{number}次问了" for number in range(1000)]

    def each(make: Callable[[int, str, str], object]) -> Iterable[object]:
        return (make(number * 100, said[number % 1000], f"观众{number % 5000}") for number in range(count))

    def text(head: str, make: Callable[[int, str, str], str], tail: str = "") -> bytes:
        return (head + "".join(str(line) for line in each(make)) + tail).encode()

    return {
        "bilibili_xml": lambda: text("<?xml version='1.0' encoding='UTF-8'?>\n<i>\n", danmaku, "</i>"),
        "danmaku_ass": lambda: text(ASS_HEAD, lambda at, words, _who: ass_line(at, words)),
        "youtube_live_chat": lambda: lines(each(lambda at, words, who: youtube(at, youtube_item(at, words, who)))),
        "twitch_downloader": lambda: twitch(each(twitch_comment)),  # type: ignore[arg-type]
        "douyin_barrage_grab": lambda: lines(each(barrage)),
        "tiktok_live": lambda: lines(each(tiktok)),
        "douyin_messages": lambda: lines(each(douyin)),
        "kuaishou": lambda: lines(each(kuaishou)),
        "jsonl": lambda: lines(each(lambda at, words, who: {"at_ms": at, "user": who, "text": words})),
        "chat_downloader": lambda: array(each(downloaded)),
        "chat_downloader_csv": lambda: text(
            "author_name,message,time_in_seconds,time_text,timestamp\n",
            lambda at, words, who: f"{who},{words},{at / 1000},0:00,{USEC + at * 1000}\n",
        ),
        "twitch_text": lambda: text("", twitch_line),
        "im_csv": lambda: text(IM_HEAD, im_line),
        "im_json": lambda: lines(each(lambda at, words, who: {"发送时间": wall(at), "发送人": who, "角色": "买家", "消息内容": words})),
        "im_xlsx": lambda: workbook([["发送时间", "发送人", "消息内容"], *([wall(n * 100), "雨后", said[n % 1000]] for n in range(count))]),
    }
