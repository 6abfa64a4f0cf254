"""Rows of a JSON array, JSON lines or CSV file, each knowing its place, with fields checked as they are read."""

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from archive.digest import Json
from ingest.errors import InputTooLarge, InvalidContent
from ingest.input_file import InputFile, decode, storable
from ingest.settings import IngestSettings

NESTED_MAX = 32


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `place` says where it is, for errors: file, and row or line number."""

    place: str
    fields: Mapping[str, Json]
    max_chars: int

    def wrong(self, field: str, what: str) -> InvalidContent:
        return InvalidContent(f"{self.place}, field {field}: {what}")

    def has(self, field: str) -> bool:
        return self.fields.get(field) not in (None, "")

    def text(self, field: str) -> str | None:
        """Text without blanks at the ends; a number becomes its digits. None where the field is missing or empty."""
        value = self.fields.get(field)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self.wrong(field, f"{quoted(value)} must be text")
        found = storable(str(int(value) if isinstance(value, float) and value.is_integer() else value)).strip()
        if len(found) > self.max_chars:
            raise self.wrong(field, f"{len(found)} characters are more than the {self.max_chars} that are allowed")
        return found or None

    def required_text(self, field: str) -> str:
        found = self.text(field)
        if found is None:
            raise self.wrong(field, "is missing")
        return found

    def whole(self, field: str, least: int, most: int) -> int | None:
        """A whole number, from JSON or from a CSV's digits. None where the field is missing or empty."""
        value = self.fields.get(field)
        if value is None or value == "":
            return None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, str):
            try:
                value = int(value.strip())
            except ValueError:
                raise self.wrong(field, f"{quoted(value)} is no whole number") from None
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.wrong(field, f"{quoted(value)} is no whole number")
        if not least <= value <= most:
            raise self.wrong(field, f"{quoted(value)} must lie between {least} and {most}")
        return value

    def texts(self, field: str) -> tuple[str, ...]:
        """A JSON list of texts, or a CSV cell with | between them."""
        value = self.fields.get(field)
        if value is None:
            return ()
        items = value.split("|") if isinstance(value, str) else value
        if isinstance(items, Mapping) or not isinstance(items, list | tuple):
            raise self.wrong(field, f"{quoted(value)} must be a list of texts")
        found = []
        for item in items:
            if not isinstance(item, str):
                raise self.wrong(field, f"{quoted(item)} in the list must be text")
            if clean := storable(item).strip():
                found.append(clean)
        return tuple(found)

    def kept(self, field: str) -> Json:
        """Whatever stands there, as it can be stored."""
        value = self.fields[field]
        return self.text(field) if isinstance(value, str) else self._storable(field, value, 0)

    def _storable(self, field: str, value: Json, depth: int) -> Json:
        if depth > NESTED_MAX:
            raise self.wrong(field, f"is nested deeper than the {NESTED_MAX} levels that are allowed")
        if isinstance(value, str):
            return storable(value)
        if isinstance(value, Mapping):
            return {storable(name): self._storable(field, inner, depth + 1) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self._storable(field, inner, depth + 1) for inner in value]
        if isinstance(value, float) and not math.isfinite(value):
            raise self.wrong(field, "holds a number too large to be one")
        return value

    def truth(self, field: str) -> bool:
        value = self.fields.get(field)
        if isinstance(value, str) and value.strip().lower() in ("", "0", "1", "true", "false", "no", "yes"):
            return value.strip().lower() in ("1", "true", "yes")
        if value is None or isinstance(value, bool):
            return bool(value)
        raise self.wrong(field, f"{quoted(value)} must be true or false")


def read_rows(file: InputFile, content: bytes, settings: IngestSettings) -> list[Row]:
    """Rows of a JSON array, JSON lines or CSV with a head line, told apart by content. A file without rows gives none."""
    text, _ = decode(content, str(file.path))
    text = text.lstrip("\ufeff")
    if not text.strip():
        return []
    opening = text.lstrip()[0]
    rows = []
    for row in _json_array(text, file) if opening == "[" else _json_lines(text, file) if opening == "{" else _csv(text, file):
        rows.append(Row(row[0], row[1], settings.field_max_chars))
        if len(rows) > settings.table_max_rows:
            raise InputTooLarge(f"{file.path} holds more than the {settings.table_max_rows} rows that are allowed")
    return rows


def parse_json(text: str, place: str) -> Json:
    """JSON without NaN or Infinity and without numbers of absurd length. InvalidContent names the place."""
    try:
        value: Json = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        reason = f"{error.msg} at line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else str(error)
        raise InvalidContent(f"{place} is no valid JSON: {reason}") from error
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _json_array(text: str, file: InputFile) -> Iterator[tuple[str, Mapping[str, Json]]]:
    value = parse_json(text, str(file.path))
    for number, item in enumerate(value if isinstance(value, list) else [], 1):
        place = f"{file.path}, row {number}"
        if not isinstance(item, dict):
            raise InvalidContent(f"{place}: {quoted(item)} must be an object with named fields")
        yield place, item


def _json_lines(text: str, file: InputFile) -> Iterator[tuple[str, Mapping[str, Json]]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        place = f"{file.path}, line {number}"
        item = parse_json(line, place)
        if not isinstance(item, dict):
            raise InvalidContent(f"{place}: {quoted(item)} must be an object with named fields")
        yield place, item


def _csv(text: str, file: InputFile) -> Iterator[tuple[str, Mapping[str, Json]]]:
    reader = csv.DictReader(io.StringIO(text), strict=True)
    try:
        names = [name.strip() for name in reader.fieldnames or []]
        if len(set(names)) != len(names) or not all(names):
            raise InvalidContent(f"{file.path}: the head line must name each column once: {','.join(names)[:200]}")
        if "product_id" not in names:
            raise InvalidContent(f"{file.path}: its head line names no column product_id, so it is no table of products or events")
        reader.fieldnames = names
        for row in reader:
            place = f"{file.path}, line {reader.line_num}"
            if None in row:
                raise InvalidContent(f"{place}: it has more fields than the head line names; put texts with commas in quotes")
            if any(value for value in row.values()):
                yield place, dict(row)
    except csv.Error as error:
        raise InvalidContent(f"{file.path}, after line {reader.line_num}: {error}; is a quote left open?") from error


def quoted(value: Json) -> str:
    """A value as an error quotes it: its JSON, at most 60 characters of it."""
    try:
        written = json.dumps(value, ensure_ascii=False, default=str)
    except RecursionError:
        # What the parser could just read may be too deep to be written, or to be written from here.
        return "a value nested too deeply to be shown"
    return written if len(written) <= 60 else written[:57] + "…"
