"""JSON forms of what LiveProof answers, the same from the command line and over HTTP. Times: ms, and ISO 8601 in UTC."""

import re
from collections.abc import Mapping

from api.job_reports import brief_json
from api.messages import MESSAGES, message, named
from api.operations import Holding
from api.understood_json import understood_json
from archive.catalog_json import product_json
from archive.clip import Clip
from archive.digest import Json
from archive.media_checks import MediaCheck
from archive.recording import Message, Part, Product, Recording
from archive.redaction import mask
from archive.screen_readings import ScreenText
from archive.simplified import reading_of
from archive.timeline import WallTime
from archive.transcript import Segment, Transcript, doubts
from archive.verification import VerificationReport
from search.answer import Answer
from search.concepts import load_lexicon
from search.coverage import Coverage
from search.moments import Moment

_MENTION = re.compile(r"[@＠][^\s@＠,，。!！?？:：]{1,30}")
_PERIOD = re.compile(r"P(?P<number>[\d.]+)(?P<unit>[YM])")
_AMOUNT = re.compile(r"(?P<number>[\d.]+) (?P<unit>\S+)")


def answer_json(answer: Answer) -> dict[str, Json]:
    """`{"found", "coverage", "moments", "not_heard", "doubtful", "understood"}`, the shape that `liveproof search --json` keeps.

    `doubtful`: moments that only words in doubt answer; they count as found, among `moments`, where that was asked for.
    """
    return {
        "found": answer.found,
        "coverage": coverage_json(answer.coverage),
        "moments": [moment_json(moment) for moment in answer.moments],
        "not_heard": list(answer.not_heard),
        "doubtful": [moment_json(moment) for moment in answer.doubtful],
        "understood": understood_json(answer.understood) if answer.understood else None,
    }


def coverage_json(coverage: Coverage) -> dict[str, Json]:
    """Of what was searched, in ms: length, media held, words transcribed, of these doubtful, gaps that nobody holds, sound past hearing.

    `unsearched`: recordings asked about that are held but not transcribed and indexed yet; `live`: those that still grow.
    """
    return {
        "recordings": coverage.recordings,
        "captions_only": coverage.captions_only,
        "duration_ms": coverage.duration_ms,
        "held_ms": coverage.held_ms,
        "transcribed_ms": coverage.transcribed_ms,
        "risky_ms": coverage.risky_ms,
        "missing_ms": coverage.missing_ms,
        "unheard_ms": coverage.unheard_ms,
        "messages": coverage.messages,
        "unsearched": list(coverage.unsearched),
        "live": list(coverage.live),
    }


def moment_json(moment: Moment) -> dict[str, Json]:
    """A quote with the times of its words. `product.how`: on_air, mentioned or inferred (`confidence`, 0…1); `why`: what spoke for it.

    `quote_simplified`: the quote in simplified script, to read beside it; only where that differs. `doubtful`: what it answers with may
    not be what was said; `promise.doubtful`: what it promises rests on such words.
    """
    product, promise = moment.product, moment.promise
    return {
        "recording": moment.recording,
        "part": moment.part,
        "start_ms": moment.start_ms,
        "end_ms": moment.end_ms,
        "wall_start": _iso(moment.wall_start),
        "answers": moment.answers,
        "doubtful": moment.doubtful,
        "uncertainty_ms": moment.uncertainty_ms,
        "quote": moment.quote,
        **read_as("quote_simplified", moment.quote),
        "product": {
            "product_id": product.product_id,
            "title": product.title,
            "how": product.how,
            "confidence": product.confidence,
            "shelf_no": product.shelf_no,
            "price_minor": product.price_minor,
            "currency": product.currency,
            "listing_text": product.listing_text,
        }
        if product
        else None,
        "promise": {
            "category": promise.category,
            "polarity": promise.polarity,
            "quantity": promise.quantity.describe() if promise.quantity else None,
            "condition": promise.condition,
            "is_correction": promise.is_correction,
            "doubtful": moment.promise_doubtful,
        }
        if promise
        else None,
        "risk": list(moment.risk),
        "score": moment.score,
        "confidence": moment.confidence,
        "why": [{"kind": reason.kind, "detail": unnamed(reason.detail)} for reason in moment.why],
        "context_before": moment.context_before,
        "context_after": moment.context_after,
        "chat": [{"at_ms": line.at_ms, "text": unnamed(line.text), "kind": line.kind.value} for line in moment.chat],
        "segments": list(moment.segments),
        "corrects_ms": moment.corrects_ms,
        "screen": [screen_text_json(line) for line in moment.screen],
    }


def screen_text_json(line: ScreenText) -> dict[str, Json]:
    """A line on the screen without personal data. `box`: [left, top, width, height] as shares of the picture."""
    return {
        "start_ms": line.start_ms,
        "end_ms": line.end_ms,
        "text": unnamed(line.text),
        "box": list(line.box),
        "confidence": line.confidence,
    }


def unnamed(text: str) -> str:
    """A viewer's line without personal data. Whom it mentions is hidden whole, as its author's name is not at hand to compare with (G9)."""
    return _MENTION.sub("@观众", mask(text).text)


