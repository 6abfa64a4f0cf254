"""Papers of a case, from order to sign-off: taken in unchanged and hashed, told apart by their content, never deleted.

Whoever sends a file may call it anything, so what it is goes by its first bytes. What a paper leaves the archive as, if at all:

    original    as it was taken in: pictures, PDF, sound and video, office documents, whatever holds no text that can be masked here
    masked      text without its people (`archive.masked_text`), for every text, and for every IM log, whose people are not this case's
    withheld    its digest alone: marked so, an IM log in a form that can't be read as text, or a call: of that, moments are cut as clips
    withdrawn   its digest alone, with who took it back; the reason stays here
"""

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, TypeAlias

from archive.case import Attachment
from archive.errors import InvalidCase, TooLarge
from archive.recording import Recording
from archive.timeline import WallTime

if TYPE_CHECKING:
    from archive.opening import Archive

CALL, ASSISTANT = "call", "assistant"
KINDS = ("im_log", "outbound", "inspection", "logistics", "sign_off", "photo", "document", ASSISTANT, "other")
"""聊天记录 · 出库 · 检验 · 物流 · 签收 · 照片 · 文件 · 与 AI 助手的对话 · 其他；通话录像另经录像入口"""

GivenAs: TypeAlias = Literal["original", "masked", "withheld", "withdrawn"]

SNIFFED_BYTES = 64 << 10
TITLE_MAX_CHARS, NAME_MAX_CHARS = 500, 255

