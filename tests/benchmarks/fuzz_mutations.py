"""Changes to a file that keep its shape, beside the fuzzer's own of bytes: to values in JSON, numbers, lines, members of a workbook."""

import io
import json
import random
import re
import zipfile
from collections.abc import Callable, Sequence

from archive.digest import Json
from tests.ingest.written_chats import START, START_S, USEC

# (content, most bytes) to content: how the fuzzer itself changes bytes.
ByteChange = Callable[[bytes, int], bytes]

_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
_TEXT = re.compile(rb'"((?:[^"\\]|\\.){1,60})"')
_PUNCTUATION = [
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b'"":',
    b",",
    b":",
    b"\n",
    b"\r",
    b"\r\n",
    b"\\",
    b"\x00",
    b"\xff",
    b"null",
    b"\\ud800",
    b"\\u0000",
]
_MARKS = [
    b"\xef\xbb\xbf", b"\xff\xfe", b"1e999", b"NaN", b"<!--", b"]]>", b"<d p=", b"</d>", b"&#", b"&amp;", b"Dialogue: ", b"{\\move(", b"\\N",
    b" --> ", b"WEBVTT", b"[offset:", b"MPEGTS:", b"LOCAL:", b"[0:00:01] ", b'""', b"\t", b"PK\x03\x04", b"<row", b"<c t=", b"<v>",
]  # fmt: skip
_NUMBERS = [
    b"0", b"-1", b"-0.0", b"1", b"59", b"60", b"61", b"99", b"86400", b"2147483648", b"99999999999999999999", b"1e308", b"1e999", b"1_0",
    b"00", b"0.0000001", b"9" * 30, b"9" * 4400, "٣".encode(), "²".encode(), "１".encode(), str(START_S).encode(), str(USEC).encode(),
]  # fmt: skip
_ODD: list[Json] = [
    None, True, False, "", 0, -1, 1, 0.5, -0.0, 1e300, -1e300, float("inf"), 10**15, 10**19, 10**20, 10**400, 2**63, [], {}, [1, ["x"]],
    {"runs": 5, "text": None, "nickname": []}, "9" * 400, "长" * 400, "\ud800", "a\x00b", "\udc00\ud83d", " ", "\n", "nan", "-inf", "²",
    "１２３", START_S, START.epoch_ms, USEC, str(START.epoch_ms), "2026-11-18T12:00:01Z", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00", "0",
]  # fmt: skip
# Depths around what Python's own parser and writer of JSON go to.
_DEPTHS = (2, 8, 100, *range(900, 1000, 5), 990, 995, 2000)
_PLACEHOLDER = "@nested@"


def dictionary(seeds: Sequence[bytes]) -> str:
    """A libFuzzer dictionary: names and texts that stand in quotes in the seeds, and marks that mean something in some format."""
    words = {found for seed in seeds for found in _TEXT.findall(seed) if not seed.startswith(b"PK")}
    return "".join(
        '"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n'
        for word in sorted({*words, *_PUNCTUATION, *_MARKS, *_NUMBERS})
        if len(word) <= 60
    )


