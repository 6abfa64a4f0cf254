"""chat-downloader's JSON (array or lines) and CSV: `timestamp` in µs, `time_in_seconds` for replays only, `message`, `author`.

The offset is what places a message: the time stamps of some sites' replays are those of the download, not of the message. A paid message
comes twice, as itself and as the ticker above the chat; the ticker's is left out where the other was seen. A message may have no words
(null); then what was paid stands for it.
"""

import csv
from collections.abc import Iterator, Mapping
from datetime import tzinfo

from archive.digest import Json
from archive.recording import Message, MessageKind
from ingest.chat import ChatContext, ChatHeader
from ingest.chat.json_records import head_records, records
from ingest.chat.placing import Placing, epoch_ms, number_of, text_of
from ingest.chat.text_stream import TextStream, bounded, head_text, note_open_end
from ingest.input_file import InputFile

_REMEMBERED = 20_000
_TIMES = ("timestamp", "time_in_seconds")
_MARKS = ("author", "time_text", "message_type", "author_name", "author_id", "time_in_seconds")
_AUTHOR_NAMES = ("author_display_name", "author_name", "author_id")
_AMOUNTS = ("amount", "money_text", "money_amount")
_PAID = ("paid", "membership", "sponsor", "subscription", "bits", "purchase", "donation")


class ChatDownloader:
    """The JSON form."""

    name = "chat_downloader"

    def detect(self, head: bytes) -> bool:
        return any(_is_message(record) for record in head_records(head))

    def header(self, head: bytes, zone: tzinfo) -> ChatHeader:
        return ChatHeader()

    def read(self, file: InputFile, context: ChatContext) -> Iterator[Message]:
        entries = records(TextStream(file, context.note), context.note)
        return _messages(((f"record {number}", record) for number, record in entries), Placing(file, context, self.name), file, context)


class ChatDownloaderCsv:
    """The CSV form: the same members, flattened, with an underscore or a dot between names."""

    name = "chat_downloader_csv"

    def detect(self, head: bytes) -> bool:
        line = head_text(head).lstrip("\ufeff").split("\n", 1)[0]
        if line.lstrip()[:1] in ("{", "[", "<"):
            return False
        columns = [column.strip().strip('"').replace(".", "_") for column in line.split(",")]
        return "message" in columns and any(name in columns for name in _TIMES) and any(name in columns for name in _MARKS)

    def header(self, head: bytes, zone: tzinfo) -> ChatHeader:
        return ChatHeader()

    def read(self, file: InputFile, context: ChatContext) -> Iterator[Message]:
        text = TextStream(file, context.note)
        yield from _messages(_csv_rows(text, context), Placing(file, context, self.name), file, context)
        note_open_end(file, context.note)


def _csv_rows(text: TextStream, context: ChatContext) -> Iterator[tuple[str, Json]]:
    with text.open(newline="") as stream:
        reader = csv.reader(bounded(stream, text.file), strict=True)
        try:
            columns = [column.strip().lstrip("\ufeff").replace(".", "_") for column in next(reader, [])]
            for cells in reader:
                yield f"line {reader.line_num}", {name: cell for name, cell in zip(columns, cells, strict=False) if cell}
        except csv.Error as error:
            # The writer quotes rightly: this is where it was killed, and nothing follows.
            context.note(f"{text.file.name} breaks off in the row before line {reader.line_num + 1}: {error}")


def _messages(entries: Iterator[tuple[str, Json]], placing: Placing, file: InputFile, context: ChatContext) -> Iterator[Message]:
    seen: dict[tuple[str | None, ...], None] = {}
    repeated = 0
    for where, record in entries:
        if not isinstance(record, dict):
            placing.wordless()
            continue
        author = _author(record)
        said = text_of(record.get("message"))
        amount = _amount(record)
        if said is None and amount is None:
            placing.wordless()
            continue
        key = (text_of(record.get("timestamp")) or text_of(record.get("time_in_seconds")), author, said)
        if "ticker_duration" in record or str(record.get("message_type", "")).startswith("ticker"):
            if key in seen:
                repeated += 1
                continue
        elif len(seen) >= _REMEMBERED:
            del seen[next(iter(seen))]
        seen[key] = None
        place = _place(record, placing)
        if place is None:
            placing.unplaced(where)
            continue
        kind = MessageKind.PAID if amount or _is_paid(record) else MessageKind.CHAT
        raw_offset = text_of(record.get("video_offset_time_msec")) or text_of(record.get("time_in_seconds"))
        yield placing.message(place, said or amount or "", author, kind, raw_offset, text_of(record.get("timestamp")))
    if repeated:
        context.note(f"{file.name}: tickers left out, for they repeat a message: {repeated}")
    placing.close()


def _is_message(record: Json) -> bool:
    return (
        isinstance(record, dict)
        and ("message" in record or "amount" in record)
        and any(name in record for name in _TIMES)
        and any(name in record for name in _MARKS)
        and not isinstance(record.get("message"), dict | list)
    )


def _place(record: Mapping[str, Json], placing: Placing) -> tuple[int, int] | None:
    offset_ms = number_of(record.get("video_offset_time_msec"))
    if offset_ms is None:
        seconds = number_of(record.get("time_in_seconds"))
        offset_ms = None if seconds is None else seconds * 1000
    if offset_ms is not None:
        return placing.at_offset(offset_ms)
    return placing.at_wall(epoch_ms(record.get("timestamp"))) or placing.beside_the_last()


def _author(record: Mapping[str, Json]) -> str | None:
    author = record.get("author")
    if isinstance(author, str) and author:
        return author
    if isinstance(author, dict):
        return text_of(author.get("display_name")) or text_of(author.get("name")) or text_of(author.get("id"))
    for name in _AUTHOR_NAMES:
        if found := text_of(record.get(name)):
            return found
    return text_of(author)


def _amount(record: Mapping[str, Json]) -> str | None:
    money = record.get("money")
    if isinstance(money, dict):
        return text_of(money.get("text")) or text_of(money.get("amount"))
    for name in _AMOUNTS:
        if name in record and (found := text_of(record[name])):
            return found
    return None


def _is_paid(record: Mapping[str, Json]) -> bool:
    kind = record.get("message_type")
    return isinstance(kind, str) and any(word in kind for word in _PAID)
