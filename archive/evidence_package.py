"""Evidence packages: one ZIP in BagIt 1.0 layout (RFC 8493) for a case, that anyone can check without LiveProof.

File names are ASCII, because unpackers disagree about others. The same evidence, made at the same time, gives the same bytes: files in
order of their names, stored, one time for all. The form is so narrow that `verify` can say of every byte of the ZIP what it must be (G2).
"""

import hashlib
import re
import shutil
import tempfile
import time
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

from sqlalchemy.exc import IntegrityError

from archive.atomic_write import write_bytes_whole, written_whole
from archive.case import BuiltPackage, Case
from archive.case_attachments import given_as
from archive.case_evidence import add_case, add_papers, add_products
from archive.digest import CHUNK_BYTES, Json, canonical_json, digest_file, digest_json
from archive.errors import TooLarge
from archive.masked_text import people_of
from archive.media_proof import anchored_proof
from archive.moment_evidence import add_moment_evidence
from archive.opening import Archive
from archive.package_contents import (
    REPEATABLE,
    SUMMARY,
    Contents,
    Item,
    MomentEvidence,
    listed,
    liveproof_version,
    tool_versions,
    words_of,
)
from archive.package_coverage import add_coverage
from archive.package_custody import add_custody, add_custody_format, custody_facts, seal
from archive.package_report import Language, catalogue_document, how_to_verify, report_document
from archive.redaction import Pseudonyms
from archive.report import as_html, write_report
from archive.reveal import pseudonyms_of
from archive.timeline import WallTime, format_ms
from archive.verifier.bag_checks import CATALOGUE_FORMAT, seal_digest
from archive.verifier.bundle import standalone_verifier
from archive.verifier.package_files import BAGIT, CATALOGUE, ZipEntry, bag_info, dos_stamp, zip_directory, zip_local_header

Progress = Callable[[int, int, str], None]

# Raised when what a package holds changes, so that a case gets a new one.
LAYOUT = 2
MAX_PACKAGE_BYTES = 2 << 30
CHATTER_MIN_CHARS = 3
ABANDONED_AFTER_S = 24 * 3600


def build_package(
    archive: Archive, case_id: str, actor: str, out: Path | None = None, progress: Progress = lambda done, total, what: None
) -> BuiltPackage:
    """Build, store and log a case's package, and copy it to `out`. Unchanged evidence gives the package that was built before.

    `progress` is told (steps done, steps in all, what comes next). NotFound for an unknown case, TooLarge over 2 GiB, StorageFull,
    VerificationFailed if what is held is not what was admitted, MissingProgram or ProgramFailed from ffmpeg.
    """
    case = archive.cases.case(case_id)
    _sweep_abandoned(archive.home / "building")
    key = _evidence_key(archive, case, actor)
    built = _built_before(archive, case, key)
    if built is None:
        folder = archive.home / "building"
        folder.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="package-", dir=folder) as name:
            built = _build(archive, case, key, actor, Path(name), progress)
    if out is not None:
        with written_whole(out) as temporary:
            shutil.copyfile(archive.store.path(built.digest), temporary)
    return built


def write_zip(files: Mapping[str, Path], base: str, made_at: WallTime, target: BinaryIO) -> None:
    """Write the one serialisation that a package may have. `files` maps names inside `base` to what they hold. TooLarge over 2 GiB."""
    if sum(path.stat().st_size for path in files.values()) > MAX_PACKAGE_BYTES:
        raise TooLarge("the package would be over 2 GiB: split the case's moments over two cases")
    stamp = dos_stamp(made_at.iso())
    entries: list[ZipEntry] = []
    offset = 0
    for name in sorted(files, key=str.encode):
        crc, size = 0, 0
        with files[name].open("rb") as source:
            while chunk := source.read(CHUNK_BYTES):
                crc, size = zlib.crc32(chunk, crc), size + len(chunk)
            entry = ZipEntry(f"{base}/{name}", crc, size, offset)
            header = zip_local_header(entry, *stamp)
            target.write(header)
            source.seek(0)
            shutil.copyfileobj(source, target, CHUNK_BYTES)
        entries.append(entry)
        offset += len(header) + size
    target.write(zip_directory(entries, stamp[0], stamp[1], offset))


