"""The gate: everything is read and checked before anything is written, then kept in the store, then one entry in the catalog (G1, G4).

A media file is read twice: demuxed for its probe and its media proof (G3), and hashed while it is copied; both readings are of one file
that didn't change between them (`InputFile.check_unchanged`). So the admit entry holds file digest and media root of every part.
What a crash leaves behind is at most objects that no recording names yet; the same ingest run again finds or finishes its recording.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path

import structlog

from archive.admission import Admission, MediaRoot, Source
from archive.digest import digest_json
from archive.errors import AlreadyHeld
from archive.media_proof import MediaProof, keep_proof
from archive.opening import Archive
from archive.recording import Gap, Recording
from archive.timeline import ClockMap, WallTime
from archive.transcript import Segment
from ingest.caption_import import import_captions
from ingest.captions import Captions, read_captions
from ingest.chat_files import ChatFile, read_messages, recognise
from ingest.clock import Alignment, PartTiming, align, recorder_zone
from ingest.clock_files import ROLE, TimeSubtitle, beside, given_with, tells_time, with_subtitles
from ingest.errors import InvalidRequest
from ingest.input_file import InputFile, check_file
from ingest.keeping import Kept, Progress, ToKeep, digests_of, digests_only, keep, silent
from ingest.media_probe import MediaProbe
from ingest.part_places import lay_parts
from ingest.products import events_from
from ingest.recorder_names import fill_from_names
from ingest.request_files import TableFile, check_named_once, part_from, probe_all, shelf_from, table_file
from ingest.settings import IngestSettings, ingest_settings
from ingest.shelf_dumps import is_dump, read_dump
from ingest.tables import read_rows

log = structlog.get_logger()

_ID = re.compile(r"[0-9A-Za-z\u3400-\u4dbf\u4e00-\u9fff][0-9A-Za-z\u3400-\u4dbf\u4e00-\u9fff._-]{0,99}")
_ABOUT_MAX_CHARS = 500


@dataclass(frozen=True)
class IngestRequest:
    """What somebody brings. `media` are parts in their order; `started_at` is when part 1 (or the captions' 0 ms) was on air.

    A capture gives `clocks`, one a media file, and the `gaps` it knows of, and says that the room is still `live`; what it leaves out is
    told from names and chats. `kind`: see `Recording`.
    """

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
    clocks: tuple[ClockMap | None, ...] = ()
    gaps: tuple[Gap, ...] = ()
    live: bool = False
    kind: str | None = None


@dataclass(frozen=True)
class Admitted:
    """What is held now. `notes` say what was mended or left out on the way, `already_held` that nothing was new."""

    recording: Recording
    captions: tuple[Segment, ...] | None
    already_held: bool
    notes: tuple[str, ...] = ()


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
    subtitles: tuple[TimeSubtitle, ...]
    products: TableFile | None
    events: TableFile | None
    draft: Admission
    notes: tuple[str, ...]

    def files(self) -> list[ToKeep]:
        """What goes into the store; where a file was read whole, the bytes that were read."""
        found = [ToKeep("media", file) for file in self.media]
        found.extend(ToKeep("chat", chat.file) for chat in self.chats)
        if self.captions_file and self.captions:
            found.append(ToKeep("captions", self.captions_file, self.captions.content))
        found.extend(ToKeep(ROLE, each.file, each.captions.content) for each in self.subtitles)
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
    return Admitted(admission.recording, _captions(archive, admission.recording, read, kept, actor), False, read.notes)


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
    check_named_once(request.media, request.chat, settings)


def derived_id(parts: Sequence[str], captions: Sequence[str]) -> str:
    """The id of a recording that was given none: from its content, so that the same files get the same id."""
    return "rec-" + digest_json({"parts": list(parts), "captions": list(captions)}).removeprefix("sha256:")[:12]


def _read(request: IngestRequest, settings: IngestSettings, progress: Progress) -> _Read:
    zone = recorder_zone(settings.recorder_time_zone)
    media = tuple(check_file(path, "media", settings.media_max_bytes) for path in request.media)
    chat = [check_file(path, "chat", settings.chat_max_bytes, may_be_empty=True) for path in request.chat]
    captions_file = check_file(request.captions, "captions", settings.captions_max_bytes) if request.captions else None
    products = table_file(request.products, "products", settings)
    events = table_file(request.events, "events", settings)

    # The small files first: their faults show before hours of media are read.
    captions = read_captions(captions_file, settings) if captions_file else None
    notes: list[str] = []
    shelf = shelf_from(products, settings, notes.append)
    dump = read_dump(events.file, settings, notes.append) if events and is_dump(events.file) else None
    event_rows = read_rows(events.file, events.content, settings) if events and dump is None else []
    chats = recognise(chat, [file.name for file in media], zone)

    probed = probe_all(media, progress)
    probes = tuple(found for found, _ in probed)
    if captions_file and probes and probes[0].first_pts is not None:
        # Times of a WebVTT from HLS count from an MPEG-TS time, which only the media tells.
        captions = read_captions(captions_file, settings, probes[0].first_pts)
    subtitles = beside(media, [path for path in (request.captions, *request.chat) if path], settings)
    if captions_file and captions and tells_time(captions):
        subtitles.append(given_with(captions_file, captions, [file.name for file in media]))
        notes.append(f"{captions_file.name} says the time of day: it is taken for a clock, and nobody's words are in it")
        captions_file = captions = None
    durations = [found.duration_ms for found in probes]
    alignment = _aligned(request, _timings(media, probes, chats, subtitles, zone), zone)
    alignment = with_subtitles(alignment, subtitles, durations, zone)
    wall_zero = alignment.clocks[0].wall_start if alignment.clocks else request.started_at or _earliest(chats)
    on_air = events_from(event_rows, {product.product_id for product in shelf}, wall_zero)
    if dump is not None:
        shelf, on_air = dump.laid(shelf, wall_zero, notes.append)
    said = _draft_recording(request, chats, wall_zero, _duration(alignment, probes, captions), alignment)
    draft = Admission(
        recording=fill_from_names(said, request.media, notes.append),
        messages=read_messages(chats, alignment.clocks, wall_zero, settings, notes.append),
        products=shelf,
        events=on_air,
    )
    proofs = tuple(proof for _, proof in probed)
    return _Read(
        media, probes, proofs, alignment, tuple(chats), captions_file, captions, tuple(subtitles), products, events, draft, tuple(notes)
    )


def _aligned(request: IngestRequest, timings: Sequence[PartTiming], zone: tzinfo) -> Alignment:
    if any(request.clocks) or request.gaps:
        return lay_parts((), timings, request.clocks, request.gaps, request.started_at, zone)
    return align(timings, request.started_at, zone)


def _timings(
    media: Sequence[InputFile], probes: Sequence[MediaProbe], chats: Sequence[ChatFile], subtitles: Sequence[TimeSubtitle], zone: tzinfo
) -> list[PartTiming]:
    seen = {each.part: each.clock(zone, 0, probes[each.part].duration_ms) for each in subtitles}
    starts = {chat.part: chat.header.started_at for chat in chats if chat.part is not None and chat.header.started_at}
    return [
        PartTiming(file.name, probed.duration_ms, starts.get(number), seen.get(number))
        for number, (file, probed) in enumerate(zip(media, probes, strict=True))
    ]


def _earliest(chats: Sequence[ChatFile]) -> WallTime | None:
    return min((chat.header.started_at for chat in chats if chat.header.started_at), default=None)


def _duration(alignment: Alignment, probes: Sequence[MediaProbe], captions: Captions | None) -> int:
    ends = [clock.starts_at_ms + probed.duration_ms for clock, probed in zip(alignment.clocks, probes, strict=True)]
    ends += [gap.end_ms for gap in alignment.gaps]
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
        kind=request.kind,
        live=request.live,
    )


def _admission(archive: Archive, read: _Read, recording_id: str, kept: Sequence[Kept]) -> Admission:
    stored = [item for item in kept if item.role == "media"]
    parts = tuple(
        part_from(number, item, probed, clock, oddity)
        for number, (item, probed, clock, oddity) in enumerate(
            zip(stored, read.probes, read.alignment.clocks, read.alignment.oddities, strict=True), 1
        )
    )
    recording = replace(read.draft.recording, id=recording_id, admitted_at=archive.clock(), parts=parts)
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
    return Admitted(held, _captions(archive, held, read, kept, actor), True, read.notes)


def _difference(archive: Archive, held: Recording, request: IngestRequest, kept: Sequence[Kept]) -> str | None:
    """In what the request differs from what is held, None if it doesn't. Of one that grew, it need be only the beginning."""
    parts, brought = [part.digest for part in held.parts], digests_of(kept, "media")
    grown = archive.catalog.has_grown(held.id)
    if brought != (parts[: len(brought)] if grown else parts):
        return "media"
    sources = archive.catalog.sources(held.id)
    for role, what in (("chat", "chat"), ("captions", "captions"), ("products", "products"), ("product_events", "product events")):
        there, named = sorted(source.digest for source in sources if source.role == role), sorted(digests_of(kept, role))
        if not set(named) <= set(there) if grown else named != there:
            return what
    for field in ("platform", "room", "host", "title", "started_at"):
        asked = getattr(request, field)
        if asked is not None and asked != getattr(held, field):
            return field.replace("_", " ")
    return None


def _captions(archive: Archive, recording: Recording, read: _Read, kept: Sequence[Kept], actor: str) -> tuple[Segment, ...] | None:
    if read.captions is None or read.captions_file is None:
        return None
    return import_captions(archive, recording, read.captions, read.captions_file, digests_of(kept, "captions")[0], actor)
