"""Check a LiveProof evidence package, offline, with nothing but Python 3.8 or newer. 离线核验 LiveProof 证据包，只需 Python 3.8 以上。

    python verify.py            the unpacked package that this file lies in   核验本文件所在的已解压证据包
    python verify.py F.zip      a package as it was handed over               核验收到的 ZIP 原件

`ffprobe` (part of ffmpeg) is used where it is installed, to hash the clips' packets; without it that check is reported as not done.
Exit code 0: nothing is wrong; 1: something is; 2: nothing could be read. Only the checks printed here are claimed.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Document = dict[str, Any]
    Packet = tuple[str, str, float | None]

BAGIT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
CATALOGUE, CUSTODY = "data/00-catalogue/catalogue.json", "data/04-custody/custody.json"
UNLISTED = (CATALOGUE, "data/00-catalogue/catalogue.html")
GENESIS = "sha256:" + "0" * 64
MAX_FILES, MAX_TEXT_BYTES, CHUNK = 10_000, 64 << 20, 1 << 20
TIME_TOLERANCE_MS = 5
_LOCAL, _CENTRAL, _END = "<4s5H3I2H", "<4s6H3I5H2I", "<4s4H2IH"
_SIZES = {"local": struct.calcsize(_LOCAL), "central": struct.calcsize(_CENTRAL), "end": struct.calcsize(_END)}
TITLES = {
    "structure": "ZIP 结构完整 / The ZIP is as it was written",
    "completeness": "文件不多不少 / No file is missing or added",
    "digests": "每个文件的摘要一致 / Every file has its digest",
    "catalogue": "证据目录与文件一致 / The evidence catalogue fits the files",
    "custody": "保管记录摘录连贯 / The custody extract holds together",
    "proof_clip": "原样片段属于所存录像 / The proof clip is part of the recording",
    "transcript": "转写摘录属于所存转写 / The excerpt is part of the logged transcript",
}
_FORBIDDEN = re.compile(r'[\\:*?"<>|\x00-\x1f]|(^|/)\.{0,2}(/|$)')


class Check(NamedTuple):
    """One numbered check. `passed` is None where it could not be made; `file` is the file inside the package that is wrong."""

    number: int
    name: str
    title: str
    passed: bool | None
    detail: str
    file: str | None = None


class Wrong(Exception):
    """Something does not hold. `file` names where."""

    def __init__(self, detail: str, file: str | None = None) -> None:
        super().__init__(detail)
        self.file = file


class NotChecked(Exception):
    """A check that could not be made here, and why."""


class ClipContent(NamedTuple):
    """What a clip holds: its packets, and the SHA-256 of each decoder's setup (extradata) by kind."""

    packets: list[Packet]
    extradata: dict[str, str | None]


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


