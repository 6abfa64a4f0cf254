"""The table of retention rules: which law or policy asks for which period, from when on, and the calendar that periods are counted in."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from archive.digest import Json
from archive.errors import InvalidRules
from archive.timeline import WallTime

BEIJING = timezone(timedelta(hours=8))
YEARS_MAX, DAYS_MAX = 100, 36_600
RULES_MAX_BYTES = 1 << 20
BUILT_IN = Path(__file__).parent / "retention_rules.toml"

Event: TypeAlias = Literal["stream_end", "order", "case"]
_FIELDS = {"id", "law", "article", "effective_from", "policy", "from", "platforms", "years", "days"}


@dataclass(frozen=True, slots=True)
class Anchor:
    """What a period runs from. `how` says what told its time, e.g. `admission` where a stream's end is unknown, or the case of an order."""

    event: Event
    at: WallTime
    how: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One period: `years` plus `days` from each of `events`, on the named platforms (`*`: all).

    Either a law with article and effective date, or a policy of whoever runs the archive.
    """

    id: str
    events: tuple[Event, ...]
    platforms: tuple[str, ...]
    years: int
    days: int
    law: str | None
    article: str | None
    effective_from: date | None
    policy: str | None

    def applies(self, platform: str | None, anchor: Anchor) -> bool:
        """Whether the rule asks for anything from this anchor on; a law asks for nothing from before it was in force."""
        if anchor.event not in self.events or not ("*" in self.platforms or (platform or "").lower() in self.platforms):
            return False
        return self.effective_from is None or local_date(anchor.at) >= self.effective_from

    def until(self, anchor: Anchor) -> WallTime:
        """When the period ends."""
        return after(anchor.at, self.years, self.days)

    def as_json(self) -> dict[str, Json]:
        return {
            "rule": self.id,
            "from": list(self.events),
            "platforms": list(self.platforms),
            "years": self.years,
            "days": self.days,
            "law": self.law,
            "article": self.article,
            "effective_from": self.effective_from.isoformat() if self.effective_from else None,
            "policy": self.policy,
        }


def load_rules(default_years: int, further: Path | None = None) -> tuple[Rule, ...]:
    """The built-in rules, and those of a further file. InvalidRules names the file and the rule."""
    found = list(_read(BUILT_IN, default_years))
    if further is not None:
        found += _read(further, default_years)
    names = [rule.id for rule in found]
    for name in names:
        if names.count(name) > 1:
            raise InvalidRules(f"{further}: there is a rule {name} already: give it another id")
    return tuple(found)


def longest(rules: Sequence[Rule], platform: str | None, anchors: Sequence[Anchor]) -> tuple[WallTime, list[Json]]:
    """The latest end of all periods that apply, and every one of them as it is logged. There must be at least one anchor."""
    ends: list[WallTime] = []
    basis: list[Json] = []
    for anchor in anchors:
        for rule in rules:
            if rule.applies(platform, anchor):
                end = rule.until(anchor)
                ends.append(end)
                cited: dict[str, Json] = {"rule": rule.id, "policy": rule.policy}
                if rule.law and rule.effective_from:
                    cited = {"rule": rule.id, "law": rule.law, "article": rule.article, "effective_from": rule.effective_from.isoformat()}
                basis.append({**cited, "from": anchor.event, "how": anchor.how, "at": anchor.at.iso(), "until": end.iso()})
    return max(ends), basis


def after(start: WallTime, years: int, days: int) -> WallTime:
    """The same time of day in Beijing, `years` and then `days` later. 29 February goes to 1 March where there is none, so that no period
    is cut short."""
    moment = datetime.fromtimestamp(start.epoch_ms // 1000, UTC).astimezone(BEIJING)
    try:
        moved = moment.replace(year=moment.year + years)
    except ValueError:
        moved = moment.replace(year=moment.year + years, month=3, day=1)
    return WallTime.of(moved + timedelta(days=days)).plus_ms(start.epoch_ms % 1000)


def local_date(at: WallTime) -> date:
    """The day in Beijing."""
    return datetime.fromtimestamp(at.epoch_ms // 1000, UTC).astimezone(BEIJING).date()


def _read(path: Path, default_years: int) -> list[Rule]:
    try:
        if path.stat().st_size > RULES_MAX_BYTES:
            raise InvalidRules(f"{path} is larger than {RULES_MAX_BYTES} bytes: that is no table of retention rules")
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InvalidRules(f"{path} can't be read: {error.strerror}. Check LIVEPROOF_RETENTION_RULES") from error
    except ValueError as error:
        raise InvalidRules(f"{path} is no TOML in UTF-8: {error}") from error
    entries = table.get("rule")
    if not isinstance(entries, list):
        raise InvalidRules(f"{path} has no [[rule]]")
    return [_rule(entry, f"{path}, rule {number}", default_years) for number, entry in enumerate(entries, 1)]


def _rule(entry: object, where: str, default_years: int) -> Rule:
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
        raise InvalidRules(f"{where} has no id")
    unknown = sorted(set(entry) - _FIELDS)
    if unknown:
        raise InvalidRules(f"{where}: {unknown[0]} is no field of a rule: they are {', '.join(sorted(_FIELDS))}")
    events = entry.get("from")
    if not isinstance(events, list) or not events or not set(events) <= set(get_args(Event)):
        raise InvalidRules(f"{where}: from must be a list of {', '.join(get_args(Event))}")
    platforms = entry.get("platforms", ["*"])
    if not isinstance(platforms, list) or not platforms or not all(isinstance(name, str) for name in platforms):
        raise InvalidRules(f'{where}: platforms must be a list of names, or ["*"]')
    law, article, effective, policy = (entry.get(name) for name in ("law", "article", "effective_from", "policy"))
    cited = isinstance(law, str) and isinstance(article, str) and type(effective) is date and policy is None
    own = isinstance(policy, str) and law is None and article is None and effective is None
    if not cited and not own:
        raise InvalidRules(f"{where}: give law, article and effective_from (a date), or policy alone")
    years, days = entry.get("years", 0), entry.get("days", 0)
    if type(years) is not int or type(days) is not int or not 0 <= years <= YEARS_MAX or not 0 <= days <= DAYS_MAX:
        raise InvalidRules(f"{where}: years must be 0 to {YEARS_MAX}, days 0 to {DAYS_MAX}")
    if years == days == 0:
        if entry["id"] != "default":
            raise InvalidRules(f"{where}: years or days must say how long")
        years = default_years
    return Rule(
        entry["id"],
        tuple(events),
        tuple(name.lower() for name in platforms),
        years,
        days,
        law if cited else None,
        article if cited else None,
        effective if cited else None,
        policy if own else None,
    )
