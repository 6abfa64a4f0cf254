"""What goes into a case's evidence package: clips with their proofs, words as heard, chat without its people, shelf, order, custody."""

import json
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path

from archive.case import Case, CaseMoment
from archive.catalog import product_json
from archive.clip import cut_clip, part_with, screenshot
from archive.custody import CustodyEntry, verify_chain
from archive.digest import Json, digest_file
from archive.errors import InvalidTime, NoMediaHeld
from archive.media_proof import anchored_proof
from archive.merkle import inclusion_proof
from archive.opening import Archive
from archive.package_verifier import CUSTODY
from archive.programs import ffmpeg_version
from archive.recording import Recording
from archive.redaction import Pseudonyms, mask, redact_record
from archive.timeline import format_ms
from archive.transcript import Transcript
from archive.transcripts import segment_json, segment_leaves, segments_root

# How much is shown around a moment, before and after it.
CLIP_CONTEXT_MS = 5_000
WORDS_CONTEXT_MS = 30_000
CHAT_CONTEXT_MS = 60_000

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of evidence: `file` inside the package, what it is to show and where it comes from."""

    file: str
    title: str
    purpose: str
    source: str
    derived: bool


@dataclass(slots=True)
class MomentEvidence:
    """What was gathered for one moment. `without_clip` says why there is none."""

    moment: CaseMoment
    recording: Recording
    transcript: Transcript | None
    folder: str
    confidence: float | None = None
    risk: tuple[str, ...] = ()
    without_clip: str | None = None
    screenshot: Path | None = None


@dataclass(slots=True)
class Contents:
    """Everything gathered under `root` so far."""

    root: Path
    case: Case
    items: list[Item] = field(default_factory=list)
    moments: list[MomentEvidence] = field(default_factory=list)
    recordings: dict[str, Recording] = field(default_factory=dict)
    transcripts: dict[str, Transcript | None] = field(default_factory=dict)
    custody: list[CustodyEntry] = field(default_factory=list)
    custody_length: int = 0
    custody_head: str = ""

    def add(self, file: str, content: Json, title: str, purpose: str, source: str, *, derived: bool = True) -> None:
        """Write a text or JSON file and list it."""
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
        path = self.path(file)
        path.write_text(text, encoding="utf-8")
        self.items.append(Item(file, title, purpose, source, derived))

    def path(self, file: str) -> Path:
        """Where a file of the package is being made, its folder made."""
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def gather(archive: Archive, case: Case, root: Path, pseudonyms: Pseudonyms, actor: str, progress: Progress) -> Contents:
    """Write all the evidence of a case under `root`/data, but for the catalogue and the report, which are about it."""
    contents = Contents(root, case)
    steps = len(case.moments) + 2
    for number, moment in enumerate(case.moments):
        progress(number, steps, f"{moment.recording_id} {format_ms(moment.start_ms)}")
        recording = contents.recordings.setdefault(moment.recording_id, archive.catalog.recording(moment.recording_id))
        if recording.id not in contents.transcripts:
            contents.transcripts[recording.id] = archive.transcripts.latest(recording.id)
            for part in recording.parts:
                anchored_proof(archive, recording, part, actor)
        evidence = MomentEvidence(moment, recording, contents.transcripts[recording.id], f"data/01-moments/{moment.number:02}")
        contents.moments.append(evidence)
        _add_clip(archive, contents, evidence, actor)
        _add_words(contents, evidence)
        _add_chat(archive, contents, evidence, pseudonyms)
    progress(steps - 2, steps, "custody")
    _add_products(archive, contents)
    _add_case(contents, pseudonyms)
    _add_custody(archive, contents)
    _add_coverage(contents)
    contents.add("data/06-tools/tools.json", tool_versions(), "工具版本 / Tool versions", "可重复提取 / Repeatable extraction", "LiveProof")
    return contents


def tool_versions() -> dict[str, Json]:
    """What made the package."""
    return {
        "liveproof": liveproof_version(),
        "python": platform.python_version(),
        "system": platform.platform(),
        "ffmpeg": ffmpeg_version(),
        **{name: metadata.version(name) for name in ("av", "typst", "pillow")},
    }


@cache
def liveproof_version() -> str:
    try:
        return metadata.version("liveproof")
    except metadata.PackageNotFoundError:
        return "unreleased"


def _add_clip(archive: Archive, contents: Contents, evidence: MomentEvidence, actor: str) -> None:
    moment, recording = evidence.moment, evidence.recording
    try:
        part = part_with(recording, moment.start_ms, moment.start_ms + 1)
        from_ms = max(part.start_ms, moment.start_ms - CLIP_CONTEXT_MS)
        to_ms = min(part.end_ms, moment.end_ms + CLIP_CONTEXT_MS)
        view = contents.path(f"{evidence.folder}/clip.mp4")
        clip = cut_clip(archive, recording.id, from_ms, to_ms, view, actor, log_export=False)
    except NoMediaHeld:
        evidence.without_clip = "该场次仅存字幕，未存音视频。Only captions of this session are held, no media."
        return
    except InvalidTime as error:
        evidence.without_clip = f"此处未存音视频。Nothing is held there: {error}"
        return
    origin = f"{recording.id} / {part.file_name} / {part.digest}"
    span = f"{format_ms(from_ms)}–{format_ms(to_ms)}"
    shows = moment.purpose or moment.quote
    kept = ((clip.proof_clip, f"原样片段 / Proof clip {span}", False), (clip.proof, "原样片段的证明 / Proof of the clip", False))
    for path, title, derived in (*kept, (clip.view, f"观看片段（派生）/ View clip, derived {span}", True)):
        contents.items.append(Item(f"{evidence.folder}/{path.name}", title, shows, origin, derived))
    picture = contents.path(f"{evidence.folder}/screenshot.png")
    try:
        screenshot(archive, recording.id, moment.start_ms, picture, actor, log_export=False)
    except NoMediaHeld:
        return
    evidence.screenshot = picture
    contents.items.append(
        Item(f"{evidence.folder}/{picture.name}", f"画面截图 / Screenshot {format_ms(moment.start_ms)}", shows, origin, derived=True)
    )


def _add_words(contents: Contents, evidence: MomentEvidence) -> None:
    """The words as heard around the moment, with each segment's path to the root that the custody log holds."""
    moment, transcript = evidence.moment, evidence.transcript
    file = f"{evidence.folder}/transcript.json"
    title, shows = "转写摘录（机器原文）/ Transcript excerpt, as heard", moment.purpose or moment.quote
    span: list[Json] = [max(0, moment.start_ms - WORDS_CONTEXT_MS), moment.end_ms + WORDS_CONTEXT_MS]
    if transcript is None:
        contents.add(file, {"recording": moment.recording_id, "transcript": None, "span_ms": span, "segments": []}, title, shows, "—")
        return
    leaves = segment_leaves(transcript.segments)
    chosen = [(n, s) for n, s in enumerate(transcript.segments) if s.end_ms > moment.start_ms - WORDS_CONTEXT_MS]
    chosen = [(n, s) for n, s in chosen if s.start_ms < moment.end_ms + WORDS_CONTEXT_MS]
    p = transcript.provenance
    shown: list[Json] = [{"segment": segment_json(s), "path": [node.hex() for node in inclusion_proof(leaves, n)]} for n, s in chosen]
    about: dict[str, Json] = {
        "version": transcript.version,
        "digest": transcript.digest,
        "segments": len(leaves),
        "segments_root": segments_root(transcript.segments),
        "engine": p.engine,
        "engine_version": p.engine_version,
        "model": p.model,
        "model_digest": p.model_digest,
        "parameters": p.parameters,
        "created_at": p.created_at.iso(),
    }
    origin = f"{p.engine} {p.engine_version}, {p.model} ({p.model_digest or 'no digest'}), version {transcript.version}"
    contents.add(file, {"recording": moment.recording_id, "transcript": about, "span_ms": span, "segments": shown}, title, shows, origin)
    quoted = [s for _, s in chosen if s.start_ms < moment.end_ms and s.end_ms > moment.start_ms]
    heard = [s.confidence for s in quoted if s.confidence is not None]
    evidence.confidence = min(heard) if heard else None
    evidence.risk = tuple(sorted({risk for s in quoted for risk in s.risk}))
    lines = [
        f"# {title}",
        f"# {origin}",
        "# 未作任何改动；机器转写可能有误，以片段为准。Untouched; a machine can mishear: the clip decides.",
        "",
    ]
    for _, s in chosen:
        mark = "»" if s in quoted else " "
        sure = "" if s.confidence is None else f"  [{s.confidence:.2f}]"
        doubts = f"  ({', '.join(s.risk)})" if s.risk else ""
        lines.append(f"{mark} {format_ms(s.start_ms)}–{format_ms(s.end_ms)}  {s.text}{sure}{doubts}")
    contents.add(f"{evidence.folder}/transcript.txt", "\n".join(lines) + "\n", "转写摘录（阅读本）/ Excerpt for reading", shows, origin)


