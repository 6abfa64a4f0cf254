"""Which reader a record is for, by its media type and its first bytes; never by its name. Readers are imported when they are needed."""

import re
from pathlib import Path
from typing import Protocol

from transcribe.record_text.frames import Sink, Unreadable
from transcribe.record_text.limits import ReadLimits
from transcribe.record_text.text_decoding import looks_like_text

HEAD_BYTES = 64 << 10
TALK_MAX_BYTES = 64 << 20
OFFICE = "application/vnd.openxmlformats-officedocument."
_MAIL = re.compile(rb"(?:(?:[A-Za-z][A-Za-z0-9-]{0,60}:[^\n]{0,2000}\n|[ \t][^\n]{0,2000}\n)){2,}")
_MAIL_FIELDS = (b"from:", b"subject:", b"date:", b"received:", b"mime-version:", b"message-id:", b"to:")
_HTML = re.compile(rb"\s*(?:<!--.{0,2000}?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)


class RecordReader(Protocol):
    """Reads one kind of record inside the process that may be killed for it; `name` is the format, `engine` what reads it."""

    @property
    def name(self) -> str: ...
    @property
    def engine(self) -> str: ...

    def read(self, path: Path, limits: ReadLimits, sink: Sink) -> None:
        """Pieces, notes and pictures into `sink`, in reading order. Unreadable, or EnoughRead where a limit is met."""
        ...


def reader_for(path: Path, media_type: str) -> RecordReader:
    """The reader of a record. Unreadable where it holds no text that is known to be read: sound, video, programs, other containers."""
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    if b"%PDF-" in head[:1024]:
        from transcribe.record_text.pdf import Pdf

        return Pdf()
    if media_type.startswith("image/"):
        from transcribe.record_text.pictures import Picture

        return Picture()
    if media_type.startswith(OFFICE):
        return _office_reader(media_type)
    if media_type == "application/x-ole-storage":
        raise Unreadable("old_office")
    if media_type.startswith(("text/", "application/json")) or (media_type == "application/octet-stream" and looks_like_text(head)):
        return _text_reader(path, head, media_type)
    raise Unreadable("no_text")


def _office_reader(media_type: str) -> RecordReader:
    if media_type == OFFICE + "spreadsheetml.sheet":
        from transcribe.record_text.workbook import Workbook

        return Workbook()
    from transcribe.record_text.office_document import Slides, WordDocument

    return WordDocument() if media_type == OFFICE + "wordprocessingml.document" else Slides()


def _text_reader(path: Path, head: bytes, media_type: str) -> RecordReader:
    from transcribe.record_text.delimited import Delimited
    from transcribe.record_text.dialogue import Dialogue, JsonText
    from transcribe.record_text.mail import Mail
    from transcribe.record_text.plain_text import PlainText
    from transcribe.record_text.web_page import WebPage

    if _HTML.match(head.removeprefix(b"\xef\xbb\xbf")):
        return WebPage()
    fields = _MAIL.match(head.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n"))
    if fields and sum(b"\n" + field in b"\n" + fields[0].lower() for field in _MAIL_FIELDS) >= 2:
        return Mail()
    if path.stat().st_size <= TALK_MAX_BYTES and _is_talk(path):
        return Dialogue()
    if media_type == "text/csv":
        return Delimited()
    return JsonText() if media_type == "application/json" else PlainText()


def _is_talk(path: Path) -> bool:
    from transcribe.record_text.dialogue import turns_in
    from transcribe.record_text.text_decoding import decoded_text

    return bool(turns_in(decoded_text(path.read_bytes(), lambda _: None)))
