"""Names that play tricks, links, and what is a file by name only."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

from ingest.admission import IngestRequest
from tests.ingest.malformed.case import Case, Outcome, Whole

Make = Callable[[Path, Whole], IngestRequest]


def _named(name: str | bytes) -> Make:
    def make(folder: Path, whole: Whole) -> IngestRequest:
        target = folder / os.fsdecode(name)
        target.write_bytes(whole["flv"].read_bytes() + os.fsencode(name))
        return IngestRequest((target,))

    return make


def _asked_for(*parts: str) -> Make:
    return lambda folder, _: IngestRequest((folder.joinpath(*parts),))


def _linked(place: Callable[[Path], Path]) -> Make:
    def make(folder: Path, whole: Whole) -> IngestRequest:
        (folder / "link.flv").symlink_to(place(folder))
        return IngestRequest((folder / "link.flv",))

    return make


def _to_outside(folder: Path, whole: Whole) -> IngestRequest:
    """A link to a recording elsewhere is that recording: what is kept are its bytes, under the link's name."""
    outside = folder.parent / f"{folder.name}-outside.flv"
    outside.write_bytes(whole["flv"].read_bytes() + b"elsewhere")
    (folder / "link.flv").symlink_to(outside)
    return IngestRequest((folder / "link.flv",))


def _pipe(folder: Path, _: Whole) -> IngestRequest:
    os.mkfifo(folder / "pipe.flv")
    return IngestRequest((folder / "pipe.flv",))


def _socket(folder: Path, _: Whole) -> IngestRequest:
    here = Path.cwd()
    os.chdir(folder)  # a socket's address has 108 bytes, a test's folder may have more
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind("room.flv")
    finally:
        os.chdir(here)
    return IngestRequest((folder / "room.flv",))


def _climbing(folder: Path, whole: Whole) -> IngestRequest:
    """A name that climbs out of its folder is a path like any other; only its last piece is kept as a name."""
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "up.flv").write_bytes(whole["flv"].read_bytes() + b"up")
    return IngestRequest((folder / "a" / "b" / ".." / ".." / "up.flv",))


def _chat(name: str, make: Callable[[Path], None]) -> Make:
    def put(folder: Path, whole: Whole) -> IngestRequest:
        media = folder / "good.flv"
        media.write_bytes(whole["flv"].read_bytes() + name.encode())
        make(folder / name)
        return IngestRequest((media,), chat=(folder / name,))

    return put


def _picture(path: Path) -> None:
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(500))


_PATHS: tuple[tuple[str, Make, Outcome], ...] = (
    ("line break in the name", _named("a\nb.flv"), "admitted"),
    ("escape in the name", _named("a\x1b[31mb.flv"), "admitted"),
    ("right-to-left override in the name", _named("gpj.\u202evlf.flv"), "admitted"),
    ("bytes that are no text in the name", _named(b"\xff\xfe\x80.flv"), "admitted"),
    ("GBK in the name", _named("夜场".encode("gbk") + b".flv"), "admitted"),
    ("leading dash", _named("-rf.flv"), "admitted"),
    ("leading dots", _named("...flv"), "admitted"),
    ("a protocol of FFmpeg", _named("concat:a|b.flv"), "admitted"),
    ("a pattern of FFmpeg", _named("%03d.flv"), "admitted"),
    ("a device's name", _named("CON"), "admitted"),
    ("quotes and dollars", _named("'$(id)`\";&.flv"), "admitted"),
    ("255 bytes", _named("长" * 83 + "ab.flv"), "admitted"),
    ("a blank alone", _named(" "), "admitted"),
    ("256 bytes", _asked_for("x" * 256), "refused"),
    ("a path of 5 000 bytes", _asked_for(*["y" * 200] * 25), "refused"),
    ("NUL in the name", _asked_for("nul\x00.flv"), "refused"),
    ("a missing file", _asked_for("nothing.flv"), "refused"),
    ("a folder", _asked_for("."), "refused"),
    ("a file as a folder", lambda folder, whole: IngestRequest((whole["flv"] / "more.flv",)), "refused"),
    ("climbing out of a folder", _climbing, "admitted"),
    ("climbing out of the root", _asked_for(*[".."] * 60, "etc", "passwd"), "refused"),
    ("a link to a recording elsewhere", _to_outside, "admitted"),
    ("a link to /etc/passwd", _linked(lambda folder: Path("/etc/passwd")), "refused"),
    ("a link to itself", _linked(lambda folder: folder / "link.flv"), "refused"),
    ("a dangling link", _linked(lambda folder: folder / "gone.flv"), "refused"),
    ("a link to /dev/zero", _linked(lambda folder: Path("/dev/zero")), "refused"),
    ("a link to /proc/self/mem", _linked(lambda folder: Path("/proc/self/mem")), "refused"),
    ("a link to its folder", _linked(lambda folder: folder), "refused"),
    ("/dev/full", lambda folder, whole: IngestRequest((Path("/dev/full"),)), "refused"),
    ("a pipe", _pipe, "refused"),
    ("a socket", _socket, "refused"),
    ("chat that is a folder", _chat("chat.xml", Path.mkdir), "refused"),
    ("chat that is a pipe", _chat("chat.jsonl", os.mkfifo), "refused"),
    ("chat that is /dev/zero", _chat("zero.json", lambda path: path.symlink_to("/dev/zero")), "refused"),
    ("chat that is a picture", _chat("shot.xml", _picture), "refused"),
)  # fmt: skip

PATHS: tuple[Case, ...] = tuple(Case("names, links and devices", *told) for told in _PATHS)
