"""Douyin's web messages, dumped from their protobuf as JSON: `{"common": {"method", "msgId", "createTime", …}, "user", "content"}`."""

from collections.abc import Iterator
from datetime import tzinfo

from archive.digest import Json
from archive.recording import Message
from ingest.chat import ChatContext, ChatHeader
from ingest.chat.json_records import head_records
from ingest.chat.placing import text_of
from ingest.chat.tiktok_live import is_tiktok
from ingest.chat.webcast import first_of, messages_in, read_dump
from ingest.input_file import InputFile


class DouyinMessages:
    """Any dump of such messages that is not TikTok's."""

    name = "douyin_messages"

    def detect(self, head: bytes) -> bool:
        return any(_is_douyin(record) for record in head_records(head))

    def header(self, head: bytes, zone: tzinfo) -> ChatHeader:
        rooms = (first_of(web.common, "roomId", "room_id") for record in head_records(head) for web in messages_in(record))
        return ChatHeader(platform="douyin", room=next((room for room in map(text_of, rooms) if room), None))

    def read(self, file: InputFile, context: ChatContext) -> Iterator[Message]:
        return read_dump(file, context, self.name)


def _is_douyin(record: Json) -> bool:
    return any(("Webcast" in web.method or web.common) and not is_tiktok(web) for web in messages_in(record))