def _add_chat(archive: Archive, contents: Contents, evidence: MomentEvidence, pseudonyms: Pseudonyms) -> None:
    moment = evidence.moment
    names = pseudonyms.names({message.author for message in archive.catalog.messages(moment.recording_id)})
    around = archive.catalog.messages(moment.recording_id, max(0, moment.start_ms - CHAT_CONTEXT_MS), moment.end_ms + CHAT_CONTEXT_MS)
    if not around:
        return
    lines: list[Json] = [
        {
            "at_ms": m.at_ms,
            "uncertainty_ms": m.uncertainty_ms,
            "author": pseudonyms.viewer(m.author) if m.author else None,
            "kind": m.kind.value,
            "text": mask(m.text, names).text,
            "recalled": m.recalled,
        }
        for m in around
    ]
    title = "前后弹幕（已去标识）/ Chat around it, pseudonymised"
    contents.add(f"{evidence.folder}/chat.json", {"recording": moment.recording_id, "messages": lines}, title, "语境 / Context", "catalog")


def _add_products(archive: Archive, contents: Contents) -> None:
    wanted = contents.case.product_id
    for recording_id in contents.recordings:
        for product in archive.catalog.products(recording_id):
            if product.product_id == wanted:
                events: list[Json] = [
                    {"event": e.event.value, "at_ms": e.at_ms, "source": e.source, "inferred": e.inferred}
                    for e in archive.catalog.events(recording_id)
                    if e.product_id == wanted
                ]
                card = {"recording": recording_id, **product_json(product), "events": events}
                title = f"商品卡与详情 / Product card and listing: {product.title}"
                contents.add(
                    f"data/02-product/{len(contents.items):02}-product.json", card, title, "商品与价格 / Product and price", recording_id
                )


