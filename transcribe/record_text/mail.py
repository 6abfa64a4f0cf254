"""Mail (.eml): who, when, subject, and the text; the plain one where there are both. What is attached to it is named, not read."""

import email
import email.policy
from email.errors import MessageError
from email.message import EmailMessage
from pathlib import Path

from transcribe.record_text.frames import Sink, Unreadable
from transcribe.record_text.limits import ReadLimits
from transcribe.record_text.text_decoding import decoded_text
from transcribe.record_text.web_page import text_of_html

HEADERS = ("Subject", "From", "To", "Cc", "Date")
PARTS_MAX = 500


class Mail:
    """Places: section (subject, from, to, cc, date, body), line within it."""

    name, engine = "mail", "email"

    def read(self, path: Path, limits: ReadLimits, sink: Sink) -> None:
        try:
            message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            for name in HEADERS:
                sink.piece({"section": name.lower()}, _header(message, name))
            for number, part in enumerate(message.walk()):
                if number > PARTS_MAX:
                    sink.note("more_pages", pages=PARTS_MAX)
                    break
                _name_attached(part, sink)
            body = _body(message, sink)
        except (MessageError, RecursionError, LookupError, ValueError, AttributeError, TypeError, IndexError) as error:
            raise Unreadable("damaged", what="mail") from error
        for number, line in enumerate(body.split("\n"), 1):
            sink.piece({"section": "body", "line": number}, line)


def _header(message: EmailMessage, name: str) -> str:
    try:
        return " ".join(str(message.get(name, "")).split())
    except (ValueError, IndexError, AttributeError, TypeError, LookupError):
        return ""  # a header that its own parser stumbles over


def _name_attached(part: EmailMessage, sink: Sink) -> None:
    name = part.get_filename()
    if name and part.get_content_disposition() == "attachment":
        sink.note("attached_not_read", name=str(name)[:200])


def _body(message: EmailMessage, sink: Sink) -> str:
    chosen = message.get_body(("plain", "html"))
    if chosen is None:
        return ""
    content = chosen.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    text = decoded_text(content, sink.note, chosen.get_content_charset())
    return text_of_html(text) if chosen.get_content_subtype() == "html" else text
