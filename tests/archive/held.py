"""A small archive with one recording in it, as an admission would leave it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import av

from archive.admission import Admission
from archive.digest import Json
from archive.opening import Archive, open_archive
from archive.recording import EventKind, Gap, Message, Part, Product, ProductEvent, Recording
from archive.settings import ArchiveSettings
from archive.timeline import ClockMap, WallTime
from archive.transcript import Provenance, Segment, Word

STARTED = WallTime.parse("2026-11-18T20:00:00+08:00")
NOW = WallTime.parse("2026-11-20T09:30:00.123+08:00")


class SteppingClock:
    """A clock that moves on a second each time it is read."""

    def __init__(self, start: WallTime = NOW) -> None:
        self._now = start

    def __call__(self) -> WallTime:
        self._now = self._now.plus_ms(1000)
        return self._now


def open_test_archive(home: Path) -> Archive:
    return open_archive(ArchiveSettings(home=home, free_space_margin_bytes=0), SteppingClock())


def admit(archive: Archive, recording_id: str, media: Sequence[Path], gap_ms: int = 0, **more: object) -> Recording:
    """Store the files as parts, one after another with `gap_ms` between them."""
    parts: list[Part] = []
    gaps: list[Gap] = []
    at = 0
    for number, path in enumerate(media, 1):
        digest, size = archive.store.put_file(path)
        with av.open(str(path)) as container:
            duration = round((container.duration or 0) / 1000)
            name = container.format.name
        clock = ClockMap(at, STARTED.plus_ms(at), 500, "given")
        parts.append(Part(number, digest, size, path.name, duration, name, {"format": name}, clock))
        if gap_ms and number < len(media):
            gaps.append(Gap(at + duration, at + duration + gap_ms, "between parts"))
        at += duration + gap_ms
    length = parts[-1].end_ms if parts else 60_000
    recording = Recording(
        recording_id, "douyin", "房间1", "小美", "双十一专场", STARTED, length, archive.clock(), tuple(parts), tuple(gaps)
    )
    archive.catalog.admit(Admission(recording, **more), "tester")  # type: ignore[arg-type]
    return recording


CHAT = (
    Message(1500, "主播这个是正品吗", "爱吃瓜的小李"),
    Message(3200, "@爱吃瓜的小李 我买过，加我微信 wxid_abc12345", "老王"),
    Message(5200, "我电话13812345678，住上海市浦东新区世纪大道100号3栋502室", "爱吃瓜的小李"),
)
SHELF = (Product("p1", "小叶紫檀手串", "3号链接", ("手串",), 29900, "CNY", "小叶紫檀，支持鉴定"),)
EVENTS = (ProductEvent(EventKind.EXPLAIN_START, "p1", 1000, "platform"), ProductEvent(EventKind.EXPLAIN_END, "p1", 9000, "platform"))
ORDER: Mapping[str, Json] = {
    "order_id": "4507711223344556677",
    "paid_at": "2026-11-18T20:05:00+08:00",
    "amount_minor": 29900,
    "buyer": "爱吃瓜的小李",
}


def add_transcript(archive: Archive, recording_id: str, part: int | None = 1) -> None:
    said = [
        Segment(0, part, 1000, 3000, "大家看三号链接", (Word(1000, 3000, "大家看三号链接", 0.93),), (), 0.93),
        Segment(
            0,
            part,
            3500,
            6000,
            "这条手串保真假一赔十",
            (Word(3500, 4600, "这条手串保真", 0.9), Word(4600, 6000, "假一赔十", 0.71)),
            ("low_probability",),
            0.81,
        ),
        Segment(0, part, 6500, 8000, "喜欢的可以拍", (), (), None),
    ]
    provenance = Provenance("faster-whisper", "1.2.1", "demo", "sha256:" + "ab" * 32, {"beam_size": 5, "temperature": 0.0}, archive.clock())
    archive.transcripts.add(recording_id, provenance, said, [(900, 8100)], [(0, 900)], "tester")


def open_case(archive: Archive, recording_id: str) -> str:
    case = archive.cases.open(
        "case-1",
        "假一赔十未兑现",
        "鉴定是大叶紫檀，我的电话13812345678",
        "tester",
        problem_class="服务,含承诺未兑现",
        demand="按十倍赔付",
        order=ORDER,
        product_id="p1",
    )
    archive.cases.add_moment(case.id, recording_id, 3500, 6000, "这条手串保真假一赔十", "主播承诺假一赔十", "tester")
    return case.id
