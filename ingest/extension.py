"""The gate for what comes later: parts, chat, shelf or captions of a recording that is held, or the word that it is over (G1, G4).

As at admission everything is read and checked before anything is written, and one transaction with one custody entry lets the recording
grow. A file whose bytes the recording holds is skipped, so that bringing the same again changes nothing. Where another process let it grow
meanwhile, what was read is laid anew on the line as it then is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from archive.admission import Extension, MediaRoot, Source
from archive.digest import digest_bytes, digest_file
from archive.errors import AlreadyHeld, GrownMeanwhile
from archive.media_proof import MediaProof, keep_proof
from archive.opening import Archive
from archive.recording import Gap, Message, Part, Product, ProductEvent, Recording
from archive.timeline import ClockMap, WallTime
from ingest.caption_import import import_captions
from ingest.captions import Captions, read_captions
from ingest.chat_files import ChatFile, read_messages, recognise
from ingest.clock import PartTiming, recorder_zone
from ingest.clock_files import tells_time
from ingest.completed_chat import not_brought_before
from ingest.errors import InputTooLarge, InvalidContent, InvalidRequest
from ingest.input_file import InputFile, check_file
from ingest.keeping import Kept, Progress, ToKeep, keep, silent
from ingest.media_probe import MediaProbe
from ingest.part_places import lay_parts
from ingest.products import events_from
from ingest.request_files import TableFile, check_named_once, part_from, probe_all, shelf_from, table_file
from ingest.settings import IngestSettings, ingest_settings
from ingest.shelf_dumps import is_dump, read_dump
from ingest.tables import read_rows

log = structlog.get_logger()

_TRIES = 100
_ROLES = {"captions": "captions", "products": "products", "product_events": "product events"}


@dataclass(frozen=True)
class ExtendRequest:
    """What is added to a recording. `media` are parts in their order.

    `clocks`: one a media file, measured by a capture (None: placed as admission does); `gaps`: known from a capture; `closes`: nothing more
    will come, the room is not live any more.
    """

    media: tuple[Path, ...] = ()
    chat: tuple[Path, ...] = ()
    products: Path | None = None
    events: Path | None = None
    captions: Path | None = None
    clocks: tuple[ClockMap | None, ...] = ()
    gaps: tuple[Gap, ...] = ()
    closes: bool = False


@dataclass(frozen=True)
class Extended:
    """The recording as it is now, the numbers of the parts that came, and how many messages did. `already_held`: nothing was new."""

    recording: Recording
    new_parts: tuple[int, ...]
    new_messages: int
    already_held: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Media:
    """A media file that the recording didn't hold when it was looked at."""

    file: InputFile
    clock: ClockMap | None
    probe: MediaProbe
    proof: MediaProof | None


@dataclass(frozen=True, slots=True)
class _Read:
    """A request whose every file was read and found good; what the recording held already is left out."""

    media: tuple[_Media, ...]
    chat: tuple[InputFile, ...]
    products: TableFile | None
    events: TableFile | None
    captions_file: InputFile | None
    captions: Captions | None

    def files(self) -> list[ToKeep]:
        found = [ToKeep("media", media.file) for media in self.media]
        found.extend(ToKeep("chat", chat) for chat in self.chat)
        if self.captions_file and self.captions:
            found.append(ToKeep("captions", self.captions_file, self.captions.content))
        if self.products:
            found.append(ToKeep("products", self.products.file, self.products.content))
        if self.events:
            found.append(ToKeep("product_events", self.events.file, self.events.content))
        return found


def extend(
    archive: Archive,
    recording_id: str,
    request: ExtendRequest,
    actor: str,
    progress: Progress | None = None,
    settings: IngestSettings | None = None,
) -> Extended:
    """Let a recording grow by what is new of the request, whole or not at all.

    NotFound if it isn't held. InvalidRequest for a part that lies before the recording or where something else does; AlreadyHeld for
    another shelf, events or captions where some are held; else as `ingest.admission.admit`. GrownMeanwhile only where others keep adding.
    """
    settings = settings or ingest_settings()
    _check_request(request, settings)
    read = _read(archive, archive.catalog.recording(recording_id), request, settings, progress or silent)
    kept = keep(archive, read.files(), progress or silent, archive.retention.until(recording_id))
    for _ in range(_TRIES):
        notes: list[str] = []
        held = archive.catalog.recording(recording_id)
        extension = _Laying(archive, held, request, read, kept, settings, notes).extension()
        for part in extension.parts:
            proof = next(media.proof for media, item in zip(read.media, kept, strict=False) if item.digest == part.digest)
            if proof is not None:
                keep_proof(archive, part.digest, proof)
        try:
            grown = held if extension.changes_nothing else archive.catalog.extend(extension, actor)
        except GrownMeanwhile:
            log.info("ingest.grown_meanwhile", recording=recording_id)
            continue
        _import(archive, grown, read, kept, actor)
        for note in notes:
            log.warning("ingest.note", recording=recording_id, note=note)
        numbers = tuple(part.number for part in extension.parts)
        log.info("ingest.extended", recording=recording_id, parts=numbers, messages=len(extension.messages), live=grown.live)
        return Extended(grown, numbers, len(extension.messages), extension.changes_nothing, tuple(notes))
    raise GrownMeanwhile(
        f"recording {recording_id} grew {_TRIES} times while this was being added to it: bring it again; nothing was added"
    )


