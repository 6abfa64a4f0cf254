"""Text papers without their people: what of an IM log, an outbound list or a logistics record may leave the archive (G9).

Rows of CSV and JSON are masked field by field, fields that name a person get pseudonyms; every text is masked as `archive.redaction`
says; and whoever is known by name in the case, from the order and from the senders of the log itself, is replaced wherever the name stands.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence

from archive.case_attachments import decoded
from archive.digest import Json
from archive.redaction import Pseudonyms, hidden_key, mask, person_key, redact_record

MASKED_MAX_BYTES = 32 << 20
NAME_MIN_CHARS, NAME_MAX_CHARS = 2, 40
# Beside `person_key`'s: columns of shops' exports that name somebody.
_MORE_NAMES = {"speaker", "fromuser", "fromnick", "client", "发送方", "发言人", "发信人", "顾客", "签收人", "收件人姓名"}
_LINE_SENDER = re.compile(
    r"^\s*(?:\[?\d{4}[-/年]\d{1,2}[-/月]\d{1,2}日?[ T]?(?:\d{1,2}:\d{2}(?::\d{2})?)?\]?\s*)?(?P<name>[^\s:：\[\]()（）<>]{2,40})"
    r"\s*(?:[(（]?\d{4}[-/]\d{1,2}[-/]\d{1,2} \d{1,2}:\d{2}(?::\d{2})?[)）]?)?\s*[:：]"
)
# Who speaks for the shop stays named.
_SHOP = re.compile(r"客服|商家|店铺|旗舰店|机器人|系统|agent|seller|shop|service|system|bot", re.IGNORECASE)


def masked_text(content: bytes, media_type: str, pseudonyms: Pseudonyms, known: Iterable[str] = ()) -> str | None:
    """The text of a paper with its people taken out; None if it can't be read as text or is over 32 MiB. `known`: names of the case."""
    text = decoded(content) if len(content) <= MASKED_MAX_BYTES else None
    if text is None:
        return None
    names = {name: pseudonyms.viewer(name) for name in known if NAME_MIN_CHARS <= len(name) <= NAME_MAX_CHARS}
    if media_type == "application/json":
        return _masked_json(text, pseudonyms, names)
    if media_type == "text/csv":
        return _masked_table(text, pseudonyms, names)
    return _masked_lines(text, pseudonyms, names)


def people_of(order: Mapping[str, Json]) -> set[str]:
    """Names that an order's own person fields hold, however deep."""
    found: set[str] = set()
    for key, value in order.items():
        if isinstance(value, str) and (_names_someone(key) or hidden_key(key)):
            found.add(value.strip())
        elif isinstance(value, Mapping):
            found |= people_of(value)
        elif isinstance(value, list):
            found |= {name for item in value if isinstance(item, Mapping) for name in people_of(item)}
    return {name for name in found if NAME_MIN_CHARS <= len(name) <= NAME_MAX_CHARS}


def _names_someone(key: str) -> bool:
    return person_key(key) or re.sub(r"[\s_-]", "", key).lower() in _MORE_NAMES


def without_people(text: str, names: Mapping[str, str]) -> str:
    """Masked text in which each of `names` is replaced wherever it stands, longer ones first."""
    masked = mask(text, dict(names)).text
    for name in sorted(names, key=len, reverse=True):
        masked = masked.replace(name, names[name])
    return masked


def _masked_table(text: str, pseudonyms: Pseudonyms, names: dict[str, str]) -> str:
    try:
        dialect: type[csv.Dialect] = csv.Sniffer().sniff(text[:4096], ",\t;")
    except csv.Error:
        dialect = csv.excel
    try:
        rows = list(csv.reader(io.StringIO(text), dialect))
    except csv.Error:
        return _masked_lines(text, pseudonyms, names)
    if not rows:
        return ""
    head = [cell.strip() for cell in rows[0]]
    senders = [column for column, name in enumerate(head) if _names_someone(name)]
    names |= _new_names((row[column] for row in rows[1:] for column in senders if column < len(row)), pseudonyms)
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\n")
    writer.writerow([without_people(cell, names) for cell in head])
    for row in rows[1:]:
        shown: list[Json] = []
        for column, cell in enumerate(row):
            name = head[column] if column < len(head) else ""
            redacted = redact_record({name: cell}, pseudonyms)[name] if column not in senders else cell
            shown.append(without_people(str(redacted), names))
        writer.writerow(shown)
    return made.getvalue()


def _masked_json(text: str, pseudonyms: Pseudonyms, names: dict[str, str]) -> str:
    try:
        documents = [json.loads(text)]
    except (ValueError, RecursionError):
        try:
            documents = [json.loads(line) for line in text.splitlines() if line.strip()]
        except (ValueError, RecursionError):
            return _masked_lines(text, pseudonyms, names)
    names |= _new_names(_senders_in(documents), pseudonyms)
    lines = [json.dumps(_masked_value("", document, pseudonyms, names), ensure_ascii=False) for document in documents]
    return "\n".join(lines) + "\n"


def _masked_value(key: str, value: Json, pseudonyms: Pseudonyms, names: Mapping[str, str]) -> Json:
    if isinstance(value, Mapping):
        return {without_people(name, names): _masked_value(name, item, pseudonyms, names) for name, item in value.items()}
    if isinstance(value, str):
        redacted = value if _names_someone(key) else redact_record({key: value}, pseudonyms)[key]
        return without_people(str(redacted), names)
    if isinstance(value, Sequence):
        return [_masked_value(key, item, pseudonyms, names) for item in value]
    if value is None or isinstance(value, bool):
        return value
    redacted = redact_record({key: value}, pseudonyms)[key]
    shown = without_people(str(redacted), names)
    return redacted if shown == str(redacted) else shown


def _masked_lines(text: str, pseudonyms: Pseudonyms, names: dict[str, str]) -> str:
    lines = text.splitlines()
    names |= _new_names((match["name"] for line in lines if (match := _LINE_SENDER.match(line))), pseudonyms)
    return "".join(without_people(line, names) + "\n" for line in lines)


def _senders_in(value: Json) -> Iterable[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(item, str) and _names_someone(key):
                yield item
            else:
                yield from _senders_in(item)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            yield from _senders_in(item)


def _new_names(found: Iterable[str], pseudonyms: Pseudonyms) -> dict[str, str]:
    kept = {name.strip() for name in found}
    return {name: pseudonyms.viewer(name) for name in kept if NAME_MIN_CHARS <= len(name) <= NAME_MAX_CHARS and not _SHOP.search(name)}
