"""Captions, shelves and events that are cut, encoded otherwise, nested, negative, absurd or hostile; chat brought together with media."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

from ingest.admission import IngestRequest
from tests.ingest.malformed.case import Case, Outcome, Whole, put
from tests.ingest.written_chats import SAMPLES

SRT = "1\n00:00:00,500 --> 00:00:01,000\n大家好\n\n2\n00:00:01,200 --> 00:00:01,900\n假一赔十\n"
VTT = "WEBVTT\n\n00:00.500 --> 00:01.000\n大家好\n"
ASS = "[Script Info]\n\n[Events]\nFormat: Layer, Start, End, Style, Text\nDialogue: 0,0:00:00.50,0:00:01.00,D,大家好\n"
WHISPER = '{"segments": [{"start": 0.5, "end": 1.0, "text": "大家好"}]}'
BOMB = '<!DOCTYPE i [<!ENTITY a "' + "x" * 100 + '">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{"&" + chr(97 + n) + ";"}{("&" + chr(97 + n) + ";") * 9}">' for n in range(9)
) + "]>"  # fmt: skip


def _captions(name: str, content: str | bytes) -> Callable[[Path, Whole], IngestRequest]:
    raw = content.encode() if isinstance(content, str) else content
    return lambda folder, _: IngestRequest(captions=put(folder, name, raw))


_CAPTIONS: tuple[tuple[str, str, str | bytes, Outcome], ...] = (
    ("nothing", "a.srt", b"", "refused"),
    ("blanks alone", "a.srt", " \n\n\t\n", "refused"),
    ("zeros alone", "a.srt", bytes(5000), "refused"),
    ("a number alone", "a.srt", "1\n", "refused"),
    ("times without words", "a.srt", "1\n00:00:01,000 --> 00:00:02,000\n", "refused"),
    ("cut within a time", "a.srt", SRT[: SRT.rindex("-->") + 6], "refused"),
    ("cut within the words", "a.srt", SRT[:-3], "admitted"),
    ("cut within a character", "a.srt", SRT.encode()[:-3], "either"),
    ("in GBK", "a.srt", SRT.encode("gbk"), "admitted"),
    ("in UTF-16 with a mark", "a.srt", SRT.encode("utf-16"), "admitted"),
    ("in UTF-16 without a mark", "a.srt", SRT.encode("utf-16-le"), "admitted"),
    ("in UTF-8 with a mark", "a.srt", b"\xef\xbb\xbf" + SRT.encode(), "admitted"),
    ("in UTF-16 of an odd length", "a.srt", SRT.encode("utf-16") + b"x", "refused"),
    ("with NULs", "a.srt", SRT.replace("好", "\x00好\x00"), "admitted"),
    ("an end before its start", "a.srt", "1\n00:00:05,000 --> 00:00:01,000\n反\n", "refused"),
    ("negative times", "a.srt", "1\n-00:00:05,000 --> 00:00:01,000\n负\n", "refused"),
    ("99 hours", "a.srt", "1\n99:00:00,000 --> 99:59:59,999\n远\n", "either"),
    ("61 minutes", "a.srt", "1\n00:61:00,000 --> 00:62:00,000\n错\n", "either"),
    ("a line of a million characters", "a.srt", SRT + "长" * 1_000_000, "either"),
    ("HTML", "a.srt", "<html><body>404</body></html>", "refused"),
    ("JSON that is none", "a.json", '{"segments": [{"start": 0', "refused"),
    ("a map that is none", "a.vtt", VTT.replace("WEBVTT\n", "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:x,LOCAL:0\n"), "refused"),
    ("a map beyond the clock", "a.vtt", VTT.replace("WEBVTT\n", "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:9999999999,LOCAL:00:00.000\n"), "refused"),
    ("a head alone", "a.vtt", "WEBVTT\n", "refused"),
    ("tags without end", "a.vtt", VTT + "<v " * 50_000, "either"),
    ("ASS without events", "a.ass", ASS.partition("[Events]")[0], "refused"),
    ("ASS with negative times", "a.ass", ASS.replace("0:00:00.50", "-1:00:00.50"), "either"),
    ("ASS with a field too few", "a.ass", ASS.replace(",D,", ","), "either"),
    ("LRC with no words", "a.lrc", "[00:01.00]\n[00:02.00]\n", "refused"),
    ("LRC far away", "a.lrc", "[99999:59.99]远\n", "either"),
    ("Whisper with NaN", "a.json", WHISPER.replace("0.5", "NaN"), "refused"),
    ("Whisper with Infinity", "a.json", WHISPER.replace("1.0", "Infinity"), "refused"),
    ("Whisper with 1e400", "a.json", WHISPER.replace("1.0", "1e400"), "refused"),
    ("Whisper with a number of 6 000 digits", "a.json", WHISPER.replace("1.0", "9" * 6000), "refused"),
    ("Whisper with negative times", "a.json", WHISPER.replace("0.5", "-0.5"), "either"),
    ("Whisper with texts for times", "a.json", WHISPER.replace("0.5", '"soon"'), "refused"),
    ("Whisper 100 000 deep", "a.json", '{"segments": ' + "[" * 100_000, "refused"),
    ("Whisper with half a surrogate", "a.json", WHISPER.replace("大家好", "\\ud800好"), "admitted"),
)  # fmt: skip


SHELF = '[{"product_id": "p1", "title": "围巾", "price_minor": 29900, "currency": "CNY"}]'
SHELF_CSV = "product_id,title,price_minor,currency\np1,围巾,29900,CNY\n"
EVENTS_CSV = "event,product_id,at_ms\nexplain_start,p1,500\n"


def _workbook(members: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return target.getvalue()


def _table(role: str, name: str, content: str | bytes) -> Callable[[Path, Whole], IngestRequest]:
    raw = content.encode() if isinstance(content, str) else content

    def make(folder: Path, whole: Whole) -> IngestRequest:
        media = put(folder, "good.flv", whole["flv"].read_bytes() + raw[-64:] + name.encode())
        shelf, table = put(folder, "shelf.json", SHELF.encode()), put(folder, name, raw)
        return IngestRequest((media,), products=table) if role == "products" else IngestRequest((media,), products=shelf, events=table)

    return make


_TABLES: tuple[tuple[str, str, str, str | bytes, Outcome], ...] = (
    ("nothing", "products", "a.json", b"", "either"),
    ("a scalar", "products", "a.json", "7", "refused"),
    ("cut JSON", "products", "a.json", SHELF[:-9], "refused"),
    ("JSON 100 000 deep", "products", "a.json", "[" * 100_000, "refused"),
    ("a list of numbers", "products", "a.json", "[1, 2, 3]", "refused"),
    ("NaN for a price", "products", "a.json", SHELF.replace("29900", "NaN"), "refused"),
    ("1e400 for a price", "products", "a.json", SHELF.replace("29900", "1e400"), "refused"),
    ("a negative price", "products", "a.json", SHELF.replace("29900", "-1"), "refused"),
    ("a price of 6 000 digits", "products", "a.json", SHELF.replace("29900", "9" * 6000), "refused"),
    ("a price of 299.5 fen", "products", "a.json", SHELF.replace("29900", "299.5"), "refused"),
    ("an object for a title", "products", "a.json", SHELF.replace('"围巾"', '{"a": 1}'), "refused"),
    ("half a surrogate in a title", "products", "a.json", SHELF.replace("围巾", "\\ud800围"), "admitted"),
    ("NUL in a title", "products", "a.json", SHELF.replace("围巾", "\\u0000围"), "admitted"),
    ("no title", "products", "a.json", '[{"product_id": "p1"}]', "refused"),
    ("no id", "products", "a.json", '[{"title": "围巾"}]', "refused"),
    ("the same id twice", "products", "a.json", json.dumps(json.loads(SHELF) * 2), "refused"),
    ("a currency of two letters", "products", "a.json", SHELF.replace("CNY", "RM"), "refused"),
    ("a title of 100 000 characters", "products", "a.json", SHELF.replace("围巾", "长" * 100_000), "refused"),
    ("CSV in GBK", "products", "a.csv", SHELF_CSV.encode("gbk"), "admitted"),
    ("CSV in UTF-16", "products", "a.csv", SHELF_CSV.encode("utf-16"), "admitted"),
    ("CSV with a mark", "products", "a.csv", b"\xef\xbb\xbf" + SHELF_CSV.encode(), "admitted"),
    ("CSV with a quote that never closes", "products", "a.csv", SHELF_CSV + '"p2,手镯', "refused"),
    ("CSV with a field too many", "products", "a.csv", SHELF_CSV + "p2,手镯,1,CNY,多\n", "refused"),
    ("CSV with NULs", "products", "a.csv", SHELF_CSV.replace("围", "\x00围"), "either"),
    ("CSV of one head line", "products", "a.csv", SHELF_CSV.partition("\n")[0], "either"),
    ("CSV of another table", "products", "a.csv", "a,b\n1,2\n", "refused"),
    ("bytes that are no text", "products", "a.csv", bytes(range(128, 256)) * 50 + b"\xff", "refused"),
    ("an entity bomb", "products", "a.xml", BOMB + "<i>&j;</i>", "refused"),
    ("a ZIP bomb", "products", "a.xlsx", _workbook({"xl/workbook.xml": bytes(50 << 20)}), "refused"),
    ("a ZIP that climbs", "products", "a.zip", _workbook({"../../etc/passwd": b"x"}), "refused"),
    ("an unknown event", "events", "e.csv", EVENTS_CSV.replace("explain_start", "dance"), "refused"),
    ("an event of no known product", "events", "e.csv", EVENTS_CSV.replace("p1", "p9"), "refused"),
    ("an event before the start", "events", "e.csv", EVENTS_CSV.replace("500", "-500"), "either"),
    ("an event at the end of time", "events", "e.csv", EVENTS_CSV.replace("500", "9" * 30), "refused"),
    ("an event at no time", "events", "e.csv", EVENTS_CSV.replace("500", ""), "refused"),
    ("an event at 25 o'clock", "events", "e.csv", "event,product_id,at,time_base\nlisted,p1,2026-11-18T25:00:00+08:00,wall\n", "refused"),
    ("events cut within a row", "events", "e.csv", EVENTS_CSV[:-8], "refused"),
    ("events in one endless line", "events", "e.json", '[{"event": "' + "x" * 1_000_000, "refused"),
)  # fmt: skip

_CHAT_DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "cut in the middle": lambda content: content[: len(content) // 2],
    "with an entity bomb in front": lambda content: BOMB.encode() + content,
    "with zeros in the middle": lambda content: content[: len(content) // 2] + bytes(500) + content[len(content) // 2 :],
    "as UTF-16": lambda content: content.decode("utf-8", "replace").encode("utf-16"),
}


def _chat(sample: str, damage: str) -> Case:
    def make(folder: Path, whole: Whole) -> IngestRequest:
        media = put(folder, "good.flv", whole["flv"].read_bytes() + f"{sample} {damage}".encode())
        return IngestRequest((media,), chat=(put(folder, "chat.dat", _CHAT_DAMAGE[damage](SAMPLES[sample])),))

    return Case("chat beside media", f"{sample} {damage}", make)


WORDS_AND_TABLES: tuple[Case, ...] = (
    *(Case("captions", what, _captions(name, content), outcome) for what, name, content, outcome in _CAPTIONS),
    *(
        Case("shelves and events", f"{role}: {what}", _table(role, name, content), outcome)
        for what, role, name, content, outcome in _TABLES
    ),
    *(_chat(sample, damage) for sample in SAMPLES for damage in _CHAT_DAMAGE),
)