def dos_stamp(iso: str) -> tuple[int, int]:
    """(time, date) in ZIP's form, UTC, of an ISO time such as 2026-11-18T12:00:00.000Z. Wrong if it is none."""
    match = re.match(r"^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)", iso)
    if not match or not 1980 <= int(match.group(1)) <= 2107:
        raise Wrong("bag-info.txt has no readable LiveProof-Packaged-At", "bag-info.txt")
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
                raise Wrong("is a link, not a file", name)
            if not path.is_dir():
                found.append(name)
        return sorted(found)

    def chunks(self, name: str) -> Iterator[bytes]:
        with self.folder.joinpath(*name.split("/")).open("rb") as stream:
            yield from iter(lambda: stream.read(CHUNK), b"")

    def check_structure(self) -> str:
        raise NotChecked("an unpacked folder has no ZIP structure; give the ZIP itself to have it checked")


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
            if not entry.name.startswith(self.base) or not name or _FORBIDDEN.search(entry.name) or name in self.by_name:
                raise Wrong(f"the ZIP's own structure: “{entry.name}” is no name that a package may have")
            self.by_name[name] = entry

    def names(self) -> list[str]:
        return sorted(self.by_name)

    def chunks(self, name: str) -> Iterator[bytes]:
        entry = self.by_name[name]
        start, left = entry.offset + _SIZES["local"] + len(entry.name.encode()), entry.size
        while left:
            self.stream.seek(start)
            chunk = self.stream.read(min(CHUNK, left))
            if not chunk:
                raise Wrong("the ZIP's own structure: it ends inside a file", name)
            yield chunk
            start, left = start + len(chunk), left - len(chunk)

    def check_structure(self) -> str:
        """Every byte outside the files' own must be what the one allowed serialisation writes there."""
        stamp = dos_stamp(packaged_at(read_text(self, "bag-info.txt")))
        at = 0
        for entry in self.entries:
            header = zip_local_header(entry, *stamp)
            if entry.offset != at or self._at(at, len(header)) != header:
                raise Wrong(f"the ZIP's own structure: the header of “{entry.name}” is not as it was written")
            at += len(header) + entry.size
        rest = zip_directory(self.entries, stamp[0], stamp[1], at)
        if self.length != at + len(rest) or self._at(at, len(rest)) != rest:
            raise Wrong("the ZIP's own structure: its directory is not as it was written, or there are bytes outside the files")
        for name, entry in sorted(self.by_name.items()):
            crc = 0
            for chunk in self.chunks(name):
                crc = zlib.crc32(chunk, crc)
            if crc != entry.crc:
                raise Wrong("its bytes are not those that the ZIP was made with", name)
        return f"{len(self.entries)} files, {self.length} bytes, every byte accounted for"

    def _at(self, offset: int, size: int) -> bytes:
        self.stream.seek(offset)
        return self.stream.read(size)

    def _read_directory(self) -> list[ZipEntry]:
        end = self._at(max(0, self.length - _SIZES["end"]), _SIZES["end"])
        if len(end) < _SIZES["end"] or end[:4] != b"PK\5\6":
            raise Wrong("the ZIP's own structure: its last 22 bytes are no end record (cut off, or something was added)")
        _, _, _, count, total, size, offset, _ = struct.unpack(_END, end)
        if count != total or not 0 < count <= MAX_FILES or offset + size + _SIZES["end"] != self.length:
            raise Wrong("the ZIP's own structure: the end record doesn't fit the file")
        directory, entries, at = self._at(offset, size), [], 0
        for _ in range(count):
            fixed = directory[at : at + _SIZES["central"]]
            if len(fixed) < _SIZES["central"]:
                raise Wrong("the ZIP's own structure: the directory ends too early")
            fields = struct.unpack(_CENTRAL, fixed)
            raw = directory[at + len(fixed) : at + len(fixed) + fields[10]]
            try:
                entry = ZipEntry(raw.decode(), fields[7], fields[9], fields[16])
            except UnicodeDecodeError as error:
                raise Wrong("the ZIP's own structure: a name is not UTF-8") from error
            if entry.offset + entry.size > offset:
                raise Wrong(f"the ZIP's own structure: “{entry.name}” would reach outside the file")
            entries.append(entry)
            at += len(fixed) + fields[10] + fields[11] + fields[12]
        return entries


def read_text(source: FolderSource | ZipSource, name: str) -> bytes:
    """A file that is read whole. Wrong if it is missing or over 64 MiB."""
    parts, size = [], 0
    try:
        for chunk in source.chunks(name):
            parts.append(chunk)
            size += len(chunk)
            if size > MAX_TEXT_BYTES:
                raise Wrong("is larger than such a file may be", name)
    except (KeyError, OSError) as error:
        raise Wrong("is missing", name) from error
    return b"".join(parts)


def canonical_json(value: object) -> bytes:
    """The byte form that is hashed: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def merkle_root(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """Root that leaf data at `index` of `size` leads to along `path` (RFC 6962, RFC 9162 §2.1.3.2); None if the path doesn't fit."""
    if not 0 <= index < size:
        return None
    node, last = hashlib.sha256(b"\x00" + leaf).digest(), size - 1
    for sibling in path:
        if last == 0:
            return None
        if index & 1 or index == last:
            node = hashlib.sha256(b"\x01" + sibling + node).digest()
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            node = hashlib.sha256(b"\x01" + node + sibling).digest()
        index, last = index >> 1, last >> 1
    return node if last == 0 else None


