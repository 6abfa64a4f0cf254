"""Customer-service conversations in a workbook, read through openpyxl without holding it in memory. Columns as in `im_table`."""

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import date, datetime, time, tzinfo
from xml.etree.ElementTree import ParseError

from archive.recording import Message
from ingest.chat import ChatContext, ChatHeader
from ingest.chat.im_columns import HEAD_ROWS, columns_of
from ingest.chat.im_table import Cells, below_heading, read_table
from ingest.errors import InputTooLarge, InvalidContent
from ingest.input_file import InputFile

UNPACKED_MAX_BYTES = 512 << 20
UNPACKED_MAX_RATIO = 200
_SMALL_BYTES = 1 << 20
_MEMBERS_MAX = 2000
ROWS_MAX = 1 << 20
COLUMNS_MAX = 200
_CELL_MAX_CHARS = 1 << 20
_PIECE_BYTES = 1 << 20
# What openpyxl and the ZIP and XML readers under it raise for a workbook that is damaged or none.
_BROKEN = (
    zipfile.BadZipFile, zlib.error, ParseError, EOFError, OSError, KeyError, IndexError, ValueError, TypeError, AttributeError,
    AssertionError, NotImplementedError, RuntimeError, OverflowError, SyntaxError,
)  # fmt: skip


class ImXlsx:
    """The first sheet that has a head line with a time and a text."""

    name = "im_xlsx"

    def __init__(self, named: Mapping[str, str]) -> None:
        self._named = named

    def detect(self, head: bytes) -> bool:
        if not head.startswith(b"PK\x03\x04") or b"word/" in head or b"ppt/" in head:
            return False
        return b"[Content_Types].xml" in head or b"xl/" in head

    def header(self, head: bytes, zone: tzinfo) -> ChatHeader:
        return ChatHeader()

    def read(self, file: InputFile, context: ChatContext) -> Iterator[Message]:
        check_workbook(file)
        return read_table(lambda: below_heading(self._rows(file), self._named, file), file, context)

    def _rows(self, file: InputFile) -> Iterator[Cells]:
        from openpyxl.reader.excel import load_workbook
        from openpyxl.utils.exceptions import InvalidFileException

        try:
            with file.path.open("rb") as stream, closing(load_workbook(stream, read_only=True, data_only=True, keep_links=False)) as book:
                sheets = book.worksheets
                chosen = next((sheet for sheet in sheets if self._has_heading(_values(sheet, HEAD_ROWS, COLUMNS_MAX))), None)
                for sheet in [chosen] if chosen else sheets[:1]:
                    # Padding every row to the widest sheet there may be costs more than reading it.
                    width = max((_width(cells) for cells in _values(sheet, HEAD_ROWS, COLUMNS_MAX)), default=1)
                    for number, cells in enumerate(_values(sheet, ROWS_MAX + 1, width), 1):
                        if number > ROWS_MAX:
                            raise InputTooLarge(f"{file.path} has more than the {ROWS_MAX} rows that a sheet may have")
                        yield f"row {number}", cells
        except (*_BROKEN, InvalidFileException) as error:
            raise InvalidContent(f"{file.path} can't be read as a workbook: {str(error)[:200] or type(error).__name__}") from error

    def _has_heading(self, rows: Iterator[list[str]]) -> bool:
        return any(columns_of(cells, self._named) for cells in rows)


def check_workbook(file: InputFile) -> None:
    """Look at the workbook's members before anything is unpacked into memory. InputTooLarge or InvalidContent says what is wrong."""
    try:
        with zipfile.ZipFile(file.path) as archive:
            members = archive.infolist()
            if len(members) > _MEMBERS_MAX:
                raise InputTooLarge(f"{file.path} holds {len(members)} files, more than the {_MEMBERS_MAX} that a workbook may hold")
            total = sum(member.file_size for member in members)
            if total > UNPACKED_MAX_BYTES:
                raise InputTooLarge(f"{file.path} unpacks to {total} bytes, more than the {UNPACKED_MAX_BYTES} that are allowed")
            for member in members:
                if member.file_size > _SMALL_BYTES and member.file_size > UNPACKED_MAX_RATIO * max(1, member.compress_size):
                    raise InputTooLarge(
                        f"{file.path}: {member.filename[:80]} unpacks to more than {UNPACKED_MAX_RATIO} times its size, as no sheet does"
                    )
                if member.filename.lower().endswith((".xml", ".rels")):
                    _check_no_doctype(archive, member, file)
    except _BROKEN as error:
        raise InvalidContent(f"{file.path} can't be read as a workbook: {str(error)[:200] or type(error).__name__}") from error


def _check_no_doctype(archive: zipfile.ZipFile, member: zipfile.ZipInfo, file: InputFile) -> None:
    """Workbooks declare no document type, and entities can be made to explode."""
    tail = b""
    with archive.open(member) as stream:
        while piece := stream.read(_PIECE_BYTES):
            seen = (tail + piece).replace(b"\x00", b"")
            if b"<!DOCTYPE" in seen or b"<!ENTITY" in seen:
                raise InvalidContent(f"{file.path}: {member.filename[:80]} declares a document type, which no workbook does")
            tail = piece[-32:]


def _width(cells: list[str]) -> int:
    return max((position for position, cell in enumerate(cells, 1) if cell), default=1)


def _values(sheet: object, most: int, width: int) -> Iterator[list[str]]:
    # Read-only sheets trust a dimension that is written in the file; what counts is the rows that are there.
    sheet.reset_dimensions()  # type: ignore[attr-defined]
    for row in sheet.iter_rows(max_row=most, max_col=width, values_only=True):  # type: ignore[attr-defined]
        yield [_shown(value) for value in row]


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value[:_CELL_MAX_CHARS]
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds" if not value.microsecond else "milliseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.isoformat(timespec="seconds")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
