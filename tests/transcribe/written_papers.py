"""Papers of a case as people bring them, written by script: PDF with text and scanned, photos, workbooks, documents, mail, talks."""

import io
import json
import zipfile
from email.message import EmailMessage
from pathlib import Path

import typst
from openpyxl import Workbook
from PIL import Image, ImageDraw, ImageFont

FONT = next(Path("/usr/share/fonts").rglob("NotoSansCJK-Regular.ttc"))
CONTRACT = ("商品质保协议", "一、本商品质保三年，自收货之日起算。", "二、七天内可无理由退货，运费由商家承担。")
CT = '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def picture(lines: tuple[str, ...], size: tuple[int, int] = (900, 500), px: int = 40) -> Image.Image:
    """Black writing on white, a line below the other."""
    drawn = Image.new("RGB", size, "white")
    pen, font = ImageDraw.Draw(drawn), ImageFont.truetype(str(FONT), px)
    for number, line in enumerate(lines):
        pen.text((40, 40 + number * px * 2), line, "black", font)
    return drawn


def picture_bytes(lines: tuple[str, ...], kind: str = "PNG", turned: int = 0, **size: object) -> bytes:
    """`turned`: an EXIF orientation under which the pixels are stored, so that viewers turn the picture upright."""
    upright = picture(lines, **size)  # type: ignore[arg-type]
    made, exif = io.BytesIO(), Image.Exif()
    if turned:
        exif[0x0112] = turned
        upright = upright.transpose({3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}[turned])
    upright.save(made, kind, **({"exif": exif} if turned else {}))
    return made.getvalue()


def pdf_bytes(*pages: tuple[str, ...]) -> bytes:
    """A PDF with real text, a page each."""
    body = "#pagebreak()\n".join("\n\n".join(page) + "\n" for page in pages)
    return typst.compile(f'#set text(font: "Noto Sans CJK SC")\n#set page(width: 300pt, height: 300pt)\n{body}'.encode())


def scanned_pdf_bytes(*pages: tuple[str, ...]) -> bytes:
    """A PDF whose pages are pictures, as a scanner makes them."""
    made = io.BytesIO()
    drawn = [picture(page) for page in pages]
    drawn[0].save(made, "PDF", save_all=True, append_images=drawn[1:], resolution=110)
    return made.getvalue()


def xlsx_bytes() -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet
    sheet.title = "出库"
    for row in (("订单号", "商品", "数量", "发货时间"), ("D20261118001", "羊绒围巾", 2, "2026-11-19 10:02"), (None, None, None, None)):
        sheet.append(row)
    sheet["A9"] = "质检：含绒量95%"
    hidden = book.create_sheet("备注")
    hidden.append(("内部：缺货两天",))
    hidden.sheet_state = "hidden"
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def docx_bytes(body: str = "", **more: str) -> bytes:
    """A Word document: two paragraphs and a table, or `body` as given; `more`: further parts, word/NAME.xml."""
    body = body or (
        "<w:p><w:r><w:t>质保</w:t></w:r><w:r><w:t>三年</w:t></w:r></w:p><w:p><w:pPr><w:tabs><w:tab/></w:tabs></w:pPr><w:r><w:t>假一赔十</w:t>"
        "<w:delText>假一赔百</w:delText></w:r></w:p><w:tbl><w:tr><w:tc><w:p><w:r><w:t>单元格</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
    )
    parts = {"document": f"<w:document {W}><w:body>{body}</w:body></w:document>", **more}
    return zipped({"[Content_Types].xml": CT, **{f"word/{name}.xml": text for name, text in parts.items()}})


def pptx_bytes(*slides: str) -> bytes:
    a = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    parts = {f"ppt/slides/slide{n}.xml": f"<p {a}><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p>" for n, text in enumerate(slides, 1)}
    return zipped({"[Content_Types].xml": CT, **parts})


def zipped(parts: dict[str, str | bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return made.getvalue()


def mail_bytes(html: bool = False) -> bytes:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "关于质保的答复", "客服 <kf@shop.example>", "buyer@mail.example"
    message["Date"] = "Wed, 18 Nov 2026 21:00:00 +0800"
    if html:
        message.set_content("<html><body><p>我们<b>承诺</b>质保三年</p><script>alert('x')</script></body></html>", subtype="html")
    else:
        message.set_content("您好：\n我们承诺质保三年。\n")
    message.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="合同.pdf")
    return message.as_bytes()


TALK = [
    {"role": "system", "content": "你是客服助手"},
    {"role": "user", "content": "主播说过质保几年？"},
    {"role": "assistant", "content": [{"type": "text", "text": "根据字幕，主播说质保三年。\n请以录像为准。"}]},
]


def talk_bytes() -> bytes:
    return json.dumps(TALK, ensure_ascii=False).encode()


def chatgpt_export() -> bytes:
    def node(key: str, parent: str | None, role: str, text: str, at: float) -> dict[str, object]:
        message = {"author": {"role": role}, "content": {"content_type": "text", "parts": [text]}, "create_time": at}
        return {"id": key, "parent": parent, "children": [], "message": message}

    tree = {
        "a": {"id": "a", "parent": None, "children": ["b"], "message": None},
        "b": node("b", "a", "user", "质保几年", 1795000000.5),
        "c": node("c", "b", "assistant", "一年", 1795000010.0),
        "d": node("d", "b", "assistant", "三年", 1795000020.0),
    }
    return json.dumps([{"title": "质保问题", "mapping": tree, "current_node": "d"}], ensure_ascii=False).encode()


def claude_export() -> bytes:
    said = [{"sender": "human", "text": "质保几年", "created_at": "2026-11-20T02:00:00Z"}, {"sender": "assistant", "text": "三年"}]
    return json.dumps([{"name": "质保", "chat_messages": said}], ensure_ascii=False).encode()