def check_proof_clip(clip: ClipContent, proof: Document) -> str:
    """That a clip's packets are, one by one and in order, those of neighbouring groups under the media root. Wrong says which isn't.

    `proof` is a `.proof.json`. Both the payloads and the times between packets (± 5 ms for containers' rounding) are held to it.
    """
    leaves = [proof["header"]] + proof["gops"]
    first = proof["gops"][0]["leaf"]["gop"]
    for place, item in enumerate(leaves):
        index = 0 if place == 0 else first + place
        if place and item["leaf"]["gop"] != first + place - 1:
            raise Wrong(f"group {place} of the proof is not the one that follows")
        root = merkle_root(canonical_json(item["leaf"]), index, proof["tree_size"], [bytes.fromhex(h) for h in item["path"]])
        if root is None or "sha256:" + root.hex() != proof["media_root"]:
            raise Wrong(f"group {index} is not part of the recording's media root {proof['media_root']}")
    for stream in proof["header"]["leaf"]["streams"]:
        if stream["extradata"] is not None and clip.extradata.get(stream["kind"]) != stream["extradata"]:
            raise Wrong(f"the {stream['kind']} decoder's setup is not the recording's")
    origin_expected = origin_found = None
    for kind in ("video", "audio"):
        expected = [tuple(packet) for item in proof["gops"] for packet in item["leaf"][kind]]
        found = [(digest, at) for packet_kind, digest, at in clip.packets if packet_kind == kind]
        for n in range(max(len(expected), len(found))):
            if n >= len(found) or n >= len(expected) or found[n][0] != expected[n][0]:
                raise Wrong(f"{kind} packet {n + 1} of the clip is not the recording's ({len(found)} found, {len(expected)} expected)")
            wanted, is_at = expected[n][1], found[n][1]
            if wanted is None or is_at is None:
                continue
            if origin_expected is None or origin_found is None:
                origin_expected, origin_found = wanted, is_at
            if abs((is_at - origin_found) - (wanted - origin_expected)) > TIME_TOLERANCE_MS:
                raise Wrong(f"{kind} packet {n + 1} of the clip plays at another time than in the recording")
    return f"{len(clip.packets)} packets in {len(proof['gops'])} groups are the recording's, in its order"


def read_with_ffprobe(path: Path) -> ClipContent:
    """A clip's content as `ffprobe` hashes it."""
    command = ["ffprobe", "-v", "error", "-show_packets", "-show_streams", "-show_data_hash", "sha256", "-of", "json"]
    entries = "packet=codec_type,pts_time,data_hash:stream=codec_type,extradata_hash"
    shown = subprocess.run([*command, "-show_entries", entries, str(path)], capture_output=True, timeout=600, check=False)
    if shown.returncode != 0:
        raise Wrong("ffprobe can't read it: " + shown.stderr.decode(errors="replace").strip()[-300:])
    content = json.loads(shown.stdout)
    return ClipContent(
        [
            (p["codec_type"], p["data_hash"].split(":")[1].lower(), float(p["pts_time"]) * 1000 if "pts_time" in p else None)
            for p in content["packets"]
            if p["codec_type"] in ("video", "audio")
        ],
        {s["codec_type"]: s["extradata_hash"].split(":")[1].lower() for s in content["streams"] if "extradata_hash" in s},
    )


