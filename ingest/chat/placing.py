"""Messages laid on the recording's time line, with what is known of how sure their place is.

| a message has              | lies at                                     | uncertainty, half-width                        |
|----------------------------|---------------------------------------------|------------------------------------------------|
| an offset                  | that offset from the file's 0               | OFFSET_UNCERTAINTY_MS: players and chat differ |
| a wall time                | wall time less the file's start             | WALL_UNCERTAINTY_MS: two machines' clocks      |
| a wall time, start unknown | its distance from the file's first message  | UNKNOWN_START_UNCERTAINTY_MS: any time of it   |
| neither                    | beside the message before it                | NEIGHBOUR_UNCERTAINTY_MS                       |
"""

import re
from datetime import datetime, tzinfo

from archive.digest import Json
from archive.recording import Message, MessageKind
from ingest.chat import ChatContext
from ingest.errors import InvalidContent
from ingest.input_file import InputFile, storable
from ingest.products import MAX_OFFSET_MS

OFFSET_UNCERTAINTY_MS = 1000
WALL_UNCERTAINTY_MS = 3000
MESSAGE_ID_UNCERTAINTY_MS = 15_000
NEIGHBOUR_UNCERTAINTY_MS = 60_000
UNKNOWN_START_UNCERTAINTY_MS = 12 * 3_600_000
AUTHOR_MAX_CHARS = 200
_RAW_MAX_CHARS = 100
_EARLIEST_ID_MS, _LATEST_ID_MS = 1_451_606_400_000, 4_102_444_800_000


class Placing:
    """Makes a file's messages, counts what can't be placed, and tells of it when the file is read."""

    def __init__(self, file: InputFile, context: ChatContext, source: str) -> None:
        self._file = file
        self._context = context
        self._note = context.note
        self._zero_ms = context.starts_at_ms
        self._limit = context.message_max_chars
        self._start_ms = context.wall_start.epoch_ms if context.wall_start else None
        self._last_ms: int | None = None
        self._made = self._unplaced = self._wordless = self._cut = 0
        self._start_unknown = False
        self._far = 0
        self._first_unplaced = ""
        self.source = source

    @property
    def knows_start(self) -> bool:
        """Whether the wall time of the file's offset 0 is known."""
        return self._start_ms is not None

    def count_from(self, epoch_ms: int) -> None:
        """Where nothing told the file's start: this wall time is offset 0."""
        if self._start_ms is None:
            self._start_ms, self._start_unknown = epoch_ms, True

    def at_wall(self, epoch_ms: int | None, uncertainty_ms: int = WALL_UNCERTAINTY_MS) -> tuple[int, int] | None:
        """(ms from the file's 0, uncertainty) of a wall time; None where it can't be that of this session."""
        if epoch_ms is None:
            return None
        if self._start_ms is None:
            self.count_from(epoch_ms)
        offset_ms = epoch_ms - (self._start_ms or 0)
        if abs(offset_ms) > MAX_OFFSET_MS:
            self._far += 1
            return None
        return offset_ms, UNKNOWN_START_UNCERTAINTY_MS if self._start_unknown else uncertainty_ms

    def at_offset(self, offset_ms: float | None, uncertainty_ms: int = OFFSET_UNCERTAINTY_MS) -> tuple[int, int] | None:
        """(ms from the file's 0, uncertainty) of an offset in ms; None where it can't be one."""
        if offset_ms is None or not -MAX_OFFSET_MS <= offset_ms <= MAX_OFFSET_MS:
            return None
        return round(offset_ms), uncertainty_ms

    def beside_the_last(self) -> tuple[int, int] | None:
        """The place of the message before, for one without a time; None if there was none."""
        return None if self._last_ms is None else (self._last_ms, NEIGHBOUR_UNCERTAINTY_MS)

    def unplaced(self, where: str) -> None:
        """A message was left out, because nothing tells when it was."""
        self._unplaced += 1
        self._first_unplaced = self._first_unplaced or where

    def wordless(self) -> None:
        """An entry was left out that is no message."""
        self._wordless += 1

    def message(
        self,
        place: tuple[int, int],
        text: str,
        author: str | None,
        kind: MessageKind = MessageKind.CHAT,
        raw_offset: str | None = None,
        raw_wall: str | None = None,
        source: str | None = None,
        recalled: bool = False,
    ) -> Message:
        """A message at a place that one of `at_…` gave. Raw times are texts as they stood."""
        self._last_ms = place[0]
        self._made += 1
        if len(text) > self._limit:
            self._cut += 1
            text = text[: self._limit]
        return Message(
            self._zero_ms + place[0],
            storable(text),
            storable(author[:AUTHOR_MAX_CHARS]) if author else None,
            kind,
            storable(raw_offset[:_RAW_MAX_CHARS]) if raw_offset else None,
            storable(raw_wall[:_RAW_MAX_CHARS]) if raw_wall else None,
            place[1],
            source or self.source,
            recalled,
        )

    def close(self) -> None:
        """Tell what was left out or mended. InvalidContent for a file that has messages, but none that anything dates."""
        name = self._file.name
        if self._unplaced and not self._made and self._far:
            raise InvalidContent(
                f"{self._file.path}: its messages were sent more than {MAX_OFFSET_MS // 3_600_000} hours from the recording's start "
                f"({self._first_unplaced} is the first): is it this recording's chat, and is --started-at right?"
            )
        if self._unplaced and not self._made:
            raise InvalidContent(
                f"{self._file.path}: nothing in it tells when any of its {self._unplaced} messages was sent "
                f"({self._first_unplaced} is the first): they can't be laid on a time line"
            )
        if self._unplaced:
            self._note(f"{name}: entries left out, for no time can be read in them: {self._unplaced}, the first is {self._first_unplaced}")
        if self._wordless:
            self._note(f"{name}: entries left out, for they hold no message: {self._wordless}")
        if self._cut:
            self._note(f"{name}: texts cut to {self._limit} characters, the file keeps them whole: {self._cut}")
        if self._start_unknown and self._made:
            self._note(
                f"{name}: nothing tells when the recording began by the wall clock, so its times count from its first message "
                f"(± {UNKNOWN_START_UNCERTAINTY_MS // 3_600_000} h): give --started-at"
            )


