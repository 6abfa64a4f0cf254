"""Make the demo session: two FLV parts, their chat, the shelf, an order, a complaint, and the truth about what was said when.

Run as `python -m infra.demo.make_session [OUT_DIR]`. Needs espeak-ng, ffmpeg with libx264, and the Noto CJK fonts; equal versions of
them give equal files. It ends by decoding what it made and checking that the truth's times hold in it.
"""

import json
import subprocess
import sys
import tempfile
import wave
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from infra.demo.chat import chat_xml
from infra.demo.goods import BY_ID, GOODS, PLATFORM, ROOM_ID, SHOP, TITLE
from infra.demo.pictures import BREAK_SCENE, FPS, GOODBYE_SCENE, HEIGHT, TITLE_SCENE, WIDTH, Scene, frames
from infra.demo.script import GAP_MS, PARTS, STARTED_AT
from infra.demo.soundtrack import AUDIO_RATE_HZ, PER_MS, PartSound, Placed, lay_out
from infra.models.voice import RATE_HZ

DEFAULT_OUT = Path(__file__).parent / "session"
_SEED = 20_261_118
_CARD_BEFORE_SPEECH_MS = 400
_MAX_SESSION_BYTES = 12_000_000
_MAX_OFFSET_MS, _MAX_DURATION_OFF_MS = 25, 60
# The AAC encoder puts one frame of silence first. Its place is taken from the sound, so that sound and picture both begin at 0.
_AAC_PRIMING_SAMPLES = 1024
_ENCODE_TIMEOUT_S = 1800

QUESTIONS: list[dict[str, str | None]] = [
    {"question": "主播有没有说假一赔十", "expects_key": "bracelet_ten_times"},
    {"question": "说好是纯羊绒的 检测出来却是腈纶", "expects_key": "scarf_material"},
    {"question": "牙刷用了八个月就坏了 质保几年", "expects_key": "brush_warranty"},
    {"question": "羽绒服充绒量到底是多少克", "expects_key": "jacket_fill"},
    {"question": "主播说过皮肤过敏包退吗", "expects_key": None},
]


@dataclass(frozen=True)
class SessionPart:
    """One part on the recording's time line; `stem` is its file name without the suffix."""

    number: int
    start_ms: int
    started_at: datetime
    sound: PartSound
    scenes: list[Scene]

    @property
    def stem(self) -> str:
        wall = self.started_at.strftime("%Y%m%d-%H%M%S-") + f"{self.started_at.microsecond // 1000:03}"
        return f"录制-{ROOM_ID}-{wall}-{TITLE}"


def _scenes(sound: PartSound, is_first: bool, is_last: bool) -> list[Scene]:
    """The title until the first product, each product's card from just before its first line, the break while music plays between
    products, and after the session's last product the goodbye."""
    product_lines = [placed for placed in sound.lines if placed.line.product]
    first_ms, last_ms = product_lines[0].start_ms, product_lines[-1].start_ms
    begins: list[tuple[int, str]] = [(0, TITLE_SCENE)] if is_first else []
    for placed in product_lines:
        name = placed.line.product or ""
        if not begins or name != begins[-1][1]:
            begins.append((placed.start_ms - _CARD_BEFORE_SPEECH_MS if begins else 0, name))
    begins += [(item.start_ms, BREAK_SCENE) for item in sound.interludes if item.kind == "music" and first_ms < item.start_ms < last_ms]
    if is_last:
        begins.append(
            (next(placed.start_ms for placed in sound.lines if placed.start_ms > last_ms) - _CARD_BEFORE_SPEECH_MS, GOODBYE_SCENE)
        )
    begins.sort()
    ends = [at_ms for at_ms, _ in begins[1:]] + [sound.duration_ms]
    return [Scene(name, at_ms, end_ms) for (at_ms, name), end_ms in zip(begins, ends, strict=True)]


def _lay_out_parts() -> list[SessionPart]:
    parts: list[SessionPart] = []
    start_ms = 0
    for index, items in enumerate(PARTS):
        sound = lay_out(items, _SEED + index)
        started_at = datetime.fromisoformat(STARTED_AT) + timedelta(milliseconds=start_ms)
        parts.append(SessionPart(index + 1, start_ms, started_at, sound, _scenes(sound, index == 0, index == len(PARTS) - 1)))
        start_ms += sound.duration_ms + GAP_MS
    return parts


