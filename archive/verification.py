"""Verification: numbered checks in plain words over a package (offline, needing neither database nor network) or over everything held."""

import json
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from archive.catalog_json import clocks_json, content_digest
from archive.catalog_writing import sources_json
from archive.custody_checks import Outcome, check_checkpoints, check_timestamps, check_witnesses
from archive.digest import Json, digest_stream
from archive.errors import LiveProofError, NotFound, VerificationFailed
from archive.media_proof import logged_root, prove_media, read_clip
from archive.opening import Archive
from archive.retention_checks import Purges, check_locks, check_purges
from archive.row_claims import broken_claims, count_claimed
from archive.screen_readings import check_readings
from archive.transcript_hashing import WrittenSegments, segments_root, transcript_digest
from archive.verifier.checks import Means, verify
from archive.verifier.outcomes import Check
from archive.verifier.tokens import check_with_openssl

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """What each check found. A check's `passed` is None where it could not be made, which is not a failure but is said."""

    subject: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        return bool(self.checks) and all(check.passed is not False for check in self.checks)

    @property
    def failures(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.passed is False)

    def as_json(self) -> dict[str, Json]:
        return {
            "subject": self.subject,
            "passed": self.passed,
            "checks": [
                {
                    "number": c.number,
                    "name": c.name,
                    "title": c.title,
                    "passed": c.passed,
                    "detail": c.detail,
                    "detail_zh": c.said("zh"),
                    "file": c.file,
                }
                for c in self.checks
            ],
        }


def verify_package(path: Path, key: str | None = None) -> VerificationReport:
    """Check a package ZIP, or a folder that one was unpacked into. NotFound if there is nothing to read at `path`.

    `key`: the archive's signing key (base64) or its id, where the reader knows it from elsewhere; the package is held to it.
    """
    means = Means(read_clip, check_with_openssl if shutil.which("openssl") else None, key)
    try:
        return VerificationReport(str(path), tuple(verify(path, means)))
    except OSError as error:
        raise NotFound(f"{path} can't be read: {error.strerror}. Give a package that liveproof package wrote") from error


def verify_archive(
    archive: Archive, progress: Progress = lambda done, total, what: None, only: Collection[str] | None = None
) -> VerificationReport:
    """Check everything held: objects against their names, parts, sources and packages present, media roots, transcripts, custody log.

    `only`: the names of the checks to make, for who knows that nothing else was touched; by default all of them.
    """
    checks: list[Check] = []

    def check(name: str, title: str, problems: list[tuple[str, str]], good: str) -> None:
        """One check for what is well, and one more for each thing that is not."""
        if not problems:
            checks.append(Check(len(checks) + 1, name, title, True, good))
        for file, detail in problems:
            checks.append(Check(len(checks) + 1, name, title, False, detail, file))

    for name, title, unit, act in _ARCHIVE_CHECKS:
        if only is not None and name not in only:
            continue
        try:
            count, problems = act(archive, progress)
        except (LiveProofError, SQLAlchemyError, LookupError, ValueError, TypeError, AttributeError) as error:
            # Rows that can't even be read as what they are have been changed by a foreign hand.
            count, problems = 0, [(name, f"can't be read as what was written: {error}")]
        check(name, title, problems, f"{count} {unit}")
    checks += custody_report(archive, len(checks), only=only).checks
    return VerificationReport(str(archive.home), tuple(checks))


def custody_report(
    archive: Archive, numbered_from: int = 0, chain: bool = False, only: Collection[str] | None = None
) -> VerificationReport:
    """The custody log alone: what was signed, witnessed and time-stamped of it, and with `chain` that its entries follow each other.

    A check that could not be made has `passed` None.
    """
    checks: list[Check] = []
    for name, title, unit, act in _CUSTODY_CHECKS if not chain else (_CHAIN_CHECK, *_CUSTODY_CHECKS):
        if only is not None and name not in only:
            continue
        try:
            found = act(archive)
        except (LiveProofError, SQLAlchemyError, LookupError, ValueError, TypeError, AttributeError) as error:
            found = Outcome(0, [(name, f"can't be read as what was written: {error}")])
        said: list[tuple[bool | None, str, str]] = [(False, file, detail) for file, detail in found.problems]
        said += [(None, file, f"{file}: {detail}") for file, detail in found.unmade]
        if not found.problems and (found.count or not found.unmade):
            said.insert(0, (True, "", f"{found.count} {unit}"))
        for passed, file, detail in said:
            checks.append(Check(numbered_from + len(checks) + 1, name, title, passed, detail, file or None))
    return VerificationReport(str(archive.home), tuple(checks))


def _check_objects(archive: Archive, progress: Progress) -> tuple[int, list[tuple[str, str]]]:
    digests = sorted(archive.store.digests())
    problems = []
    for number, digest in enumerate(digests):
        progress(number, len(digests), digest)
        try:
            with archive.store.open(digest) as stream:
                found, _ = digest_stream(stream)
        except OSError as error:
            problems.append((digest, f"can't be read: {error.strerror}"))
            continue
        except LiveProofError as error:
            problems.append((digest, str(error)))
            continue
        if found != digest:
            problems.append((digest, f"its bytes were changed: their SHA-256 is {found}. Restore it from a backup"))
    return len(digests), problems


