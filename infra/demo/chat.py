"""The demo session's chat in BililiveRecorder's XML dialect (element and attribute names as that recorder writes them)."""

from datetime import datetime, timedelta
from xml.sax.saxutils import escape, quoteattr

from infra.demo.goods import ROOM_ID, SHOP, TITLE
from infra.demo.script import VIEWERS
from infra.demo.soundtrack import Placed

_FIRST_UID = 910_000_001
# Paid entries hang on a line like the viewers' messages: line key, ms before it, what is shown.
_GIFTS = (("scarf_price", 2600, "路过的猫", "小花花", 3), ("brush_battery", 1500, "奶茶三分糖", "人气票", 1))
_SUPER_CHATS = (("cup_material", 1800, "北方的熊", 30, "羽绒服已经下单，主播辛苦"),)


def _uid(user: str) -> int:
    return _FIRST_UID + sorted({viewer.user for viewer in VIEWERS}).index(user)


def chat_xml(lines: list[Placed], started_at: datetime) -> str:
    """One part's chat. Offsets are seconds of the part; a message whose line begins too early in the part stands at 0."""
    begins = {placed.line.key: placed.start_ms for placed in lines if placed.line.key}
    entries: list[tuple[int, str]] = []

    def offset(key: str, before_ms: int) -> tuple[int, int]:
        at_ms = max(0, begins[key] - before_ms)
        return at_ms, int((started_at + timedelta(milliseconds=at_ms)).timestamp())

    for viewer in VIEWERS:
        if viewer.asks in begins:
            at_ms, sent = offset(viewer.asks, viewer.before_ms)
            place = f"{at_ms / 1000:.3f},1,25,16777215,{sent},0,{_uid(viewer.user)},0"
            entries.append((at_ms, f'<d p="{place}" user={quoteattr(viewer.user)}>{escape(viewer.text)}</d>'))
    for key, before_ms, user, gift, count in _GIFTS:
        if key in begins:
            at_ms, _ = offset(key, before_ms)
            who = f'ts="{at_ms / 1000:.3f}" user={quoteattr(user)} uid="{_uid(user)}"'
            entries.append((at_ms, f'<gift {who} giftname="{gift}" giftcount="{count}" />'))
    for key, before_ms, user, price, text in _SUPER_CHATS:
        if key in begins:
            at_ms, _ = offset(key, before_ms)
            who = f'ts="{at_ms / 1000:.3f}" user={quoteattr(user)} uid="{_uid(user)}"'
            entries.append((at_ms, f'<sc {who} price="{price}" time="60">{escape(text)}</sc>'))

    # .NET's round-trip format has seven digits of a second.
    start_time = started_at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0+08:00"
    about = f'roomid="{ROOM_ID}" shortid="0" name="{SHOP}" title="{TITLE}" areanameparent="购物" areanamechild="服饰日用"'
    head = [
        '<?xml version="1.0" encoding="utf-8"?>',
        "<!-- 演示用的虚构直播，由 infra/demo/make_session.py 按录播姬的格式写成 -->",
        "<i>",
        "<chatserver>chat.bilibili.com</chatserver><chatid>0</chatid><mission>0</mission><maxlimit>1000</maxlimit>",
        "<state>0</state><real_name>0</real_name><source>0</source>",
        f'<BililiveRecorderRecordInfo {about} start_time="{start_time}" />',
    ]
    return "\n".join([*head, *(entry for _, entry in sorted(entries, key=lambda entry: entry[0])), "</i>", ""])