def gather(archive: Archive, case: Case, root: Path, pseudonyms: Pseudonyms, actor: str, progress: Progress) -> Contents:
    """Write all the evidence of a case under `root`/data, but for the log, the catalogue and the report, which are about it."""
    contents = Contents(root, case, {name: pseudonyms.viewer(name) for name in people_of(case.order) | _chatters_named(archive, case)})
    steps = len(case.moments) + 2
    for number, moment in enumerate(case.moments):
        progress(number, steps, f"{moment.recording_id} {format_ms(moment.start_ms)}")
        recording = contents.recordings.setdefault(moment.recording_id, archive.catalog.recording(moment.recording_id))
        if recording.id not in contents.words:
            contents.words[recording.id] = words_of(archive, recording.id)
            for part in recording.parts:
                anchored_proof(archive, recording, part, actor)
        evidence = MomentEvidence(moment, recording, contents.words[recording.id], f"data/01-moments/{moment.number:02}")
        contents.moments.append(evidence)
        add_moment_evidence(archive, contents, evidence, pseudonyms, actor)
    add_products(archive, contents)
    add_papers(archive, contents, pseudonyms)
    add_case(contents, pseudonyms)
    add_coverage(archive, contents)
    tools = Item("data/06-tools/tools.json", "工具版本", "Tool versions", REPEATABLE, "LiveProof", derived=True)
    contents.add(tools, tool_versions())
    add_custody_format(contents)
    return contents


def _chatters_named(archive: Archive, case: Case) -> set[str]:
    """Viewers of the case's sessions whom its own words mention by name; names of two characters are too often words."""
    words = "\n".join(
        [case.title, case.complaint, case.demand or "", *(step.text for step in case.steps), *(moment.purpose for moment in case.moments)]
    )
    sessions = {moment.recording_id for moment in case.moments}
    authors = {message.author for recording_id in sessions for message in archive.catalog.messages(recording_id) if message.author}
    return {author for author in authors if len(author) >= CHATTER_MIN_CHARS and author in words}


def _build(archive: Archive, case: Case, key: str, actor: str, work: Path, progress: Progress) -> BuiltPackage:
    made_at = archive.clock()
    package_id = _free_id(archive, case, key)
    bag = work / "bag"
    pseudonyms = pseudonyms_of(archive, case)
    contents = gather(archive, case, bag, pseudonyms, actor, progress)
    steps = len(case.moments) + 2
    progress(steps - 1, steps, "report")
    _write_reports(archive, contents, package_id, made_at, actor)
    _write_readme(bag)
    _seal(archive, contents, package_id, made_at, actor)
    _write_tag_files(contents, package_id, made_at)

    base = "liveproof-" + re.sub(r"[^A-Za-z0-9._-]", "-", package_id)
    zipped = work / "package.zip"
    with zipped.open("wb") as target:
        write_zip({path.relative_to(bag).as_posix(): path for path in bag.rglob("*") if path.is_file()}, base, made_at, target)
    digest, size = archive.store.put_file(zipped, archive.retention.first_lock())
    progress(steps, steps, "done")
    try:
        return archive.cases.record_package(package_id, case.id, digest, size, actor)
    except IntegrityError:
        # Another process built the same evidence meanwhile: its package stands.
        return next(package for package in archive.cases.packages(case.id) if package.id == package_id)


def _write_reports(archive: Archive, contents: Contents, package_id: str, made_at: WallTime, actor: str) -> None:
    """Both reports, and the catalogue as a page."""
    facts, items = custody_facts(archive, contents, actor), listed(contents)
    languages: tuple[tuple[Language, str, str], ...] = (
        ("zh", "证据包报告（中文）", "Report in Chinese"),
        ("en", "证据包报告（英文）", "Report in English"),
    )
    for language, chinese, english in languages:
        document = report_document(contents, facts, package_id, made_at, actor, items, language)
        report = write_report(document, contents.path(CATALOGUE).parent, made_at, f"report-{language}")
        item = Item(f"data/00-catalogue/{report.name}", chinese, english, SUMMARY, "LiveProof", derived=True)
        contents.items.append(item)
    page = as_html(catalogue_document(contents, package_id, made_at, listed(contents)))
    contents.path("data/00-catalogue/catalogue.html").write_text(page, encoding="utf-8")


def _write_readme(bag: Path) -> None:
    readme = ["LiveProof 证据包 / evidence package", ""]
    for language, first in (
        ("zh", "先看 data/00-catalogue 里的报告与目录。"),
        ("en", "Start with the report and catalogue in data/00-catalogue."),
    ):
        readme += [f"- {line}" for line in (first, *how_to_verify("zh" if language == "zh" else "en"))] + [""]
    (bag / "README.txt").write_text("\n".join(readme), encoding="utf-8", newline="")
    (bag / "bagit.txt").write_bytes(BAGIT)
    (bag / "verify.py").write_text(standalone_verifier(), encoding="utf-8", newline="")


