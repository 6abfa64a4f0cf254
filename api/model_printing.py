"""What `liveproof models` shows: JSON for programs, tables and sentences for people."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.table import Table

from api import printing
from api.messages import message, named
from api.model_inventory import ModelRow, is_as_published
from api.printing import say
from api.settings import api_settings
from archive.digest import Json, digest_json
from archive.model_files import ModelManifest, PublishedModel
from transcribe.known_models import CTRANSLATE2_FILES

if TYPE_CHECKING:
    from api.model_fetching import Download
    from api.model_taking import Checked
    from api.workplace import Workplace


def size(size_bytes: int) -> str:
    """As people say it: 486 MB, 1.6 GB."""
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.0f} MB" if size_bytes >= 1e6 else f"{size_bytes} B"


def listed(rows: Sequence[ModelRow], json_wanted: bool) -> None:
    """The list, and what to do about what isn't there."""
    if json_wanted:
        printing.as_json({"models": [_row(row) for row in rows]})
        return
    table = Table(box=None, pad_edge=False)
    for key in ("model", "for", "state", "size"):
        table.add_column(say(f"column.{key}"), no_wrap=True)
    language = api_settings().language
    for row in rows:
        state, needed_for = named("model_state", row.state, language), named("model_for", row.needed_for, language)
        table.add_row(row.name, needed_for, state, size(row.size_bytes) if row.size_bytes else "—")
    out = printing.console()
    out.print(table)
    out.print()
    for row in rows:
        if row.where:
            out.print(f"  {row.name}: {row.where}" + (f"  {row.digest}" if row.digest else ""), style="dim", markup=False)
    for row in rows:
        if row.note and not row.where:
            out.print(f"  {row.name}: {row.note}", style="dim", markup=False)


def planned(download: "Download") -> None:
    """What would come, before the first byte of it; on standard error, so that JSON stays alone on standard output."""
    told = {"source": download.source, "revision": download.revision[:12], "target": download.target, "count": len(download.files)}
    typer.echo(say("models.planned", name=download.model.name, size=size(download.size_bytes), **told), err=True)
    if download.here_bytes:
        typer.echo(say("models.partly_here", size=size(download.here_bytes)), err=True)


def already(name: str, where: Path, json_wanted: bool) -> None:
    if json_wanted:
        printing.as_json({"name": name, "where": str(where), "fetched": False})
    else:
        printing.console().print(say("models.already", name=name, where=where), markup=False)


def fetched(manifest: ModelManifest, where: Path, json_wanted: bool) -> None:
    if json_wanted:
        printing.as_json({**_manifest(manifest, where), "fetched": True})
        return
    told = {"count": len(manifest.files), "where": where, "digest": _digest(manifest)}
    printing.console().print(say("models.fetched", **told), markup=False)


def taken_in(kind: str, manifest: ModelManifest, where: Path, json_wanted: bool) -> None:
    genuine = is_as_published(manifest)
    if json_wanted:
        printing.as_json({**_manifest(manifest, where), "kind": kind, "as_published": genuine})
        return
    out = printing.console()
    kind_named = named("model_kind", kind, api_settings().language)
    out.print(say("models.taken_in", name=manifest.name, kind=kind_named, where=where, digest=_digest(manifest)), markup=False)
    if genuine is not None:
        key = "models.as_published" if genuine else "models.not_as_published"
        out.print(say(key, **({} if genuine else {"name": manifest.name})), style=None if genuine else "yellow")


def removed(name: str, where: Path, json_wanted: bool) -> None:
    if json_wanted:
        printing.as_json({"name": name, "removed": str(where)})
    else:
        printing.console().print(say("models.removed", where=where), markup=False)


def compared(found: "Sequence[Checked]", json_wanted: bool) -> None:
    """Each model against its manifest; nothing where JSON is wanted, since `loaded` says it all."""
    for each in () if json_wanted else found:
        if each.changed is None:
            printing.console().print(say("models.no_manifest", name=each.name), markup=False)
        elif each.changed:
            printing.console().print(say("models.changed", name=each.name, files=", ".join(each.changed)), markup=False, style="red")
        else:
            printing.console().print(say("models.unchanged", name=each.name), markup=False)


def loaded(place: "Workplace", compared: "Sequence[Checked]", json_wanted: bool) -> None:
    """Load what the settings name, and say what did. Raises what loading does."""
    from api.model_taking import hears

    out = printing.console()
    speech, digest = hears(place.transcribe_settings, place.archive.home)
    if not json_wanted:
        out.print(say("models.speech_loads", name=speech, digest=digest), markup=False)
    sentences, pairs, voices = place.embedder, place.cross_encoder, place.speakers
    if json_wanted:
        printing.as_json(
            {
                "speech": speech,
                "speech_digest": digest,
                "sentences": sentences.name if sentences else None,
                "pairs": pairs.name if pairs else None,
                "voices": voices.model.name if voices else None,
                "compared": [{"name": each.name, "changed": None if each.changed is None else list(each.changed)} for each in compared],
            }
        )
        return
    if sentences:
        out.print(say("models.sentences_load", name=sentences.name), markup=False)
    if pairs:
        out.print(say("models.pairs_load", name=pairs.name), markup=False)
    if voices:
        out.print(say("models.voices_load", name=voices.model.name, digest=voices.model.digest), markup=False)


def offline(model: PublishedModel, language: str) -> str:
    """How to bring a model to a machine without a network; its indented lines can be copied into a shell as they stand."""
    address = f"https://huggingface.co/{model.repository}/resolve/{model.revision}"
    loop = f"for f in {' '.join(model.files)}; do"
    curl = f'curl -fL -C - --create-dirs -o "$f" "{address}/$f"'
    commands = [f"mkdir -p {model.name} && cd {model.name}", loop, f"  {curl}", "done"]
    lines = [f"   echo '{digest.removeprefix('sha256:')}  {name}' | sha256sum -c" for name, digest in model.digests.items()]
    digests = message("models.offline_digest", language, lines="\n".join(lines)) if lines else ""
    shown = "\n".join(f"   {line}" for line in commands)
    return message("models.offline", language, name=model.name, size=size(model.size_bytes), commands=shown, digests=digests)


def _row(row: ModelRow) -> Json:
    return {
        "name": row.name,
        "needed_for": row.needed_for,
        "state": row.state,
        "where": row.where,
        "bytes": row.size_bytes,
        "digest": row.digest,
        "note": row.note,
    }


def _manifest(manifest: ModelManifest, where: Path) -> dict[str, Json]:
    files: list[Json] = [{"name": file.name, "bytes": file.size_bytes, "digest": file.digest} for file in manifest.files]
    told: dict[str, Json] = {"name": manifest.name, "where": str(where), "source": manifest.source, "revision": manifest.revision}
    return {**told, "digest": _digest(manifest), "files": files}


def _digest(manifest: ModelManifest) -> str:
    """The digest that transcripts name: of the one file, or of the canonical JSON {file name: digest}."""
    if len(manifest.files) == 1:
        return manifest.files[0].digest
    read = [file for file in manifest.files if file.name in CTRANSLATE2_FILES]
    if any(file.name == "model.bin" for file in read):
        return digest_json({file.name: file.digest for file in read})
    return digest_json({file.name: file.digest for file in manifest.files})