def _write_wav(target: Path, samples: np.ndarray) -> None:
    with wave.open(str(target), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(AUDIO_RATE_HZ)
        file.writeframes(np.rint(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def _encode(part: SessionPart, shown_before: set[str], target: Path) -> None:
    """H.264 without B-frames and AAC in FLV, as live rooms send it."""
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "sound.wav"
        _write_wav(wav, part.sound.at_audio_rate()[_AAC_PRIMING_SAMPLES:])
        command = ["ffmpeg", "-y", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(FPS)]
        command += ["-i", "-"]
        command += ["-itsoffset", f"{_AAC_PRIMING_SAMPLES / AUDIO_RATE_HZ:.6f}", "-i", str(wav), "-map", "0:v", "-map", "1:a"]
        command += ["-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p", "-colorspace", "bt709", "-color_primaries", "bt709"]
        command += ["-color_trc", "bt709", "-c:v", "libx264", "-preset", "slow", "-tune", "animation", "-crf", "29", "-bf", "0"]
        command += ["-g", str(2 * FPS), "-keyint_min", str(2 * FPS), "-sc_threshold", "0", "-threads", "2"]
        command += ["-c:a", "aac", "-b:a", "64k", "-ac", "1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"]
        command += ["-flvflags", "add_keyframe_index", "-f", "flv", str(target)]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as encoder:
            if encoder.stdin is not None:
                for picture in frames(part.sound, part.scenes, part.started_at, shown_before):
                    encoder.stdin.write(picture)
                encoder.stdin.close()
            if encoder.wait(_ENCODE_TIMEOUT_S) != 0:
                raise SystemExit(f"ffmpeg could not write {target}")


def _events(parts: list[SessionPart]) -> list[dict[str, str | int]]:
    events: list[dict[str, str | int]] = []
    for part in parts:
        for scene in part.scenes:
            spoken = [placed for placed in part.sound.lines if placed.line.product == scene.name]
            if scene.name in BY_ID:
                times = (("card_shown", scene.start_ms), ("explain_start", spoken[0].start_ms), ("explain_end", spoken[-1].end_ms))
                events += [{"event": event, "product_id": scene.name, "at_ms": part.start_ms + ms} for event, ms in times]
    return events


def _products() -> list[dict[str, str | int | list[str]]]:
    return [
        {
            "product_id": good.product_id,
            "shelf_no": good.shelf_no,
            "title": good.title,
            "aliases": list(good.aliases),
            "price_minor": good.price_minor,
            "currency": "CNY",
            "listing_text": good.listing_text,
        }
        for good in GOODS
    ]


def _spoken(parts: list[SessionPart]) -> list[tuple[SessionPart, Placed]]:
    return [(part, placed) for part in parts for placed in part.sound.lines]


def _order(parts: list[SessionPart]) -> dict[str, str | int]:
    """The bracelet, paid while it was still on air, after its price was said."""
    part, said = next(found for found in _spoken(parts) if found[1].line.key == "bracelet_limited")
    paid_at = part.started_at + timedelta(milliseconds=said.end_ms + 11_000)
    good = BY_ID["p4"]
    return {
        "order_id": "LP20261118200417",
        "product_id": good.product_id,
        "paid_at": paid_at.isoformat(timespec="seconds"),
        "amount_minor": good.price_minor,
        "currency": "CNY",
        "buyer": "玉见",
        "shop": SHOP,
    }


_COMPLAINT = {
    "case_title": "和田玉手镯鉴定为假，要求兑现假一赔十",
    "problem_class": "服务（承诺未兑现）",
    "text": "直播间买的和田玉手镯，自己拿去复检，鉴定出来是假的。主播当时亲口说了是假的就赔十倍，"
    "现在找客服只肯退款，不肯赔十倍，还说主播没有讲过这个话。",
    "demand": "退货退款，并按主播说的假一赔十赔付",
    "received_at": "2026-11-27T10:26:00+08:00",
}


def _truth(parts: list[SessionPart]) -> dict[str, object]:
    lines = []
    for part, placed in _spoken(parts):
        line = placed.line
        chars = [[char, part.start_ms + ms] for char, ms in zip(line.text, placed.char_ms, strict=True)]
        told = {"key": line.key, "speaker": line.speaker, "text": line.text, "product": line.product, "promise": line.promise}
        times = {"part": part.number, "start_ms": part.start_ms + placed.start_ms, "end_ms": part.start_ms + placed.end_ms}
        lines.append(told | times | {"part_start_ms": placed.start_ms, "chars": chars})
    files = [
        {
            "part": part.number,
            "file": f"{part.stem}.flv",
            "chat": f"{part.stem}.xml",
            "start_ms": part.start_ms,
            "duration_ms": part.sound.duration_ms,
            "started_at": part.started_at.isoformat(timespec="milliseconds"),
        }
        for part in parts
    ]
    session = {"platform": PLATFORM, "room": str(ROOM_ID), "host": SHOP, "title": TITLE, "started_at": STARTED_AT}
    return {"session": session, "parts": files, "gap_ms": GAP_MS, "questions": QUESTIONS, "lines": lines}


def _write_json(target: Path, value: object) -> None:
    target.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _decoded(media: Path) -> np.ndarray:
    command = ["ffmpeg", "-v", "error", "-i", str(media), "-map", "0:a", "-ac", "1", "-ar", str(RATE_HZ), "-f", "f32le", "-"]
    return np.frombuffer(subprocess.run(command, capture_output=True, check=True, timeout=120).stdout, np.float32)


def _offset_ms(heard: np.ndarray, meant: np.ndarray, placed: Placed) -> float:
    """By how much the line comes later in `heard` than in `meant`: the peak of their cross-correlation within ±100 ms."""
    reach = 100 * PER_MS
    pattern = meant[placed.start_ms * PER_MS : placed.end_ms * PER_MS]
    begin = placed.start_ms * PER_MS - reach
    found = np.correlate(heard[begin : begin + len(pattern) + 2 * reach], pattern, "valid")
    return (int(np.argmax(found)) - reach) / PER_MS


def check(parts: list[SessionPart], folder: Path) -> float:
    """The largest offset of a line in the encoded files, in ms. SystemExit where a time, a duration or the size is not kept."""
    offsets: list[float] = []
    for part in parts:
        heard = _decoded(folder / f"{part.stem}.flv")
        if abs(len(heard) / PER_MS - part.sound.duration_ms) >= _MAX_DURATION_OFF_MS:
            raise SystemExit(f"part {part.number} lasts {len(heard) / PER_MS} ms, not {part.sound.duration_ms}")
        offsets += [abs(_offset_ms(heard, part.sound.samples, placed)) for placed in part.sound.lines]
    if max(offsets) >= _MAX_OFFSET_MS:
        raise SystemExit(f"a line is {max(offsets)} ms away from its truth")
    size = sum(file.stat().st_size for file in folder.iterdir())
    if size >= _MAX_SESSION_BYTES:
        raise SystemExit(f"the session has {size} bytes, {_MAX_SESSION_BYTES} are allowed")
    return max(offsets)


def make(folder: Path) -> None:
    """Write the whole session into `folder`, replacing an earlier one."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in [*folder.glob("录制-*"), *folder.glob("*.json")]:
        old.unlink()
    parts = _lay_out_parts()
    shown: set[str] = set()
    for part in parts:
        _encode(part, shown, folder / f"{part.stem}.flv")
        shown |= {scene.name for scene in part.scenes}
        (folder / f"{part.stem}.xml").write_text(chat_xml(part.sound.lines, part.started_at), encoding="utf-8")
        print(f"{part.stem}.flv  {part.sound.duration_ms / 1000:.1f} s")
    _write_json(folder / "products.json", _products())
    _write_json(folder / "product_events.json", _events(parts))
    _write_json(folder / "order.json", _order(parts))
    _write_json(folder / "complaint.json", _COMPLAINT)
    _write_json(folder / "truth.json", _truth(parts))
    print(f"the truth holds in the files: largest offset {check(parts, folder):.2f} ms")


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_OUT)
