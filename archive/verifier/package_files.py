"""A package as files, unpacked or still in its ZIP, which has one allowed form, so that every byte of it can be accounted for."""

from __future__ import annotations

import hashlib
import json
import re
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from archive.verifier.outcomes import NotChecked, Said, Wrong

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Document = dict[str, Any]

BAGIT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
CATALOGUE, CASE = "data/00-catalogue/catalogue.json", "data/03-case/case.json"
CUSTODY, COVERAGE = "data/04-custody/custody.json", "data/05-coverage/coverage.json"
MAX_FILES, MAX_TEXT_BYTES, CHUNK = 10_000, 64 << 20, 1 << 20
FORBIDDEN_NAME = re.compile(r'[\\:*?"<>|\x00-\x1f]|(^|/)\.{0,2}(/|$)')
_LOCAL, _CENTRAL, _END = "<4s5H3I2H", "<4s6H3I5H2I", "<4s4H2IH"
_SIZES = {"local": struct.calcsize(_LOCAL), "central": struct.calcsize(_CENTRAL), "end": struct.calcsize(_END)}


class ZipEntry(NamedTuple):
    """One stored file of a package ZIP: `offset` of its local header, `size` and CRC-32 of its bytes."""

    name: str
    crc: int
    size: int
    offset: int


def zip_local_header(entry: ZipEntry, dos_time: int, dos_date: int) -> bytes:
    """The only local header that a package may have for this entry: stored, UTF-8 name, no extra field, sizes up front."""
    name = entry.name.encode()
    return struct.pack(_LOCAL, b"PK\3\4", 20, 0x800, 0, dos_time, dos_date, entry.crc, entry.size, entry.size, len(name), 0) + name


def zip_directory(entries: list[ZipEntry], dos_time: int, dos_date: int, offset: int) -> bytes:
    """The only central directory and end record that may follow these entries."""
    lines = []
    for e in entries:
        name = e.name.encode()
        fixed = (b"PK\1\2", 20, 20, 0x800, 0, dos_time, dos_date, e.crc, e.size, e.size, len(name), 0, 0, 0, 0, 0, e.offset)
        lines.append(struct.pack(_CENTRAL, *fixed) + name)
    directory = b"".join(lines)
    end = struct.pack(_END, b"PK\5\6", 0, 0, len(entries), len(entries), len(directory), offset, 0)
    return directory + end


def packaged_at(bag_info: bytes) -> str:
    """What bag-info.txt says of when the package was made: an ISO time, UTC."""
    found = re.search(r"^LiveProof-Packaged-At: (\S+)$", bag_info.decode(), re.MULTILINE)
    return found.group(1) if found else ""


def bag_info(package: str, case: str, agent: str, made_at: str, payload_bytes: int, payload_files: int) -> bytes:
    """The only bag-info.txt that a package may have."""
    info = {
        "Bag-Software-Agent": agent,
        "Bagging-Date": made_at[:10],
        "External-Identifier": package,
        "LiveProof-Case": case,
        "LiveProof-Packaged-At": made_at,
        "Payload-Oxum": f"{payload_bytes}.{payload_files}",
    }
    return "".join(f"{label}: {value}\n" for label, value in info.items()).encode()


def dos_stamp(iso: str) -> tuple[int, int]:
    """(time, date) in ZIP's form, UTC, of an ISO time such as 2026-11-18T12:00:00.000Z. Wrong if it is none."""
    match = re.match(r"^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)", iso)
    if not match or not 1980 <= int(match.group(1)) <= 2107:
        raise Wrong("has no readable LiveProof-Packaged-At", "bag-info.txt", "没有可读的 LiveProof-Packaged-At")
    year, month, day, hour, minute, second = (int(match.group(n)) for n in range(1, 7))
    return hour << 11 | minute << 5 | second // 2, (year - 1980) << 9 | month << 5 | day


