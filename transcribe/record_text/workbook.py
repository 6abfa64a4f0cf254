"""Workbooks (.xlsx) through openpyxl, row by row, as the values that were stored with their formulas."""

import warnings
import zipfile
from contextlib import closing
from datetime import date, datetime, time
from pathlib import Path
from xml.etree.ElementTree import ParseError

from openpyxl import __version__ as openpyxl_version
from openpyxl.reader.excel import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from transcribe.record_text.frames import Sink, Unreadable
from transcribe.record_text.limits import ReadLimits
from transcribe.record_text.packed import check_no_doctype, open_packed

COLUMNS_MAX = 500
SHEETS_MAX = 500
_ROWS_MAX = 1 << 20
# What openpyxl and the readers under it raise for a workbook that is damaged or none.
_BROKEN = (
    zipfile.BadZipFile, InvalidFileException, ParseError, EOFError, OSError, KeyError, IndexError, ValueError, TypeError, AttributeError,
    AssertionError, NotImplementedError, RuntimeError, OverflowError, SyntaxError,
)  # fmt: skip


class Workbook:
    """Places: sheet (its name) and row, from 1. A piece is a row, its cells parted by tabs; hidden sheets are read as well, and noted."""

    name, engine, engine_version = "workbook", "openpyxl", openpyxl_version

    def read(self, path: Path, limits: ReadLimits, sink: Sink) -> None:
        warnings.simplefilter("ignore")
        with open_packed(path, limits) as packed:
            for member in packed.namelist():
                if member.lower().endswith((".xml", ".rels")):
                    check_no_doctype(packed, member, limits)
        try:
            with path.open("rb") as stream, closing(load_workbook(stream, read_only=True, data_only=True, keep_links=False)) as book:
                self._read(book, limits, sink)
        except _BROKEN as error:
            raise Unreadable("damaged", what="workbook") from error
        except Exception as error:
            if type(error).__module__ == "zlib":
                raise Unreadable("damaged", what="workbook") from error
            raise

    def _read(self, book: object, limits: ReadLimits, sink: Sink) -> None:
        cells = rows = 0
        sheets = book.worksheets[:SHEETS_MAX]  # type: ignore[attr-defined]
        sink.read.update(sheets=len(sheets), rows=0)
        for sheet in sheets:
            if sheet.sheet_state != "visible":
                sink.note("hidden_sheet", sheet=sheet.title[:100])
            # The dimension written in the file may be a lie; what counts is the rows that are there.
            sheet.reset_dimensions()
            for number, row in enumerate(sheet.iter_rows(max_row=_ROWS_MAX, max_col=COLUMNS_MAX, values_only=True), 1):
                texts = [_shown(value) for value in row]
                while texts and not texts[-1]:
                    texts.pop()
                if not texts:
                    continue
                cells, rows = cells + len(texts), rows + 1
                if cells > limits.max_cells:
                    sink.note("more_cells", cells=limits.max_cells)
                    return
                sink.read["rows"] = rows
                sink.piece({"sheet": sheet.title[:100], "row": number}, "\t".join(texts))


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds" if not value.microsecond else "milliseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.isoformat(timespec="seconds")
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return " ".join(str(value).split())
