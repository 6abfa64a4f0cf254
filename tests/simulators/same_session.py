"""The demo session as other recorders would have left it: one file, seven parts with 40 s missing, chat whose clock is right or off.

Sound and words are the demo's (infra/demo/session), joined into one; the picture is a small plain one, for only sound matters here.
"""

import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from archive.programs import ffmpeg_program
from archive.timeline import WallTime

SESSION = Path(__file__).parents[2] / "infra" / "demo" / "session"
TRUTH = json.loads((SESSION / "truth.json").read_text("utf-8"))
STARTED = WallTime.parse("2026-11-18T20:00:00+08:00")
LENGTH_MS = 353_200
QUESTION, PROMISE = "主播有没有说假一赔十", "bracelet_ten_times"
PROMISED_MS = next(line["start_ms"] for line in TRUTH["lines"] if line["key"] == PROMISE)
PROMISED_AT = STARTED.plus_ms(PROMISED_MS)
SEVEN_MS = (
    (0, 45_800),
    (45_800, 82_000),
    (82_000, 137_000),
    (177_000, 216_000),
    (216_000, 255_500),
    (255_500, 302_800),
    (302_800, LENGTH_MS),
)
_MESSAGE = re.compile(r'<d p="([\d.]+),[^"]*" user="([^"]*)">([^<]*)</d>')
_CHINA_MS = 8 * 3_600_000


@dataclass(frozen=True)
class Line:
    """A viewer's message: when it was sent, in ms of the session, by whom, and what."""

    at_ms: int
    user: str
    text: str


def viewers_lines() -> list[Line]:
    """The demo's chat, both parts on one line."""
    found: list[Line] = []
    for part in TRUTH["parts"]:
        for offset, user, text in _MESSAGE.findall((SESSION / part["chat"]).read_text("utf-8")):
            found.append(Line(part["start_ms"] + round(float(offset) * 1000), user, text))
    return found


def one_file(path: Path) -> Path:
    """The whole session as one FLV, the 7 s between the demo's parts silent."""
    first, second = (SESSION / part["file"] for part in TRUTH["parts"])
    begins_s = TRUTH["parts"][1]["start_ms"] / 1000
    picture = ["-f", "lavfi", "-t", f"{LENGTH_MS / 1000}", "-i", "color=gray:s=64x36:r=5"]
    joined = f"[0:a]apad=whole_dur={begins_s},atrim=end={begins_s}[a];[a][1:a]concat=n=2:v=0:a=1[sound]"
    graph = ["-filter_complex", joined, "-map", "2:v", "-map", "[sound]"]
    _ffmpeg(["-i", first, "-i", second, *picture, *graph, *_coding(), path])
    return path


def seven_parts(whole: Path, folder: Path) -> list[Path]:
    """The session in seven files named by their recorder, 40 s between the third and the fourth in none of them."""
    return [
        _cut(whole, start, end, folder / f"录制-7734200-{_stamp(STARTED.plus_ms(start))}-暖岚优选冬日好物专场.flv")
        for start, end in SEVEN_MS
    ]


def recorder_xml(path: Path, lines: Sequence[Line], *, head: WallTime, offset_by_ms: int = 0, wall_by_ms: int = 0) -> Path:
    """Chat in BililiveRecorder's dialect. Offsets count from the session's start, and are off by `offset_by_ms`, send times by
    `wall_by_ms`; `head` is what its head gives as start."""
    moment = head.plus_ms(_CHINA_MS).iso().replace("Z", "0000+08:00")
    rows = []
    for line in lines:
        offset_s, sent_s = (line.at_ms + offset_by_ms) / 1000, STARTED.plus_ms(line.at_ms + wall_by_ms).epoch_ms // 1000
        rows.append(f'<d p="{offset_s:.3f},1,25,16777215,{sent_s},0,9100,0" user="{escape(line.user)}">{escape(line.text)}</d>')
    info = f'<BililiveRecorderRecordInfo roomid="7734200" shortid="0" name="暖岚优选" title="冬日好物" start_time="{moment}" />'
    path.write_text("\n".join(['<?xml version="1.0" encoding="utf-8"?>', "<i>", info, *rows, "</i>", ""]), "utf-8")
    return path


def platform_dump(path: Path, lines: Sequence[Line], by_ms: int = 0) -> Path:
    """Chat as Douyin's messages, which carry the time of day and nothing else; off by `by_ms`."""
    rows = [
        {
            "common": {
                "method": "WebcastChatMessage",
                "msgId": str(7_300_000_000_000_000_000 + number),
                "roomId": "77",
                "createTime": str(STARTED.plus_ms(line.at_ms + by_ms).epoch_ms),
            },
            "user": {"id": str(number), "nickName": line.user},
            "content": line.text,
        }
        for number, line in enumerate(lines)
    ]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def _cut(whole: Path, start_ms: int, end_ms: int, path: Path) -> Path:
    span = ["-ss", f"{start_ms / 1000}", "-t", f"{(end_ms - start_ms) / 1000}"]
    _ffmpeg(["-i", whole, *span, *_coding(), path])
    return path


def _coding() -> list[str]:
    return ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "10", "-c:a", "aac", "-ar", "44100", "-b:a", "96k"]


def _stamp(wall: WallTime) -> str:
    told = wall.plus_ms(_CHINA_MS).iso()
    return told[:10].replace("-", "") + "-" + told[11:19].replace(":", "") + "-" + told[20:23]


def _ffmpeg(arguments: Sequence[str | Path]) -> None:
    subprocess.run([ffmpeg_program(), "-v", "error", "-y", *arguments], check=True, timeout=180)
