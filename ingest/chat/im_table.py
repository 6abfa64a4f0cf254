"""Customer-service conversations exported as a table (千牛, 飞鸽 and their kin): CSV, XLSX, or JSON with a member a column.

There is no published layout, so columns are known by their names, Chinese or English (`im_columns.NAMES`), and any of them can be named
by `LIVEPROOF_CHAT_COLUMNS`. Needed are a time and a text; sender, role, order number and whether the message was recalled are read where
they are. The head line may stand below a title. Rows come in any order. Times without a zone are in the recorders' zone.

An order number is kept in the message's `order_id`. What is wrong in a row is refused, naming row and column: an
export is one file somebody made on purpose, and can be made again.
"""

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import tzinfo

from archive.digest import Json
from archive.recording import Message
from ingest.chat import ChatContext, ChatHeader
from ingest.chat.im_columns import HEAD_ROWS, ImColumns, columns_of, known_columns
from ingest.chat.json_records import head_records, records
from ingest.chat.placing import NEIGHBOUR_UNCERTAINTY_MS, WALL_UNCERTAINTY_MS, Placing, written_ms
from ingest.chat.text_stream import TextStream, bounded, head_text, note_open_end
from ingest.errors import InvalidContent
from ingest.input_file import InputFile

Cells = tuple[str, list[str]]
"""Where a row is, and its cells."""
Row = tuple[ImColumns, str, list[str]]
"""What holds what in a row, where it is, and its cells."""

_SHOWN = 40
_LAYOUTS = 1000
_HEAD_LINE_CHARS = 20_000


class ImCsv:
    """CSV with a comma, semicolon or tab between cells."""

    name = "im_csv"

    def __init__(self, named: Mapping[str, str]) -> None:
        self._named = named

    def detect(self, head: bytes) -> bool:
        text = head_text(head).lstrip("\ufeff")
        return text.lstrip()[:1] not in ("{", "[", "<") and _head_line(text, self._named) is not None

    def header(self, head: bytes, zone: tzinfo) -> ChatHeader:
        return ChatHeader()

    def read(self, file: InputFile, context: ChatContext) -> Iterator[Message]:
        text = TextStream(file, context.note)
        yield from read_table(lambda: below_heading(self._rows(text, file), self._named, file), file, context)
        note_open_end(file, context.note)

    def _rows(self, text: TextStream, file: InputFile) -> Iterator[Cells]:
        with text.open() as stream:
            found = _head_line(stream.read(64 << 10), self._named)
        with text.open(newline="") as stream:
            reader = csv.reader((line.replace("\x00", "") for line in bounded(stream, file)), delimiter=found or ",", strict=True)
            try:
                for cells in reader:
                    yield f"line {reader.line_num}", cells
            except csv.Error as error:
                raise InvalidContent(f"{file.path}, after line {reader.line_num}: {error}; is a quote left open?") from error


class ImJson:
    """JSON lines or an array of objects."""

    name = "im_json"

    def __init__(self, named: Mapping[str, str]) -> None:
        self._named = named

    def detect(self, head: bytes) -> bool:
        first = next(iter(head_records(head)), None)
        return isinstance(first, dict) and columns_of(list(first), self._named) is not None

    def header(self, head: bytes, zone: tzinfo) -> ChatHeader:
        return ChatHeader()

    def read(self, file: InputFile, context: ChatContext) -> Iterator[Message]:
        text = TextStream(file, context.note)
        noted: list[str] = []

        def note(told: str) -> None:
            # A table is read twice where its start isn't known; what is told of it is told once.
            if told not in noted:
                noted.append(told)
                context.note(told)

        def rows() -> Iterator[Row]:
            layouts: dict[tuple[str, ...], ImColumns] = {}
            for number, record in records(text, note):
                if not isinstance(record, dict):
                    raise InvalidContent(f"{file.path}, row {number}: it must be an object with named members")
                names = tuple(record)
                if len(layouts) > _LAYOUTS:
                    layouts.clear()
                columns = layouts.get(names) or known_columns(names, self._named)
                layouts[names] = columns
                yield columns, f"row {number}", [_cell(value) for value in record.values()]

        return read_table(rows, file, context)


