"""The evidence around one moment: clip with proof, pictures at the claim, words as heard and as edited, chat without its people."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from archive.clip import cut_clip, part_with, screenshot
from archive.digest import Json
from archive.errors import InvalidTime, NoMediaHeld
from archive.merkle import inclusion_proof
from archive.opening import Archive
from archive.package_contents import CONTEXT, Contents, Item, MomentEvidence
from archive.redaction import Pseudonyms, mask, mask_transcript
from archive.simplified import reading_of
from archive.timeline import format_ms
from archive.transcript import Provenance, Segment, Stretch, Transcript
from archive.transcript_hashing import hashed_segment, segment_json, segment_leaves, segments_root
from archive.transcripts import HUMAN, edits_of

# Where a version's parameters keep the words that a second recogniser alone heard.
HEARD_ONLY = "heard_only_words"
# How much is shown around a moment, before and after it.
CLIP_CONTEXT_MS = 5_000
WORDS_CONTEXT_MS = 30_000
CHAT_CONTEXT_MS = 60_000


def add_moment_evidence(archive: Archive, contents: Contents, evidence: MomentEvidence, pseudonyms: Pseudonyms, actor: str) -> None:
    """Write it all into the moment's folder."""
    _add_clip(archive, contents, evidence, actor)
    _add_words(contents, evidence)
    _add_chat(archive, contents, evidence, pseudonyms)


def spoken_words(text: str) -> str:
    """Transcribed words without spoken personal data."""
    return mask_transcript((Segment(1, None, 0, 1, text),))[0].text


def _purpose(contents: Contents, evidence: MomentEvidence) -> str:
    return contents.masked(evidence.moment.purpose) or spoken_words(evidence.moment.quote)


def _add_clip(archive: Archive, contents: Contents, evidence: MomentEvidence, actor: str) -> None:
    moment, recording = evidence.moment, evidence.recording
    try:
        part = part_with(recording, moment.start_ms, moment.start_ms + 1)
        from_ms = max(part.start_ms, moment.start_ms - CLIP_CONTEXT_MS)
        to_ms = min(part.end_ms, moment.end_ms + CLIP_CONTEXT_MS)
        view = contents.path(f"{evidence.folder}/clip.mp4")
        clip = cut_clip(archive, recording.id, from_ms, to_ms, view, actor, log_export=False)
    except NoMediaHeld:
        evidence.without_clip = ("该场次仅存字幕，未存音视频。", "Only captions of this session are held, no media.")
        return
    except InvalidTime as error:
        evidence.without_clip = ("此处未存音视频。", f"Nothing is held there: {error}")
        return
    origin = f"{recording.id} / {part.file_name} / {part.digest}"
    span, shows = f"{format_ms(from_ms)}–{format_ms(to_ms)}", _purpose(contents, evidence)
    evidence.proof_clip = f"{evidence.folder}/{clip.proof_clip.name}"
    for path, chinese, english, derived in (
        (clip.proof_clip, f"原样片段 {span}", f"Proof clip {span}", False),
        (clip.proof, "原样片段的证明", "Proof of the clip", False),
        (clip.view, f"观看片段（派生）{span}", f"View clip, derived {span}", True),
    ):
        contents.items.append(Item(f"{evidence.folder}/{path.name}", chinese, english, shows, origin, derived))
    middle = (moment.start_ms + moment.end_ms) // 2
    for name, at_ms in (("screenshot", moment.start_ms), ("screenshot-middle", middle), ("screenshot-end", moment.end_ms - 1)):
        if not part.start_ms <= at_ms < part.end_ms:
            continue
        picture = contents.path(f"{evidence.folder}/{name}.png")
        try:
            screenshot(archive, recording.id, at_ms, picture, actor, log_export=False)
        except NoMediaHeld:
            continue
        evidence.screenshots.append(picture)
        at = format_ms(at_ms)
        contents.items.append(Item(f"{evidence.folder}/{picture.name}", f"画面截图 {at}", f"Screenshot {at}", shows, origin, derived=True))


