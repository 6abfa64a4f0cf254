"""Sessions that differ: drawn by a seeded hand from what hosts say, with hosts, rooms, times, calls, doubts, chat and shelves."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

import numpy as np

from archive.recording import EventKind, Message, Product, ProductEvent, Recording
from archive.timeline import WallTime
from archive.transcript import Segment
from search.chinese import bigrams

HOSTS, ROOMS, PLATFORMS = ("小满", "阿宁", None), ("甲", "乙"), ("抖音", "快手", "淘宝直播")
FIRST_EVENING = WallTime.parse("2026-11-11T20:00:00+08:00")
DAY_MS = 86_400_000
SHELF = (
    Product("duvet", "暖冬白鹅绒被 2米3", "1", ("鹅绒被",), 129900),
    Product("silk", "桑蚕丝子母被", "2", ("蚕丝被",), 89900),
    Product("coat", "双面羊绒大衣", "3", ("羊绒大衣",), 199900),
    Product("kettle", "恒温烧水壶", "4", ("水壶",), 15900),
    Product("shoes", "老北京布鞋", "5", ("布鞋",), 6900),
)
_SUBJECTS = ("这个被子", "这件大衣", "我们家水壶", "这双鞋", "一号链接", "三号链接", "鹅绒被", "羊绒大衣", "布鞋", "", "")
_CLAIMS = (
    "质保{n}年",
    "{n}天无理由退换",
    "运费险给大家都送了",
    "{n}小时之内发货",
    "假一赔{n}",
    "充绒量{n}百克",
    "百分之{n}十的白鹅绒",
    "不起球不掉毛",
    "可以机洗",
    "不能水洗只能干洗",
    "检测报告都有可以查",
    "坏了包换新的",
    "今天只要{n}百块",
    "买一送{n}",
    "不好意思更正一下质保是{n}年",
    "退货运费我出",
    "头层牛皮",
    "三零四不锈钢的",
    "明天涨价到{n}百",
    "纯棉里子不闷脚",
)
_TALK = (
    "哈喽大家晚上好",
    "点点关注加个粉丝团",
    "我昨天晚上吃火锅排队排了两个小时",
    "那家店的毛肚特别脆",
    "有人问能不能机洗",
    "后台再加一百单",
    "没抢到的不要着急",
    "我们家开了十二年了",
    "来给大家看一下细节",
    "今天天气特别冷",
    "身高一米六五穿中码",
    "颜色有米白和驼色",
)
_CHAT = ("能机洗吗", "多久发货", "有没有运费险", "起球吗", "质保几年", "来了来了")
QUESTIONS = (
    "鹅绒被质保几年",
    "羊绒大衣起球吗",
    "主播说过假一赔三没有",
    "多久发货",
    "四十八小时内发货",
    "有没有运费险",
    "七天无理由退换",
    "退货运费谁出",
    "水壶是304不锈钢的吗",
    "布鞋是牛皮的吗",
    "能不能机洗",
    "充绒量是多少",
    "买一送二",
    "明天涨价多少钱",
    "说好质保三年现在不认",
    "检测报告",
    "坏了能换新吗",
    "火锅店的毛肚",
    "三号链接多少钱",
    "穿多大码",
    "送运动手表吗",
    "孕妇可以喝吗",
)


@dataclass(frozen=True, slots=True)
class Session:
    """What one recording was made of."""

    recording: Recording
    segments: tuple[Segment, ...]
    products: tuple[Product, ...]
    events: tuple[ProductEvent, ...]
    messages: tuple[Message, ...]


def line(draw: random.Random) -> str:
    if draw.random() < 0.4:
        return draw.choice(_TALK)
    number = draw.choice(("一", "两", "三", "五", "七", "九", "四十八", "3", "15"))
    return draw.choice(_SUBJECTS) + draw.choice(_CLAIMS).format(n=number)


def session(draw: random.Random, name: str, lines: int) -> Session:
    """One evening of so many lines."""
    started = FIRST_EVENING.plus_ms(draw.randrange(10) * DAY_MS) if draw.random() < 0.85 else None
    shelf = tuple(draw.sample(SHELF, draw.randint(1, 4))) if draw.random() < 0.8 else ()
    segments: list[Segment] = []
    at = draw.randrange(8_000)
    for number in range(1, lines + 1):
        text = line(draw)
        length = 900 + 180 * len(text)
        risk = ("low_probability",) if draw.random() < 0.07 else ()
        segments.append(Segment(number, None, at, at + length, text, risk=risk))
        at += length + draw.choice((100, 300, 700, 2_000, 6_000))
    events, when = [], 5_000
    while shelf and when < at and draw.random() < 0.9:
        product, until = draw.choice(shelf).product_id, when + draw.randrange(20_000, 60_000)
        events += [ProductEvent(EventKind.EXPLAIN_START, product, when), ProductEvent(EventKind.EXPLAIN_END, product, until)]
        when = until + 1_000
    chat = tuple(Message(draw.randrange(at), draw.choice(_CHAT), "viewer") for _ in range(draw.randrange(12)))
    recording = Recording(name, draw.choice(PLATFORMS), draw.choice(ROOMS), draw.choice(HOSTS), "专场", started, at + 5_000, FIRST_EVENING)
    if draw.random() < 0.15:
        recording = replace(recording, kind="call")
    return Session(recording, tuple(segments), shelf, tuple(events), chat)


def grown(draw: random.Random, before: Session, lines: int) -> Session:
    """The same evening, gone on."""
    after = session(draw, before.recording.id, lines)
    start = before.segments[-1].end_ms + 1_500
    more = [
        replace(each, number=len(before.segments) + n, start_ms=each.start_ms + start, end_ms=each.end_ms + start)
        for n, each in enumerate(after.segments, 1)
    ]
    recording = replace(before.recording, duration_ms=more[-1].end_ms + 5_000)
    return replace(before, recording=recording, segments=(*before.segments, *more))


def heard_again(draw: random.Random, before: Session) -> Session:
    """The same evening by another transcript: some lines read otherwise, some are in doubt that weren't."""
    again = [
        replace(each, text=line(draw) if draw.random() < 0.2 else each.text, risk=("low_probability",) if draw.random() < 0.1 else ())
        for each in before.segments
    ]
    return replace(before, segments=tuple(again))


class GramVectors:
    """A sentence model of 24 dimensions: texts that share pairs of characters lie near each other."""

    name = "pairs-24"

    def embed_passages(self, texts: Sequence[str]) -> list[list[float]]:
        return [self.embed_question(text) for text in texts]

    def embed_question(self, text: str) -> list[float]:
        total = np.full(24, 0.01)
        for gram in bigrams(text) or ["-"]:
            total += np.random.default_rng(int.from_bytes(blake2b(gram.encode(), digest_size=8).digest(), "big")).normal(size=24)
        vector: list[float] = (total / np.linalg.norm(total)).tolist()
        return vector