class FolderSource:
    """An unpacked package."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        found = []
        for path in self.folder.rglob("*"):
            name = path.relative_to(self.folder).as_posix()
            if path.is_symlink():
                raise Wrong("is a link, not a file", name, "是链接，不是文件")
            if not path.is_dir():
                found.append(name)
        return sorted(found)

    def size(self, name: str) -> int:
        return self.folder.joinpath(*name.split("/")).stat().st_size

    def chunks(self, name: str) -> Iterator[bytes]:
        with self.folder.joinpath(*name.split("/")).open("rb") as stream:
            yield from iter(lambda: stream.read(CHUNK), b"")

    def check_structure(self) -> Said:
        raise NotChecked(
            "an unpacked folder has no ZIP structure; give the ZIP itself to have it checked",
            "已解压的文件夹没有 ZIP 结构；请给出 ZIP 原件以核验",
        )


class ZipSource:
    """A package as a ZIP file. Its directory is read by hand, because ordinary ZIP readers forgive what evidence must not contain."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.length = stream.seek(0, 2)
        self.entries = self._read_directory()
        self.base = self.entries[0].name.split("/")[0] + "/"
        self.by_name: dict[str, ZipEntry] = {}
        for entry in self.entries:
            name = entry.name[len(self.base) :]
            if not entry.name.startswith(self.base) or not name or FORBIDDEN_NAME.search(entry.name) or name in self.by_name:
                raise _misformed(f"“{entry.name}” is no name that a package may have", f"证据包里不得有“{entry.name}”这样的文件名")
            self.by_name[name] = entry

    def names(self) -> list[str]:
        return sorted(self.by_name)

    def size(self, name: str) -> int:
        return self.by_name[name].size

    def chunks(self, name: str) -> Iterator[bytes]:
        entry = self.by_name[name]
        start, left = entry.offset + _SIZES["local"] + len(entry.name.encode()), entry.size
        while left:
            self.stream.seek(start)
            chunk = self.stream.read(min(CHUNK, left))
            if not chunk:
                raise _misformed("it ends inside a file", "ZIP 在一个文件中间就结束了", name)
            yield chunk
            start, left = start + len(chunk), left - len(chunk)

    def check_structure(self) -> Said:
        """Every byte outside the files' own must be what the one allowed serialisation writes there."""
        stamp = dos_stamp(packaged_at(read_whole(self, "bag-info.txt")))
        at = 0
        for entry in self.entries:
            header = zip_local_header(entry, *stamp)
            if entry.offset != at or self._at(at, len(header)) != header:
                raise _misformed(f"the header of “{entry.name}” is not as it was written", f"“{entry.name}”的文件头已非原样")
            at += len(header) + entry.size
        rest = zip_directory(self.entries, stamp[0], stamp[1], at)
        if self.length != at + len(rest) or self._at(at, len(rest)) != rest:
            raise _misformed(
                "its directory is not as it was written, or there are bytes outside the files", "目录已非原样，或文件之外另有字节"
            )
        for name, entry in sorted(self.by_name.items()):
            crc = 0
            for chunk in self.chunks(name):
                crc = zlib.crc32(chunk, crc)
            if crc != entry.crc:
                raise Wrong("its bytes are not those that the ZIP was made with", name, "其字节与制作 ZIP 时不同")
        return Said(
            f"{len(self.entries)} files, {self.length} bytes, every byte accounted for",
            f"{len(self.entries)} 个文件，{self.length} 字节，每个字节都有着落",
        )

    def _at(self, offset: int, size: int) -> bytes:
        self.stream.seek(offset)
        return self.stream.read(size)

    def _read_directory(self) -> list[ZipEntry]:
        end = self._at(max(0, self.length - _SIZES["end"]), _SIZES["end"])
        if len(end) < _SIZES["end"] or end[:4] != b"PK\5\6":
            raise _misformed(
                "its last 22 bytes are no end record (cut off, or something was added)", "末尾 22 字节不是结束记录（被截断，或有所添加）"
            )
        _, _, _, count, total, size, offset, _ = struct.unpack(_END, end)
        if count != total or not 0 < count <= MAX_FILES or offset + size + _SIZES["end"] != self.length:
            raise _misformed("the end record doesn't fit the file", "结束记录与文件不符")
        directory, entries, at = self._at(offset, size), [], 0
        for _ in range(count):
            fixed = directory[at : at + _SIZES["central"]]
            if len(fixed) < _SIZES["central"]:
                raise _misformed("the directory ends too early", "目录过早结束")
            fields = struct.unpack(_CENTRAL, fixed)
            raw = directory[at + len(fixed) : at + len(fixed) + fields[10]]
            try:
                entry = ZipEntry(raw.decode(), fields[7], fields[9], fields[16])
            except UnicodeDecodeError as error:
                raise _misformed("a name is not UTF-8", "有文件名不是 UTF-8") from error
            if entry.offset + entry.size > offset:
                raise _misformed(f"“{entry.name}” would reach outside the file", f"“{entry.name}”会超出文件范围")
            entries.append(entry)
            at += len(fixed) + fields[10] + fields[11] + fields[12]
        return entries


def _misformed(english: str, chinese: str, file: str | None = None) -> Wrong:
    return Wrong("the ZIP's own structure: " + english, file, "ZIP 自身结构：" + chinese)


def read_whole(source: FolderSource | ZipSource, name: str) -> bytes:
    """A file that is read whole. Wrong if it is missing or over 64 MiB."""
    parts, size = [], 0
    try:
        for chunk in source.chunks(name):
            parts.append(chunk)
            size += len(chunk)
            if size > MAX_TEXT_BYTES:
                raise Wrong("is larger than such a file may be", name, "超过此类文件的上限")
    except (KeyError, OSError) as error:
        raise Wrong("is missing", name, "缺失") from error
    return b"".join(parts)


class Package:
    """What the checks look at: files, their SHA-256, the JSON among them, and the custody entries shown."""

    def __init__(self, source: FolderSource | ZipSource) -> None:
        self.source = source
        self._sums: dict[str, str] = {}
        self._documents: dict[str, Document] = {}

    def payload(self) -> list[str]:
        """Names under data/."""
        try:
            return [name for name in self.source.names() if name.startswith("data/")]
        except (Wrong, OSError):
            return []

    def read(self, name: str) -> bytes:
        return read_whole(self.source, name)

    def document(self, name: str) -> Document:
        """A JSON object, read once."""
        if name not in self._documents:
            try:
                self._documents[name] = dict(json.loads(self.read(name)))
            except (ValueError, TypeError) as error:
                raise Wrong(f"can't be read as JSON: {error}", name, f"不是可读的 JSON：{error}") from error
        return self._documents[name]

    def sum(self, name: str) -> str:
        """A file's SHA-256 in hexadecimal. Wrong if it is missing."""
        if name not in self._sums:
            hasher = hashlib.sha256()
            try:
                for chunk in self.source.chunks(name):
                    hasher.update(chunk)
            except (KeyError, OSError) as error:
                raise Wrong("is missing", name, "缺失") from error
            self._sums[name] = hasher.hexdigest()
        return self._sums[name]

    def shown_entries(self) -> list[Document]:
        """The custody entries that the extract shows, in order."""
        return [dict(item["entry"]) for item in self.document(CUSTODY)["entries"]]

    def details(self, action: str, subject: str) -> list[Document]:
        """What the shown entries of this action about this subject say; those withheld say nothing."""
        entries = [e for e in self.shown_entries() if e["action"] == action and e["subject"] == subject and e["detail"] is not None]
        return [{**json.loads(e["detail"]), "by": e["actor"], "seq": e["seq"]} for e in entries]
