"""What recorders write into file and folder names of the session itself: platform, room, host, title. Less sure than anything said.

| recorder          | name                                             | tells                                             |
|-------------------|--------------------------------------------------|---------------------------------------------------|
| BililiveRecorder  | `录制-{room}-{yyyyMMdd-HHmmss-fff}-{title}`      | bilibili, room, title                             |
| blrec             | `blive_{room}_{Y}-{m}-{d}-{HHMMSS}`              | bilibili, room                                    |
| biliup            | `{streamer}{Y}-{m}-{d} {H}_{M}_{S}{title}`       | host, title                                       |
| DouyinLiveRecorder| `{platform}/{anchor}/{anchor}_[{title}_]{time}`  | host by its folder, platform by the folder's name |

Recorders replace what a file name can't hold, so a title may differ from the real one in such characters. An anchor's name that ends where
a title begins is told only by the folder of that name; without it, it is taken from a segment's name that leaves nothing to guess.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from archive.recording import Recording
from ingest.input_file import storable

_DAY, _FOLDERS_UP = r"\d{4}-\d\d-\d\d", 4
_BILILIVE = re.compile(r"录制-(?P<room>\d{1,20})-\d{8}-\d{6}(?:-\d{3})?(?:-(?P<title>.+))?")
_BLREC = re.compile(rf"blive_(?P<room>\d{{1,20}})_{_DAY}-\d{{6}}(?:_.*)?")
_BILIUP = re.compile(rf"(?P<host>.+?){_DAY}[ T]\d\d_\d\d_\d\d(?P<title>.*)")
_IHMILY = re.compile(rf"(?P<before>.+)_{_DAY}_\d\d-\d\d-\d\d(?P<segment>_\d{{3}})?")
# Folders that DouyinLiveRecorder makes for each platform.
_PLATFORMS = {
    "抖音直播": "douyin",
    "快手直播": "kuaishou",
    "TikTok直播": "tiktok",
    "B站直播": "bilibili",
    "小红书直播": "xiaohongshu",
    "淘宝直播": "taobao",
    "京东直播": "jd",
    "虎牙直播": "huya",
    "斗鱼直播": "douyu",
}


@dataclass(frozen=True, slots=True)
class NamedSession:
    """What names tell of a session; None where they don't."""

    platform: str | None = None
    room: str | None = None
    host: str | None = None
    title: str | None = None


def session_named(media: Path) -> NamedSession:
    """What the name of a media file and of the folders around it tell."""
    stem = storable(media.stem.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    if not stem.isprintable():
        return NamedSession()
    if found := _BILILIVE.fullmatch(stem):
        return NamedSession("bilibili", found["room"], None, _said(found["title"]))
    if found := _BLREC.fullmatch(stem):
        return NamedSession("bilibili", found["room"])
    if found := _BILIUP.fullmatch(stem):
        return NamedSession(None, None, _said(found["host"]), _said(found["title"]))
    if found := _IHMILY.fullmatch(stem):
        return _by_folders(media, found["before"], found["segment"] is not None)
    return NamedSession()


def fill_from_names(recording: Recording, media: Sequence[Path], note: Callable[[str], None]) -> Recording:
    """The recording, with what nobody said of it taken from its parts' names where they all agree; a title from the first. Notes which."""
    if not media:
        return recording
    named = [session_named(path) for path in media]
    told = {
        "platform": _agreed([each.platform for each in named]),
        "room": _agreed([each.room for each in named]),
        "host": _agreed([each.host for each in named]),
        "title": named[0].title,
    }
    if recording.platform not in (None, told["platform"]):
        told["room"] = None  # a room's number means nothing on another platform
    missing = {field: value for field, value in told.items() if value is not None and not getattr(recording, field)}
    if not missing:
        return recording
    note(f"{', '.join(f'{field} {value}' for field, value in missing.items())}: from the file name of {media[0].name}, as nobody said")
    return replace(
        recording,
        platform=recording.platform or told["platform"],
        room=recording.room or told["room"],
        host=recording.host or told["host"],
        title=recording.title or told["title"],
    )


def _by_folders(media: Path, before: str, is_segment: bool) -> NamedSession:
    """DouyinLiveRecorder's: which of the text before the time is the anchor's name."""
    folders = [parent.name for parent in list(media.absolute().parents)[:_FOLDERS_UP]]
    platform = next((_PLATFORMS[name] for name in folders if name in _PLATFORMS), None)
    anchor = next((name for name in folders if name and (before == name or before.startswith(name + "_"))), None)
    if anchor is not None:
        return NamedSession(platform, None, anchor, _said(before[len(anchor) + 1 :]))
    return NamedSession(platform, None, before if is_segment and "_" not in before else None)


def _said(text: str | None) -> str | None:
    text = (text or "").strip(" _-")
    return text or None


def _agreed(values: Sequence[str | None]) -> str | None:
    return values[0] if len(set(values)) == 1 else None
