"""G9: whoever is handed a package, or looks at chat and search over HTTP, finds no viewer's name, number or address anywhere in it."""

import io
import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from archive.case_attachments import attach
from archive.digest import canonical_json
from archive.evidence_package import build_package
from archive.merkle import leaf_hash
from archive.opening import Archive
from archive.recording import Message
from archive.reveal import pseudonyms_of, reveal
from archive.transcript import Provenance, Segment
from archive.transcript_hashing import segment_json, segment_leaves
from archive.verification import verify_archive, verify_package
from tests.archive.held import EVENTS, SHELF, add_transcript, admit, open_test_archive

BUYER, FRIEND, STRANGER = "爱吃瓜的小李", "青柠七七", "momo酱2019"
NAMES = (BUYER, FRIEND, STRANGER)
NUMBERS = ("13812345678", "13900001111", "wxid_abc12345", "世纪大道100号", "3栋502", "11010519491231002X", "12345678@qq.com")
CHAT = (
    Message(1500, f"@{FRIEND} 这个是正品吗 我号码幺三八幺二三四五六七八", BUYER),
    Message(2500, "我微信wxid_abc12345 加我", FRIEND),
    Message(3200, f"@{BUYER} 我买过，回复@{STRANGER} ：真的，邮箱12345678@qq.com", FRIEND),
    Message(5200, "电话13812345678，住上海市浦东新区世纪大道100号3栋502室", BUYER),
    Message(5600, "身份证11010519491231002X", STRANGER),
)
IM_LOG = f"""时间,发送人,内容
2026-11-18 20:10,{BUYER},我电话13812345678
2026-11-18 20:11,客服小满,您好，请说订单号
2026-11-18 20:12,{BUYER},地址上海市浦东新区世纪大道100号3栋502室
2026-11-18 20:13,{FRIEND},我是他朋友 13900001111
"""
ORDER = {
    "order_id": "4507711223344556677",
    "amount_minor": 29900,
    "buyer": BUYER,
    "phone": "13812345678",
    "address": "上海市浦东新区世纪大道100号3栋502室",
}


@pytest.fixture
def held(media: dict[str, Path], tmp_path: Path) -> Iterator[Archive]:
    archive = open_test_archive(tmp_path / "home")
    admit(archive, "r1", [media["flv"]], messages=CHAT, products=SHELF, events=EVENTS)
    add_transcript(archive, "r1")
    archive.cases.open("case-1", "假一赔十未兑现", f"{FRIEND}也说是假的，我电话13812345678", "ann", order=ORDER, product_id="p1")
    archive.cases.add_moment("case-1", "r1", 3500, 6000, "这条手串保真假一赔十", "主播承诺假一赔十", "ann")
    attach(archive, "case-1", io.BytesIO(IM_LOG.encode()), "聊天.csv", "im_log", "ann", title=f"与{BUYER}的聊天")
    yield archive
    archive.close()


def everything_in(package: Path) -> dict[str, str]:
    """Every file of a package as text, JSON with its escapes undone; names of files included."""
    found: dict[str, str] = {}
    with zipfile.ZipFile(package) as opened:
        for name in opened.namelist():
            text = opened.read(name).decode("utf-8", "replace")
            if name.endswith(".pdf"):
                text = words_of_pdf(opened.read(name))
            if name.endswith(".json"):
                text += json.dumps(json.loads(text), ensure_ascii=False)
            found[name] = name + text
    return found


def words_of_pdf(content: bytes) -> str:
    """What a PDF says, line breaks taken out, as they may part a name; nothing where pdftotext (poppler-utils) is not installed."""
    if shutil.which("pdftotext") is None:
        return ""
    shown = subprocess.run(["pdftotext", "-", "-"], input=content, capture_output=True, check=True, timeout=60)
    return re.sub(r"\s", "", shown.stdout.decode())


def leaks(package: Path, secrets: tuple[str, ...]) -> list[str]:
    return [f"{secret} in {name}" for name, text in everything_in(package).items() for secret in secrets if secret in text]