def _check_presence(archive: Archive, _progress: Progress) -> tuple[int, list[tuple[str, str]]]:
    named: list[tuple[str, int, str]] = []
    for recording in archive.catalog.recordings():
        named += [(p.digest, p.size_bytes, f"part {p.number} of recording {recording.id}") for p in recording.parts]
        named += [(s.digest, s.size_bytes, f"{s.role} of recording {recording.id}") for s in archive.catalog.sources(recording.id)]
    for case in archive.cases.cases():
        named += [(p.digest, p.size_bytes, f"package {p.id}") for p in archive.cases.packages(case.id)]
        named += [(a.digest, a.size_bytes, f"attachment {a.number} of case {case.id}") for a in case.attachments]
    problems = []
    for digest, size, what in named:
        try:
            held = archive.store.size(digest)
        except NotFound as error:
            problems.append((digest, f"{what}: {error}"))
            continue
        if held != size:
            problems.append((digest, f"{what} is {held} bytes, the catalog says {size}"))
    return len(named), problems


def _check_media_roots(archive: Archive, _progress: Progress) -> tuple[int, list[tuple[str, str]]]:
    problems: list[tuple[str, str]] = []
    count = 0
    for recording in archive.catalog.recordings():
        for part in recording.parts:
            logged = logged_root(archive, recording.id, part)
            if logged is None or not archive.store.has(part.digest):
                continue
            count += 1
            try:
                found = prove_media(archive.store.path(part.digest)).root
            except LiveProofError as error:
                problems.append((part.digest, f"part {part.number} of recording {recording.id}: {error}"))
                continue
            if found != logged:
                problems.append((part.digest, f"part {part.number} of recording {recording.id} leads to {found}, not to {logged}"))
    return count, problems


def _check_rows(archive: Archive, _progress: Progress) -> tuple[int, list[tuple[str, str]]]:
    """Rows against the entries that logged them, both ways: changed rows, rows that were never logged, logged things that are gone."""
    logged: dict[tuple[str, str], dict[str, Json]] = {}
    purges = Purges(archive.custody.entries())
    for entry in archive.custody.entries():
        if purges.took(entry):
            continue
        if entry.action in ("admit", "case.open"):
            logged[entry.action, entry.subject] = json.loads(entry.detail)
        elif entry.action == "extend":
            logged["admit", entry.subject] = _extended(logged.get(("admit", entry.subject)), json.loads(entry.detail))
        elif entry.action == "package.built":
            detail = json.loads(entry.detail)
            logged[entry.action, detail["package"]] = detail
    problems: list[tuple[str, str]] = []
    held: set[tuple[str, str]] = set()
    for recording in archive.catalog.recordings():
        name = f"recording {recording.id}"
        held.add(("admit", recording.id))
        admitted = logged.get(("admit", recording.id))
        if admitted is None:
            problems.append((name, "is held but its admission is not in the custody log: the log was cut or the rows were slipped in"))
            continue
        chat, shelf = archive.catalog.messages_brought(recording.id), archive.catalog.products(recording.id)
        found = content_digest(recording, chat, shelf, archive.catalog.events(recording.id))
        if found != admitted.get("content_digest", found):
            problems.append((name, "its rows (parts, gaps, chat, shelf or what was on air) were changed after admission"))
        let_in = {(part["number"], part["digest"]) for part in _list(admitted.get("parts")) if isinstance(part, dict)}
        if let_in != {(part.number, part.digest) for part in recording.parts}:
            problems.append((name, "its parts are not those that the custody log let in: one was slipped in, or an entry was cut"))
        if sources_json(archive.catalog.sources(recording.id)) != admitted.get("sources"):
            problems.append((name, "its list of source files was changed after admission"))
        clocks = clocks_json(recording.parts)
        if any(clock != was for clock, was in _same_versions(clocks, admitted.get("clocks"))):
            problems.append((name, "a clock map was changed after admission"))
    for case in archive.cases.cases():
        held.add(("case.open", case.id))
        if ("case.open", case.id) not in logged:
            problems.append((f"case {case.id}", "is held but its opening is not in the custody log"))
        for package in archive.cases.packages(case.id):
            held.add(("package.built", package.id))
            if logged.get(("package.built", package.id), {}).get("digest") != package.digest:
                problems.append((f"package {package.id}", "is not the one in the custody log"))
    problems += [(subject, f"is in the custody log ({action}) but no longer held") for action, subject in sorted(set(logged) - held)]
    return len(held), problems


def _extended(before: dict[str, Json] | None, extension: dict[str, Json]) -> dict[str, Json]:
    """What the log says of a recording after an extension: all parts, sources and clocks, and the newest digest over the whole."""
    # Without the admission the extension stands alone, and what the admission brought is found not to be logged.
    joined = before or {}
    return {**extension, **{name: [*_list(joined.get(name)), *_list(extension[name])] for name in ("parts", "sources", "clocks")}}


