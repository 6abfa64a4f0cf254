"""TwitchDownloader's JSON: `{FileInfo, streamer, video {start, created_at}, comments: [{created_at, content_offset_seconds, …}]}`.

Offsets count from the start of the VOD. Where the download was cropped, the video cut with it begins at `video.start`, so that is the
file's 0; the offset as it stood is kept.
"""

from collections.abc import Iterator
from datetime import tzinfo

from archive.digest import Json
from archive.recording import Message, MessageKind
from archive.timeline import WallTime
from ingest.chat import HEAD_BYTES, ChatContext, ChatHeader
from ingest.chat.json_records import head_members, head_names, records
from ingest.chat.placing import Placing, number_of, text_of
from ingest.chat.text_stream import TextStream
from ingest.clock import parse_wall
from ingest.input_file import InputFile


class TwitchDownloader:
    """The JSON form; for the text form see `twitch_text`."""

    name = "twitch_downloader"

    def detect(self, head: bytes) -> bool:
        names = head_names(head)
        about = names & {"streamer", "FileInfo", "video", "embeddedData", "content_offset_seconds"}
        return "comments" in names and len(about) >= 2

    def header(self, head: bytes, zone: tzinfo) -> ChatHeader:
        members = head_members(head)
        streamer, video = _object(members.get("streamer")), _object(members.get("video"))
        created = parse_wall(text_of(video.get("created_at")) or "", zone)
        return ChatHeader(
            started_at=created.plus_ms(_crop_ms(members)) if created else None,
            platform="twitch",
            room=text_of(streamer.get("login")) or text_of(streamer.get("id")),
            host=text_of(streamer.get("name")),
            title=text_of(video.get("title")),
        )

    def read(self, file: InputFile, context: ChatContext) -> Iterator[Message]:
        with file.path.open("rb") as stream:
            crop_ms = _crop_ms(head_members(stream.read(HEAD_BYTES)))
        if crop_ms:
            context.note(f"{file.name} was cropped: its times count from {crop_ms} ms of the whole video")
        placing = Placing(file, context, self.name)
        for number, comment in records(TextStream(file, context.note), context.note, "comments"):
            if not isinstance(comment, dict):
                placing.wordless()
                continue
            message = _object(comment.get("message"))
            said = text_of(message.get("body"))
            if said is None:
                placing.wordless()
                continue
            raw_offset, raw_wall = comment.get("content_offset_seconds"), text_of(comment.get("created_at"))
            place = _place(raw_offset, raw_wall, crop_ms, placing, context.zone)
            if place is None:
                placing.unplaced(f"comment {number}")
                continue
            commenter = _object(comment.get("commenter"))
            author = text_of(commenter.get("display_name")) or text_of(commenter.get("name")) or text_of(commenter.get("_id"))
            kind = MessageKind.PAID if number_of(message.get("bits_spent")) else MessageKind.CHAT
            yield placing.message(place, said, author, kind, text_of(raw_offset), raw_wall)
        placing.close()


def _place(raw_offset: Json, raw_wall: str | None, crop_ms: int, placing: Placing, zone: tzinfo) -> tuple[int, int] | None:
    seconds = number_of(raw_offset)
    if seconds is not None:
        return placing.at_offset(seconds * 1000 - crop_ms)
    wall: WallTime | None = parse_wall(raw_wall, zone) if raw_wall else None
    return placing.at_wall(wall.epoch_ms) if wall else placing.beside_the_last()


def _crop_ms(members: dict[str, Json]) -> int:
    start = number_of(_object(members.get("video")).get("start"))
    return round(start * 1000) if start and 0 < start < 10**7 else 0


def _object(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}
