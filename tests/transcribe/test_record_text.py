"""What is read out of papers as people bring them."""

import io
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from archive.case_attachments import sniff
from tests.transcribe import written_papers as papers
from transcribe.errors import OcrMissing, RecordUnreadable
from transcribe.ocr import Line, Ocr, open_ocr
from transcribe.record_text import RecordText, read_record
from transcribe.record_text.picture_lines import PictureLines
from transcribe.settings import TranscribeSettings

SETTINGS = TranscribeSettings(ocr_threads=1)
HEIC = Path(__file__).parents[1] / "assets" / "photo.heic"


@cache
def the_ocr() -> Ocr:
    return open_ocr(SETTINGS)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path


def read(folder: Path, content: bytes, **settings: int) -> RecordText:
    paper = folder / "paper"
    paper.write_bytes(content)
    chosen = SETTINGS.model_copy(update=settings)
    return read_record(paper, sniff(io.BytesIO(content)), chosen, the_ocr)


def texts(found: RecordText) -> list[str]:
    return [piece.text for piece in found.pieces]


def codes(found: RecordText) -> list[object]:
    return [note["code"] for note in found.notes]


def test_the_text_of_a_pdf_is_read_line_by_line_with_its_pages(folder: Path) -> None:
    found = read(folder, papers.pdf_bytes(papers.CONTRACT, ("第二页 假一赔十",)))
    assert texts(found) == [*papers.CONTRACT, "第二页 假一赔十"]
    assert [piece.place for piece in found.pieces][1:] == [{"page": 1, "line": 2}, {"page": 1, "line": 3}, {"page": 2, "line": 1}]
    assert (found.format, found.engine, found.model) == ("pdf", "pypdfium2", "")
    assert found.counts == {"pages": 2, "ocr_pages": [], "pieces": 4, "characters": sum(map(len, texts(found)))}


def test_a_scanned_page_among_pages_of_text_is_read_by_ocr(folder: Path) -> None:
    import pypdfium2

    mixed = pypdfium2.PdfDocument(papers.pdf_bytes(papers.CONTRACT))
    mixed.import_pages(pypdfium2.PdfDocument(papers.scanned_pdf_bytes(papers.CONTRACT)))
    made = io.BytesIO()
    mixed.save(made)
    found = read(folder, made.getvalue())
    assert found.counts["ocr_pages"] == [2]
    assert texts(found)[:3] == texts(found)[3:] == list(papers.CONTRACT)
    assert found.pieces[0].confidence is None and (found.pieces[3].confidence or 0) > 0.9
    assert found.pieces[3].place["page"] == 2 and found.model_digest
    assert isinstance(found.parameters["ocr"], dict) and found.parameters["ocr"]["name"] == "rapidocr"


@pytest.mark.parametrize("turned", [3, 6, 8])
def test_a_photo_is_turned_as_its_camera_says_before_it_is_read(folder: Path, turned: int) -> None:
    found = read(folder, papers.picture_bytes(papers.CONTRACT, "JPEG", turned=turned))
    assert texts(found) == list(papers.CONTRACT)
    box = found.pieces[0].place["box"]
    assert isinstance(box, list) and box[0] < 0.1 and box[1] < 0.15


def test_a_heic_photo_of_a_phone_is_read(folder: Path) -> None:
    assert texts(read(folder, HEIC.read_bytes())) == ["质保三年"]


def test_writing_on_a_transparent_picture_is_read(folder: Path) -> None:
    drawn = papers.picture(("质保三年",), (500, 160)).convert("RGBA")
    drawn.putdata([(0, 0, 0, 0) if pixel[0] > 200 else (0, 0, 0, 255) for pixel in drawn.get_flattened_data()])  # type: ignore[index]
    made = io.BytesIO()
    drawn.save(made, "PNG")
    assert texts(read(folder, made.getvalue())) == ["质保三年"]


def test_a_long_screenshot_is_read_in_pieces_and_no_line_twice(folder: Path) -> None:
    said = tuple(f"第{number}句：质保{number}年" for number in range(1, 36))
    found = read(folder, papers.picture_bytes(said, size=(420, 2240), px=31))
    assert texts(found) == list(said)
    tops = [piece.place["box"][1] for piece in found.pieces]  # type: ignore[index]
    assert tops == sorted(tops) and tops[-1] > 0.9


