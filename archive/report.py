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


def heading(text: str) -> Block:
    return {"kind": "heading", "text": text}


def pictures(shown: Sequence[tuple[Path, str]]) -> Block:
    """Up to three pictures in a row, each with a line under it."""
    return {"kind": "pictures", "files": [str(file) for file, _ in shown], "captions": [caption for _, caption in shown]}


def table(head: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int] | None = None, *, tall: bool = False) -> Block:
    """`widths` are relative; equal ones if left out. `tall` rows leave room to write in."""
    cells: list[Json] = [list(row) for row in rows]
    return {"kind": "table", "head": list(head), "rows": cells, "widths": list(widths or [1] * len(head)), "tall": tall}


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it."""

    title: str
    blocks: tuple[Block, ...]
    new_page: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """`package` names, on every page, what it belongs to; `language` is `zh` or `en`."""

    title: str
    subtitle: str
    package: str
    sections: tuple[Section, ...]
    language: str = "zh"


def chinese_font() -> str | None:
    """The installed font family to print Chinese with, None if there is none."""
    import typst

    installed = set(typst.Fonts().families())
    named = next((font for font in CHINESE_FONTS if font in installed), None)
    return named or next((font for font in sorted(installed) if font.endswith(("CJK SC", "CJK CN", "Hans SC"))), None)


def write_report(document: Document, folder: Path, made_at: WallTime, name: str = "report") -> Path:
    """Write `name`.pdf into `folder`, or `name`.html with a note where no Chinese font is installed; which one."""
    font = chinese_font()
    if font is None:
        structlog.get_logger().warning("no Chinese font, report is HTML", install="apt-get install fonts-noto-cjk")
        note = paragraph(
            "制作时本机未安装中文字体，故报告为 HTML 而非 PDF。"
            "This report is HTML, not PDF, because no Chinese font was installed where it was made (apt-get install fonts-noto-cjk)."
        )
        noted = Document(
            document.title, document.subtitle, document.package, (Section("说明 / Note", (note,)), *document.sections), document.language
        )
        target = folder / f"{name}.html"
        write_bytes_whole(target, as_html(noted).encode())
        return target
    target = folder / f"{name}.pdf"
    write_bytes_whole(target, _typeset(document, font, made_at))
    return target


def as_html(document: Document) -> str:
    """One self-contained page. Pictures are left to the files beside it."""
    parts = [f"<h1>{_text(document.title)}</h1><p>{_text(document.subtitle)}</p>"]
    for section in document.sections:
        parts.append(f"<h2>{_text(section.title)}</h2>")
        parts += [_block(block) for block in section.blocks]
    style = (
        "body{font:15px/1.65 'Noto Sans CJK SC','PingFang SC','Microsoft YaHei',sans-serif;color:#1d2430;max-width:72em;margin:2.5em auto;"
        "padding:0 1.5em}h1{font-size:1.5em;margin-bottom:.2em}h1+p{color:#667;margin-top:0}h2{font-size:1.15em;margin-top:2em}"
        "table{border-collapse:collapse;width:100%}td,th{border:1px solid #ccd3dc;padding:.4em .6em;text-align:left;vertical-align:top;"
        "overflow-wrap:anywhere}th{background:#f1f4f8;white-space:nowrap}td:first-child{white-space:nowrap}"
    )
    head = f'<meta charset="utf-8"><title>{_text(document.title)}</title><style>{style}</style>'
    lang = "en" if document.language == "en" else "zh-CN"
    return f'<!doctype html><html lang="{lang}"><head>{head}</head><body>{"".join(parts)}</body></html>\n'


def _typeset(document: Document, font: str, made_at: WallTime) -> bytes:
    import typst

    with tempfile.TemporaryDirectory(prefix="liveproof-") as name:
        folder = Path(name)
        sections = [
            {"title": s.title, "new_page": s.new_page, "blocks": [_with_pictures(b, folder) for b in s.blocks]} for s in document.sections
        ]
        head = {"title": document.title, "subtitle": document.subtitle, "package": document.package}
        content = {**head, "fonts": [font], "language": document.language}
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


def _with_pictures(block: Block, folder: Path) -> Block:
    if block["kind"] != "pictures":
        return block
    names: list[Json] = []
    for file in _list(block["files"]):
        source = Path(str(file))
        names.append(f"{len(list(folder.iterdir()))}{source.suffix}")
        shutil.copyfile(source, folder / str(names[-1]))
    return {**block, "files": names}


def _block(block: Mapping[str, Json]) -> str:
    match block["kind"]:
        case "heading":
            return f"<h3>{_text(block['text'])}</h3>"
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
