"""What goes into an evidence package, as it is gathered: items, moments with what was found for them, papers as they may be given."""

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path

from archive.case import Attachment, Case, CaseMoment
from archive.case_attachments import GivenAs
from archive.digest import Json, digest_file
from archive.masked_text import without_people
from archive.opening import Archive
from archive.programs import ffmpeg_version
from archive.recording import Recording
from archive.transcript import Transcript
from archive.transcripts import machine_version

CONTEXT, PRICE, DISPUTE = "语境 / Context", "商品与价格 / Product and price", "争议事项 / The dispute"
COMPLETE, REPEATABLE, SUMMARY = "完整性 / Completeness", "可重复提取 / Repeatable extraction", "概述与审查要点 / Summary"
CHAIN, EXISTENCE, VERIFIABLE = "保管链条 / Chain of custody", "存在时间 / Time of existence", "可核验 / Verifiability"
STOCK_PURPOSES = {CONTEXT, PRICE, DISPUTE, COMPLETE, REPEATABLE, SUMMARY, CHAIN, EXISTENCE, VERIFIABLE}


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of evidence: `file` inside the package, its title in both languages, what it is to show and where it comes from."""

    file: str
    chinese: str
    english: str
    purpose: str
    source: str
    derived: bool


@dataclass(frozen=True, slots=True)
class Words:
    """A recording's transcript as a machine heard it, and as people edited it (None where nobody did)."""

    heard: Transcript
    edited: Transcript | None

    @property
    def newest(self) -> Transcript:
        return self.edited or self.heard


@dataclass(slots=True)
class MomentEvidence:
    """What was gathered for one moment. `without_clip` says why there is none, in Chinese and English.

    `otherwise`: what a second recogniser wrote where it disagreed.
    """

    moment: CaseMoment
    recording: Recording
    words: Words | None
    folder: str
    heard: str = ""
    otherwise: str | None = None
    edited: str | None = None
    confidence: float | None = None
    risk: tuple[str, ...] = ()
    without_clip: tuple[str, str] | None = None
    proof_clip: str | None = None
    packets: int = 0
    screenshots: list[Path] = field(default_factory=list)
    chat_lines: int = 0


@dataclass(frozen=True, slots=True)
class GivenPaper:
    """An attachment and what of it goes into the package: `file` is None for those that stay."""

    attachment: Attachment
    how: GivenAs
    file: str | None


@dataclass(slots=True)
class Contents:
    """Everything gathered under `root` so far. `people`: what those whom the order names are called here."""

    root: Path
    case: Case
    people: Mapping[str, str] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    moments: list[MomentEvidence] = field(default_factory=list)
    recordings: dict[str, Recording] = field(default_factory=dict)
    words: dict[str, Words | None] = field(default_factory=dict)
    papers: list[GivenPaper] = field(default_factory=list)

    def add(self, item: Item, content: "Json | bytes") -> None:
        """Write a file as bytes, text or JSON, and list it."""
        if isinstance(content, bytes):
            self.path(item.file).write_bytes(content)
        else:
            text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
            self.path(item.file).write_text(text, encoding="utf-8", newline="")
        self.items.append(item)

    def masked(self, text: str) -> str:
        """Text that somebody typed, without personal data and without the people whom the order names."""
        return without_people(text, self.people)

    def path(self, file: str) -> Path:
        """Where a file of the package is being made, its folder made."""
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def words_of(archive: Archive, recording_id: str) -> Words | None:
    """The newest transcript, and beneath it the machine's where people edited it; None if nothing was transcribed."""
    newest = archive.transcripts.latest(recording_id)
    if newest is None:
        return None
    heard = machine_version(newest)
    return Words(newest, None) if heard == newest.version else Words(archive.transcripts.version(recording_id, heard), newest)


def tool_versions() -> dict[str, Json]:
    """What made the package."""
    return {
        "liveproof": liveproof_version(),
        "python": platform.python_version(),
        "system": platform.platform(),
        "ffmpeg": ffmpeg_version(),
        **{name: metadata.version(name) for name in ("av", "cryptography", "pillow", "smartcut", "typst") if _installed(name)},
    }


@cache
def liveproof_version() -> str:
    try:
        return metadata.version("liveproof")
    except metadata.PackageNotFoundError:
        return "unreleased"


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def listed(contents: Contents) -> list[dict[str, Json]]:
    """The catalogue's items, numbered, each with the digest and size of its file."""
    return [
        {
            "number": number,
            "file": item.file,
            "title": f"{item.chinese} / {item.english}",
            "purpose": item.purpose,
            "source": item.source,
            "derived": item.derived,
            "bytes": contents.path(item.file).stat().st_size,
            "digest": digest_file(contents.path(item.file)),
        }
        for number, item in enumerate(contents.items, 1)
    ]