def epoch_ms(value: Json) -> int | None:
    """Milliseconds since 1970 from a number or digits in s, ms, µs or ns, told apart by size (2001 to 5138); None for anything else."""
    number = number_of(value)
    if number is None or number < 10**9:
        return None
    if number < 10**11:
        return round(number * 1000)
    if 10**12 <= number < 10**14:
        return round(number)
    if 10**15 <= number < 10**17:
        return round(number / 1000)
    return round(number / 1_000_000) if 10**18 <= number < 10**20 else None


def number_of(value: Json) -> float | None:
    """A finite number, from JSON or from digits; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value if -1e20 < value < 1e20 else None
    if isinstance(value, str) and len(value) <= 40:
        try:
            number = float(value)
        except ValueError:
            return None
        return number if -1e20 < number < 1e20 else None
    return None


def text_of(value: Json) -> str | None:
    """Text, from a text or a number; None for nothing, for an empty text and for anything else."""
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def id_time_ms(value: Json) -> int | None:
    """When ByteDance's platforms made a message id: its upper 32 bits are seconds since 1970. None for an id that isn't made so.

    Seen in dumps that hold both: id 7292026903731442726 is of 1697807317, its message's event_time 1697807324; id 7182076673307137079 is
    of 1672207534, its packet's 1672207545. So the id is some 5 to 15 s early, which MESSAGE_ID_UNCERTAINTY_MS covers.
    """
    if isinstance(value, str):
        value = int(value) if len(value) <= 20 and value.isascii() and value.isdigit() else None
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    ms = (value >> 32) * 1000
    return ms if _EARLIEST_ID_MS <= ms < _LATEST_ID_MS else None


_WRITTEN = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?[T \u3000]*(\d{1,2})[:：时点](\d{1,2})(?:[:：分](\d{1,2})?(?:[.,](\d{1,6}))?秒?)?分?$"
)


def written_ms(text: str, zone: tzinfo) -> tuple[int, int] | None:
    """(ms since 1970, step in ms it is written in) of a time as people and exports write it; without a zone it is in `zone`."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        if len(text) == 14 and text[:2] in ("19", "20"):
            text = f"{text[:4]}-{text[4:6]}-{text[6:8]} {text[8:10]}:{text[10:12]}:{text[12:]}"
        else:
            found = epoch_ms(text)
            return None if found is None else (found, 1000 if len(text) < 12 else 1)
    try:
        if len(text) > 40:
            return None
        if len(text) <= 10:
            return None
        try:
            moment = datetime.fromisoformat(text)
            step = 60_000 if len(text) <= 16 else 1000
        except ValueError:
            parts = _WRITTEN.match(text)
            if not parts:
                return None
            year, month, day, hour, minute = (int(parts[n]) for n in range(1, 6))
            fraction = int((parts[7] or "0").ljust(6, "0"))
            moment = datetime(year, month, day, hour, minute, int(parts[6] or 0), fraction, tzinfo=zone)
            step = 1000 if parts[6] else 60_000
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        return round(moment.timestamp() * 1000), step
    except (ValueError, OverflowError):
        return None
