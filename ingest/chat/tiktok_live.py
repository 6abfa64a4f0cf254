"""TikTok's web messages as TikTokLive and its kin dump them: `content` (older: `comment`), `common` or `base_message`, `user`."""

from collections.abc import Iterator
from datetime import tzinfo

from archive.recording import Message
from ingest.chat import ChatContext, ChatHeader
from ingest.chat.json_records import head_records
from ingest.chat.placing import text_of
from ingest.chat.webcast import WebMessage, first_of, messages_in, read_dump
from ingest.input_file import InputFile


class TikTokLive:
    """Told from Douyin's by names that only TikTok's messages or its libraries' events have."""

    name = "tiktok_live"

    def detect(self, head: bytes) -> bool:
        return any(is_tiktok(web) for record in head_records(head) for web in messages_in(record))

    def header(self, head: bytes, zone: tzinfo) -> ChatHeader:
        rooms = (first_of(web.common, "roomId", "room_id") for record in head_records(head) for web in messages_in(record))
        return ChatHeader(platform="tiktok", room=next((room for room in map(text_of, rooms) if room), None))

    def read(self, file: InputFile, context: ChatContext) -> Iterator[Message]:
        return read_dump(file, context, self.name)


def is_tiktok(web: WebMessage) -> bool:
    """Whether a message is TikTok's and not Douyin's."""
    body, common = web.body, web.common
    if "baseMessage" in body or "base_message" in body or "messageId" in common or "message_id" in common:
        return True
    if "contentLanguage" in body or "content_language" in body or web.method.endswith("Event"):
        return True
    return isinstance(body.get("comment"), str) and any(name in body for name in ("user", "uniqueId", "userId", "nickname"))