def _add_words(contents: Contents, evidence: MomentEvidence) -> None:
    """The words around the moment, each segment with its path to the root that the custody log holds."""
    moment, words, shows = evidence.moment, evidence.words, _purpose(contents, evidence)
    span: list[Json] = [max(0, moment.start_ms - WORDS_CONTEXT_MS), moment.end_ms + WORDS_CONTEXT_MS]
    item = Item(f"{evidence.folder}/transcript.json", "转写摘录（机器所听）", "Transcript excerpt, as heard", shows, "—", derived=True)
    if words is None:
        contents.add(item, {"recording": moment.recording_id, "transcript": None, "span_ms": span, "segments": []})
        return
    heard = _around(words.heard, moment.start_ms, moment.end_ms)
    contents.add(replace(item, source=_origin(words.heard)), _excerpt(words.heard, span, heard))
    edited = _around(words.edited, moment.start_ms, moment.end_ms) if words.edited else []
    edits: list[Json] = []
    if words.edited:
        shown = {segment.number for _, segment, _ in edited}
        edits = [
            {
                **edit,
                "before": spoken_words(str(edit["before"])),
                "after": spoken_words(str(edit["after"])),
                "reason": contents.masked(str(edit["reason"])),
            }
            for edit in edits_of(words.edited)
            if edit["segment"] in shown
        ]
        named = Item(
            f"{evidence.folder}/transcript-edited.json",
            "转写摘录（人工校改）",
            "Transcript excerpt, as edited",
            shows,
            _origin(words.edited),
            derived=True,
        )
        contents.add(named, {**_excerpt(words.edited, span, edited), "edits": edits})
    quoted = [s for _, s, _ in heard if s.start_ms < moment.end_ms and s.end_ms > moment.start_ms]
    sure = [s.confidence for s in quoted if s.confidence is not None]
    evidence.confidence = min(sure) if sure else None
    evidence.risk = tuple(sorted({risk for s in quoted for risk in s.risk}))
    evidence.heard = " ".join(s.text for s in quoted)
    others = [s.heard_otherwise for s in quoted if s.heard_otherwise is not None]
    evidence.otherwise = " ".join(filter(None, others)) if others else None
    changed = [s for _, s, _ in edited if s.start_ms < moment.end_ms and s.end_ms > moment.start_ms]
    evidence.edited = " ".join(s.text for s in changed) if changed and [s.text for s in changed] != [s.text for s in quoted] else None
    reading = Item(
        f"{evidence.folder}/transcript.txt", "转写摘录（阅读本）", "Excerpt for reading", shows, _origin(words.newest), derived=True
    )
    contents.add(reading, _reading(words.heard, heard, {s.number: s for _, s, _ in edited}, edits, {s.number for s in quoted}))


def _around(transcript: Transcript, start_ms: int, end_ms: int) -> list[tuple[int, Segment, bool]]:
    """(index, segment without spoken personal data, whether any was taken out) near a span."""
    near = [
        (n, s)
        for n, s in enumerate(transcript.segments)
        if s.end_ms > start_ms - WORDS_CONTEXT_MS and s.start_ms < end_ms + WORDS_CONTEXT_MS
    ]
    # Numbers may run over from the segments beside those shown.
    first, last = max(0, near[0][0] - 3) if near else 0, (near[-1][0] + 4) if near else 0
    masked = dict(zip(range(first, last), mask_transcript(transcript.segments[first:last]), strict=False))
    return [(n, masked[n], masked[n] != s or spoken_words(s.text) != s.text) for n, s in near]


def _excerpt(transcript: Transcript, span: list[Json], chosen: Sequence[tuple[int, Segment, bool]]) -> dict[str, Json]:
    leaves, p = segment_leaves(transcript), transcript.provenance
    hearers = transcript.hearers() if p.engine != HUMAN else []
    shown: list[Json] = []
    for n, segment, masked in chosen:
        path: list[Json] = [node.hex() for node in inclusion_proof(leaves, n)]
        if masked:
            # Without its salt the leaf helps nobody to try numbers for the masked one; older transcripts have no salt, so words stay out.
            said = segment_json(replace(segment, words=(), confidence=None))
            shown.append({"segment": said, "path": path, "masked": True, "leaf": leaves[n].hex()})
        else:
            shown.append({"segment": hashed_segment(transcript, segment), "path": path})
    # What an edited version's parameters say of every edit in the recording is not this excerpt's to show.
    names = ("base_version", "base_digest") if p.engine == HUMAN else tuple(p.parameters)
    return {
        "recording": transcript.recording_id,
        "span_ms": span,
        "segments": shown,
        "transcript": {
            "version": transcript.version,
            "digest": transcript.digest,
            "segments": len(leaves),
            "segments_root": segments_root(transcript),
            "engine": p.engine,
            "engine_version": p.engine_version,
            "model": p.model,
            "model_digest": p.model_digest,
            "parameters": {name: _given(p.parameters[name]) for name in names},
            "created_at": p.created_at.iso(),
            # Where several versions went on from one another: from which segment on who heard them.
            **({"heard_by": [_stretch(each) for each in hearers]} if len(hearers) > 1 else {}),
        },
    }


