"""YouTube's live chat as its web page gets it: yt-dlp's `live_chat.json` (JSON lines) and the raw pages of a replay.

| form   | record                                                                      | placed by                                      |
|--------|-----------------------------------------------------------------------------|------------------------------------------------|
| replay | `{"replayChatItemAction": {"actions": […], "videoOffsetTimeMsec": "1234"}}` | the offset; before the start (0) by wall time  |
| live   | the same with `videoOffsetTimeMsec` beside it and `"isLive": true`          | `timestampUsec`; the offset is but an estimate |
| page   | `{"continuationContents": {"liveChatContinuation": {"actions": […]}}}`      | as replay; a running chat's page, by wall time |

Tickers and banners repeat messages and are left out. A message that a later action deletes is kept, as recalled. Placeholders hold none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo
from itertools import islice
from statistics import median

from archive.digest import Json
from archive.recording import Message, MessageKind
from ingest.chat import ChatContext, ChatHeader
from ingest.chat.json_records import head_names, records
from ingest.chat.placing import Placing, epoch_ms, number_of, text_of
from ingest.chat.text_stream import TextStream, mentions
from ingest.input_file import InputFile

_LIVE_OFFSET_UNCERTAINTY_MS = 10_000
_START_SAMPLES = 200
_NAMES = frozenset({"replayChatItemAction", "liveChatContinuation", "addChatItemAction"})
_DELETIONS = (
    ("markChatItemAsDeletedAction", "targetItemId"),
    ("removeChatItemAction", "targetItemId"),
    ("markChatItemsByAuthorAsDeletedAction", "externalChannelId"),
    ("removeChatItemByAuthorAction", "externalChannelId"),
)
_NO_MESSAGES = frozenset({"addLiveChatTickerItemAction", "addBannerToLiveChatCommand", "clickTrackingParams"}) | {
    name for name, _ in _DELETIONS
}
_DELETION_MARKS = tuple(name.encode() for name, _ in _DELETIONS)
_KINDS = {
    "liveChatTextMessageRenderer": MessageKind.CHAT,
    "liveChatPaidMessageRenderer": MessageKind.PAID,
    "liveChatPaidStickerRenderer": MessageKind.PAID,
    "liveChatMembershipItemRenderer": MessageKind.PAID,
    "liveChatSponsorshipsGiftPurchaseAnnouncementRenderer": MessageKind.PAID,
}


@dataclass(frozen=True, slots=True)
class _Action:
    """One thing the page is told to do, and the offset in the video that it is told at (as it stood)."""

    what: dict[str, Json]
    raw_offset: str | None
    is_live: bool


class YoutubeLiveChat:
    """All three forms."""

    name = "youtube_live_chat"

    def detect(self, head: bytes) -> bool:
        return bool(_NAMES & head_names(head))

    def header(self, head: bytes, zone: tzinfo) -> ChatHeader:
        return ChatHeader(platform="youtube")

    def read(self, file: InputFile, context: ChatContext) -> Iterator[Message]:
        text = TextStream(file, context.note)
        deleted: frozenset[str | None] = _deleted(text) if mentions(file, *_DELETION_MARKS) else frozenset()
        zero_ms = _wall_of_zero(text)
        placing = Placing(file, context, self.name)
        for number, record in records(text, context.note):
            found = False
            for action in _actions(record):
                found = True
                renderer = _item(action.what)
                if renderer is None:
                    if not _NO_MESSAGES.issuperset(action.what):
                        placing.wordless()
                    continue
                name, item = renderer
                said = _words(item)
                if said is None:
                    placing.wordless()
                    continue
                place = _place(action, item, zero_ms, placing)
                if place is None:
                    placing.unplaced(f"record {number}")
                    continue
                source = f"{self.name}/{'live' if action.is_live else 'replay'}"
                kind = _KINDS.get(name, MessageKind.SYSTEM)
                recalled = bool(deleted) and not deleted.isdisjoint((text_of(item.get("id")), text_of(item.get("authorExternalChannelId"))))
                raw_wall = text_of(item.get("timestampUsec"))
                yield placing.message(place, said, _author(item), kind, action.raw_offset, raw_wall, source, recalled)
            if not found:
                placing.wordless()
        placing.close()


def _actions(record: Json) -> Iterator[_Action]:
    if not isinstance(record, dict):
        return
    replay = record.get("replayChatItemAction")
    if isinstance(replay, dict):
        raw = text_of(replay.get("videoOffsetTimeMsec")) or text_of(record.get("videoOffsetTimeMsec"))
        is_live = record.get("isLive") is True
        actions = replay.get("actions")
        for what in actions if isinstance(actions, list) else ():
            if isinstance(what, dict):
                yield _Action(what, raw, is_live)
        return
    page = _object(record.get("response")) or record
    continuation = _object(_object(page.get("continuationContents")).get("liveChatContinuation"))
    actions = continuation.get("actions")
    if isinstance(actions, list):
        for inner in actions:
            yield from _actions(inner)
    elif "addChatItemAction" in record or any(name in record for name, _ in _DELETIONS):
        yield _Action(record, None, True)


def _item(what: dict[str, Json]) -> tuple[str, dict[str, Json]] | None:
    """(kind of renderer, its members) of what an action shows; None for actions that show no message of their own."""
    item = _object(what.get("addChatItemAction")).get("item") or _object(what.get("replaceChatItemAction")).get("replacementItem")
    for name, members in _object(item).items():
        if isinstance(members, dict):
            header = _object(_object(members.get("header")).get("liveChatSponsorshipsHeaderRenderer"))
            return name, {**header, **members} if header else members
    return None


def _words(item: dict[str, Json]) -> str | None:
    said = _text(item.get("message"))
    if said:
        return said
    shown = (_text(item.get(name)) for name in ("headerPrimaryText", "headerSubtext", "primaryText", "text", "subtext"))
    parts = [text_of(_object(item.get("purchaseAmountText")).get("simpleText")), *shown]
    return " ".join(part for part in parts if part) or None


def _text(value: Json) -> str | None:
    members = _object(value)
    runs = members.get("runs")
    if not isinstance(runs, list):
        return text_of(members.get("simpleText"))
    return "".join(_run(run) for run in runs if isinstance(run, dict)) or None


def _run(run: dict[str, Json]) -> str:
    said = run.get("text")
    if isinstance(said, str):
        return said
    emoji = _object(run.get("emoji"))
    shortcuts = emoji.get("shortcuts")
    if emoji.get("isCustomEmoji") is True and isinstance(shortcuts, list) and shortcuts:
        return text_of(shortcuts[0]) or ""
    return text_of(emoji.get("emojiId")) or ""


def _author(item: dict[str, Json]) -> str | None:
    return _text(item.get("authorName")) or text_of(item.get("authorExternalChannelId"))


def _place(action: _Action, item: dict[str, Json], zero_ms: int | None, placing: Placing) -> tuple[int, int] | None:
    wall_ms = epoch_ms(item.get("timestampUsec"))
    offset_ms = number_of(action.raw_offset)
    if action.is_live:
        # The recorder's own estimate is the better one only where nothing says when the recording began.
        if wall_ms is not None and (placing.knows_start or offset_ms is None):
            return placing.at_wall(wall_ms) or placing.at_offset(offset_ms, _LIVE_OFFSET_UNCERTAINTY_MS)
        return placing.at_offset(offset_ms, _LIVE_OFFSET_UNCERTAINTY_MS)
    if offset_ms is None:
        return placing.at_wall(wall_ms) or placing.beside_the_last()
    if offset_ms == 0 and wall_ms is not None and zero_ms is not None and wall_ms < zero_ms:
        # Said in the waiting room: replays put all of it at 0.
        return placing.at_offset(wall_ms - zero_ms, _LIVE_OFFSET_UNCERTAINTY_MS)
    return placing.at_offset(offset_ms)


def _wall_of_zero(text: TextStream) -> int | None:
    """The wall time of a replay's offset 0: the median of time stamp less offset over the first messages after it."""
    starts = []
    for _, record in islice(records(text, _unheard), 2000):
        for action in _actions(record):
            renderer = _item(action.what)
            wall_ms = epoch_ms(renderer[1].get("timestampUsec")) if renderer else None
            offset_ms = number_of(action.raw_offset)
            if wall_ms is not None and offset_ms is not None and 0 < offset_ms < 1e12 and not action.is_live:
                starts.append(wall_ms - offset_ms)
        if len(starts) >= _START_SAMPLES:
            break
    return round(median(starts)) if starts else None


def _deleted(text: TextStream) -> frozenset[str | None]:
    """Ids of messages and authors that were deleted."""
    found: set[str | None] = set()
    for _, record in records(text, _unheard):
        for action in _actions(record):
            for name, target in _DELETIONS:
                if name in action.what and (target_id := text_of(_object(action.what[name]).get(target))):
                    found.add(target_id)
    return frozenset(found)


def _unheard(_told: str) -> None:
    """What is to be told is told when the file is read for its messages."""


def _object(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}
