"""Documents made of sections: a PDF by typst where a Chinese font is installed, else HTML with the same words."""

import html
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from archive.atomic_write import write_bytes_whole
from archive.digest import Json
from archive.errors import ProgramFailed
from archive.timeline import WallTime

# Families that show simplified Chinese, most wanted first; any other family named “… CJK SC” will do too.
CHINESE_FONTS = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "Noto Serif CJK SC",
    "Source Han Serif SC",
    "Noto Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "PingFang SC",
    "Microsoft YaHei",
    "SimSun",
    "Droid Sans Fallback",
    "AR PL UMing CN",
)

Block = dict[str, Json]


def paragraph(text: str) -> Block:
    return {"kind": "text", "text": text}


def points(lines: Sequence[str]) -> Block:
    return {"kind": "points", "points": list(lines)}


def picture(file: Path) -> Block:
    return {"kind": "picture", "file": str(file)}


def table(head: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int] | None = None) -> Block:
    """`widths` are relative; equal ones if left out."""
    return {"kind": "table", "head": list(head), "rows": [list(row) for row in rows], "widths": list(widths or [1] * len(head))}


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """`package` names, on every page, what it belongs to."""

    title: str
    subtitle: str
    package: str
    sections: tuple[Section, ...]


def chinese_font() -> str | None:
    """The installed font family to print Chinese with, None if there is none."""
    import typst

    installed = set(typst.Fonts().families())
    named = next((font for font in CHINESE_FONTS if font in installed), None)
    return named or next((font for font in sorted(installed) if font.endswith(("CJK SC", "CJK CN", "Hans SC"))), None)


def write_report(document: Document, folder: Path, made_at: WallTime) -> Path:
    """Write `report.pdf` into `folder`, or `report.html` with a note where no Chinese font is installed; which one."""
    font = chinese_font()
    if font is None:
        structlog.get_logger().warning("no Chinese font, report is HTML", install="apt-get install fonts-noto-cjk")
        note = paragraph(
            "制作时本机未安装中文字体，故报告为 HTML 而非 PDF。"
            "This report is HTML, not PDF, because no Chinese font was installed where it was made (apt-get install fonts-noto-cjk)."
        )
        noted = Document(document.title, document.subtitle, document.package, (Section("说明 / Note", (note,)), *document.sections))
        target = folder / "report.html"
        write_bytes_whole(target, as_html(noted).encode())
        return target
    target = folder / "report.pdf"
    write_bytes_whole(target, _typeset(document, font, made_at))
    return target


def as_html(document: Document) -> str:
    """One self-contained page. Pictures are left to the files beside it."""
    parts = [f"<h1>{_text(document.title)}</h1><p>{_text(document.subtitle)}</p>"]
    for section in document.sections:
        parts.append(f"<h2>{_text(section.title)}</h2>")
        parts += [_block(block) for block in section.blocks]
    style = "body{font:15px/1.6 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}table{border-collapse:collapse}"
    style += "td,th{border:1px solid #bbb;padding:.3em .5em;text-align:left;overflow-wrap:anywhere}"
    head = f'<meta charset="utf-8"><title>{_text(document.title)}</title><style>{style}</style>'
    return f'<!doctype html><html lang="zh-CN"><head>{head}</head><body>{"".join(parts)}</body></html>\n'


def _typeset(document: Document, font: str, made_at: WallTime) -> bytes:
    import typst

    with tempfile.TemporaryDirectory(prefix="liveproof-") as name:
        folder = Path(name)
        sections = [{"title": s.title, "blocks": [_with_picture(b, folder) for b in s.blocks]} for s in document.sections]
        content = {"title": document.title, "subtitle": document.subtitle, "package": document.package, "fonts": [font]}
        (folder / "report.json").write_text(json.dumps({**content, "sections": sections}, ensure_ascii=False), encoding="utf-8")
        shutil.copyfile(Path(__file__).with_name("report.typ"), folder / "report.typ")
        try:
            # The time is the package's, so that the same evidence gives the same bytes.
            typeset = typst.compile(str(folder / "report.typ"), root=name, format="pdf", timestamp=made_at.epoch_ms // 1000)
        except (RuntimeError, typst.TypstError) as error:
            raise ProgramFailed(f"the report can't be typeset: {error}") from error
    if not isinstance(typeset, bytes):
        raise ProgramFailed("the report can't be typeset: typst gave several files for one")
    return typeset


def _with_picture(block: Block, folder: Path) -> Block:
    if block["kind"] != "picture":
        return block
    source = Path(str(block["file"]))
    name = f"{len(list(folder.iterdir()))}{source.suffix}"
    shutil.copyfile(source, folder / name)
    return {**block, "file": name}


def _block(block: Mapping[str, Json]) -> str:
    match block["kind"]:
        case "text":
            return f"<p>{_text(block['text'])}</p>"
        case "points":
            return "<ul>" + "".join(f"<li>{_text(point)}</li>" for point in _list(block["points"])) + "</ul>"
        case "table":
            head = "".join(f"<th>{_text(cell)}</th>" for cell in _list(block["head"]))
            rows = ["".join(f"<td>{_text(cell)}</td>" for cell in _list(row)) for row in _list(block["rows"])]
            return f"<table><tr>{head}</tr>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"
    return ""


def _list(value: Json) -> Sequence[Json]:
    return value if isinstance(value, Sequence) else ()


def _text(value: Json) -> str:
    return html.escape(str(value)).replace("\n", "<br>")