def words_for(facts: Mapping[str, Json], language: str) -> list[str]:
    """What `moment_json` says, for people: product, promise, how sure, doubts, and why it ranked, each a few words."""
    words = [*product_words(facts.get("product"), language), *promise_words(facts.get("promise"), language)]
    words.append(message("sure", language, sure=named("confidence", str(facts["confidence"]), language)))
    words.extend(named("risk", risk, language) for risk in _texts(facts.get("risk")))
    reasons = why_words(facts.get("why"), language)
    if reasons:
        words.append(message("why", language, reasons=message("list.between", language).join(reasons)))
    return words


def product_words(product: Json, language: str) -> list[str]:
    """Title, and how it is known that the words are about it."""
    if not isinstance(product, Mapping):
        return []
    known = named("product", str(product["how"]), language)
    if isinstance(sure := product.get("confidence"), float):
        known = message("product.sure", language, known=known, sure=f"{sure:.0%}")
    return [f"{product['title']}{message('list.aside', language, text=known)}"]


def promise_words(promise: Json, language: str) -> list[str]:
    """Category with its quantity, and what limits it."""
    if not isinstance(promise, Mapping):
        return []
    words = [
        " ".join(filter(None, (named("promise", str(promise["category"]), language), quantity_words(_text(promise["quantity"]), language))))
    ]
    if promise["is_correction"]:
        words.append(message("polarity.corrected", language))
    elif promise["polarity"] in ("denied", "mixed"):
        words.append(message(f"polarity.{promise['polarity']}", language))
    if promise["condition"]:
        words.append(message("polarity.condition", language, condition=promise["condition"]))
    if promise["doubtful"]:
        words.append(message("promise_doubtful", language))
    return words


def quantity_words(described: str, language: str) -> str:
    """`P3Y` → 3 年, `299 CNY` → ¥299: a described quantity as people read it; what the catalogue has no word for stays as it is."""
    match = _PERIOD.fullmatch(described) or _AMOUNT.fullmatch(described)
    key = f"quantity.{match['unit']}" if match else ""
    return message(key, language, number=match["number"]) if match and key in MESSAGES else described


def why_words(why: Json, language: str) -> list[str]:
    """Reasons as `kind: detail`, those of one kind together."""
    gathered: dict[str, list[str]] = {}
    for reason in why if isinstance(why, list) else ():
        if isinstance(reason, Mapping):
            detail = str(reason["detail"])
            if reason["kind"] == "product":
                detail = named("product", detail, language)
            elif reason["kind"] == "quantity":
                detail = quantity_words(detail, language)
            elif reason["kind"] == "concept":
                detail = " → ".join(load_lexicon().label(name, language) for name in detail.split("→"))
            gathered.setdefault(str(reason["kind"]), []).append(detail)
    said = []
    for kind, details in gathered.items():
        if kind == "meaning" or not any(details):
            said.append(message(f"why.{kind}.plain", language) if f"why.{kind}.plain" in MESSAGES else named("why", kind, language))
        else:
            said.append(message(f"why.{kind}", language, detail=message("list.between", language).join(filter(None, details))))
    return said


def holding_json(held: Holding) -> dict[str, Json]:
    """The shape that `liveproof show --json` keeps. `job`: what works on it just now, null where nothing does."""
    recording, transcript = held.recording, held.transcript
    started, uncertainty_ms = recording.wall_at(0)
    return {
        "recording": recording.id,
        "parts": len(recording.parts),
        "duration_ms": recording.duration_ms,
        "messages": held.messages,
        "products": held.products,
        "segments": len(transcript.segments) if transcript else 0,
        "gaps": [{"start_ms": gap.start_ms, "end_ms": gap.end_ms, "reason": gap.reason} for gap in recording.gaps],
        "media_held": recording.has_media,
        "held_ms": recording.held_ms,
        "live": recording.live,
        "host": recording.host,
        "title": recording.title,
        "platform": recording.platform,
        "room": recording.room,
        "started_at": _iso(started),
        "started_uncertainty_ms": uncertainty_ms,
        "admitted_at": recording.admitted_at.iso(),
        "indexed": held.indexed,
        "part_list": [part_json(part, held.checks.get(part.number)) for part in recording.parts],
        "transcript": transcript_json(transcript) if transcript else None,
        "job": brief_json(held.job) if held.job else None,
    }


def part_json(part: Part, check: MediaCheck | None = None) -> dict[str, Json]:
    """`damage`: lines of `archive.damage`, from admission; `check`: what decoding found, null until it was done."""
    return {
        "number": part.number,
        "file": part.file_name,
        "digest": part.digest,
        "bytes": part.size_bytes,
        "container": part.container,
        "start_ms": part.start_ms,
        "end_ms": part.end_ms,
        "duration_ms": part.duration_ms,
        "wall_start": _iso(part.clock.wall_start),
        "uncertainty_ms": part.clock.uncertainty_ms,
        "clock": part.clock.method,
        "damage": list(part.damage),
        "check": check_json(check) if check else None,
    }


