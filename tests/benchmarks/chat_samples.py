"""What is read of each chat file in a folder: format, messages, first and last time, kinds; and checks that must hold of any file.

    python -m tests.benchmarks.chat_samples FOLDER [--markdown]

Checks: the number of messages is what an independent count of the file's own entries says, where one is known for the format; raw times
stand in the file as they were kept; a message with a raw offset lies at it; a second reading gives the same. Exit code 1 if one fails.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from archive.digest import Json
from archive.errors import LiveProofError
from archive.recording import Message
from archive.timeline import format_ms
from ingest.chat import ChatContext, ChatFormat, detect, read_head
from ingest.input_file import InputFile, check_file


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--markdown", action="store_true", help="a table for docs/formats.md")
    given = arguments.parse_args()
    rows = [_row(path) for path in sorted(given.folder.iterdir()) if path.is_file()]
    if given.markdown:
        print("| file | format | messages | kinds | first | last | recalled | notes | checks |\n|---|---|---|---|---|---|---|---|---|")
        for row in rows:
            print("| " + " | ".join(row) + " |")
    else:
        for row in rows:
            print("\n  ".join(row))
    sys.exit(any("FAILED" in row[-1] for row in rows))


def _row(path: Path) -> list[str]:
    notes: list[str] = []
    try:
        file = check_file(path, "chat", 1 << 30, may_be_empty=True)
        known = detect(file, read_head(file))
        if known is None:
            return [path.name, "empty", "0", "", "", "", "", "", "ok"]
        messages = _read(file, known, notes)
        failed = list(_failures(file, known, messages))
    except LiveProofError as error:
        return [path.name, "refused", "0", "", "", "", "", str(error), "FAILED: refused"]
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(Counter(str(message.kind) for message in messages).items()))
    times = [message.at_ms for message in messages]
    return [
        path.name,
        messages[0].source if messages else known.name,
        str(len(messages)),
        kinds,
        _shown(min(times, default=0)),
        _shown(max(times, default=0)),
        str(sum(message.recalled for message in messages)),
        "; ".join(notes).replace(path.name, "the file"),
        "FAILED: " + "; ".join(failed) if failed else "ok",
    ]


def _read(file: InputFile, known: ChatFormat, notes: list[str]) -> list[Message]:
    return list(known.read(file, ChatContext(0, None, 10_000, notes.append)))


def _failures(file: InputFile, known: ChatFormat, messages: list[Message]) -> Iterator[str]:
    expected = _own_count(file, known)
    if expected is not None and expected != len(messages):
        yield f"{expected} messages are in the file, {len(messages)} were read"
    if messages != _read(file, known, []):
        yield "a second reading differs"
    content = file.path.read_text("utf-8", "replace")
    for message in messages if known.name != "im_xlsx" else ():
        if any(raw and raw not in content for raw in (message.raw_offset, message.raw_wall)):
            yield f"a raw time of the message at {message.at_ms} ms stands nowhere in the file"
            break
    for message in messages:
        offset_ms = _raw_ms(known.name, message.raw_offset)
        if offset_ms is not None and offset_ms > 0 and abs(offset_ms - message.at_ms) > 1:
            yield f"{message.raw_offset} was laid at {message.at_ms} ms"
            break


def _raw_ms(name: str, raw: str | None) -> float | None:
    """The offset in ms that a raw offset stands for; None where it is none or where other members of the record rule."""
    if raw is None:
        return None
    if name == "bilibili_xml":
        return float(raw) * 1000
    if name == "youtube_live_chat":
        return float(raw)
    return None


def _own_count(file: InputFile, known: ChatFormat) -> int | None:
    """Messages in a file by other means than the reader's; None where none is known."""
    if known.name == "bilibili_xml":
        parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, huge_tree=True)
        return sum(1 for _ in etree.parse(str(file.path), parser).getroot().iter("d", "gift", "sc", "guard", "toast", "s", "o"))
    if known.name == "chat_downloader":
        records = [
            record for value in _documents(file.path.read_text("utf-8")) for record in (value if isinstance(value, list) else [value])
        ]
        own = {(record["timestamp"], str(record["author"])) for record in records if "ticker_duration" not in record}
        tickers = [record for record in records if "ticker_duration" in record and (record["timestamp"], str(record["author"])) not in own]
        return sum(1 for record in records if "ticker_duration" not in record) + len(tickers)
    if known.name == "youtube_live_chat":
        return sum(_shown_messages(value) for value in _documents(file.path.read_text("utf-8")))
    return None


def _documents(text: str) -> list[Json]:
    try:
        return [json.loads(text)]
    except ValueError:
        return [json.loads(line) for line in text.splitlines() if line.strip()]


def _shown_messages(value: Json) -> int:
    """Items that are added to the chat and hold words."""
    if isinstance(value, list):
        return sum(map(_shown_messages, value))
    if not isinstance(value, dict):
        return 0
    added = value.get("addChatItemAction")
    item = added.get("item") if isinstance(added, dict) else None
    if isinstance(item, dict):
        return sum(
            1 for members in item.values() if isinstance(members, dict) and ("message" in members or "purchaseAmountText" in members)
        )
    return sum(map(_shown_messages, value.values()))


def _shown(ms: int) -> str:
    return f"-{format_ms(-ms)}" if ms < 0 else format_ms(ms)


if __name__ == "__main__":
    main()
