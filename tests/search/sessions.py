"""Small sessions to search in: lines of (second, text) become segments."""

from collections.abc import Sequence

from archive.recording import EventKind, Message, Product, ProductEvent, Recording
from archive.timeline import WallTime
from archive.transcript import Segment

EVENING = WallTime.parse("2026-11-18T20:00:00+08:00")
DUVET = Product("duvet", "暖冬白鹅绒被 2米3", "1", ("鹅绒被",), 129900)
SILK = Product("silk", "桑蚕丝子母被", "2", ("蚕丝被",), 89900)
TALK = (
    (5, "哈喽大家晚上好今天给大家带来两个链接"),
    (12, "来先看一号链接鹅绒被"),
    (16, "里面是百分之九十五的白鹅容"),
    (20, "充绒量一千两百克"),
    (24, "这个被子质保三年"),
    (28, "盖过了也可以退运费我出"),
    (40, "我昨天晚上吃火锅排队排了两个小时"),
    (46, "那家店的毛肚特别脆"),
    (60, "好下面二号链接蚕丝被"),
    (64, "百分之百桑蚕丝"),
    (68, "蚕丝被只要盖过就不能退"),
    (73, "有人问能不能机洗"),
    (77, "不能水洗只能晾晒"),
    (90, "不好意思更正一下"),
    (93, "鹅绒被充绒量是一千克不是一千两百克"),
    (110, "今天四十八小时之内给大家发货"),
    (116, "点点关注加个粉丝团"),
)


def recording(name: str = "evening", host: str = "小满", started: WallTime | None = EVENING) -> Recording:
    return Recording(name, "抖音", "room", host, "被子专场", started, 125_000, EVENING)


def segments(lines: Sequence[tuple[int, str]] = TALK) -> list[Segment]:
    return [Segment(number, None, at * 1000, at * 1000 + 3500, text) for number, (at, text) in enumerate(lines, 1)]


def events() -> list[ProductEvent]:
    marks = [(12, 60, "duvet"), (60, 105, "silk")]
    return [
        ProductEvent(kind, product, at * 1000)
        for start, end, product in marks
        for kind, at in ((EventKind.EXPLAIN_START, start), (EventKind.EXPLAIN_END, end))
    ]


def chat() -> list[Message]:
    return [Message(8_000, "来了来了", "a"), Message(70_000, "蚕丝被能机洗吗", "b"), Message(118_000, "拍了", "c")]