class Verifier:
    """Runs the checks on one source and keeps their outcomes. `read_clip` hashes a clip's packets; None where nothing here can."""

    def __init__(self, source: FolderSource | ZipSource, read_clip: Callable[[Path], ClipContent] | None) -> None:
        self.source = source
        self.read_clip = read_clip
        self.checks: list[Check] = []
        self.sums: dict[str, str] = {}

    def run(self) -> list[Check]:
        self._check("structure", self.source.check_structure)
        self._check("completeness", self._completeness)
        self._check("digests", self._digests)
        self._check("catalogue", self._catalogue)
        self._check("custody", self._custody)
        for name in [name for name in self._names() if name.endswith(".proof.json")]:
            self._check("proof_clip", self._proof_clip, name)
        for name in [name for name in self._names() if name.endswith("transcript.json")]:
            self._check("transcript", self._transcript, name)
        return self.checks

    def _check(self, name: str, act: Callable[..., str], *arguments: str) -> None:
        file = arguments[0] if arguments else None
        passed: bool | None = True
        try:
            detail = act(*arguments)
        except NotChecked as not_checked:
            passed, detail = None, f"not checked: {not_checked}"
        except Wrong as wrong:
            passed, detail, file = False, str(wrong), wrong.file or file
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, OSError, subprocess.SubprocessError) as error:
            passed, detail = False, f"can't be read as what it should be: {error!r}"
        self.checks.append(Check(len(self.checks) + 1, name, TITLES[name], passed, detail, file))

    def _names(self) -> list[str]:
        try:
            return [name for name in self.source.names() if name.startswith("data/")]
        except (Wrong, OSError):
            return []

    def _completeness(self) -> str:
        listed = {**self._manifest("manifest-sha256.txt"), **self._manifest("tagmanifest-sha256.txt")}
        listed["tagmanifest-sha256.txt"] = ""
        there = set(self.source.names())
        for name in sorted(there ^ set(listed)):
            raise Wrong("is missing" if name in listed else "does not belong to the package", name)
        return f"{len(there)} files, all listed"

    def _digests(self) -> str:
        changed: list[tuple[str, str]] = []
        # The manifest itself first: where it was changed, the files that it lists are not to blame.
        for manifest in ("tagmanifest-sha256.txt", "manifest-sha256.txt"):
            for name, digest in sorted(self._manifest(manifest).items()):
                if self._sum(name) != digest:
                    changed.append((name, f"was changed: its SHA-256 is {self._sum(name)}, {manifest} says {digest}"))
        if changed:
            others = ", ".join(name for name, _ in changed[1:])
            raise Wrong(changed[0][1] + (f"; so do not fit: {others}" if others else ""), changed[0][0])
        if read_text(self.source, "bagit.txt") != BAGIT:
            raise Wrong("is not a BagIt 1.0 declaration", "bagit.txt")
        return f"{len(self.sums)} files have the SHA-256 that the manifests say"

    def _sum(self, name: str) -> str:
        if name not in self.sums:
            hasher = hashlib.sha256()
            for chunk in self.source.chunks(name):
                hasher.update(chunk)
            self.sums[name] = hasher.hexdigest()
        return self.sums[name]

    def _manifest(self, name: str) -> dict[str, str]:
        text = read_text(self.source, name).decode()
        lines = {line[66:]: line[:64] for line in text.splitlines() if re.match(r"^[0-9a-f]{64}  \S", line)}
        misplaced = [f for f in lines if f.startswith("data/") is name.startswith("tag") or _FORBIDDEN.search(f)]
        if misplaced or "".join(f"{lines[file]}  {file}\n" for file in sorted(lines)) != text:
            raise Wrong("is not written as a manifest is", name)
        return lines

    def _catalogue(self) -> str:
        items = {item["file"]: item for item in self._json(CATALOGUE)["items"]}
        for name in sorted(set(items) ^ {name for name in self._names() if name not in UNLISTED}):
            raise Wrong("is in the catalogue but not in the package" if name in items else "is not in the catalogue", name)
        for name, item in items.items():
            if item["digest"] != "sha256:" + self._sum(name):
                raise Wrong("has another digest than the catalogue says", name)
        return f"{len(items)} pieces of evidence"

    def _custody(self) -> str:
        extract = self._json(CUSTODY)
        chain, entries = extract["chain"], extract["entries"]
        if len(chain) != extract["length"] or "sha256:" + chain[-1] != extract["head"]:
            raise Wrong("the chain doesn't end at the head it names", CUSTODY)
        for entry in entries:
            fields = {key: value for key, value in entry.items() if key != "digest"}
            if "sha256:" + hashlib.sha256(canonical_json(fields)).hexdigest() != entry["digest"]:
                raise Wrong(f"entry {entry['seq']} was changed after it was written", CUSTODY)
            before = "sha256:" + chain[entry["seq"] - 2] if entry["seq"] > 1 else GENESIS
            if "sha256:" + chain[entry["seq"] - 1] != entry["digest"] or entry["previous"] != before:
                raise Wrong(f"entry {entry['seq']} is not at its place in the chain", CUSTODY)
        return f"{len(entries)} entries shown stand at their places in a log of {len(chain)}; compare its head {extract['head']}"

    def _entries(self, action: str, subject: str) -> list[Document]:
        entries = self._json(CUSTODY)["entries"]
        return [json.loads(e["detail"]) for e in entries if e["action"] == action and e["subject"] == subject]

    def _proof_clip(self, name: str) -> str:
        proof = self._json(name)
        admitted = [part["digest"] for detail in self._entries("admit", proof["recording"]) for part in detail["parts"]]
        roots = [(detail["digest"], detail["root"], detail["leaves"]) for detail in self._entries("media.root", proof["recording"])]
        if proof["part_digest"] not in admitted:
            raise Wrong("names a part that the custody log never admitted")
        if (proof["part_digest"], proof["media_root"], proof["tree_size"]) not in roots:
            raise Wrong("names a media root that the custody log doesn't hold")
        clip = name.rsplit("/", 1)[0] + "/" + proof["clip"]
        if "sha256:" + self._sum(clip) != proof["clip_digest"]:
            raise Wrong("is not the clip that the proof was made for", clip)
        if self.read_clip is None:
            packets = [(kind, p[0], p[1]) for kind in ("video", "audio") for g in proof["gops"] for p in g["leaf"][kind]]
            check_proof_clip(ClipContent(packets, {s["kind"]: s["extradata"] for s in proof["header"]["leaf"]["streams"]}), proof)
            raise NotChecked("the proof leads to the media root, but without ffprobe the clip's packets can't be hashed: install ffmpeg")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "clip" + Path(clip).suffix)
            with path.open("wb") as target:
                for chunk in self.source.chunks(clip):
                    target.write(chunk)
            try:
                return check_proof_clip(self.read_clip(path), proof)
            except Wrong as wrong:
                raise Wrong(str(wrong), clip) from wrong

    def _transcript(self, name: str) -> str:
        excerpt = self._json(name)
        if excerpt["transcript"] is None:
            raise NotChecked("nothing was transcribed")
        known = [(e["version"], e["digest"], e.get("segments_root")) for e in self._entries("transcribe", excerpt["recording"])]
        digest, root = excerpt["transcript"]["digest"], excerpt["transcript"]["segments_root"]
        if (excerpt["transcript"]["version"], digest, root) not in known:
            raise Wrong("names a transcript that the custody log doesn't hold")
        for item in excerpt["segments"]:
            path = [bytes.fromhex(node) for node in item["path"]]
            found = merkle_root(canonical_json(item["segment"]), item["segment"]["number"] - 1, excerpt["transcript"]["segments"], path)
            if found is None or "sha256:" + found.hex() != root:
                raise Wrong(f"segment {item['segment']['number']} is not as the logged transcript has it")
        return f"{len(excerpt['segments'])} segments are word for word those of transcript version {excerpt['transcript']['version']}"

    def _json(self, name: str) -> Document:
        return dict(json.loads(read_text(self.source, name)))