def _check_request(request: ExtendRequest, settings: IngestSettings) -> None:
    brings = (request.media, request.chat, request.products, request.events, request.captions, request.gaps)
    if not any(brings) and not request.closes:
        raise InvalidRequest("nothing to add: name media, chat, products, events or captions, or close the recording")
    if len(request.clocks) > len(request.media):
        raise InvalidRequest(f"{len(request.clocks)} clocks are more than the {len(request.media)} media files that they are of")
    check_named_once(request.media, request.chat, settings)


def _read(archive: Archive, held: Recording, request: ExtendRequest, settings: IngestSettings, progress: Progress) -> _Read:
    media = [check_file(path, "media", settings.media_max_bytes) for path in request.media]
    chat = [check_file(path, "chat", settings.chat_max_bytes, may_be_empty=True) for path in request.chat]
    captions_file = check_file(request.captions, "captions", settings.captions_max_bytes) if request.captions else None
    sources = archive.catalog.sources(held.id)
    there = {(source.role, source.digest) for source in sources}
    known = {(part.size_bytes, part.digest) for part in held.parts} | {(source.size_bytes, source.digest) for source in sources}

    new_chat = tuple(file for file in chat if not _holds(known, file))
    products = _new_table(table_file(request.products, "products", settings), "products", there)
    events = _new_table(table_file(request.events, "events", settings), "product_events", there)
    captions = read_captions(captions_file, settings) if captions_file else None
    if captions and captions_file and tells_time(captions):
        raise InvalidContent(f"{captions_file.path} says the time of day and nobody's words: give it with liveproof clock --from-subtitle")
    if captions and ("captions", digest_bytes(captions.content)) in there:
        captions_file = captions = None
    clocks = (*request.clocks, *(None for _ in media))
    new = [(file, clock) for file, clock in zip(media, clocks, strict=False) if not _holds(known, file)]
    probed = probe_all([file for file, _ in new], progress)
    found = tuple(_Media(file, clock, probe, proof) for (file, clock), (probe, proof) in zip(new, probed, strict=True))
    return _Read(found, new_chat, products, events, captions_file, captions)


def _holds(known: set[tuple[int, str]], file: InputFile) -> bool:
    """Whether one of the files known has the same bytes; read only where one has the same size."""
    if not any(size == file.size_bytes for size, _ in known):
        return False
    digest = digest_file(file.path)
    file.check_unchanged()
    return (file.size_bytes, digest) in known


def _new_table(table: TableFile | None, role: str, there: set[tuple[str, str]]) -> TableFile | None:
    return None if table is None or (role, digest_bytes(table.content)) in there else table