class Mutations:
    """Changes one file into another. `byte_change` is the fuzzer's own; every choice comes from the seed that it gives."""

    def __init__(self, seeds: Sequence[bytes], byte_change: ByteChange) -> None:
        self._bytes = byte_change
        self._lines = [line for seed in seeds if not seed.startswith(b"PK") for line in seed.splitlines(keepends=True)]
        self._names = sorted({name.decode("utf-8", "replace") for seed in seeds for name in _TEXT.findall(seed)}) or ["text"]

    def changed(self, content: bytes, most: int, seed: int) -> bytes:
        """The content with a few changes; at most `most` bytes."""
        chance = random.Random(seed)
        found = content
        for _ in range(chance.choice((1, 1, 1, 2, 4))):
            found = self._workbook(found, most, chance) if found.startswith(b"PK") else self._once(found, most, chance)
        return found if 0 < len(found) <= most else self._bytes(content, most)

    def _once(self, content: bytes, most: int, chance: random.Random) -> bytes:
        is_json = content.lstrip(b"\xef\xbb\xbf \t\r\n\x00")[:1] in (b"{", b"[")
        way = chance.random()
        if is_json and way < 0.5:
            return self._json(content, most, chance)
        if way < 0.65:
            return self._number(content, chance)
        if way < 0.75:
            return self._line(content, chance)
        if way < 0.77:
            return content.decode("utf-8", "replace").encode(chance.choice(("gb18030", "utf-16", "utf-16-le", "utf-8-sig")), "replace")
        return self._bytes(content, most)

    def _number(self, content: bytes, chance: random.Random) -> bytes:
        found = list(_NUMBER.finditer(content))
        if not found:
            return content + chance.choice(_NUMBERS)
        match = chance.choice(found)
        return content[: match.start()] + chance.choice(_NUMBERS) + content[match.end() :]

    def _line(self, content: bytes, chance: random.Random) -> bytes:
        lines = content.splitlines(keepends=True) or [b""]
        at = chance.randrange(len(lines))
        match chance.randrange(5):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, lines[at] * chance.choice((1, 1, 1, 20)))
            case 2:
                lines.insert(at, chance.choice(self._lines or [b"\n"]))
            case 3:
                lines[at] = lines[at][: chance.randrange(len(lines[at]) + 1)]
            case _:
                other = chance.randrange(len(lines))
                lines[at], lines[other] = lines[other], lines[at]
        return b"".join(lines)

    def _json(self, content: bytes, most: int, chance: random.Random) -> bytes:
        """The file, or one of its lines, with one value changed."""
        lines = content.split(b"\n")
        at = chance.randrange(len(lines))
        for piece in (content, lines[at]):
            try:
                document: Json = json.loads(piece.decode("utf-8-sig"))
                found = self._document(document, chance)
            except (ValueError, RecursionError):
                continue
            return found if piece is content else b"\n".join([*lines[:at], found, *lines[at + 1 :]])
        return self._bytes(content, most)

    def _document(self, document: Json, chance: random.Random) -> bytes:
        holder: list[Json] = [document]
        slots = _slots(holder)
        container, key = chance.choice(slots)
        value = container[key]  # type: ignore[index]
        depth = 0
        way = chance.random()
        if isinstance(value, str) and value.startswith("{") and way < 0.7:
            new: Json = self._document(json.loads(value), chance).decode("utf-8", "replace")
        elif way < 0.45:
            new = chance.choice(_ODD)
        elif way < 0.6:
            other, name = chance.choice(slots)
            new = other[name]  # type: ignore[index]
        elif way < 0.7:
            new, depth = _PLACEHOLDER, chance.choice(_DEPTHS)
        elif isinstance(value, str):
            new = self._bytes(value.encode("utf-8", "surrogatepass") or b" ", 400).decode("utf-8", "replace")
        elif isinstance(value, dict):
            new = {**value, chance.choice(self._names): chance.choice(_ODD)}
            if chance.random() < 0.4 and value:
                del new[chance.choice(sorted(value))]
        elif isinstance(value, list):
            new = [*value, *value[:1]] if chance.random() < 0.7 else value[1:]
        else:
            new = str(value)
        # A value put into itself would have no end.
        container[key] = json.loads(json.dumps(new))  # type: ignore[index]
        indent = chance.choice((None, None, 1))
        written = json.dumps(holder[0], ensure_ascii=chance.random() < 0.5, indent=indent).encode("utf-8", "surrogatepass")
        opening, closing = chance.choice(((b"[", b"]"), (b'{"a":', b"}")))
        return written.replace(f'"{_PLACEHOLDER}"'.encode(), opening * depth + b"1" + closing * depth, 1)

    def _workbook(self, content: bytes, most: int, chance: random.Random) -> bytes:
        """One member changed, rarely the archive's own bytes."""
        if chance.random() < 0.15:
            return self._bytes(content, most)
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                members = {name: archive.read(name) for name in archive.namelist()[:50]}
        except Exception:  # noqa: BLE001  what zipfile raises for broken archives is a long list, and any of it means the same here
            return self._bytes(content, most)
        if not members:
            return self._bytes(content, most)
        # The sheets, and what their cells are read by, are most of what a reader looks at.
        weights = [8 if "sheet" in name else 3 if "shared" in name or "styles" in name or "workbook" in name else 1 for name in members]
        (name,) = chance.choices(list(members), weights)
        if chance.random() < 0.02:
            del members[name]
        else:
            members[name] = self._number(members[name], chance) if chance.random() < 0.3 else self._bytes(members[name] or b" ", most)
        into = io.BytesIO()
        with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for member, inside in members.items():
                archive.writestr(zipfile.ZipInfo(member, (2026, 11, 18, 20, 0, 0)), inside, zipfile.ZIP_DEFLATED)
        return into.getvalue()


def _slots(holder: list[Json]) -> list[tuple[dict[str, Json] | list[Json], str | int]]:
    """Every place that a value stands in, as (container, key)."""
    found: list[tuple[dict[str, Json] | list[Json], str | int]] = []
    waiting: list[dict[str, Json] | list[Json]] = [holder]
    while waiting and len(found) < 2000:
        container = waiting.pop()
        for key, value in container.items() if isinstance(container, dict) else enumerate(container):
            found.append((container, key))
            if isinstance(value, dict | list):
                waiting.append(value)
    return found