def _add_case(contents: Contents, pseudonyms: Pseudonyms) -> None:
    case = contents.case
    record: dict[str, Json] = {
        "case": case.id,
        "title": mask(case.title).text,
        "problem_class": case.problem_class,
        "complaint": mask(case.complaint).text,
        "demand": mask(case.demand).text if case.demand else None,
        "order": redact_record(case.order, pseudonyms),
        "product_id": case.product_id,
        "status": case.status,
        "opened_at": case.opened_at.iso(),
        "moments": [
            {
                "number": m.number,
                "recording": m.recording_id,
                "start_ms": m.start_ms,
                "end_ms": m.end_ms,
                "quote": m.quote,
                "purpose": m.purpose,
            }
            for m in case.moments
        ],
    }
    title, file = "订单与投诉（已去标识）/ Order and complaint", "data/03-order-and-complaint/case.json"
    contents.add(file, record, title, "争议事项 / The dispute", f"case {case.id}")


def _add_custody(archive: Archive, contents: Contents) -> None:
    """The entries about the case and its recordings in full, and every other one's digest, so that each is seen at its place."""
    about = {contents.case.id, *contents.recordings}
    chain: list[Json] = []

    def seen() -> Iterator[CustodyEntry]:
        for entry in archive.custody.entries():
            chain.append(entry.digest.removeprefix("sha256:"))
            contents.custody_head = entry.digest
            if entry.subject in about:
                contents.custody.append(entry)
            yield entry

    contents.custody_length = verify_chain(seen())
    extract: dict[str, Json] = {
        "format": "liveproof-custody-extract/1",
        "how": "digest = SHA-256 of the canonical JSON of the other fields; previous = digest of the entry before; chain lists all digests",
        "length": contents.custody_length,
        "head": contents.custody_head,
        "whole_chain_verified_at": archive.clock().iso(),
        "chain": chain,
        "entries": [entry.as_json() for entry in contents.custody],
    }
    title, purpose = "保管记录摘录 / Custody log extract", "保管链条 / Chain of custody"
    contents.add(CUSTODY, extract, title, purpose, "custody log", derived=False)


def _add_coverage(contents: Contents) -> None:
    described: list[Json] = [coverage_of(recording, contents.transcripts[recording.id]) for recording in contents.recordings.values()]
    title = "覆盖范围与时钟误差 / Coverage and clock uncertainty"
    contents.add("data/05-coverage/coverage.json", {"recordings": described}, title, "完整性 / Completeness", "catalog")


def coverage_of(recording: Recording, transcript: Transcript | None) -> dict[str, Json]:
    """What of a session is held, heard and left out, and how sure its clocks are. Spans are ms of the recording."""
    return {
        "recording": recording.id,
        "platform": recording.platform,
        "room": recording.room,
        "host": recording.host,
        "title": recording.title,
        "started_at": recording.started_at.iso() if recording.started_at else None,
        "admitted_at": recording.admitted_at.iso(),
        "duration_ms": recording.duration_ms,
        "held_ms": recording.held_ms,
        "media_held": recording.has_media,
        "parts": [
            {
                "number": p.number,
                "file": p.file_name,
                "digest": p.digest,
                "bytes": p.size_bytes,
                "from_ms": p.start_ms,
                "to_ms": p.end_ms,
                "wall_start": p.clock.wall_start.iso() if p.clock.wall_start else None,
                "clock_uncertainty_ms": p.clock.uncertainty_ms,
                "clock_method": p.clock.method,
                "damage": list(p.damage),
                "kept_at": "LiveProof object store, by its digest",
            }
            for p in recording.parts
        ],
        "gaps": [{"from_ms": g.start_ms, "to_ms": g.end_ms, "reason": g.reason} for g in recording.gaps],
        "transcript_version": transcript.version if transcript else None,
        "speech_ms": sum(end - start for start, end in transcript.speech) if transcript else 0,
        "skipped": [list(span) for span in transcript.skipped] if transcript else [],
    }


def listed(contents: Contents) -> list[Json]:
    """The catalogue's items, numbered, each with the digest and size of its file."""
    return [
        {
            "number": number,
            "file": item.file,
            "title": item.title,
            "purpose": item.purpose,
            "source": item.source,
            "derived": item.derived,
            "bytes": contents.path(item.file).stat().st_size,
            "digest": digest_file(contents.path(item.file)),
        }
        for number, item in enumerate(contents.items, 1)
    ]
