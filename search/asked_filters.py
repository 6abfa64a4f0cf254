"""What a question's free words narrow a search to: the host it names, the sessions of the time it names, the session before an order.

Given options filter always. Free words filter only where a session passes; else they are told as not found and take no part. An order was
made in the session on air then or after the last one before it, never in a later one; how sure a session's clock is counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo

from archive.timeline import WallTime
from search.asked_hosts import host_named
from search.asked_time import AskedTime, TimeRole, Window
from search.indexes import Filter, Index, RecordingEntry
from search.query import Question, products_named, understand

DAY_MS = 86_400_000
LOOK_BACK_DAYS = (8, 32, 366)
SELLING_DAYS = 32
UNSURE_MS = 600_000
"""Half-width within which sessions are looked up before their own clocks are asked; also how long after its end a session still sells."""


@dataclass(frozen=True, slots=True)
class TimeUnderstood:
    """`role`: session or order. `windows` are what `words` may mean; `sessions` those that ran then, or the order's. `given`: by an option.

    `applied`: only these were searched. It is false where no session is held of that time, or where nothing was found in them and the
    others were searched too.
    """

    role: str
    words: str
    windows: tuple[Window, ...]
    sessions: tuple[str, ...]
    applied: bool
    given: bool = False


@dataclass(frozen=True, slots=True)
class HostUnderstood:
    """`how`: name or sound. `applied`: only this host's sessions were searched."""

    name: str
    words: str
    how: str
    applied: bool


@dataclass(frozen=True, slots=True)
class Narrowed:
    """The question, what is searched for it, and what of that its own words told. `wider`: what is searched when nothing is found there."""

    question: Question
    wanted: Filter
    host: HostUnderstood | None = None
    time: TimeUnderstood | None = None
    wider: Filter | None = None


def narrowed(
    index: Index, text: str, wanted: Filter, *, now: WallTime, zone: tzinfo, ordered_at: WallTime | None = None, also_named: str = ""
) -> Narrowed:
    """Reads a question for what it narrows. `ordered_at`: when the order was made, known otherwise. InvalidQuestion as `understand`."""
    question = understand(text, also_named=also_named)
    host = host_named(_without_times(question), index.hosts()) if wanted.host is None else None
    host_understood = None
    if host:
        passes = index.totals(replace(wanted, host=host.name)).recordings > 0
        host_understood = HostUnderstood(host.name, host.words, host.how, passes)
        if passes:
            wanted = replace(wanted, host=host.name)
            question = understand(text, also_named=also_named, leaving_out=(host.words,))
    if ordered_at is not None:
        windows = [Window(ordered_at, ordered_at.plus_ms(1))]
        sessions = _sold_in(index, wanted, question, windows)
        time = TimeUnderstood(TimeRole.ORDER, ordered_at.iso(), tuple(windows), sessions, True, given=True)
        return Narrowed(question, replace(wanted, among=_both(wanted.among, sessions)), host_understood, time)
    asked = _told_by(question.times)
    windows = asked.windows(now, zone) if asked else []
    if asked is None or not windows:
        return Narrowed(question, wanted, host_understood)
    if asked.role is TimeRole.ORDER:
        sessions, wider = _sold_in(index, wanted, question, windows), replace(wanted, until=_earlier(wanted.until, _last(windows)))
    else:
        sessions, wider = _ran_in(index, wanted, windows), wanted
    time = TimeUnderstood(asked.role, asked.words, tuple(windows), sessions, bool(sessions))
    if not sessions:
        return Narrowed(question, wanted, host_understood, time)
    return Narrowed(question, replace(wanted, among=sessions), host_understood, time, wider)


def _without_times(question: Question) -> str:
    """The question with blanks where times stand: 小满上周三那场说 is said of 小满."""
    text = question.text
    for time in question.times:
        text = text[: time.start] + " " * (time.end - time.start) + text[time.end :]
    return text


def _told_by(times: Sequence[AskedTime]) -> AskedTime | None:
    """Of several times that of the session is nearest to what is asked."""
    return next((each for each in times if each.role is TimeRole.SESSION), times[0] if times else None)


def _ran_in(index: Index, wanted: Filter, windows: Sequence[Window]) -> tuple[str, ...]:
    """Sessions that ran within a window; where what is wanted has bounds of its own, within both."""
    found: dict[str, None] = {}
    for window in windows:
        for entry in _around(index, wanted, window.since.plus_ms(-UNSURE_MS), window.until.plus_ms(UNSURE_MS)):
            begun, ended, unsure_ms = _span(entry)
            if begun and ended and begun.plus_ms(-unsure_ms) < window.until and ended.plus_ms(unsure_ms) > window.since:
                found[entry.recording.id] = None
    return tuple(found)


def _sold_in(index: Index, wanted: Filter, question: Question, windows: Sequence[Window]) -> tuple[str, ...]:
    """Sessions on air when the order was made, else each host's last one before; those that sell what is asked about, if any do."""
    found: dict[str, None] = {}
    for window in windows:
        begun = _begun_before(index, wanted, question, window)
        last: dict[tuple[str | None, ...], RecordingEntry] = {}
        on_air = []
        for entry in sorted(begun, key=lambda each: _span(each)[0] or window.since):
            ended, unsure_ms = _span(entry)[1:]
            if ended and ended.plus_ms(unsure_ms + UNSURE_MS) >= window.since:
                on_air.append(entry)
            last[entry.recording.platform, entry.recording.room, entry.recording.host] = entry
        found |= {entry.recording.id: None for entry in on_air or last.values()}
    return tuple(found)


def _around(index: Index, wanted: Filter, since: WallTime, until: WallTime) -> list[RecordingEntry]:
    later = wanted.since if wanted.since and wanted.since > since else since
    earlier = _earlier(wanted.until, until)
    return index.recordings(replace(wanted, since=later, until=earlier)) if later < earlier else []


def _begun_before(index: Index, wanted: Filter, question: Question, window: Window) -> list[RecordingEntry]:
    """Sessions that had begun when the order was made, of the last days or, where none had, of longer ago; where the question names a
    product, those that sell it, if any did of late."""
    nearest: list[RecordingEntry] = []
    for days in LOOK_BACK_DAYS:
        around = _around(index, wanted, window.since.plus_ms(-days * DAY_MS), window.until.plus_ms(UNSURE_MS))
        begun = [entry for entry in around if (start := _span(entry)[0]) and start.plus_ms(-_span(entry)[2]) < window.until]
        named = products_named(question, index.products([entry.recording.id for entry in begun])) if days <= SELLING_DAYS else {}
        if selling := [entry for entry in begun if entry.recording.id in named]:
            return selling
        nearest = nearest or begun
        if nearest and days >= SELLING_DAYS:
            break
    return nearest


def _span(entry: RecordingEntry) -> tuple[WallTime | None, WallTime | None, int]:
    """When the session began and ended, and how sure that is, ± ms."""
    begun, unsure_ms = entry.recording.wall_at(0)
    ended, still_unsure_ms = entry.recording.wall_at(entry.recording.duration_ms)
    return begun, ended, max(unsure_ms, still_unsure_ms)


def _both(among: tuple[str, ...] | None, sessions: tuple[str, ...]) -> tuple[str, ...]:
    return sessions if among is None else tuple(each for each in sessions if each in among)


def _earlier(one: WallTime | None, other: WallTime) -> WallTime:
    return one if one and one < other else other


def _last(windows: Sequence[Window]) -> WallTime:
    return max(window.until for window in windows)
