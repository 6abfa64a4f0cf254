"""The custody log's part in a package: the entry that seals the files, the extract that shows it under a signed checkpoint, the stamps."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from archive.custody import CustodyEntry
from archive.custody_extract import HOW, custody_extract, entries_about
from archive.digest import Json, digest_json
from archive.opening import Archive
from archive.package_contents import CHAIN, EXISTENCE, VERIFIABLE, Contents, Item
from archive.timestamping import Stamp
from archive.verifier.package_files import CUSTODY

# Entries that hold no words of people. Whatever else was logged is shown by its digest and place alone.
SHOWN_ACTIONS = {
    *("admit", "extend", "media.root", "transcribe", "transcript.edit", "key.made", "key.rotated"),
    *("case.open", "case.moment", "case.step", "case.attach", "case.withdraw"),
    *("case.attachment.download", "package.sealed", "package.built", "package.download", "clip.export", "screenshot.export"),
}
# Older entries held words under these names.
_WORDS = {"title", "quote", "complaint"}


@dataclass(frozen=True, slots=True)
class CustodyFacts:
    """What a report can say of the log when it is written, before the package's own checkpoint. `stamps`: of the admissions."""

    entries: tuple[CustodyEntry, ...]
    length: int
    key_id: str
    origin: str
    checkpoints: int
    stamps: tuple[Stamp, ...]
    witnesses: tuple[tuple[str, int], ...]

    @property
    def granted(self) -> tuple[Stamp, ...]:
        return tuple(stamp for stamp in self.stamps if stamp.gen_time is not None)


def custody_facts(archive: Archive, contents: Contents, actor: str) -> CustodyFacts:
    """The log as it stands now, under a checkpoint made if need be."""
    head = archive.checkpoints.make(actor)
    stamps = [stamp for recording in contents.recordings for stamp in archive.stamps.of("admission", recording)]
    return CustodyFacts(
        tuple(archive.custody.entries({contents.case.id, *contents.recordings})),
        head.size,
        head.key_id,
        head.note.split("\n", 1)[0],
        len(archive.checkpoints.all()),
        tuple(stamps),
        tuple((state.witness, state.size) for state in archive.witnesses.states() if state.size),
    )


def seal(archive: Archive, contents: Contents, detail: Mapping[str, Json], actor: str) -> None:
    """Log the package's making, with the entries and time-stamps that its extract must show: none can be left out later."""
    subjects = {contents.case.id, *contents.recordings}
    with archive.database.writing() as connection:
        archive.custody.queue(connection)
        shown = entries_about(archive, subjects)
        stamps = [stamp for recording in contents.recordings for stamp in archive.stamps.of("admission", recording)]
        bound: dict[str, Json] = {
            "entries": digest_json([entry.digest for entry in shown]),
            "stamps": sorted(hashlib.sha256(stamp.response).hexdigest() for stamp in stamps if stamp.response),
        }
        archive.custody.append(connection, actor, "package.sealed", contents.case.id, {**detail, **bound})


def add_custody_format(contents: Contents) -> None:
    """How the extract is to be read, under the seal, which the extract itself is not."""
    item = Item(
        "data/06-tools/custody-format.txt", "保管记录摘录的读法", "How to read the custody extract", VERIFIABLE, "LiveProof", derived=True
    )
    contents.add(item, HOW.replace(". ", ".\n") + "\n")


def add_custody(archive: Archive, contents: Contents, actor: str) -> None:
    """Write the extract about the case and its recordings, and the time-stamps it names."""
    extract = custody_extract(archive, {contents.case.id, *contents.recordings}, actor)
    entries = extract.document["entries"]
    shown = [_shown(item) for item in entries if isinstance(item, Mapping)] if isinstance(entries, list) else []
    item = Item(CUSTODY, "保管记录摘录与证明", "Custody log extract with proofs", CHAIN, "custody log", derived=False)
    contents.add(item, {name: value for name, value in extract.document.items() if name != "how"} | {"entries": shown})
    for name, content in sorted(extract.files.items()):
        token = name.endswith(".tsr")
        chinese, english = (
            ("可信时间戳（RFC 3161）", "Time-stamp, RFC 3161") if token else ("时间戳机构证书", "The authority's certificates")
        )
        file = f"{CUSTODY.rsplit('/', 1)[0]}/{name}"
        contents.add(Item(file, chinese, english, EXISTENCE, "time-stamping authority", derived=False), content)


def may_show(entry: Mapping[str, Json]) -> bool:
    """Whether an entry's detail may leave the archive: nothing in it was written by or about a person."""
    if entry["action"] not in SHOWN_ACTIONS:
        return False
    detail = json.loads(str(entry["detail"]))
    return entry["action"] == "admit" or not (isinstance(detail, dict) and _WORDS & set(detail))


def _shown(item: Mapping[str, Json]) -> dict[str, Json]:
    entry = item["entry"]
    if not isinstance(entry, Mapping) or may_show(entry):
        return dict(item)
    return {**item, "entry": {**entry, "detail": None}}
