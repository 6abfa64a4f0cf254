"""Bytes of unknown encoding to text, without ever refusing: what can't be told is replaced, and a note says so."""

from collections.abc import Callable

_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_LOOKED_AT_BYTES = 4096
_CONTROLS = dict.fromkeys((*range(9), 11, *range(14, 32), 127, 0xFEFF))


def decoded_text(content: bytes, note: Callable[[str], None], charset: str | None = None) -> str:
    """Text with line feeds for line ends and without control characters. `charset`: what the file itself says, tried first.

    `note` is told the code of what is wrong with it.
    """
    text = _decoded(content, charset)
    if text is None:
        text = content.decode("utf-8", "replace")
        note("not_all_text")
    if "\x00" in text:
        note("control_characters")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0c", "\n").translate(_CONTROLS)


def looks_like_text(content: bytes) -> bool:
    """Whether a beginning is text in an encoding that is known."""
    head = content[:_LOOKED_AT_BYTES]
    text = next((found for cut in range(4) if (found := _decoded(head[: len(head) - cut], None)) is not None), None)
    return text is not None and sum(letter < " " and letter not in "\t\r\n\x0c\x00" for letter in text) <= len(text) // 50


def _decoded(content: bytes, charset: str | None) -> str | None:
    marked = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    if marked is not None:
        # A mark settles it, also where the last character is cut.
        return content.decode(marked, "replace")
    for encoding in (charset, _unmarked_utf16(content), "utf-8", "gb18030", "big5"):
        if encoding:
            try:
                return content.decode(encoding)
            except (UnicodeDecodeError, LookupError, ValueError):
                continue
    return None


def _unmarked_utf16(content: bytes) -> str | None:
    """UTF-16 without a mark, told by NULs in every other byte, as ASCII among it leaves them."""
    head = content[:_LOOKED_AT_BYTES]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > 8 * max(1, even) and odd * 10 > len(head):
        return "utf-16-le"
    if even > 8 * max(1, odd) and even * 10 > len(head):
        return "utf-16-be"
    return None