# Bytes at an offset, and what a file that has them there is.
_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF8", "image/gif"),
    (0, b"BM", "image/bmp"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (8, b"AVI ", "video/x-msvideo"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypheix", "image/heic"),
    (4, b"ftypmif1", "image/heic"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftyp", "video/mp4"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"OggS", "audio/ogg"),
    (0, b"\x1aE\xdf\xa3", "video/x-matroska"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
)
ENDINGS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/bmp": "bmp",
    "image/tiff": "tif",
    "image/webp": "webp",
    "image/heic": "heic",
    "audio/wav": "wav",
    "audio/mp4": "m4a",
    "audio/mpeg": "mp3",
    "audio/amr": "amr",
    "audio/ogg": "ogg",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/x-msvideo": "avi",
    "video/x-matroska": "mkv",
    "application/pdf": "pdf",
    "application/zip": "zip",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/json": "json",
    "text/csv": "csv",
    "text/plain": "txt",
}
"""Media types that are told apart, with the ending a file of each has in a package."""

_OFFICE = {"xl/": "spreadsheetml.sheet", "word/": "wordprocessingml.document", "ppt/": "presentationml.presentation"}
TEXTS = ("text/plain", "text/csv", "application/json")


def attach(
    archive: "Archive",
    case_id: str,
    content: BinaryIO,
    file_name: str,
    kind: str,
    actor: str,
    *,
    title: str = "",
    purpose: str = "",
    withheld: bool = False,
) -> Attachment:
    """Take a paper into a case: its bytes into the object store as they are, a row and a custody entry. The same bytes again stand once.

    `content` is seekable. NotFound for an unknown case, InvalidCase for an unknown kind, an empty file or overlong words, TooLarge over
    LIVEPROOF_ATTACHMENT_MAX_BYTES, StorageFull.
    """
    case = archive.cases.case(case_id)
    if kind not in KINDS:
        raise InvalidCase(f"an attachment is one of {', '.join(KINDS)}, not {kind[:40]!r}")
    name = Path(file_name.replace("\\", "/")).name[-NAME_MAX_CHARS:] or "unnamed"
    _check_words(title, purpose)
    size, longest = content.seek(0, 2), archive.settings.attachment_max_bytes
    if size > longest:
        raise TooLarge(f"{name} has {size} bytes, and an attachment may have {longest} (LIVEPROOF_ATTACHMENT_MAX_BYTES)")
    if size == 0:
        raise InvalidCase(f"{name} is empty: attach the file itself")
    content.seek(0)
    media_type = sniff(content)
    content.seek(0)
    digest, size = archive.store.put(content, archive.retention.first_lock())
    draft = Attachment(0, kind, title or name, purpose, digest, size, name, media_type, withheld, WallTime(0), actor)
    added = archive.cases.add_attachment(case.id, draft)
    archive.retention.secure("case", case.id, actor)
    return added


def attach_file(
    archive: "Archive", case_id: str, path: Path, kind: str, actor: str, *, title: str = "", purpose: str = "", withheld: bool = False
) -> Attachment:
    """The same from a file. InvalidCase names a file that can't be read."""
    try:
        content = path.open("rb")
    except OSError as error:
        raise InvalidCase(f"{path} can't be read: {error.strerror}") from error
    with content:
        return attach(archive, case_id, content, path.name, kind, actor, title=title, purpose=purpose, withheld=withheld)


def attach_call(
    archive: "Archive",
    case_id: str,
    recording: Recording,
    file_name: str,
    actor: str,
    *,
    title: str = "",
    purpose: str = "",
    withheld: bool = False,
) -> Attachment:
    """Note a video call of the case that was admitted as a recording, by its one part. InvalidCase for a recording that is no call."""
    if recording.kind != CALL or len(recording.parts) != 1:
        raise InvalidCase(f"recording {recording.id} is a live session, no call: rest the case on a moment of it instead")
    part = recording.parts[0]
    _check_words(title, purpose)
    with archive.store.open(part.digest) as content:
        media_type = sniff_media(content.read(SNIFFED_BYTES))
    name = Path(file_name).name[-NAME_MAX_CHARS:]
    paper = Attachment(0, CALL, title or name, purpose, part.digest, part.size_bytes, name, media_type, withheld, WallTime(0), actor)
    draft = replace(paper, recording_id=recording.id)
    added = archive.cases.add_attachment(case_id, draft)
    archive.retention.secure("case", case_id, actor)
    return added


def sniff_media(first: bytes) -> str:
    """Media type of sound or video by its first bytes; application/octet-stream where they are not among ENDINGS."""
    found = (media_type for offset, mark, media_type in _MAGIC if first[offset : offset + len(mark)] == mark)
    return next((each for each in found if each.startswith(("audio/", "video/"))), "application/octet-stream")


def sniff(content: BinaryIO) -> str:
    """Media type by content: one of ENDINGS, or application/octet-stream. Reads the first 64 KiB, of a ZIP its directory."""
    first = content.read(SNIFFED_BYTES)
    if first.startswith(b"PK\x03\x04"):
        return _sniff_zip(content)
    for offset, mark, media_type in _MAGIC:
        if first[offset : offset + len(mark)] == mark and (media_type not in ("image/webp", "audio/wav") or first.startswith(b"RIFF")):
            return media_type
    return _sniff_text(first, whole=len(first) < SNIFFED_BYTES)


def given_as(attachment: Attachment) -> GivenAs:
    """What of a paper goes into a package."""
    if attachment.withdrawn_at is not None:
        return "withdrawn"
    if attachment.withheld or attachment.kind == CALL:
        return "withheld"
    if attachment.media_type in TEXTS:
        return "masked"
    return "withheld" if attachment.kind == "im_log" else "original"


def _check_words(title: str, purpose: str) -> None:
    for field, text in (("title", title), ("purpose", purpose)):
        if len(text) > TITLE_MAX_CHARS:
            raise InvalidCase(f"{field} has {len(text)} characters, and at most {TITLE_MAX_CHARS} are kept")


def decoded(content: bytes) -> str | None:
    """Text from bytes, in UTF-8, in UTF-16 with a mark, or in GB 18030; None for what is no text."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[str, ...] = ("utf-16",)
    elif b"\0" in content:
        return None
    else:
        encodings = ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        # Control characters are no text, whatever a lenient encoding makes of them.
        return None if any(letter < " " and letter not in "\t\r\n\f" for letter in text) else text
    return None


def _sniff_zip(content: BinaryIO) -> str:
    content.seek(0)
    try:
        with zipfile.ZipFile(content) as opened:
            names = opened.namelist()[:1000]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return "application/octet-stream"
    kind = next((kind for folder, kind in _OFFICE.items() if any(name.startswith(folder) for name in names)), None)
    return f"application/vnd.openxmlformats-officedocument.{kind}" if kind else "application/zip"


def _sniff_text(first: bytes, *, whole: bool) -> str:
    # The last character may be cut in two.
    text = next((found for cut in range(4) if (found := decoded(first[: len(first) - cut] if cut else first)) is not None), None)
    if text is None or (whole and decoded(first) is None):
        return "application/octet-stream"
    if text.lstrip()[:1] in ("{", "[") and (not whole or _is_json(text)):
        return "application/json"
    lines = [line for line in io.StringIO(text).read().splitlines()[:20] if line.strip()]
    for separator in (",", "\t", ";"):
        counts = {line.count(separator) for line in lines[:5]}
        if len(lines) > 1 and len(counts) == 1 and min(counts) > 0:
            return "text/csv"
    return "text/plain"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        lines = [line for line in text.splitlines() if line.strip()]
        try:
            return len(lines) > 1 and all(isinstance(json.loads(line), dict) for line in lines)
        except (ValueError, RecursionError):
            return False
    return True