def test_pieces_of_a_picture_are_joined_at_their_places_and_lines_cut_in_two_are_left_to_the_neighbour() -> None:
    joined = PictureLines({"page": 1})
    whole = Line("质保三年", (0.1, 0.9, 0.5, 0.08), 0.9)
    joined.add((0.0, 0.0, 1.0, 0.5), [Line("第一行", (0.1, 0.1, 0.5, 0.08), 0.9), whole, Line("假一", (0.1, 0.985, 0.5, 0.015), 0.6)])
    joined.add((0.0, 0.45, 1.0, 0.55), [Line("质保三年", (0.1, 0.0, 0.5, 0.07), 0.5), Line("假一赔十", (0.1, 0.08, 0.5, 0.07), 0.9)])
    assert [line.text for line in joined.lines()] == ["第一行", "质保三年", "假一赔十"]
    assert joined.lines()[2].box == (0.1, 0.494, 0.5, 0.0385)


def test_rows_of_a_workbook_are_read_with_sheet_and_row_and_hidden_sheets_are_told(folder: Path) -> None:
    found = read(folder, papers.xlsx_bytes())
    assert texts(found)[1:3] == ["D20261118001\t羊绒围巾\t2\t2026-11-19 10:02", "质检：含绒量95%"]
    assert found.pieces[2].place == {"sheet": "出库", "row": 9}
    assert found.notes == ({"code": "hidden_sheet", "sheet": "备注"},)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16", "utf-16-le"])
def test_tables_and_text_are_read_in_the_encodings_shops_export_in(folder: Path, encoding: str) -> None:
    found = read(folder, "order,商品,say\nD1,羊绒围巾,ok\nD2,手镯,fine\n".encode(encoding))
    assert [text.replace("\t", ",") for text in texts(found)] == ["order,商品,say", "D1,羊绒围巾,ok", "D2,手镯,fine"]
    assert found.notes == ()


def test_paragraphs_of_a_word_document_and_what_was_deleted_from_it(folder: Path) -> None:
    header = f"<w:hdr {papers.W}><w:p><w:r><w:t>机密</w:t></w:r></w:p></w:hdr>"
    found = read(folder, papers.docx_bytes(header1=header))
    assert texts(found) == ["质保三年", "假一赔十", "单元格", "机密"]
    assert found.pieces[-1].place == {"section": "header", "paragraph": 1}
    assert codes(found) == ["deleted_text"]


def test_slides_come_in_their_order(folder: Path) -> None:
    found = read(folder, papers.pptx_bytes(*(f"第{n}页" for n in range(1, 13))))
    assert [(piece.place["slide"], piece.text) for piece in found.pieces][8:] == [(n, f"第{n}页") for n in range(9, 13)]


@pytest.mark.parametrize("html", [False, True])
def test_a_mail_is_read_with_who_and_when_and_what_hangs_on_it_is_named(folder: Path, html: bool) -> None:
    found = read(folder, papers.mail_bytes(html))
    assert texts(found)[:2] == ["关于质保的答复", "客服 <kf@shop.example>"]
    assert any("承诺质保三年" in text for text in texts(found)) and not any("alert" in text for text in texts(found))
    assert found.notes == ({"code": "attached_not_read", "name": "合同.pdf"},)


def test_a_web_page_is_read_as_it_is_seen(folder: Path) -> None:
    page = '<!DOCTYPE html><html><head><meta charset="gbk"><title>详情</title></head><body><table><tr><td>材质</td><td>山羊绒</td></tr>'
    found = read(folder, (page + "</table><p>质保<b>三年</b></p><script>x()</script></body></html>").encode("gbk"))
    assert found.format == "web_page"
    assert texts(found) == ["详情", "材质\t山羊绒", "质保三年"]


