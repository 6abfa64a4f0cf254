"""The gate: everything is read and checked before anything is written, then kept in the store, then one entry in the catalog (G1, G4).

A media file is read twice: demuxed for its probe and its media proof (G3), and hashed while it is copied; both readings are of one file
that didn't change between them (`InputFile.check_unchanged`). So the admit entry holds file digest and media root of every part.
What a crash leaves behind is at most objects that no recording names yet; the same ingest run again finds or finishes its recording.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from archive.admission import Admission, MediaRoot, Source
from archive.digest import digest_json
from archive.errors import AlreadyHeld
from archive.media_proof import MediaProof, keep_proof
from archive.opening import Archive
from archive.recording import Part, Product, Recording
from archive.timeline import WallTime
from archive.transcript import Provenance, Segment
from ingest.captions import Captions, read_captions
from ingest.chat_files import ChatFile, read_messages, recognise
from ingest.clock import Alignment, PartTiming, align, recorder_zone
from ingest.errors import InputTooLarge, InvalidRequest
from ingest.input_file import InputFile, check_file, read_bytes
from ingest.keeping import Kept, Progress, ToKeep, digests_of, digests_only, keep, silent, within
from ingest.media_probe import MediaProbe, probe_and_prove
from ingest.products import events_from, products_from
from ingest.settings import IngestSettings, ingest_settings
from ingest.shelf_dumps import is_dump, read_dump
from ingest.tables import read_rows

log = structlog.get_logger()

_ID = re.compile(r"[0-9A-Za-z\u3400-\u4dbf\u4e00-\u9fff][0-9A-Za-z\u3400-\u4dbf\u4e00-\u9fff._-]{0,99}")
_ABOUT_MAX_CHARS = 500


@dataclass(frozen=True)
class IngestRequest:
    """What somebody brings. `media` are parts in their order; `started_at` is when part 1 (or the captions' 0 ms) was on air."""

    media: tuple[Path, ...] = ()
    recording_id: str | None = None
    chat: tuple[Path, ...] = ()
    captions: Path | None = None
    products: Path | None = None
    events: Path | None = None
    started_at: WallTime | None = None
    platform: str | None = None
    room: str | None = None
    host: str | None = None
    title: str | None = None


@dataclass(frozen=True)
class Admitted:
    """What is held now. `notes` say what was mended or left out on the way, `already_held` that nothing was new."""

    recording: Recording
    captions: tuple[Segment, ...] | None
    already_held: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Table:
    file: InputFile
    content: bytes


@dataclass(frozen=True, slots=True)
class _Read:
    """A request whose every file was read and found good; nothing is written yet."""

    media: tuple[InputFile, ...]
    probes: tuple[MediaProbe, ...]
    proofs: tuple[MediaProof | None, ...]
    alignment: Alignment
    chats: tuple[ChatFile, ...]
    captions_file: InputFile | None
    captions: Captions | None
    products: _Table | None
    events: _Table | None
    draft: Admission
    notes: tuple[str, ...]

    def files(self) -> list[ToKeep]:
        """What goes into the store; where a file was read whole, the bytes that were read."""
        found = [ToKeep("media", file) for file in self.media]
        found.extend(ToKeep("chat", chat.file) for chat in self.chats)
        if self.captions_file and self.captions:
            found.append(ToKeep("captions", self.captions_file, self.captions.content))
        if self.products:
            found.append(ToKeep("products", self.products.file, self.products.content))
        if self.events:
            found.append(ToKeep("product_events", self.events.file, self.events.content))
        return found


def admit(
    archive: Archive, request: IngestRequest, actor: str, progress: Progress | None = None, settings: IngestSettings | None = None
) -> Admitted:
    """Take a session in, whole or not at all.

    Raises what ingest.errors names for input that can't be taken, AlreadyHeld where the id stands for something else, StorageFull where
    the disk hasn't the room; in each case the catalog and the custody log are as they were.
    """
    settings = settings or ingest_settings()
    check_request(request, settings)
    read = _read(request, settings, progress or silent)

    if request.recording_id and archive.catalog.has(request.recording_id):
        return _held(archive, read, request, request.recording_id, digests_only(read.files()), actor)
    kept = keep(archive, read.files(), progress or silent)
    recording_id = request.recording_id or derived_id(digests_of(kept, "media"), digests_of(kept, "captions"))
    if archive.catalog.has(recording_id):
        return _held(archive, read, request, recording_id, kept, actor)
    admission = _admission(archive, read, recording_id, kept)
    for part, proof in zip(admission.recording.parts, read.proofs, strict=True):
        if proof is not None:
            keep_proof(archive, part.digest, proof)
    try:
        archive.catalog.admit(admission, actor)
    except AlreadyHeld:
        # Somebody else admitted the same id since it was looked for.
        return _held(archive, read, request, recording_id, kept, actor)
    for note in read.notes:
        log.warning("ingest.note", recording=recording_id, note=note)
    log.info("ingest.admitted", recording=recording_id, parts=len(read.media), messages=len(read.draft.messages))
    return Admitted(admission.recording, _import_captions(archive, admission.recording, read, kept, actor), False, read.notes)


def check_request(request: IngestRequest, settings: IngestSettings) -> None:
    """InvalidRequest or InputTooLarge for what is wrong before any file is opened."""
    if not request.media and request.captions is None:
        raise InvalidRequest("nothing to ingest: name at least one media file, or captions with --captions")
    if request.recording_id is not None and not _ID.fullmatch(request.recording_id):
        raise InvalidRequest(
            f"“{request.recording_id[:120]}” can't be an id: use up to 100 letters, digits, Chinese characters, dots, dashes and "
            "underscores, beginning with a letter, digit or Chinese character"
        )
    for name, given in (("platform", request.platform), ("room", request.room), ("host", request.host), ("title", request.title)):
        if given is None:
            continue
        if len(given) > _ABOUT_MAX_CHARS or any(unicodedata.category(char) in ("Cc", "Cs") for char in given):
            raise InvalidRequest(f"the {name} must be one line of at most {_ABOUT_MAX_CHARS} characters")
    for what, paths, most in (("media", request.media, settings.parts_max), ("chat", request.chat, settings.chat_files_max)):
        if len(paths) > most:
            raise InputTooLarge(f"{len(paths)} {what} files are more than the {most} that one recording may have")
        seen: set[Path] = set()
        for path in paths:
            if (where := path.absolute()) in seen:
                raise InvalidRequest(f"{what} file {path} is named twice")
            seen.add(where)


def derived_id(parts: Sequence[str], captions: Sequence[str]) -> str:
    """The id of a recording that was given none: from its content, so that the same files get the same id."""
    return "rec-" + digest_json({"parts": list(parts), "captions": list(captions)}).removeprefix("sha256:")[:12]


def _read(request: IngestRequest, settings: IngestSettings, progress: Progress) -> _Read:
    zone = recorder_zone(settings.recorder_time_zone)
    media = tuple(check_file(path, "media", settings.media_max_bytes) for path in request.media)
    chat = [check_file(path, "chat", settings.chat_max_bytes, may_be_empty=True) for path in request.chat]
    captions_file = check_file(request.captions, "captions", settings.captions_max_bytes) if request.captions else None
    products = _table(request.products, "products", settings)
    events = _table(request.events, "events", settings)

    # The small files first: their faults show before hours of media are read.
    captions = read_captions(captions_file, settings) if captions_file else None
    notes: list[str] = []
    shelf = _shelf(products, settings, notes.append)
    dump = read_dump(events.file, settings, notes.append) if events and is_dump(events.file) else None
    event_rows = read_rows(events.file, events.content, settings) if events and dump is None else []
    chats = recognise(chat, [file.name for file in media], zone)

    probed = _probe_all(media, progress)
    probes = tuple(found for found, _ in probed)
    alignment = align(_timings(media, probes, chats), request.started_at, zone)
    wall_zero = alignment.clocks[0].wall_start if alignment.clocks else request.started_at or _earliest(chats)
    on_air = events_from(event_rows, {product.product_id for product in shelf}, wall_zero)
    if dump is not None:
        shelf, on_air = dump.laid(shelf, wall_zero, notes.append)
    draft = Admission(
        recording=_draft_recording(request, chats, wall_zero, _duration(alignment, probes, captions), alignment),
        messages=read_messages(chats, alignment.clocks, wall_zero, settings, notes.append),
        products=shelf,
        events=on_air,
    )
    proofs = tuple(proof for _, proof in probed)
    return _Read(media, probes, proofs, alignment, tuple(chats), captions_file, captions, products, events, draft, tuple(notes))


def _shelf(products: _Table | None, settings: IngestSettings, note: Callable[[str], None]) -> tuple[Product, ...]:
    if products is None:
        return ()
    if is_dump(products.file):
        return read_dump(products.file, settings, note).products()
    return products_from(read_rows(products.file, products.content, settings))


def _table(path: Path | None, what: str, settings: IngestSettings) -> _Table | None:
    if path is None:
        return None
    file = check_file(path, what, settings.table_max_bytes, may_be_empty=True)
    return _Table(file, read_bytes(file))


def _probe_all(media: Sequence[InputFile], progress: Progress) -> list[tuple[MediaProbe, MediaProof | None]]:
    done, total = 0, sum(file.size_bytes for file in media)
    probes = []
    for file in media:
        probes.append(probe_and_prove(file, within(progress, "probe", done, total)))
        file.check_unchanged()
        done += file.size_bytes
        progress("probe", done, total)
    return probes


def _timings(media: Sequence[InputFile], probes: Sequence[MediaProbe], chats: Sequence[ChatFile]) -> list[PartTiming]:
    starts = {chat.part: chat.header.started_at for chat in chats if chat.part is not None and chat.header.started_at}
    return [
        PartTiming(file.name, probed.duration_ms, starts.get(number))
        for number, (file, probed) in enumerate(zip(media, probes, strict=True))
    ]


def _earliest(chats: Sequence[ChatFile]) -> WallTime | None:
    return min((chat.header.started_at for chat in chats if chat.header.started_at), default=None)


def _duration(alignment: Alignment, probes: Sequence[MediaProbe], captions: Captions | None) -> int:
    ends = [clock.starts_at_ms + probed.duration_ms for clock, probed in zip(alignment.clocks, probes, strict=True)]
    return max(ends) if ends else captions.end_ms if captions else 0


def _draft_recording(
    request: IngestRequest, chats: Sequence[ChatFile], wall_zero: WallTime | None, duration_ms: int, alignment: Alignment
) -> Recording:
    """The recording but for its id, parts and time of admission. What the request doesn't say, the first chat's head may."""
    header = next((chat.header for chat in chats), None)
    return Recording(
        id="",
        platform=request.platform or (header.platform if header else None),
        room=request.room or (header.room if header else None),
        host=request.host or (header.host if header else None),
        title=request.title or (header.title if header else None),
        started_at=wall_zero,
        duration_ms=duration_ms,
        admitted_at=WallTime(0),
        gaps=alignment.gaps,
    )


def _admission(archive: Archive, read: _Read, recording_id: str, kept: Sequence[Kept]) -> Admission:
    stored = [item for item in kept if item.role == "media"]
    parts = tuple(
        Part(
            number=number,
            digest=item.digest,
            size_bytes=item.size_bytes,
            file_name=item.file_name,
            duration_ms=probed.duration_ms,
            container=probed.container,
            probe=probed.as_json(),
            clock=clock,
            damage=probed.damage + oddity,
        )
        for number, (item, probed, clock, oddity) in enumerate(
            zip(stored, read.probes, read.alignment.clocks, read.alignment.oddities, strict=True), 1
        )
    )
    draft = read.draft.recording
    recording = Recording(
        recording_id,
        draft.platform,
        draft.room,
        draft.host,
        draft.title,
        draft.started_at,
        draft.duration_ms,
        archive.clock(),
        parts,
        draft.gaps,
    )
    sources = tuple(Source(item.role, item.digest, item.size_bytes, item.file_name) for item in kept if item.role != "media")
    roots = {n: MediaRoot(proof.root, len(proof.leaves)) for n, proof in enumerate(read.proofs, 1) if proof is not None}
    return Admission(recording, read.draft.messages, read.draft.products, read.draft.events, sources, roots)


def _held(archive: Archive, read: _Read, request: IngestRequest, recording_id: str, kept: Sequence[Kept], actor: str) -> Admitted:
    """The recording that stands under the id, if it is what was brought. AlreadyHeld says in what it differs."""
    held = archive.catalog.recording(recording_id)
    differs = _difference(archive, held, request, kept)
    if differs:
        raise AlreadyHeld(f"recording {recording_id} is already held with other {differs}: choose another --id; nothing was changed")
    log.info("ingest.already_held", recording=recording_id)
    return Admitted(held, _import_captions(archive, held, read, kept, actor), True, read.notes)


def _difference(archive: Archive, held: Recording, request: IngestRequest, kept: Sequence[Kept]) -> str | None:
    if [part.digest for part in held.parts] != digests_of(kept, "media"):
        return "media"
    sources = archive.catalog.sources(held.id)
    for role, what in (("chat", "chat"), ("captions", "captions"), ("products", "products"), ("product_events", "product events")):
        if sorted(source.digest for source in sources if source.role == role) != sorted(digests_of(kept, role)):
            return what
    for field in ("platform", "room", "host", "title", "started_at"):
        asked = getattr(request, field)
        if asked is not None and asked != getattr(held, field):
            return field.replace("_", " ")
    return None


def _import_captions(archive: Archive, recording: Recording, read: _Read, kept: Sequence[Kept], actor: str) -> tuple[Segment, ...] | None:
    """Captions as a transcript of engine `imported`, unless a run before this one stored them already."""
    if read.captions is None or read.captions_file is None:
        return None
    import pysubs2

    digest = digests_of(kept, "captions")[0]
    latest = archive.transcripts.latest(recording.id)
    for version in range(latest.version if latest else 0, 0, -1):
        known = archive.transcripts.version(recording.id, version)
        if known.provenance.engine == "imported" and known.provenance.model_digest == digest:
            return known.segments
    placed = tuple(_in_part(segment, recording) for segment in read.captions.segments)
    provenance = Provenance(
        engine="imported",
        engine_version=f"pysubs2 {pysubs2.__version__}",
        model=read.captions.format,
        model_digest=digest,
        parameters={"file": read.captions_file.name, "encoding": read.captions.encoding},
        created_at=archive.clock(),
    )
    return archive.transcripts.add(recording.id, provenance, placed, _spans(placed), (), actor).segments


def _in_part(segment: Segment, recording: Recording) -> Segment:
    part = recording.part_at(segment.start_ms)
    return replace(segment, part=part.number if part else None)


def _spans(segments: Sequence[Segment]) -> list[tuple[int, int]]:
    """The stretches that captions cover: all that can be said of what was heard."""
    spans: list[tuple[int, int]] = []
    for segment in segments:
        if spans and segment.start_ms <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], segment.end_ms))
        else:
            spans.append((segment.start_ms, segment.end_ms))
    return spans
