"""ZIP files looked at before anything in them is unpacked, and the XML in them read without document types and entities."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from lxml import etree

from transcribe.record_text.frames import Unreadable
from transcribe.record_text.limits import MEMBERS_MAX, ReadLimits

_SMALL_BYTES = 1 << 20
_PIECE_BYTES = 1 << 16


def open_packed(path: Path, limits: ReadLimits) -> zipfile.ZipFile:
    """An opened ZIP whose members keep to the limits. Unreadable for bombs, encryption and what is no whole ZIP."""
    try:
        packed = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, EOFError, OverflowError) as error:
        raise Unreadable("damaged", what="zip") from error
    members = packed.infolist()
    if len(members) > MEMBERS_MAX:
        raise Unreadable("too_packed", what="members")
    if any(member.flag_bits & 1 for member in members):
        raise Unreadable("encrypted")
    # Sizes are what the directory says; `Unpacked` counts what really comes.
    if sum(member.file_size for member in members) > limits.unpacked_max_bytes:
        raise Unreadable("too_packed", what="size")
    for member in members:
        if member.file_size > _SMALL_BYTES and member.file_size > limits.unpacked_max_ratio * max(1, member.compress_size):
            raise Unreadable("too_packed", what="ratio")
    return packed


class Unpacked:
    """A member's bytes, counted as they come, so that a directory that lies about sizes is found out."""

    def __init__(self, stream: IO[bytes], most: int) -> None:
        self._stream = stream
        self._left = most

    def read(self, count: int = -1) -> bytes:
        piece = self._stream.read(min(count, _PIECE_BYTES) if count > 0 else _PIECE_BYTES)
        self._left -= len(piece)
        if self._left < 0:
            raise Unreadable("too_packed", what="size")
        return piece


def xml_elements(packed: zipfile.ZipFile, name: str, limits: ReadLimits, wanted: tuple[str, ...]) -> Iterator[etree._Element]:
    """Elements whose tag is one of `wanted`, each whole, in the order of their ends. Unreadable where a document type is declared.

    What was read before damage comes first; the damage is raised after it.
    """
    check_no_doctype(packed, name, limits)
    try:
        with packed.open(name) as stream:
            parsed = etree.iterparse(
                Unpacked(stream, limits.unpacked_max_bytes), events=("end",), tag=wanted, resolve_entities=False, no_network=True,
                load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True,
            )  # fmt: skip
            for _, element in parsed:
                yield element
    except (etree.XMLSyntaxError, zipfile.BadZipFile, NotImplementedError, OSError, EOFError, ValueError, RuntimeError) as error:
        raise Unreadable("damaged", what=name[:100]) from error
    except Exception as error:
        if type(error).__module__ == "zlib":
            raise Unreadable("damaged", what=name[:100]) from error
        raise


def check_no_doctype(packed: zipfile.ZipFile, name: str, limits: ReadLimits) -> None:
    """Office documents declare no document type, and entities can be made to explode."""
    tail = b""
    try:
        with packed.open(name) as stream:
            unpacked = Unpacked(stream, limits.unpacked_max_bytes)
            while piece := unpacked.read():
                seen = (tail + piece).replace(b"\x00", b"")
                if b"<!DOCTYPE" in seen or b"<!ENTITY" in seen:
                    raise Unreadable("entities")
                tail = piece[-32:]
    except (zipfile.BadZipFile, NotImplementedError, OSError, EOFError, ValueError, RuntimeError, KeyError) as error:
        raise Unreadable("damaged", what=name[:100]) from error
    except Exception as error:
        if type(error).__module__ == "zlib":
            raise Unreadable("damaged", what=name[:100]) from error
        raise
