"""HTML as a reader of the page sees it: its text, a line a block. Nothing is fetched and no script is run."""

import re
from html.parser import HTMLParser
from pathlib import Path

from transcribe.record_text.frames import Sink
from transcribe.record_text.limits import ReadLimits
from transcribe.record_text.plain_text import read_lines
from transcribe.record_text.text_decoding import decoded_text

_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE)
_BLOCKS = frozenset(
    (
        *("address", "article", "aside", "blockquote", "br", "dd", "details", "div", "dl", "dt", "fieldset", "figcaption", "figure"),
        *("footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "option", "p", "pre"),
        *("section", "summary", "table", "title", "tr", "ul"),
    )
)
_UNSEEN = frozenset(("script", "style", "template", "noscript", "head"))
_CELLS = frozenset(("td", "th"))


class WebPage:
    """Places: line, from 1, of the text that remains."""

    name, engine = "web_page", "html.parser"

    def read(self, path: Path, limits: ReadLimits, sink: Sink) -> None:
        content = path.read_bytes()
        declared = _CHARSET.search(content[:4096])
        read_lines(text_of_html(decoded_text(content, sink.note, declared[1].decode("ascii") if declared else None)), sink)


def text_of_html(html: str) -> str:
    """The text of a page, blocks on lines of their own, cells parted by tabs."""
    seen = _Seen()
    seen.feed(html)
    seen.close()
    lines = (" ".join(line.replace("\t", " \t ").split(" ")).strip() for line in "".join(seen.texts).split("\n"))
    return "\n".join(re.sub(r" *\t *", "\t", re.sub(r" {2,}", " ", line)).strip() for line in lines if line.strip())


class _Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self._unseen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN and tag != "head":
            self._unseen.append(tag)
        elif tag in _BLOCKS:
            self.texts.append("\n")
        elif tag in _CELLS:
            self.texts.append("\t")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._unseen:
            while self._unseen.pop() != tag:
                pass
        elif tag in _BLOCKS:
            self.texts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.texts.append(re.sub(r"\s+", " ", data))