@dataclass(frozen=True, slots=True)
class _Laying:
    """What was read, laid on the line of the recording as it stands. What came in meanwhile by others is left out here as well."""

    archive: Archive
    held: Recording
    request: ExtendRequest
    read: _Read
    kept: Sequence[Kept]
    settings: IngestSettings
    notes: list[str]

    def extension(self) -> Extension:
        held, sources = self.held, self.archive.catalog.sources(self.held.id)
        there = {(source.role, source.digest) for source in sources} | {("media", part.digest) for part in held.parts}
        new = [item for item in self.kept if (item.role, item.digest) not in there]
        self._check_counts(sources, new)
        digests = {item.digest for item in new if item.role == "media"}
        media = [(media, item) for media, item in zip(self.read.media, self.kept, strict=False) if item.digest in digests]
        chats = self._chats([item for item in new if item.role == "chat"], [file.file for file, _ in media])
        zone = recorder_zone(self.settings.recorder_time_zone)
        starts = {chat.part: chat.header.started_at for chat in chats if chat.part is not None and chat.header.started_at}
        timings = [
            PartTiming(each.file.name, each.probe.duration_ms, starts.get(number))
            for number, (each, _) in enumerate(media, len(held.parts))
        ]
        measured = [each.clock for each, _ in media]
        laid = lay_parts(held.parts, timings, measured, (*held.gaps, *self.request.gaps), held.started_at, zone)
        parts = tuple(
            part_from(number, item, each.probe, clock, odd)
            for number, ((each, item), clock, odd) in enumerate(zip(media, laid.clocks, laid.oddities, strict=True), len(held.parts) + 1)
        )
        wall_zero = self._wall_zero(parts)
        shelf, on_air = self._shelf(new, wall_zero)
        clocks = [part.clock for part in (*held.parts, *parts)]
        messages = read_messages(chats, clocks, wall_zero, self.settings, self.notes.append, len(sources) + 1)
        messages = self._without_repeats(messages, [chat.file.name for chat in chats], sources)
        if messages and self.archive.catalog.counts(held.id)[0] + len(messages) > self.settings.chat_max_messages:
            raise InputTooLarge(
                f"with {len(messages)} more messages {held.id} has more than the {self.settings.chat_max_messages} it may hold"
            )
        return Extension(
            based_on=held,
            sources_before=len(sources),
            gaps=laid.gaps if held.parts or parts else held.gaps,
            duration_ms=self._duration(parts, laid.gaps),
            live=held.live and not self.request.closes,
            parts=parts,
            messages=messages,
            products=shelf,
            events=on_air,
            sources=tuple(Source(item.role, item.digest, item.size_bytes, item.file_name) for item in new if item.role != "media"),
            media_roots={
                part.number: MediaRoot(each.proof.root, len(each.proof.leaves))
                for part, (each, _) in zip(parts, media, strict=True)
                if each.proof is not None
            },
        )

    def _without_repeats(self, messages: tuple[Message, ...], names: Sequence[str], sources: Sequence[Source]) -> tuple[Message, ...]:
        """What chat files of these names bring that earlier ones of the same names didn't."""
        earlier = {number for number, source in enumerate(sources, 1) if source.role == "chat" and source.file_name in names}
        if not earlier:
            return messages
        there = {sources[number - 1].file_name for number in earlier}
        completing = {number for number, name in enumerate(names, len(sources) + 1) if name in there}
        brought = [message for message in self.archive.catalog.messages_brought(self.held.id) if message.source_number in earlier]
        new = not_brought_before(messages, completing, brought)
        if len(new) < len(messages):
            self.notes.append(f"{', '.join(sorted(there))}: {len(messages) - len(new)} messages were held already")
        return new

    def _check_counts(self, sources: Sequence[Source], new: Sequence[Kept]) -> None:
        for role, what in _ROLES.items():
            if any(item.role == role for item in new) and any(source.role == role for source in sources):
                raise AlreadyHeld(f"recording {self.held.id} holds other {what} already: what is held is not replaced; nothing was added")
        media = len(self.held.parts) + sum(item.role == "media" for item in new)
        chats = sum(source.role == "chat" for source in sources) + sum(item.role == "chat" for item in new)
        for what, count, most in (("media", media, self.settings.parts_max), ("chat", chats, self.settings.chat_files_max)):
            if count > most:
                raise InputTooLarge(f"{count} {what} files are more than the {most} that one recording may have")

    def _chats(self, new: Sequence[Kept], media: Sequence[InputFile]) -> list[ChatFile]:
        """The new chat files with the positions of their parts; where no name tells those, as many chats as new parts go with them."""
        digests = {item.digest for item in new}
        kept = [item for item in self.kept if item.role == "chat"]
        files = [file for file, item in zip(self.read.chat, kept, strict=True) if item.digest in digests]
        names = [*(part.file_name for part in self.held.parts), *(file.name for file in media)]
        chats = recognise(files, names, recorder_zone(self.settings.recorder_time_zone))
        if media and len(chats) == len(media) and all(chat.part is None for chat in chats):
            return [replace(chat, part=number) for number, chat in enumerate(chats, len(self.held.parts))]
        return chats

    def _shelf(self, new: Sequence[Kept], wall_zero: WallTime | None) -> tuple[tuple[Product, ...], tuple[ProductEvent, ...]]:
        """The shelf and the events that are new. A dump of events adds to a shelf only where that comes with it."""
        roles = {item.role for item in new}
        products = self.read.products if "products" in roles else None
        events = self.read.events if "product_events" in roles else None
        before = tuple(self.archive.catalog.products(self.held.id))
        if products and before:
            raise AlreadyHeld(f"recording {self.held.id} has a shelf already, told by its events: what is held is not replaced")
        shelf = shelf_from(products, self.settings, self.notes.append)
        if events is None:
            return shelf, ()
        known = before or shelf
        if is_dump(events.file):
            whole, on_air = read_dump(events.file, self.settings, self.notes.append).laid(known, wall_zero, self.notes.append)
            if before and len(whole) > len(before):
                self.notes.append(f"{events.file.name}: products that the shelf doesn't have were left out: {len(whole) - len(before)}")
                ids = {product.product_id for product in before}
                return (), tuple(event for event in on_air if event.product_id in ids)
            return () if before else whole, on_air
        rows = read_rows(events.file, events.content, self.settings)
        return shelf, events_from(rows, {product.product_id for product in known}, wall_zero)

    def _wall_zero(self, parts: Sequence[Part]) -> WallTime | None:
        first = next(iter((*self.held.parts, *parts)), None)
        return (first.clock.to_wall(first.start_ms) if first else None) or self.held.started_at

    def _duration(self, parts: Sequence[Part], gaps: Sequence[Gap]) -> int:
        captions = [self.read.captions.end_ms] if self.read.captions and not self.held.parts and not parts else []
        return max([self.held.duration_ms, *(part.end_ms for part in parts), *(gap.end_ms for gap in gaps), *captions])


def _import(archive: Archive, recording: Recording, read: _Read, kept: Sequence[Kept], actor: str) -> None:
    if read.captions and read.captions_file:
        digest = next(item.digest for item in kept if item.role == "captions")
        import_captions(archive, recording, read.captions, read.captions_file, digest, actor)
