"""PDF: the text that stands in it, page by page; pages without any are drawn and read by OCR."""

import math
import re
from pathlib import Path

import pypdfium2  # type: ignore[import-untyped]
import pypdfium2.raw as pdfium  # type: ignore[import-untyped]
from pypdfium2.version import PYPDFIUM_INFO  # type: ignore[import-untyped]

from transcribe.record_text.frames import EnoughRead, Sink, Unreadable
from transcribe.record_text.limits import PICTURE_SIDE_PX, ReadLimits
from transcribe.record_text.pictures import TALL, show_picture

# A page with less text than this that has a picture on it is a scan with a stamp or a page number over it.
SCANNED_MAX_CHARS = 20
DRAWN_MAX_PIXELS = 24_000_000
OBJECTS_LOOKED_AT = 500
_DISORDERED = re.compile(r"[\ufffd\ue000-\uf8ff\x00-\x08\x0e-\x1f\ufffe\uffff]")


class Pdf:
    """Places: page and line of the text in it, page and box of what OCR found; pages and lines count from 1."""

    name, engine = "pdf", "pypdfium2"

    @property
    def engine_version(self) -> str:
        return f"{PYPDFIUM_INFO}"

    def read(self, path: Path, limits: ReadLimits, sink: Sink) -> None:
        try:
            document = pypdfium2.PdfDocument(path)
        except pypdfium2.PdfiumError as error:
            raise Unreadable("encrypted" if error.err_code == pdfium.FPDF_ERR_PASSWORD else "damaged", what="pdf") from error
        pages, drawn = len(document), list[int]()
        sink.read.update(pages=pages, ocr_pages=drawn)
        if pages == 0:
            raise Unreadable("damaged", what="pdf")
        for number in range(1, min(pages, limits.max_pages) + 1):
            try:
                if _read_page(document, number, sink):
                    drawn.append(number)
            except pypdfium2.PdfiumError:
                sink.note("page_damaged", page=number)
        if pages > limits.max_pages:
            sink.note("more_pages", pages=limits.max_pages)
            raise EnoughRead


def _read_page(document: pypdfium2.PdfDocument, number: int, sink: Sink) -> bool:
    """Whether the page was given to OCR."""
    page = document[number - 1]
    try:
        text = _text_of(page)
        plain = "".join(text.split())
        if plain and len(_DISORDERED.findall(plain)) * 4 <= len(plain) and not (len(plain) < SCANNED_MAX_CHARS and _has_picture(page)):
            for line, words in enumerate(text.split("\n"), 1):
                sink.piece({"page": number, "line": line}, _DISORDERED.sub("", words))
            return False
        if not sink.may_show():
            return False
        width, height = page.get_size()
        if not (width > 0 and height > 0):
            raise pypdfium2.PdfiumError("a page without a size")
        bitmap = page.render(scale=_scale(width, height), may_draw_forms=False)
        show_picture(bitmap.to_pil().convert("RGB"), {"page": number}, sink)
        return True
    finally:
        page.close()


def _text_of(page: pypdfium2.PdfPage) -> str:
    textpage = page.get_textpage()
    try:
        # By bounds, because by range text outside the basic plane, such as rare names, is lost.
        return str(textpage.get_text_bounded()).replace("\r\n", "\n").replace("\r", "\n")
    finally:
        textpage.close()


def _has_picture(page: pypdfium2.PdfPage) -> bool:
    for count, each in enumerate(page.get_objects(max_depth=3)):
        if each.type == pdfium.FPDF_PAGEOBJ_IMAGE:
            return True
        if count > OBJECTS_LOOKED_AT:
            return False
    return False


def _scale(width: float, height: float) -> float:
    """Pixels a point: the page fits what OCR takes; a very tall or wide one has its short side fit and is read in pieces."""
    longer, shorter = max(width, height), min(width, height)
    scale = PICTURE_SIDE_PX * 0.6 / shorter if longer > TALL * shorter else PICTURE_SIDE_PX / longer
    return min(scale, math.sqrt(DRAWN_MAX_PIXELS / (width * height)), 16.0)
