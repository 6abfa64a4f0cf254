"""Kuaishou's web messages, dumped from their protobuf as JSON: `WebCommentFeed {id, user {principalId, userName}, content}`.

Either one feed a record, or packets with `commentFeeds` and `giftFeeds`, also under `payload` or `data`. The comments themselves carry no
time: it is the `time` of a gift, or the time that whoever dumped a packet put beside it. A comment without one stands beside the one
before it; a file in which nothing is dated is refused.
"""

from collections.abc import Iterator
from datetime import tzinfo

from archive.digest import Json
from archive.recording import Message, MessageKind
from ingest.chat import ChatContext, ChatHeader
from ingest.chat.json_records import head_records, records
from ingest.chat.placing import Placing, epoch_ms, text_of
from ingest.chat.text_stream import TextStream
from ingest.chat.webcast import first_of
from ingest.input_file import InputFile

_COMMENTS = ("commentFeeds", "comment_feeds", "comboCommentFeeds", "comboCommentFeed", "combo_comment_feed")
_GIFTS = ("giftFeeds", "gift_feeds")
_USER_IDS = ("principalId", "principal_id")
_USER_NAMES = ("userName", "user_name")
_TIMES = ("time", "timestamp", "clientTimestamp", "client_timestamp", "serverTimestamp", "createTime", "create_time", "receivedAt", "ts")


class Kuaishou:
    """A dump of comment feeds."""

    name = "kuaishou"

    def detect(self, head: bytes) -> bool:
        return any(True for record in head_records(head) for _ in _feeds(record))

    def header(self, head: bytes, zone: tzinfo) -> ChatHeader:
        return ChatHeader(platform="kuaishou")

    def read(self, file: InputFile, context: ChatContext) -> Iterator[Message]:
        text = TextStream(file, context.note)
        placing = Placing(file, context, self.name)
        for number, record in records(text, context.note):
            found = False
            for feed, packet, is_gift in _feeds(record):
                found = True
                said = _gift(feed) if is_gift else text_of(feed.get("content"))
                if not said:
                    placing.wordless()
                    continue
                raw = first_of(feed, *_TIMES) or first_of(packet, *_TIMES)
                place = placing.at_wall(epoch_ms(raw)) or placing.beside_the_last()
                if place is None:
                    placing.unplaced(f"record {number}")
                    continue
                kind = MessageKind.GIFT if is_gift else MessageKind.CHAT
                yield placing.message(place, said, _author(feed.get("user")), kind, None, text_of(raw))
            if not found:
                placing.wordless()
        placing.close()


def _feeds(record: Json) -> Iterator[tuple[dict[str, Json], dict[str, Json], bool]]:
    """(feed, packet that it came in, whether it is a gift) of one record."""
    if not isinstance(record, dict):
        return
    inner = record.get("payload") or record.get("data")
    packet = inner if isinstance(inner, dict) else record
    for names, is_gift in ((_COMMENTS, False), (_GIFTS, True)):
        for name in names:
            feeds = packet.get(name)
            for feed in feeds if isinstance(feeds, list) else ():
                if isinstance(feed, dict):
                    yield feed, record, is_gift
    user = packet.get("user")
    if isinstance(user, dict) and "content" in packet and any(name in user for name in (*_USER_IDS, *_USER_NAMES)):
        yield packet, record, False


def _author(user: Json) -> str | None:
    return text_of(first_of(user, *_USER_NAMES, *_USER_IDS)) if isinstance(user, dict) else None


def _gift(feed: dict[str, Json]) -> str | None:
    what = text_of(first_of(feed, "giftName", "gift_name")) or text_of(first_of(feed, "giftId", "gift_id"))
    return f"{what} ×{text_of(first_of(feed, 'comboCount', 'combo_count', 'batchSize', 'batch_size')) or 1}" if what else None