def read_table(rows: Callable[[], Iterator[Row]], file: InputFile, context: ChatContext) -> Iterator[Message]:
    """Messages of a table in the order of its rows; `rows` gives them from the first on, each time it is called."""
    placing = Placing(file, context, "im_table")
    if not placing.knows_start:
        times = (_time(*row, file, context.zone) for row in rows())
        earliest = min((written[0] for written in times if written), default=None)
        if earliest is not None:
            placing.count_from(earliest)
    for columns, where, cells in rows():
        written = _time(columns, where, cells, file, context.zone)
        if written is None:
            continue
        at_ms, step_ms, raw = written
        place = placing.at_wall(at_ms, NEIGHBOUR_UNCERTAINTY_MS if step_ms > 1000 else WALL_UNCERTAINTY_MS)
        if place is None:
            placing.unplaced(where)
            continue
        said, sender, kind = columns.of(cells, "text"), columns.of(cells, "sender") or None, columns.kind(cells)
        order = re.sub(r"[^0-9A-Za-z_-]", "", columns.of(cells, "order_id"))[:64]
        message = placing.message(place, said, sender, kind, None, raw, None, columns.recalled(cells))
        yield replace(message, order_id=order) if order else message
    placing.close()


def below_heading(rows: Iterator[Cells], named: Mapping[str, str], file: InputFile) -> Iterator[Row]:
    """Rows below the head line. InvalidContent where no head line names a time and a text."""
    columns: ImColumns | None = None
    passed = 0
    first: list[str] = []
    for where, cells in rows:
        if columns is None:
            columns = columns_of(cells, named)
            passed += 1
            first = first or [cell for cell in cells if cell.strip()]
            if columns is None and passed >= HEAD_ROWS:
                break
        elif any(cells):
            if len(cells) <= columns.last and len(cells) > 1:
                raise InvalidContent(f"{file.path}, {where}: it has fewer cells than the head line, and ends before {columns.name('text')}")
            yield columns, where, cells
    if columns is None and first:
        raise InvalidContent(
            f"{file.path}: no head line names a column for the time and one for the text of messages (first row: "
            f"{' | '.join(first)[:200]}): name them with LIVEPROOF_CHAT_COLUMNS, for example "
            '{"time": "发送时间", "text": "消息内容"}'
        )


def _time(columns: ImColumns, where: str, cells: list[str], file: InputFile, zone: tzinfo) -> tuple[int, int, str] | None:
    """(ms since 1970, step, as it stood) of a row; None for a row that has neither time nor text, such as a line under the table."""
    raw = columns.of(cells, "time")
    day = columns.of(cells, "date")
    if day and len(raw) <= 8:
        raw = f"{day} {raw}".strip()
    if not raw and not columns.of(cells, "text"):
        return None
    written = written_ms(raw, zone)
    if written is None:
        shown = raw if len(raw) <= _SHOWN else raw[:_SHOWN] + "…"
        raise InvalidContent(
            f"{file.path}, {where}, column {columns.name('time')}: “{shown}” is no time: write it like 2026-11-18 20:00:05"
        )
    return written[0], written[1], raw


def _cell(value: Json) -> str:
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, dict | list | tuple):
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _head_line(text: str, named: Mapping[str, str]) -> str | None:
    """The delimiter of the first line that is a head line; None where none of the first lines is."""
    for line in text[: HEAD_ROWS * _HEAD_LINE_CHARS].splitlines()[:HEAD_ROWS]:
        for delimiter in (",", "\t", ";"):
            if delimiter not in line or len(line) > _HEAD_LINE_CHARS:
                continue
            try:
                cells = next(csv.reader([line], delimiter=delimiter), [])
            except csv.Error:
                continue
            if columns_of(cells, named):
                return delimiter
    return None
