"""Damaged and hostile papers, made by script: name → (bytes, the code of the note that they must give, None where any will do)."""

import gzip
import io
import json
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator

from tests.transcribe import written_papers as papers

Hostile = tuple[str, bytes, str | None]
ENTITIES = (
    '<?xml version="1.0"?><!DOCTYPE w:document [<!ENTITY a "haha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{("&" + chr(97 + n) + ";") * 10}">' for n in range(12))
    + f"]><w:document {papers.W}><w:body><w:p><w:r><w:t>&m;</w:t></w:r></w:p></w:body></w:document>"
)
OUTSIDE = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    f"<w:document {papers.W}><w:p><w:t>&e;</w:t></w:p></w:document>"
)


def hostile_papers() -> list[Hostile]:
    return [*_cut(), *_pdfs(), *_pictures(), *_packed(), *_texts(), *_others()]


def _cut() -> Iterator[Hostile]:
    """Everything broken off, at several places."""
    whole = {
        "pdf": papers.pdf_bytes(papers.CONTRACT),
        "xlsx": papers.xlsx_bytes(),
        "docx": papers.docx_bytes(),
        "png": papers.picture_bytes(("质保",), size=(200, 100)),
        "jpeg": papers.picture_bytes(("质保",), "JPEG", size=(200, 100)),
        "webp": papers.picture_bytes(("质保",), "WEBP", size=(200, 100)),
        "tiff": papers.picture_bytes(("质保",), "TIFF", size=(200, 100)),
    }
    for kind, content in whole.items():
        for share in (0.02, 0.4, 0.9):
            yield f"{kind} cut at {share:.0%}", content[: max(24, int(len(content) * share))], None


def _pdf(objects: list[bytes], trailer: bytes = b"") -> bytes:
    out, at = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, 1):
        at.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % each for each in at)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<</Size %d/Root 1 0 R%s>>\n" % (len(at) + 1, table, len(at) + 1, trailer)
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % start)


