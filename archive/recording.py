"""What a live session leaves behind: its recording, parts, messages, products and what was on air when."""

from dataclasses import dataclass, field
from enum import StrEnum

from archive.digest import Json
from archive.timeline import ClockMap, WallTime


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of the session that no part holds, on the recording's time line. `uncertainty_ms`: of its length; None where nobody said.

    Reasons: between_parts (parts' times leave it), connection_lost, capture_stopped.
    """

    start_ms: int
    end_ms: int
    reason: str
    uncertainty_ms: int | None = None


REJOIN_MS = 1000
"""In a file whose time stamps go back, a step ahead or back that is longer than this is no time that passed."""


SOUNDLESS = ("no_audio", "stream_empty stream=audio", "stream_undecodable stream=audio")
"""Beginnings of lines of damage (`archive.damage`) that say that nothing of a part can be heard."""


@dataclass(frozen=True, slots=True)
class Part:
    """One admitted media file. `number` counts from 1; `digest` names the object that holds its bytes."""

    number: int
    digest: str
    size_bytes: int
    file_name: str
    duration_ms: int
    container: str
    probe: Json
    clock: ClockMap
    damage: tuple[str, ...] = ()

    @property
    def times_joined(self) -> bool:
        """Whether the file's time stamps jump and media time closes the jumps: whoever decodes it must do the same (`REJOIN_MS`)."""
        return isinstance(self.probe, dict) and self.probe.get("joined") is True

    @property
    def may_sound(self) -> bool:
        """False where admission found that its sound can't be decoded, or that there is none."""
        return not any(line.startswith(SOUNDLESS) for line in self.damage)

    @property
    def start_ms(self) -> int:
        return self.clock.starts_at_ms

    @property
    def end_ms(self) -> int:
        return self.clock.starts_at_ms + self.duration_ms


@dataclass(frozen=True, slots=True)
class Recording:
    """One live session. `parts` is empty where only captions are held; `duration_ms` then ends with the last caption.

    `kind` None is a live session, "call" a video call that belongs to a case. `live`: a capture still adds parts to it.
    """

    id: str
    platform: str | None
    room: str | None
    host: str | None
    title: str | None
    started_at: WallTime | None
    duration_ms: int
    admitted_at: WallTime
    parts: tuple[Part, ...] = ()
    gaps: tuple[Gap, ...] = ()
    kind: str | None = None
    live: bool = False

    @property
    def has_media(self) -> bool:
        return bool(self.parts)

    @property
    def held_ms(self) -> int:
        """Milliseconds of the session that some part holds: gaps are left out, and what two parts hold counts once."""
        held, reached = 0, 0
        for part in sorted(self.parts, key=lambda part: part.start_ms):
            held += max(0, part.end_ms - max(part.start_ms, reached))
            reached = max(reached, part.end_ms)
        return held

    @property
    def overlaps(self) -> tuple[tuple[int, int], ...]:
        """Stretches that more than one part holds, as (start, end) in ms, in order."""
        found: list[tuple[int, int]] = []
        reached = 0
        for part in sorted(self.parts, key=lambda part: part.start_ms):
            start, end = part.start_ms, min(part.end_ms, reached)
            if start < end and found and start <= found[-1][1]:
                found[-1] = (found[-1][0], max(end, found[-1][1]))
            elif start < end:
                found.append((start, end))
            reached = max(reached, part.end_ms)
        return tuple(found)

    def part_at(self, recording_ms: int) -> Part | None:
        """The part that holds this moment, None inside a gap or outside the recording."""
        return next((part for part in self.parts if part.start_ms <= recording_ms < part.end_ms), None)

    def wall_at(self, recording_ms: int) -> tuple[WallTime | None, int]:
        """Wall-clock time of a moment and its uncertainty in ms."""
        before = [part for part in self.parts if part.start_ms <= recording_ms]
        part = before[-1] if before else self.parts[0] if self.parts else None
        if part:
            return part.clock.to_wall(recording_ms), part.clock.uncertainty_at(recording_ms)
        return (self.started_at.plus_ms(recording_ms) if self.started_at else None), CAPTION_UNCERTAINTY_MS


CAPTION_UNCERTAINTY_MS = 1000


class MessageKind(StrEnum):
    CHAT = "chat"
    GIFT = "gift"
    PAID = "paid"
    SYSTEM = "system"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class Message:
    """One line of chat or of an IM log. `author` is as it came; whatever leaves the archive is pseudonymised first (G9).

    `source_number` names the recording's source file it came in, `order_id` the order that an IM log says it is about.
    """

    at_ms: int
    text: str
    author: str | None
    kind: MessageKind = MessageKind.CHAT
    raw_offset: str | None = None
    raw_wall: str | None = None
    uncertainty_ms: int = 0
    source: str = ""
    recalled: bool = False
    source_number: int | None = None
    order_id: str | None = None


@dataclass(frozen=True, slots=True)
class Product:
    """One entry of the shelf. Prices are in the currency's minor unit."""

    product_id: str
    title: str
    shelf_no: str | None = None
    aliases: tuple[str, ...] = ()
    price_minor: int | None = None
    currency: str = "CNY"
    listing_text: str = ""
    more: dict[str, Json] = field(default_factory=dict)


class EventKind(StrEnum):
    LISTED = "listed"
    EXPLAIN_START = "explain_start"
    EXPLAIN_END = "explain_end"
    CARD_SHOWN = "card_shown"
    PRICE_CHANGE = "price_change"
    DELISTED = "delisted"


@dataclass(frozen=True, slots=True)
class ProductEvent:
    """Something that happened to a product on air, on the recording's time line. `inferred` if no platform said so."""

    event: EventKind
    product_id: str
    at_ms: int
    source: str = ""
    inferred: bool = False
