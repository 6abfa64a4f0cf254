"""What dumps of ByteDance's web messages share, Douyin's and TikTok's: `common`, `user`, `content`, in camelCase or snake_case.

Each record is one message; or an envelope `{"method" or "type": …, "payload" or "data": {…}}`; or a packet `{"messages": […]}`, also under
`data`. When it was sent is told by, the first that is there: `common.createTime` (0: unknown), `eventTime`, a `timestamp` that whoever
dumped it added, else by the message's id (see `id_time_ms`).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from archive.digest import Json
from archive.recording import Message, MessageKind
from ingest.chat import ChatContext
from ingest.chat.json_records import records
from ingest.chat.placing import MESSAGE_ID_UNCERTAINTY_MS, Placing, epoch_ms, id_time_ms, text_of
from ingest.chat.text_stream import TextStream
from ingest.input_file import InputFile

_SPOKEN = ("chat", "comment", "barrage")
_ENVELOPES = ("payload", "data")
_TIMES = ("createTime", "create_time")
_DUMP_TIMES = ("timestamp", "time", "receivedAt", "received_at", "ts", *_TIMES)
_NAMES = (
    "nickname", "nickName", "nick_name", "name", "display_id", "displayId", "uniqueId", "unique_id", "idStr", "id_str", "id", "userId",
)  # fmt: skip
_GIFT_COUNTS = ("repeatCount", "repeat_count", "comboCount", "combo_count", "totalCount", "total_count")


@dataclass(frozen=True, slots=True)
class WebMessage:
    """One message: its own members, its `common`, what kind of message it says it is, and the record it came in."""

    body: dict[str, Json]
    common: dict[str, Json]
    method: str
    record: dict[str, Json]


def messages_in(record: Json, depth: int = 0) -> Iterator[WebMessage]:
    """The messages of one record of a dump; none if it is no such record."""
    if not isinstance(record, dict) or depth > 3:
        return
    packed = record.get("messages") or record.get("messagesList")
    if isinstance(packed, list):
        for item in packed:
            yield from messages_in(item, depth + 1)
        return
    body = record
    for name in _ENVELOPES:
        inner = record.get(name)
        if isinstance(inner, dict):
            if "messages" in inner or "messagesList" in inner:
                yield from messages_in(inner, depth + 1)
                return
            body = inner
            break
    common = first_of(body, "common", "baseMessage", "base_message")
    common = common if isinstance(common, dict) else {}
    method = first_of(common, "method") or first_of(record, "method", "type", "event")
    method = method if isinstance(method, str) else ""
    if common or "Webcast" in method or method.endswith("Event") or "comment" in body:
        yield WebMessage(body, common, method, record)


def read_dump(file: InputFile, context: ChatContext, source: str) -> Iterator[Message]:
    """The messages of a dump in the file's order."""
    text = TextStream(file, context.note)
    placing = Placing(file, context, source)
    for number, record in records(text, context.note):
        found = False
        for web in messages_in(record):
            found = True
            words = _words(web)
            if words is None:
                placing.wordless()
                continue
            place, raw_wall, by_id = _place(web, placing)
            if place is None:
                placing.unplaced(f"record {number}")
                continue
            kind, said = words
            yield placing.message(place, said, _author(web), kind, None, raw_wall, f"{source}/message_id" if by_id else None)
        if not found:
            placing.wordless()
    placing.close()


def first_of(members: dict[str, Json], *names: str) -> Json:
    """The first of these members that is there and says something; protobuf's JSON writes 0 for a number that wasn't set."""
    for name in names:
        value = members.get(name)
        if value not in (None, "", "0", 0):
            return value
    return None


def _words(web: WebMessage) -> tuple[MessageKind, str] | None:
    body = web.body
    said = text_of(body.get("content")) or text_of(body.get("comment"))
    method = web.method.lower()
    if "gift" in method:
        return MessageKind.GIFT, _gift(body) or said or "gift"
    if said is None:
        said = _default_text(body, web.common)
        return (MessageKind.SYSTEM, said) if said else None
    spoken = not method or any(word in method for word in _SPOKEN)
    return MessageKind.CHAT if spoken else MessageKind.SYSTEM, said


def _gift(body: dict[str, Json]) -> str | None:
    gift = first_of(body, "gift", "giftInfo", "giftDetails", "extendedGiftInfo")
    name = first_of(gift, "name", "giftName", "gift_name") if isinstance(gift, dict) else None
    name = text_of(name or first_of(body, "giftName", "gift_name"))
    return f"{name} ×{text_of(first_of(body, *_GIFT_COUNTS)) or 1}" if name else None


def _default_text(body: dict[str, Json], common: dict[str, Json]) -> str | None:
    return text_of(common.get("describe")) or text_of(body.get("describe")) or text_of(body.get("label"))


def _author(web: WebMessage) -> str | None:
    user = first_of(web.body, "user", "userInfo", "user_info")
    return text_of(first_of(user if isinstance(user, dict) else web.body, *_NAMES))


def _place(web: WebMessage, placing: Placing) -> tuple[tuple[int, int] | None, str | None, bool]:
    """(place, time as it stood, whether a message id had to tell it)."""
    body, record = web.body, web.record
    raw = first_of(web.common, *_TIMES) or first_of(body, "eventTime", "event_time")
    raw = raw or first_of(body, *_DUMP_TIMES) or first_of(record, *_DUMP_TIMES)
    wall_ms = epoch_ms(raw)
    if wall_ms is not None:
        place = placing.at_wall(wall_ms)
        if place is not None:
            return place, text_of(raw), False
    message_id = first_of(web.common, "msgId", "msg_id", "messageId", "message_id") or first_of(body, "msgId", "msg_id", "id")
    message_id = message_id or first_of(record, "msgId", "msg_id", "id")
    id_ms = id_time_ms(message_id)
    if id_ms is not None:
        place = placing.at_wall(id_ms, MESSAGE_ID_UNCERTAINTY_MS)
        if place is not None:
            return place, text_of(message_id), True
    return placing.beside_the_last(), text_of(raw), False
