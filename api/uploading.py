"""Bringing a session to a LiveProof server: every file block by block, each hashed as it leaves, then one admission that names the digests.

Whatever breaks (the line, the server, this process), the same command goes on from the bytes that the server has. A file that changes
meanwhile ends it, and its upload is given up.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from api.errors import UploadRefused
from api.sent_uploads import Remembered, SentUploads
from api.settings import ApiSettings
from api.upload_sender import Patience, Sender, Sending, SentFile, ToSend, digest_of
from api.upload_server import UploadLost, UploadServer
from archive.digest import Json
from archive.errors import VerificationFailed
from ingest.errors import InvalidRequest
from ingest.input_file import check_file

FIRST_CONTACT_S = 15
_MOST_BYTES = 1 << 60


@dataclass(frozen=True, slots=True)
class UploadRequest:
    """What to bring. `about`: id, started_at, platform, room, host, title, as far as they are given."""

    media: tuple[Path, ...] = ()
    chat: tuple[Path, ...] = ()
    captions: Path | None = None
    products: Path | None = None
    events: Path | None = None
    about: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Uploaded:
    """The server's answer to the admission, and what was sent for it (nothing where it was held already)."""

    recording: Mapping[str, Json]
    already_held: bool
    files: tuple[SentFile, ...]


def upload(
    request: UploadRequest,
    address: str,
    settings: ApiSettings,
    sending: Sending,
    waiting: Callable[[str, float], None],
) -> Uploaded:
    """Send and have admitted. `waiting` is told why it waits and for how many seconds.

    UploadServerUnavailable when no byte gets through for `upload_patience_s`, UploadRefused with the server's own words, FileChanged,
    VerificationFailed if the server holds other bytes than were sent; run again after any of the first two, it goes on.
    """
    files = _files(request)
    server = UploadServer(address, settings.upload_timeout_s)
    memory = SentUploads(settings.upload_state_folder, server.shown)
    memory.sweep()
    offer = Patience(min(FIRST_CONTACT_S, settings.upload_patience_s), server, waiting).until(server.offer)
    for each in files:
        if offer.max_bytes is not None and each.file.size_bytes > offer.max_bytes:
            raise UploadRefused(f"{each.file.path} has {each.file.size_bytes} bytes, and {server.shown} takes at most {offer.max_bytes}")
    patience = Patience(settings.upload_patience_s, server, waiting)
    held = patience.until(lambda: _already_held(server, request, files, memory))
    if held is not None:
        return Uploaded(held, True, ())
    sender = Sender(server, offer, memory, patience, settings.upload_chunk_bytes, sending)
    sent = [sender.send(each) for each in files]
    try:
        return _admit(server, request, sent, files, memory, Patience(settings.upload_admit_timeout_s, server, waiting))
    except UploadLost:
        # Complete once, and expired or swept since: what is still there need not be sent again.
        sender.forget_lost(files)
    sent = [sender.send(each) for each in files]
    try:
        return _admit(server, request, sent, files, memory, Patience(settings.upload_admit_timeout_s, server, waiting))
    except UploadLost as error:
        raise UploadRefused(f"{server.shown} lost what was uploaded ({error}): run the same command again") from error


def _files(request: UploadRequest) -> list[ToSend]:
    """What there is to send, small files first: their faults show before gigabytes are on their way."""
    if not request.media and request.captions is None:
        raise InvalidRequest("nothing to upload: name at least one media file, or captions with --captions")
    named: list[tuple[str, Path]] = [
        (role, path)
        for role, path in (("captions", request.captions), ("products", request.products), ("events", request.events))
        if path is not None
    ]
    named += [("chat", path) for path in request.chat] + [("media", path) for path in request.media]
    places = [path.absolute() for _, path in named]
    twice = next((place for n, place in enumerate(places) if place in places[:n]), None)
    if twice is not None:
        raise InvalidRequest(f"file {twice} is named twice")
    return [ToSend(role, check_file(path, role, _MOST_BYTES, may_be_empty=role == "chat")) for role, path in named]


