"""Files that a request brings, read and checked before anything is written: media probed and proven, the shelf and what was on air."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from archive.media_proof import MediaProof
from archive.recording import Part, Product
from archive.timeline import ClockMap
from ingest.errors import InputTooLarge, InvalidRequest
from ingest.input_file import InputFile, check_file, read_bytes
from ingest.keeping import Kept, Progress, within
from ingest.media_probe import MediaProbe, probe_and_prove
from ingest.products import products_from
from ingest.settings import IngestSettings
from ingest.shelf_dumps import is_dump, read_dump
from ingest.tables import read_rows


@dataclass(frozen=True, slots=True)
class TableFile:
    """A products or events file with the bytes that were read of it."""

    file: InputFile
    content: bytes


def check_named_once(media: Sequence[Path], chat: Sequence[Path], settings: IngestSettings) -> None:
    """InputTooLarge for more files than a recording may have, InvalidRequest for one that is named twice."""
    for what, paths, most in (("media", media, settings.parts_max), ("chat", chat, settings.chat_files_max)):
        if len(paths) > most:
            raise InputTooLarge(f"{len(paths)} {what} files are more than the {most} that one recording may have")
        seen: set[Path] = set()
        for path in paths:
            if (where := path.absolute()) in seen:
                raise InvalidRequest(f"{what} file {path} is named twice")
            seen.add(where)


def table_file(path: Path | None, what: str, settings: IngestSettings) -> TableFile | None:
    """Read a products or events file whole; None where there is none."""
    if path is None:
        return None
    file = check_file(path, what, settings.table_max_bytes, may_be_empty=True)
    return TableFile(file, read_bytes(file))


def shelf_from(products: TableFile | None, settings: IngestSettings, note: Callable[[str], None]) -> tuple[Product, ...]:
    """The shelf of a products file or of a platform's dump."""
    if products is None:
        return ()
    if is_dump(products.file):
        return read_dump(products.file, settings, note).products()
    return products_from(read_rows(products.file, products.content, settings))


def probe_all(media: Sequence[InputFile], progress: Progress) -> list[tuple[MediaProbe, MediaProof | None]]:
    """What each media file is, and its media proof. FileChanged for one that is still written to."""
    done, total = 0, sum(file.size_bytes for file in media)
    probes = []
    for file in media:
        probes.append(probe_and_prove(file, within(progress, "probe", done, total)))
        file.check_unchanged()
        done += file.size_bytes
        progress("probe", done, total)
    return probes


def part_from(number: int, kept: Kept, probed: MediaProbe, clock: ClockMap, oddity: tuple[str, ...]) -> Part:
    """A part of a recording, from what is kept of it."""
    return Part(
        number=number,
        digest=kept.digest,
        size_bytes=kept.size_bytes,
        file_name=kept.file_name,
        duration_ms=probed.duration_ms,
        container=probed.container,
        probe=probed.as_json(),
        clock=clock,
        damage=probed.damage + oddity,
    )