def _given(value: Json) -> Json:
    """A parameter without what a second recogniser alone heard: words of all the recording are not this excerpt's to show."""
    if isinstance(value, Mapping):
        return {name: inner for name, inner in value.items() if name != HEARD_ONLY}
    return [_given(each) for each in value] if isinstance(value, list) else value


def _stretch(stretch: Stretch) -> dict[str, Json]:
    p = stretch.provenance
    names: dict[str, Json] = {"engine": p.engine, "engine_version": p.engine_version, "model": p.model, "model_digest": p.model_digest}
    return {"from_segment": stretch.first, "version": stretch.version, **names}


def _origin(transcript: Transcript) -> str:
    p = transcript.provenance
    if p.engine == HUMAN:
        return f"version {transcript.version}, edited by hand on version {p.parameters['base_version']}"
    hearers = transcript.hearers()
    if len(hearers) > 1:
        said = "; ".join(f"from segment {each.first} on {_hearer(each.provenance)}" for each in hearers)
        return f"{said}, version {transcript.version}"
    return f"{_hearer(p)}, version {transcript.version}"


def _hearer(p: Provenance) -> str:
    return f"{p.engine} {p.engine_version}, {p.model} ({p.model_digest or 'no digest'})"


def _reading(
    heard: Transcript,
    chosen: Sequence[tuple[int, Segment, bool]],
    edited: dict[int, Segment],
    edits: Sequence[Json],
    quoted: set[int],
) -> str:
    lines = [
        "# 转写摘录 / Transcript excerpt",
        f"# {_origin(heard)}",
        "# 机器转写可能有误，以片段为准。A machine can mishear: the clip decides.",
        "# » 所引之句 quoted   [0.00] 把握 confidence   = 人工校改后 as edited by hand   ~ 简体，仅供阅读 in simplified script",
        "# ? 另一识别器所听 heard by another recogniser",
        "",
    ]
    for _, s, masked in chosen:
        mark, sure = "»" if s.number in quoted else " ", "" if s.confidence is None else f"  [{s.confidence:.2f}]"
        doubts = f"  ({', '.join(s.risk)})" if s.risk else ""
        voice = f"〔声音 voice {s.speaker}〕" if s.speaker else ""
        hidden = "  （已隐去个人信息 masked）" if masked else ""
        lines.append(f"{mark} {s.number:>4}  {format_ms(s.start_ms)}–{format_ms(s.end_ms)}  {voice}{s.text}{sure}{doubts}{hidden}")
        if s.heard_otherwise is not None:
            lines.append(f"?       {'':>23}  {s.heard_otherwise or '（未听到说话 nothing heard）'}")
        if read := reading_of(s.text):
            lines.append(f"~       {'':>23}  {read}")
        after = edited.get(s.number)
        if after is not None and after.text != s.text:
            lines.append(f"=       {'':>23}  {after.text}")
    if edits:
        lines += ["", "# 校改记录 / Edits"]
    for edit in edits:
        if isinstance(edit, dict):
            lines.append(f"  {edit['segment']}: 「{edit['before']}」→「{edit['after']}」 {edit['by']} {edit['at']} {edit['reason']}")
    return "\n".join(lines) + "\n"


def _add_chat(archive: Archive, contents: Contents, evidence: MomentEvidence, pseudonyms: Pseudonyms) -> None:
    moment = evidence.moment
    names = pseudonyms.names({message.author for message in archive.catalog.messages(moment.recording_id)})
    around = archive.catalog.messages(moment.recording_id, max(0, moment.start_ms - CHAT_CONTEXT_MS), moment.end_ms + CHAT_CONTEXT_MS)
    evidence.chat_lines = len(around)
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
    item = Item(f"{evidence.folder}/chat.json", "前后弹幕（已去标识）", "Chat around it, pseudonymised", CONTEXT, "catalog", derived=True)
    contents.add(item, {"recording": moment.recording_id, "messages": lines})
