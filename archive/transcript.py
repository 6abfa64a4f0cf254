"""Transcripts: derived evidence with provenance, never overwritten (G7)."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from archive.digest import Json
from archive.timeline import WallTime

EDITED = "edited_by_hand"


@dataclass(frozen=True, slots=True)
class Word:
    """One word as heard, on the recording's time line. `probability` is None where the source gives none."""

    start_ms: int
    end_ms: int
    text: str
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """One utterance. `text` is what the recogniser wrote, untouched; `risk` names reasons to doubt it (empty: none).

    `speaker`: which of the session's voices it is (None: nobody told them apart). `heard_otherwise`: what a second recogniser wrote there,
    where it was asked and disagreed.
    """

    number: int
    part: int | None
    start_ms: int
    end_ms: int
    text: str
    words: tuple[Word, ...] = ()
    risk: tuple[str, ...] = ()
    confidence: float | None = None
    speaker: str | None = None
    heard_otherwise: str | None = None


def doubts(risk: Iterable[str]) -> tuple[str, ...]:
    """The reasons to doubt that this is what was said: every risk but that a human wrote the words, who listened."""
    return tuple(reason for reason in risk if reason != EDITED)


@dataclass(frozen=True, slots=True)
class Provenance:
    """Who wrote a transcript: engine (`imported` for captions), model and its digest, parameters, and when."""

    engine: str
    engine_version: str
    model: str
    model_digest: str | None
    parameters: dict[str, Json]
    created_at: WallTime

    @property
    def by(self) -> tuple[str, str, str, str | None]:
        """Engine, its version, model and the model's digest."""
        return self.engine, self.engine_version, self.model, self.model_digest


@dataclass(frozen=True, slots=True)
class Stretch:
    """Segments from `first` on that one version brought, with its provenance."""

    first: int
    version: int
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Transcript:
    """One version of a recording's words. `speech` and `skipped` are the regions heard and left out, in ms pairs.

    `continues` is the version whose words this one keeps and adds to; segments are all of them, in the order of their numbers, which is
    that of time but for parts that came late. `heard_by` says who heard which; empty where a hand edited it, whose base version says so.

    `salt` (hex) is hashed in, so that a digest or a neighbour's proof helps nobody to guess words that were masked (G9).
    """

    recording_id: str
    version: int
    provenance: Provenance
    segments: tuple[Segment, ...]
    speech: tuple[tuple[int, int], ...] = ()
    skipped: tuple[tuple[int, int], ...] = ()
    id: int | None = None
    digest: str | None = None
    salt: str | None = None
    more: dict[str, Json] = field(default_factory=dict)
    continues: int | None = None
    heard_by: tuple[Stretch, ...] = ()

    def hearers(self) -> list[Stretch]:
        """Who heard which segments: a stretch for each change of engine, model or its digest."""
        found: list[Stretch] = []
        for stretch in self.heard_by:
            if not found or found[-1].provenance.by != stretch.provenance.by:
                found.append(stretch)
        return found
