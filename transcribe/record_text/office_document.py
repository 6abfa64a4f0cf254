"""Word documents (.docx) and slides (.pptx): the paragraphs in their XML, without anything of Word's own being run."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from transcribe.record_text.frames import Sink, Unreadable
from transcribe.record_text.limits import ReadLimits
from transcribe.record_text.packed import open_packed, xml_elements

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_W_STRICT = "{http://purl.oclc.org/ooxml/wordprocessingml/main}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_SLIDE = re.compile(r"ppt/slides/slide(\d{1,6})\.xml")
# Parts of a Word document beside its body, and what a place calls them.
_SECTIONS = (
    (re.compile(r"word/document\.xml"), ""),
    (re.compile(r"word/header\d*\.xml"), "header"),
    (re.compile(r"word/footer\d*\.xml"), "footer"),
    (re.compile(r"word/footnotes\.xml"), "footnote"),
    (re.compile(r"word/endnotes\.xml"), "endnote"),
    (re.compile(r"word/comments\.xml"), "comment"),
)


class WordDocument:
    """Places: paragraph, from 1; section where it isn't the body (header, footer, footnote, endnote, comment)."""

    name, engine, engine_version = "document", "lxml", etree.__version__

    def read(self, path: Path, limits: ReadLimits, sink: Sink) -> None:
        with open_packed(path, limits) as packed:
            names = packed.namelist()
            if "word/document.xml" not in names:
                raise Unreadable("damaged", what="word/document.xml")
            for pattern, section in _SECTIONS:
                for name in sorted(name for name in names if pattern.fullmatch(name)):
                    _read_part(packed, name, section, limits, sink)


def _read_part(packed: zipfile.ZipFile, name: str, section: str, limits: ReadLimits, sink: Sink) -> None:
    number = 0
    for element in xml_elements(packed, name, limits, (_W + "p", _W_STRICT + "p")):
        # A paragraph inside another, as in a text box, has been given by itself, and its text is gone from here.
        text = "".join(_words(element))
        number += 1
        sink.piece({"section": section, "paragraph": number} if section else {"paragraph": number}, text)
        if section == "" and any(each.tag.endswith("}delText") for each in element.iter()):
            sink.note("deleted_text")
        element.clear()
    if section == "":
        sink.read["paragraphs"] = number


def _words(paragraph: etree._Element) -> Iterator[str]:
    for each in paragraph.iter():
        tag = each.tag.rpartition("}")[2] if isinstance(each.tag, str) else ""
        if tag == "t" and each.text:
            yield each.text
        elif tag == "tab":
            yield "\t"
        elif tag in ("br", "cr"):
            yield "\n"


class Slides:
    """Places: slide and paragraph, from 1."""

    name, engine, engine_version = "slides", "lxml", etree.__version__

    def read(self, path: Path, limits: ReadLimits, sink: Sink) -> None:
        with open_packed(path, limits) as packed:
            found = sorted((int(match[1]), name) for name in packed.namelist() if (match := _SLIDE.fullmatch(name)))
            if not found:
                raise Unreadable("damaged", what="ppt/slides")
            sink.read["pages"] = len(found)
            for slide, name in found[: limits.max_pages]:
                for number, element in enumerate(xml_elements(packed, name, limits, (_A + "p",)), 1):
                    words = (each.text for each in element.iter(_A + "t") if each.text)
                    sink.piece({"slide": slide, "paragraph": number}, "".join(words))
                    element.clear()
            if len(found) > limits.max_pages:
                sink.note("more_pages", pages=limits.max_pages)
