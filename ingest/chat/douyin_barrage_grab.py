"""DouyinBarrageGrab's packets: `{"Type": 1, "ProcessName": "…", "Data": "<JSON as text>"}`, inside `MsgId`, `User`, `Content`, `RoomId`.

No packet says when it was sent, but its `MsgId` says when it was made, to some 15 s (see `id_time_ms`), and that is what it is placed
by; `raw_wall` then holds the id. A packet without such an id stands beside the one before it. A file none of whose packets has one is
refused: an order is no time, and a place made up from it would be no evidence.
"""

import json
from collections.abc import Iterator
from datetime import tzinfo

from archive.digest import Json
from archive.recording import Message, MessageKind
from ingest.chat import ChatContext, ChatHeader
from ingest.chat.json_records import head_records, records
from ingest.chat.placing import MESSAGE_ID_UNCERTAINTY_MS, Placing, id_time_ms, text_of
from ingest.chat.text_stream import TextStream
from ingest.input_file import InputFile

_CHAT, _GIFT = 1, 5
_TYPES = ("Type", "type")
_DATA = ("Data", "data")


class DouyinBarrageGrab:
    """JSON lines or an array of packets. Type 1 is chat, 5 a gift; likes, arrivals, follows, counts and the like are system messages."""

    name = "douyin_barrage_grab"

    def detect(self, head: bytes) -> bool:
        return any(_packet(record) is not None for record in head_records(head))

    def header(self, head: bytes, zone: tzinfo) -> ChatHeader:
        found = next((packet for packet in map(_packet, head_records(head)) if packet), None)
        return ChatHeader(platform="douyin", room=text_of(found[1].get("RoomId")) if found else None)

    def read(self, file: InputFile, context: ChatContext) -> Iterator[Message]:
        text = TextStream(file, context.note)
        placing = Placing(file, context, f"{self.name}/message_id")
        for number, record in records(text, context.note):
            packet = _packet(record)
            words = _words(*packet) if packet else None
            if packet is None or words is None:
                placing.wordless()
                continue
            data = packet[1]
            raw = data.get("MsgId")
            place = placing.at_wall(id_time_ms(raw), MESSAGE_ID_UNCERTAINTY_MS) or placing.beside_the_last()
            if place is None:
                placing.unplaced(f"record {number}")
                continue
            yield placing.message(place, words[1], _author(data.get("User")), words[0], None, text_of(raw))
        placing.close()


def _packet(record: Json) -> tuple[Json, dict[str, Json]] | None:
    """(type, data) of a packet; None for anything else."""
    if not isinstance(record, dict):
        return None
    for type_name, data_name in zip(_TYPES, _DATA, strict=True):
        data = record.get(data_name)
        if type_name not in record or not isinstance(data, str) or not data.startswith("{"):
            continue
        try:
            inner = json.loads(data, strict=False, parse_constant=lambda _name: None)
        except (ValueError, RecursionError):
            return None
        return (record[type_name], inner) if isinstance(inner, dict) else None
    return None


def _words(kind: Json, data: dict[str, Json]) -> tuple[MessageKind, str] | None:
    said = text_of(data.get("Content"))
    if kind == _GIFT:
        name = text_of(data.get("GiftName"))
        count = text_of(data.get("GiftCount")) or text_of(data.get("RepeatCount")) or "1"
        return MessageKind.GIFT, f"{name} ×{count}" if name else said or "gift"
    if said is None:
        return None
    return MessageKind.CHAT if kind == _CHAT else MessageKind.SYSTEM, said


def _author(user: Json) -> str | None:
    if not isinstance(user, dict):
        return None
    return text_of(user.get("Nickname")) or text_of(user.get("DisplayId")) or text_of(user.get("Id"))