def _seal(archive: Archive, contents: Contents, package_id: str, made_at: WallTime, actor: str) -> None:
    """Log what the files are before the log's own extract is made, so that the extract vouches for them; then list everything."""
    bag, case = contents.root, contents.case
    sums = {path.relative_to(bag).as_posix(): digest_file(path)[7:] for path in bag.rglob("*") if path.is_file()}
    detail: dict[str, Json] = {
        "package": package_id,
        "packaged_at": made_at.iso(),
        "agent": _agent(),
        "files": len(sums),
        "digest": seal_digest(sums, [dict(item) for item in listed(contents)]),
    }
    seal(archive, contents, detail, actor)
    add_custody(archive, contents, actor)
    catalogue: dict[str, Json] = {
        "format": CATALOGUE_FORMAT,
        "package": package_id,
        "case": case.id,
        "packaged_at": made_at.iso(),
        "items": listed(contents),
    }
    write_bytes_whole(contents.path(CATALOGUE), canonical_json(catalogue) + b"\n")


def _agent() -> str:
    return f"LiveProof {liveproof_version()}"


def _write_tag_files(contents: Contents, package_id: str, made_at: WallTime) -> None:
    bag = contents.root
    payload = [path for path in (bag / "data").rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in payload)
    (bag / "bag-info.txt").write_bytes(bag_info(package_id, contents.case.id, _agent(), made_at.iso(), size, len(payload)))
    _write_manifest(bag / "manifest-sha256.txt", bag, payload)
    _write_manifest(bag / "tagmanifest-sha256.txt", bag, [path for path in bag.iterdir() if path.is_file()])


def _write_manifest(target: Path, bag: Path, files: list[Path]) -> None:
    sums = {}
    for path in files:
        with path.open("rb") as stream:
            sums[path.relative_to(bag).as_posix()] = hashlib.file_digest(stream, "sha256").hexdigest()
    target.write_text("".join(f"{sums[name]}  {name}\n" for name in sorted(sums)), encoding="utf-8")


def _evidence_key(archive: Archive, case: Case, actor: str) -> str:
    """Digest of all that decides what a package says, but for the time and the log, which its own making moves on."""
    held: dict[str, Json] = {}
    for recording_id in sorted({moment.recording_id for moment in case.moments}):
        recording = archive.catalog.recording(recording_id)
        transcript = archive.transcripts.latest(recording_id)
        held[recording_id] = {
            "parts": [[p.digest, p.clock.version, anchored_proof(archive, recording, p, actor).root] for p in recording.parts],
            "transcript": transcript.digest if transcript else None,
            "stamps": [stamp.id for stamp in archive.stamps.of("admission", recording_id) if stamp.gen_time is not None],
        }
    described: dict[str, Json] = {
        "case": [case.id, case.title, case.complaint, case.problem_class, case.demand, case.product_id, case.status],
        "order": case.order,
        "revealed": sorted(pseudonyms_of(archive, case).revealed),
        "moments": [[m.number, m.recording_id, m.start_ms, m.end_ms, m.quote, m.purpose] for m in case.moments],
        "steps": [[s.number, s.stage.value, s.at.epoch_ms, s.actor, s.text, dict(s.detail)] for s in case.steps],
        "attachments": [[a.number, a.kind, a.title, a.purpose, a.file_name, a.digest, given_as(a)] for a in case.attachments],
    }
    return digest_json({"layout": LAYOUT, "liveproof": liveproof_version(), **described, "held": held}).removeprefix("sha256:")[:12]


def _built_before(archive: Archive, case: Case, key: str) -> BuiltPackage | None:
    made = [p for p in archive.cases.packages(case.id) if p.id.startswith(f"{case.id}-{key}") and archive.store.has(p.digest)]
    return made[-1] if made else None


def _free_id(archive: Archive, case: Case, key: str) -> str:
    taken = {package.id for package in archive.cases.packages(case.id)}
    first = f"{case.id}-{key}"
    return first if first not in taken else next(f"{first}-{n}" for n in range(2, len(taken) + 3) if f"{first}-{n}" not in taken)


def _sweep_abandoned(folder: Path) -> None:
    """Remove what builds left behind that were killed a day ago or earlier."""
    for left in folder.glob("package-*"):
        if time.time() - left.stat().st_mtime > ABANDONED_AFTER_S:
            shutil.rmtree(left, ignore_errors=True)