def verify(path: Path, read_clip: Callable[[Path], ClipContent] | None) -> list[Check]:
    """All checks on a ZIP file or an unpacked folder. OSError if there is nothing to read."""
    if path.is_dir():
        return Verifier(FolderSource(path), read_clip).run()
    with path.open("rb") as stream:
        try:
            source = ZipSource(stream)
        except Wrong as wrong:
            return [Check(1, "structure", TITLES["structure"], False, str(wrong), wrong.file)]
        return Verifier(source, read_clip).run()


def main(arguments: list[str]) -> int:
    """Print what each check found."""
    path = Path(arguments[0]) if arguments else Path(__file__).resolve().parent
    try:
        checks = verify(path, read_with_ffprobe if shutil.which("ffprobe") else None)
    except OSError as error:
        sys.stderr.write(f"{path} can't be read / 无法读取: {error.strerror}\n")
        return 2
    words = {True: "通过 OK  ", False: "失败 FAIL", None: "未查 ----"}
    for check in checks:
        where = f" [{check.file}]" if check.file else ""
        sys.stdout.write(f"{check.number:2}. {words[check.passed]}  {check.title}{where}\n      {check.detail}\n")
    failed = [check for check in checks if check.passed is False]
    skipped = [check for check in checks if check.passed is None]
    sys.stdout.write(f"\n{'有改动或缺损 / SOMETHING IS WRONG' if failed else '未发现改动 / Nothing is wrong'}: ")
    sys.stdout.write(f"{len(checks)} 项 checks, {len(failed)} 失败 failed, {len(skipped)} 未查 not made.\n")
    sys.stdout.write("摘要只证明未改动，不证明内容属实。Digests show that nothing was changed, not that what was said is true.\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