def _already_held(server: UploadServer, request: UploadRequest, files: Sequence[ToSend], memory: SentUploads) -> Mapping[str, Json] | None:
    """The recording that these files are already, if any: as this machine remembers having sent them, else by names, sizes and digests."""
    notes = [memory.known(each.file, each.role) for each in files]
    media = [each.file for each in files if each.role == "media"]
    remembered = {note.recording for note in notes}
    likely: list[Mapping[str, Json]] = []
    if len(remembered) == 1 and all(remembered):
        likely = [held for held in server.recordings() if held.get("recording") in remembered]
        digests = _digests_by(notes, files)
    elif media and len(media) == len(files):  # what comes beside the media can be compared by the server alone
        names = [(file.name, file.size_bytes) for file in media]
        likely = [held for held in server.recordings() if [(p.get("file"), p.get("bytes")) for p in _parts(held)] == names]
        digests = [digest_of(file) for file in media] if likely else []
    about = dict(request.about or {})
    wanted_id = about.pop("id", None)
    for held in likely:
        if wanted_id not in (None, held.get("recording")) or [part.get("digest") for part in _parts(held)] != digests:
            continue
        for name in ("platform", "room", "host", "title"):
            if name in about and held.get(name) != about[name]:
                raise UploadRefused(f"{server.shown} holds these files already, as {held.get('recording')}, with another {name}")
        return held
    return None


def _digests_by(notes: Sequence[Remembered], files: Sequence[ToSend]) -> list[str]:
    """The media files' digests as they were sent; of one that may have changed since, as it is now."""
    digests = []
    for note, each in zip(notes, files, strict=True):
        if each.role == "media":
            digests.append(f"sha256:{note.sha256}" if note.changed_ns == each.file.changed_ns else digest_of(each.file))
    return digests


def _parts(held: Mapping[str, Json]) -> list[Mapping[str, Json]]:
    found = held.get("part_list")
    return [part for part in found if isinstance(part, Mapping)] if isinstance(found, list) else []


def _admit(
    server: UploadServer,
    request: UploadRequest,
    sent: Sequence[SentFile],
    files: Sequence[ToSend],
    memory: SentUploads,
    patience: Patience,
) -> Uploaded:
    """Have it admitted under the digests of what was sent. Repeating the same request is answered with what stands."""
    of_role = {role: [each.upload_id for each in sent if each.role == role] for role in ("media", "chat", "captions", "products", "events")}
    session: dict[str, Json] = {
        **(request.about or {}),
        "parts": of_role["media"],
        "chat": of_role["chat"],
        **{role: of_role[role][0] for role in ("captions", "products", "events") if of_role[role]},
        "sha256": {each.upload_id: each.sha256 for each in sent},
    }
    try:
        answer = patience.until(lambda: server.admit(session))
    except VerificationFailed:
        for each in files:
            memory.forget(each.file, each.role)
        raise
    _compare(server, answer.content, sent)
    for each in files:
        note = memory.known(each.file, each.role)
        note.recording, note.upload_id = str(answer.content.get("recording", "")), ""
        memory.keep(each.file, each.role, note)
    return Uploaded(answer.content, answer.status == 200, tuple(sent))


def _compare(server: UploadServer, held: Mapping[str, Json], sent: Sequence[SentFile]) -> None:
    """VerificationFailed unless the server holds, as the recording's parts, the bytes that were sent."""
    found = [part.get("digest") for part in _parts(held)]
    wanted = ["sha256:" + each.sha256 for each in sent if each.role == "media"]
    if found != wanted:
        raise VerificationFailed(
            f"{server.shown} holds {', '.join(map(str, found)) or 'nothing'} where {', '.join(wanted)} was sent: keep the files here"
        )