def check_json(check: MediaCheck) -> dict[str, Json]:
    """Findings lie on the part's media time; `unheard_ms` is how much of its sound can't be heard."""
    return {
        "version": check.version,
        "method": check.method,
        "made_at": check.made_at.iso(),
        "unheard_ms": sum(end - start for start, end in check.unheard),
        "findings": [finding.as_json() for finding in check.findings],
    }


def transcript_json(transcript: Transcript) -> dict[str, Json]:
    """Provenance of a transcript (G7), without its words."""
    provenance = transcript.provenance
    return {
        "version": transcript.version,
        "engine": provenance.engine,
        "engine_version": provenance.engine_version,
        "model": provenance.model,
        "model_digest": provenance.model_digest,
        "parameters": provenance.parameters,
        "created_at": provenance.created_at.iso(),
        "digest": transcript.digest,
    }


def segment_json(recording: Recording, segment: Segment) -> dict[str, Json]:
    """One utterance. `words` are [start_ms, end_ms, text, probability or null]; `part_ms` is its place in the part's file.

    `text_simplified`: the text in simplified script, to read beside it; only where that differs. `heard_otherwise`: what a second
    recogniser wrote where it disagreed. `speaker`: the number of the voice, null where nobody told voices apart or it is unsure.
    """
    wall, uncertainty_ms = recording.wall_at(segment.start_ms)
    return {
        "number": segment.number,
        "start_ms": segment.start_ms,
        "end_ms": segment.end_ms,
        "text": segment.text,
        **read_as("text_simplified", segment.text),
        "words": [[word.start_ms, word.end_ms, word.text, word.probability] for word in segment.words],
        "risk": list(segment.risk),
        "speaker": segment.speaker,
        "heard_otherwise": segment.heard_otherwise,
        "confidence": segment.confidence,
        "wall_start": _iso(wall),
        "uncertainty_ms": uncertainty_ms,
        **place_json(recording, segment.start_ms),
    }


def place_json(recording: Recording, at_ms: int) -> dict[str, Json]:
    """Where a moment is played: the part and the ms in it, both null where no media holds it."""
    part = recording.part_at(at_ms)
    return {"part": part.number if part else None, "part_ms": part.clock.to_media(at_ms) if part else None}


def message_json(message: Message) -> dict[str, Json]:
    """One chat line, already pseudonymised."""
    return {
        "at_ms": message.at_ms,
        "uncertainty_ms": message.uncertainty_ms,
        "author": message.author,
        "kind": message.kind.value,
        "text": message.text,
        "recalled": message.recalled,
    }


def product_card_json(product: Product) -> dict[str, Json]:
    """One entry of the shelf without what the import kept beside it."""
    return {name: value for name, value in product_json(product).items() if name != "more"}


def lanes_json(held: Holding) -> dict[str, Json]:
    """A recording's coverage as spans of ms on its time line: what is held, missing, heard as speech, written down, doubtful."""
    recording, transcript = held.recording, held.transcript
    segments = transcript.segments if transcript else ()
    spoken = [[segment.start_ms, segment.end_ms] for segment in segments]
    return {
        "recording": recording.id,
        "duration_ms": recording.duration_ms,
        "held_ms": recording.held_ms,
        "recorded": [[part.start_ms, part.end_ms] for part in recording.parts],
        "gaps": [[gap.start_ms, gap.end_ms] for gap in recording.gaps],
        "unheard": [
            [part.clock.to_recording(start), part.clock.to_recording(end)]
            for part in recording.parts
            if part.number in held.checks
            for start, end in held.checks[part.number].unheard
        ],
        "transcribed": transcript is not None,
        "speech": [list(span) for span in transcript.speech] if transcript and transcript.speech else joined(spoken),
        "skipped": [list(span) for span in transcript.skipped] if transcript else [],
        "written": joined(spoken),
        "doubtful": joined([[segment.start_ms, segment.end_ms] for segment in segments if doubts(segment.risk)]),
    }


def joined(spans: list[list[int]], reach_ms: int = 400) -> list[list[int]]:
    """Spans in order of start, with those that are less than `reach_ms` apart made one."""
    together: list[list[int]] = []
    for start, end in sorted(spans):
        if together and start - together[-1][1] < reach_ms:
            together[-1][1] = max(together[-1][1], end)
        else:
            together.append([start, end])
    return together


def clip_json(clip: Clip) -> dict[str, Json]:
    """Span, files, digests and media root of a clip."""
    return clip.as_json()


def report_json(report: VerificationReport) -> dict[str, Json]:
    """Every numbered check of a verification; `passed` of one is null where it could not be made."""
    return report.as_json()


def read_as(name: str, text: str) -> dict[str, Json]:
    """`{name: text in simplified script}`, or nothing where that is the text itself."""
    read = reading_of(text)
    return {} if read is None else {name: read}


def _text(value: Json) -> str:
    return "" if value is None else str(value)


def _texts(value: Json) -> list[str]:
    return [str(entry) for entry in value] if isinstance(value, list) else []


def _iso(time: WallTime | None) -> str | None:
    return time.iso() if time else None
