"""Tables as text: CSV and its kin with commas, tabs or semicolons, row by row."""

import csv
import io
from pathlib import Path

from transcribe.record_text.frames import EnoughRead, Sink
from transcribe.record_text.limits import ReadLimits
from transcribe.record_text.plain_text import read_lines
from transcribe.record_text.text_decoding import decoded_text

CELL_MAX_CHARS = 1 << 20


class Delimited:
    """Places: row, from 1. A piece is a row, its cells parted by tabs."""

    name, engine = "table", "csv"

    def read(self, path: Path, limits: ReadLimits, sink: Sink) -> None:
        text = decoded_text(path.read_bytes(), sink.note)
        csv.field_size_limit(CELL_MAX_CHARS)
        rows = cells = 0
        try:
            for rows, row in enumerate(csv.reader(io.StringIO(text), delimiter=_delimiter(text)), 1):
                cells += len(row)
                if cells > limits.max_cells:
                    sink.note("more_cells", cells=limits.max_cells)
                    break
                sink.piece({"row": rows}, "\t".join(" ".join(cell.split()) for cell in row))
        except csv.Error:
            # A quote left open, or a cell longer than any: what is there is still text, and rows read so far would come twice.
            if rows:
                sink.note("table_broken", row=rows)
            else:
                read_lines(text, sink)
        except EnoughRead:
            pass
        sink.read["rows"] = rows


def _delimiter(text: str) -> str:
    lines = [line for line in text[:20_000].split("\n")[:20] if line.strip()]
    return max((",", "\t", ";"), key=lambda mark: sum(line.count(mark) for line in lines))