def test_no_file_of_a_package_holds_a_viewers_name_number_or_address(held: Archive, tmp_path: Path) -> None:
    build_package(held, "case-1", "ann", tmp_path / "case.zip")
    assert verify_package(tmp_path / "case.zip").passed
    assert leaks(tmp_path / "case.zip", (*NAMES, *NUMBERS)) == []
    shown = "".join(everything_in(tmp_path / "case.zip").values())
    assert all(name in shown for name in ("小美", "客服小满")), "host and seller must stay identifiable"


def test_after_a_reveal_the_complainant_is_called_so_and_still_nobody_is_named(held: Archive, tmp_path: Path) -> None:
    hidden = pseudonyms_of(held, held.cases.case("case-1")).pseudonym(BUYER)
    before = build_package(held, "case-1", "ann", tmp_path / "before.zip")
    reveal(held, "case-1", None, f"平台仲裁要求核对{BUYER}的身份", "法务甲")
    after = build_package(held, "case-1", "ann", tmp_path / "after.zip")
    assert after.id != before.id
    chat = next(text for name, text in everything_in(tmp_path / "after.zip").items() if name.endswith("chat.json"))
    assert "投诉人" in chat
    assert hidden not in chat
    assert leaks(tmp_path / "after.zip", (*NAMES, *NUMBERS)) == []


def test_one_persons_pseudonyms_in_two_cases_cannot_be_joined(held: Archive) -> None:
    held.cases.open("case-2", "另一案", "", "ann")
    people = [pseudonyms_of(held, held.cases.case(case_id)) for case_id in ("case-1", "case-2")]
    assert people[0].viewer(FRIEND) != people[1].viewer(FRIEND)


def test_chat_and_search_over_http_name_no_viewer(client: TestClient) -> None:
    for address in ("/v1/recordings/words-1/chat", "/v1/search?q=手镯假一赔十", "/v1/recordings/words-1"):
        answer = client.get(address)
        assert answer.status_code == 200
        assert [secret for secret in ("青柠七七", "老张", "13812345678") if secret in answer.text] == []


def test_a_masked_caption_can_not_be_guessed_from_its_leaf_or_a_neighbours_proof(held: Archive, tmp_path: Path) -> None:
    number = "13812345678"
    lines = ("这条手串保真假一赔十", f"售后打{number}", "喜欢的可以拍")
    said = [Segment(n, 1, 3500 + 1000 * n, 4500 + 1000 * n, text) for n, text in enumerate(lines)]
    provenance = Provenance("imported", "1", "srt", None, {}, held.clock())
    kept = held.transcripts.add("r1", provenance, said, [], [], "ann")
    build_package(held, "case-1", "ann", tmp_path / "case.zip")
    assert verify_package(tmp_path / "case.zip").passed
    with zipfile.ZipFile(tmp_path / "case.zip") as opened:
        (name,) = (name for name in opened.namelist() if name.endswith("01/transcript.json"))
        shown = json.loads(opened.read(name))["segments"]
    masked = next(item for item in shown if item.get("masked"))
    assert number not in masked["segment"]["text"] and "salt" not in masked["segment"]
    # Whoever guesses right knows the segment to the last field, all but its salt.
    guess = leaf_hash(canonical_json({**masked["segment"], "text": lines[1]})).hex()
    true_leaf = segment_leaves(kept)[masked["segment"]["number"] - 1].hex()
    assert masked["leaf"] == true_leaf != guess
    assert guess not in {node for item in shown for node in item["path"]}
    salts = [item["segment"]["salt"] for item in shown if not item.get("masked")]
    assert len(set(salts)) == len(salts) == 2 and kept.salt is not None and not any(salt in kept.salt for salt in salts)


def test_transcripts_from_before_there_were_salts_still_verify(held: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.transcript_writing.SALT_BYTES", 0)
    add_transcript(held, "r1")
    kept = held.transcripts.version("r1", 2)
    assert segment_leaves(kept) == [leaf_hash(canonical_json(segment_json(segment))) for segment in kept.segments]
    build_package(held, "case-1", "ann", tmp_path / "case.zip")
    assert verify_package(tmp_path / "case.zip").passed
    assert verify_archive(held, only=("transcripts", "claims")).passed