def _list(value: Json) -> list[Json]:
    return list(value) if isinstance(value, list) else []


def _check_claims(archive: Archive, _progress: Progress) -> tuple[int, list[tuple[str, str]]]:
    """Every column of every row, as it is stored, against the newest claim that the custody log makes of it."""
    with archive.database.reading() as connection:
        return count_claimed(connection), list(broken_claims(connection, archive.custody.entries()))


def _same_versions(clocks: Sequence[Json], logged: Json) -> Iterator[tuple[Json, Json]]:
    """Pairs of clock maps, now and as logged, of parts whose map has had no further version since."""
    for clock in clocks:
        for was in logged if isinstance(logged, list) else ():
            if isinstance(clock, dict) and isinstance(was, dict) and clock["part"] == was["part"] and clock["version"] == was["version"]:
                yield clock, was


def _check_transcripts(archive: Archive, _progress: Progress) -> tuple[int, list[tuple[str, str]]]:
    problems: list[tuple[str, str]] = []
    logged: dict[tuple[str, int], tuple[str, str | None]] = {}
    purges = Purges(archive.custody.entries())
    for entry in archive.custody.entries():
        if entry.action in ("transcribe", "transcript.edit") and not purges.took(entry):
            detail = json.loads(entry.detail)
            logged[entry.subject, detail["version"]] = (detail["digest"], detail.get("segments_root"))
    found: set[tuple[str, int]] = set()
    for recording_id in sorted({recording_id for recording_id, _ in logged} | set(archive.catalog.ids())):
        written = WrittenSegments()
        for held in archive.transcripts.versions(recording_id):
            name = f"transcript {held.version} of recording {recording_id}"
            found.add((recording_id, held.version))
            digest, root = logged.get((recording_id, held.version), (None, None))
            if digest is None:
                problems.append((name, "is held but was never logged"))
            elif {transcript_digest(held, written), held.digest} != {digest} or (root and segments_root(held, written) != root):
                problems.append((name, "was changed after it was logged"))
    problems += [(f"transcript {version} of recording {of}", "is logged but no longer held") for of, version in sorted(set(logged) - found)]
    return len(logged), problems


def _check_screens(archive: Archive, _progress: Progress) -> tuple[int, list[tuple[str, str]]]:
    purges = Purges(archive.custody.entries())
    return check_readings(archive.screens, (entry for entry in archive.custody.entries() if not purges.took(entry)))


def _check_purges(archive: Archive, _progress: Progress) -> tuple[int, list[tuple[str, str]]]:
    return check_purges(archive)


def _check_locks(archive: Archive, _progress: Progress) -> tuple[int, list[tuple[str, str]]]:
    return check_locks(archive)


def _check_custody(archive: Archive, _progress: Progress) -> tuple[int, list[tuple[str, str]]]:
    try:
        return archive.custody.verify(), []
    except (VerificationFailed, ValueError) as error:
        return 0, [("custody log", str(error))]


_ARCHIVE_CHECKS: tuple[tuple[str, str, str, Callable[[Archive, Progress], tuple[int, list[tuple[str, str]]]]], ...] = (
    ("objects", "存储对象与其摘要一致 / Objects are what their names say", "objects", _check_objects),
    ("presence", "目录所列都在 / All that the catalog names is there", "files named", _check_presence),
    ("media_roots", "录像仍导向已记录的根 / Parts lead to their logged roots", "parts", _check_media_roots),
    ("rows", "目录与保管记录一致 / The catalog is as it was logged", "recordings, cases and packages", _check_rows),
    ("claims", "每行与保管记录所记一致 / Every row is as the log says", "rows", _check_claims),
    ("transcripts", "转写与保管记录一致 / Transcripts are as logged", "transcript versions", _check_transcripts),
    ("screens", "画面文字与保管记录一致 / Readings of the screen are as logged", "readings of the screen", _check_screens),
    ("purges", "清除均合规 / Purges were lawful", "purges", _check_purges),
    ("locks", "应保留的均已锁定 / What must be kept is locked", "objects", _check_locks),
    ("custody", "保管记录连贯 / The custody log holds together", "entries", _check_custody),
)

_CUSTODY_CHECKS: tuple[tuple[str, str, str, Callable[[Archive], Outcome]], ...] = (
    ("checkpoints", "检查点的签名与保管记录相符 / Signed checkpoints fit the custody log", "checkpoints", check_checkpoints),
    ("witnesses", "外部见证的副本与保管记录相符 / Witnesses' copies fit the custody log", "copies", check_witnesses),
    ("timestamps", "时间戳有效并与所存相符 / Time-stamps hold and are over what is held", "time-stamps", check_timestamps),
)

_CHAIN_CHECK = (
    "custody",
    "保管记录连贯 / The custody log holds together",
    "entries",
    lambda archive: Outcome(*_check_custody(archive, _ignored)),
)


def _ignored(done: int, total: int, what: str) -> None:
    """For checks that show no progress."""