@pytest.mark.parametrize(
    "content",
    [
        papers.talk_bytes(),
        '{"messages": [{"role": "user", "content": "质保几年"}, {"role": "assistant", "content": "三年"}]}'.encode(),
        '{"role": "user", "content": "质保几年"}\n{"role": "assistant", "content": "三年"}\n{"role": "assi'.encode(),
        papers.claude_export(),
        papers.chatgpt_export(),
        '{"contents": [{"role": "user", "parts": [{"text": "质保几年"}]}, {"role": "model", "parts": [{"text": "三年"}]}]}'.encode(),
        '{"conversations": [{"from": "human", "value": "质保几年"}, {"from": "gpt", "value": "三年"}]}'.encode(),
        '{"request": {"messages": [{"role": "user", "content": "质保几年"}]}, '
        '"response": {"choices": [{"message": {"role": "assistant", "content": "三年"}}]}}'.encode(),
        "## User\n质保几年\n\n## Assistant\n三年".encode(),
        "**用户：** 质保几年\n**助手：** 三年".encode("gbk"),
        "You: 质保几年\n\nChatGPT: 三年\n".encode(),
    ],
)
def test_a_talk_with_an_assistant_keeps_who_said_what(folder: Path, content: bytes) -> None:
    found = read(folder, content)
    assert found.format == "assistant"
    assert any("质保" in piece.text for piece in found.pieces if piece.place["speaker"] == "user")
    assert any("三年" in piece.text for piece in found.pieces if piece.place["speaker"] == "assistant")
    assert [piece.place["turn"] for piece in found.pieces] == sorted(piece.place["turn"] for piece in found.pieces)  # type: ignore[type-var]


def test_what_was_left_of_a_talk_is_told_apart_from_what_was_followed(folder: Path) -> None:
    found = read(folder, papers.chatgpt_export())
    assert [(piece.text, piece.place.get("left", False)) for piece in found.pieces] == [
        ("质保几年", False),
        ("三年", False),
        ("一年", True),
    ]
    assert found.notes == ({"code": "left_branches", "turns": 1},)
    assert found.pieces[0].place["conversation"] == "质保问题"


@pytest.mark.parametrize(
    "content",
    [
        '[{"role": "客服", "content": "您好"}, {"role": "买家", "content": "质保几年"}]',
        '{"role": "user", "content": "x"}',
        "客服：您好\n买家：质保几年\n",
    ],
)
def test_a_talk_of_people_is_no_talk_with_an_assistant(folder: Path, content: str) -> None:
    assert read(folder, content.encode()).format != "assistant"


def test_limits_are_kept_and_told(folder: Path) -> None:
    pages = papers.pdf_bytes(*((f"第{n}页的文字够长，不会被当成扫描件来识别",) for n in range(1, 6)))
    few = read(folder, pages, record_max_pages=2)
    assert [piece.place["page"] for piece in few.pieces] == [1, 2] and codes(few) == ["more_pages"]
    short = read(folder, pages, record_max_chars=30)
    assert sum(map(len, texts(short))) <= 30 and codes(short) == ["more_text"]
    assert codes(read(folder, pages, record_max_bytes=100)) == ["too_large"]
    assert codes(read(folder, papers.scanned_pdf_bytes(("一",), ("二",)), record_ocr_max=0)) == ["more_pictures"]
    assert codes(read(folder, papers.xlsx_bytes(), record_max_cells=5)) == ["more_cells"]


def test_without_ocr_pictures_stay_unread_and_that_is_told(folder: Path) -> None:
    def none() -> Ocr:
        raise OcrMissing("no package")

    paper = folder / "paper"
    paper.write_bytes(papers.picture_bytes(papers.CONTRACT))
    found = read_record(paper, "image/png", SETTINGS, none)
    assert (texts(found), codes(found), found.model) == ([], ["no_ocr"], "")


def test_what_is_not_there_is_an_error(folder: Path) -> None:
    with pytest.raises(RecordUnreadable, match="not there"):
        read_record(folder / "gone", "text/plain", SETTINGS, the_ocr)


def test_the_same_paper_gives_the_same_text(folder: Path) -> None:
    once, again = (read(folder, papers.picture_bytes(papers.CONTRACT[:1], size=(400, 150))) for _ in range(2))
    assert once == again