def _page(box: bytes, content: bytes = b"") -> list[bytes]:
    packed = zlib.compress(content)
    stream = b"<</Length %d/Filter/FlateDecode>>\nstream\n%s\nendstream" % (len(packed), packed)
    font = b"<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>"
    page = b"<</Type/Page/Parent 2 0 R/MediaBox%s/Contents 4 0 R/Resources<</Font%s>>>>" % (box, font)
    return [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>", page, stream]


def _pdfs() -> Iterator[Hostile]:
    one = _page(b"[0 0 200 200]", b"BT /F1 12 Tf (warranty of three years applies) Tj ET")
    yield (
        "pdf locked with a password",
        _pdf(one, b"/Encrypt<</Filter/Standard/V 1/R 2/P -4/O(%s)/U(%s)>>/ID[(a)(b)]" % (b"o" * 32, b"u" * 32)),
        "encrypted",
    )
    yield "pdf of nothing but a head", b"%PDF-1.7\n" + bytes(200), "damaged"
    yield "pdf head and noise", b"%PDF-1.7\n" + random.Random(7).randbytes(4000), "damaged"
    yield "pdf whose pages name themselves", _pdf([one[0], b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 2>>"]), None
    yield "pdf that says it has a million pages", _pdf([one[0], b"<</Type/Pages/Kids[3 0 R]/Count 1000000>>", *one[2:]]), None
    yield "pdf page a thousand kilometres wide", _pdf(_page(b"[0 0 9999999999 9999999999]")), None
    yield "pdf page of no size", _pdf(_page(b"[0 0 0 0]")), None
    yield "pdf page with a minus size", _pdf(_page(b"[500 500 -500 -500]")), None
    yield "pdf stream that unpacks to 100 MB", _pdf(_page(b"[0 0 200 200]", b" " * (100 << 20))), None
    yield "pdf picture of 60000 by 60000", _pdf(_huge_picture()), None
    yield "pdf after junk", b"junk before it\n" + papers.pdf_bytes(papers.CONTRACT), None


def _huge_picture() -> list[bytes]:
    one = _page(b"[0 0 200 200]", b"200 0 0 200 0 0 cm /I Do")
    image = (
        b"<</Type/XObject/Subtype/Image/Width 60000/Height 60000/BitsPerComponent 8/ColorSpace/DeviceRGB/Length 1>>\nstream\n0\nendstream"
    )
    return [*one[:2], one[2].replace(b"/Resources<<", b"/Resources<</XObject<</I 5 0 R>>"), one[3], image]


def _png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    made = b"\x89PNG\r\n\x1a\n"
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    for kind, body in ((b"IHDR", head), *chunks, (b"IEND", b"")):
        made += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return made


def _pictures() -> Iterator[Hostile]:
    yield "png that says 60000 by 60000", _png(60000, 60000, (b"IDAT", zlib.compress(bytes(1000)))), "too_many_pixels"
    yield "png of 9000 by 9000 out of 80 kB", _png(9000, 9000, (b"IDAT", zlib.compress(bytes((9000 * 3 + 1) * 9000), 9))), None
    yield (
        "png whose text unpacks to 64 MB",
        _png(10, 10, (b"zTXt", b"a\0\0" + zlib.compress(bytes(64 << 20))), (b"IDAT", zlib.compress(bytes(310)))),
        None,
    )
    yield "png without pixels", _png(100, 100), "damaged"
    yield "png of no size", _png(0, 0, (b"IDAT", zlib.compress(b""))), "damaged"
    yield (
        "jpeg head that says 65500 by 65500",
        b"\xff\xd8\xff\xc0\x00\x11\x08\xff\xdc\xff\xdc\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01\xff\xd9",
        None,
    )
    yield (
        "gif of 65535 by 65535",
        b"GIF89a" + struct.pack("<HH", 65535, 65535) + b"\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\xff\xff\xff\xff\0\x02\x02D\x01\0;",
        "too_many_pixels",
    )
    yield (
        "bmp of minus two milliards",
        b"BM" + struct.pack("<IHHIIiiHHIIiiII", 58, 0, 0, 54, 40, 2**31 - 1, -(2**31) + 1, 1, 24, 0, 0, 0, 0, 0, 0),
        None,
    )
    yield "tiff whose directory names itself", b"II*\0\x08\0\0\0\x01\0\x00\x01\x04\0\x01\0\0\0\x10\0\0\0\x08\0\0\0", "damaged"
    yield "heic of nothing but a head", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(500), "damaged"


def _lying_zip() -> bytes:
    """Says of a member that it unpacks to 10 bytes, and it unpacks to 80 MB."""
    content = papers.zipped({"[Content_Types].xml": papers.CT, "word/document.xml": b"<a>" + b" " * (80 << 20)})
    return content.replace(struct.pack("<I", (80 << 20) + 3), struct.pack("<I", 10))


def _packed() -> Iterator[Hostile]:
    sheet = "<worksheet><sheetData>" + "<row><c><v>0</v></c></row>" * 3_000_000
    yield (
        "workbook that unpacks to 500 times its size",
        papers.zipped({"xl/worksheets/sheet1.xml": sheet, "xl/workbook.xml": "<workbook/>"}),
        "too_packed",
    )
    yield "document that lies about its size", _lying_zip(), None
    yield (
        "document of ten thousand members",
        papers.zipped({"word/document.xml": "<a/>", **{f"word/{n}": "" for n in range(10_000)}}),
        "too_packed",
    )
    yield "document with a bomb of entities", papers.zipped({"word/document.xml": ENTITIES}), "entities"
    yield "document that reads a file of the machine", papers.zipped({"word/document.xml": OUTSIDE}), "entities"
    yield (
        "document with entities in UTF-16",
        papers.zipped({"word/document.xml": ENTITIES.replace("1.0", '1.0" encoding="UTF-16').encode("utf-16")}),
        "entities",
    )
    yield "workbook with a document type", papers.zipped({"xl/workbook.xml": ENTITIES, "xl/worksheets/sheet1.xml": "<a/>"}), "entities"
    yield "document without a body", papers.zipped({"word/styles.xml": "<a/>"}), "damaged"
    yield "document nested a hundred thousand deep", papers.docx_bytes("<w:p>" * 100_000), None
    yield (
        "document with names that climb out",
        papers.zipped({"../../etc/x": "x", "/abs": "x", "word/document.xml": f"<w:p {papers.W}/>"}),
        None,
    )
    yield "document whose body is no xml", papers.docx_bytes(document="\0\1\2 not xml <<<<"), "damaged"
    yield "workbook without a workbook", papers.zipped({"xl/x": "y"}), "damaged"
    yield "slides without slides", papers.zipped({"ppt/x": "y"}), "damaged"
    locked = bytearray(papers.docx_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = locked.find(mark)
        while at >= 0:
            locked[at + offset] |= 1
            at = locked.find(mark, at + 1)
    yield "document locked with a password", bytes(locked), "encrypted"
    yield "zip in a zip in a zip", papers.zipped({"a.zip": papers.zipped({"b.zip": papers.zipped({"c": b"0" * 1000})})}), "no_text"
    yield "document packed by a method nobody knows", _method_99(), "damaged"


def _method_99() -> bytes:
    made = bytearray(papers.docx_bytes())
    for mark, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        at = made.find(mark)
        while at >= 0:
            made[at + offset] = 99
            at = made.find(mark, at + 1)
    return bytes(made)


def _texts() -> Iterator[Hostile]:
    yield "NULs and nothing else", bytes(5000), None
    yield "text with NULs in it", "质保\0三年\n".encode() * 50, None
    yield (
        "half of a surrogate pair in JSON",
        b'[{"role": "user", "content": "\\ud800 a"}, {"role": "assistant", "content": "b\\udfff \\u0000"}]',
        None,
    )
    yield "JSON nested a hundred thousand deep", b"[" * 100_000 + b"]" * 100_000, None
    yield (
        "a talk nested a thousand deep",
        json.dumps({"role": "user", "content": "x"}).encode() + b"\n" + b'{"messages":' * 900 + b"1" + b"}" * 900,
        None,
    )
    yield "one line of 20 MB", b"a" * (20 << 20), "more_text"
    yield "numbers of a million digits", b'{"a": ' + b"9" * 1_000_000 + b"}", None
    yield "a quote left open", b'a,b\n1,2\n"open,3\n4,5\n' * 3 + b'"' + b"x" * 2_000_000, None
    yield "a cell of 3 MB", b"a,b\n" + b"x" * 3_000_000 + b",1\n", None
    yield "mail nested a thousand deep", b"From: a\nSubject: b\nMIME-Version: 1.0\n" + b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(1000)
    ), None  # fmt: skip
    yield (
        "mail in a charset that isn't",
        b"From: a\nSubject: =?x-klingon?B?////?=\nContent-Type: text/plain; charset=x-klingon\n\n\xff\xfe\xfd",
        None,
    )
    yield "mail of broken base64", b"From: a\nSubject: b\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n!!!!%%%\n", None
    yield "a page of two hundred thousand open tags", b"<html><body>" + b"<div><p>" * 100_000 + b"x", None
    yield "a page of open brackets", b"<html>" + b"<" * 50_000, None
    yield "a page that is all one comment", b"<html><!--" + b"-" * 2_000_000, None
    yield "UTF-32", "质保三年\n".encode("utf-32"), None
    yield "UTF-16 cut in the middle of a letter", "质保三年".encode("utf-16")[:-1], None
    yield "bytes of no encoding", b"warranty \xff\xfe\x80\x80 three years\n" * 100, None


def _others() -> Iterator[Hostile]:
    yield "noise", random.Random(11).randbytes(50_000), None
    yield "a program", b"\x7fELF\x02\x01\x01" + random.Random(3).randbytes(5000), None
    yield "a gzip bomb", gzip.compress(bytes(50 << 20)), None
    yield "an old Word file", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000), "old_office"
    yield "sound", b"RIFF\x24\0\0\0WAVEfmt " + bytes(100), "no_text"
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        packed.writestr("photo.jpg", b"x")
    yield "a zip of photos", made.getvalue(), "no_text"
