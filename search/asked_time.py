"""Times that a question names: 上周三那场, 昨晚, 11月18号晚上九点下的单, 双十一那天, 三天前, last Wednesday, on 18 Nov.

Finding is pure; what a found time means is told by `AskedTime.windows`, which is handed the present and a zone. A time that may mean
several days gives them all: it widens and excludes nothing. Only what is about the session or the order is a time to search by; when
something arrived or broke is part of the story and stays where it is.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum
from functools import partial

from archive.personal_data import half_width
from archive.simplified import simplified_throughout
from archive.timeline import WallTime
from search.lunar_days import LUNAR_FESTIVALS, day_of_festival, last_festival
from search.numerals import read_numeral

ANCHOR_CHARS = 14
EARLY_MINUTES, LATE_MINUTES = 30, 60


class TimeRole(StrEnum):
    SESSION = "session"
    ORDER = "order"


@dataclass(frozen=True, slots=True)
class Window:
    """Half open, since ≤ t < until."""

    since: WallTime
    until: WallTime


_Days = Callable[[date], list[tuple[date, date]]]


@dataclass(frozen=True, slots=True)
class AskedTime:
    """A time that stands at `start:end` of the question. `role`: whether the session or the order was then."""

    start: int
    end: int
    role: TimeRole
    words: str
    days: _Days
    hours: tuple[tuple[int, int], ...] = ()

    def windows(self, now: WallTime, zone: tzinfo) -> list[Window]:
        """Every stretch that it may mean, nearest first; empty for a day that no calendar has. `hours` are minutes from midnight."""
        found = []
        for first, after in self.days(datetime.fromtimestamp(now.epoch_ms / 1000, zone).date()):
            spans = self.hours if self.hours and after - first == timedelta(days=1) else ((0, 24 * 60 * (after - first).days),)
            for begin, end in spans:
                since, until = (datetime(first.year, first.month, first.day, tzinfo=zone) + timedelta(minutes=m) for m in (begin, end))
                found.append(Window(WallTime.of(since), WallTime.of(until)))
        return found


def find_times(text: str) -> list[AskedTime]:
    """The times of session and order in a question, in order. Offsets are into `text` as given. Never raises."""
    plain = half_width(simplified_throughout(text)).lower()
    if len(plain) != len(text):
        return []
    found: list[AskedTime] = []
    for start, day_end, days, pointing in _days_named(plain):
        if found and start < found[-1].end:
            continue
        hours, end = _hours_after(plain, day_end)
        to_the_minute = plain[:end].rstrip()[-3:-2] == ":"
        pointed = _POINTED.match(plain, end)
        role, end = _role(plain, start, pointed.end() if pointed else end, pointing=pointing or bool(hours), pointed=bool(pointed))
        if role is TimeRole.ORDER and to_the_minute:
            # a platform wrote it: no session that began later may be the one
            hours = tuple((begin + EARLY_MINUTES, begin + EARLY_MINUTES + 1) for begin, _ in hours)
        if role:
            found.append(AskedTime(start, end, role, text[start:end].strip(), days, hours))
    return found


_NUMBER = r"(?:\d{1,2}|[一二三四五六七八九十廿]{1,3})"
_YEAR = r"(?:今年|去年|前年|20\d\d年)"
_ISO = re.compile(r"(?<!\d)(20\d\d)[-/.年](\d{1,2})[-/.月](\d{1,2})(?!\d)[日号]?t?")
_MONTH_DAY = re.compile(rf"({_YEAR})?的?(?<!\d)({_NUMBER})月份?({_NUMBER})(?!\d)[日号]?")
_SHORT_DATE = re.compile(r"(?<![\d.])(1[0-2]|0?[1-9])[./](3[01]|[12]\d|0?[1-9])(?![\d.]|\s*[%元块寸米斤])")
_DAY = re.compile(
    rf"(上个?月|这个月|本月)?(?<![\d.第月])({_NUMBER})[日号](?!链接|款|色|线|机|店|楼|门|仓|院|产品|商品|宝贝|品|衣|位|口|字|码|力|宝)"
)
_RELATIVE = re.compile(r"(大前天|前天|昨天|昨日|昨儿|昨晚|昨夜|前晚|前夜|今天|今日|今晚|今早|昨早)")
_BACK = {"大前天": 3, "前天": 2, "前晚": 2, "前夜": 2, "今天": 0, "今日": 0, "今晚": 0, "今早": 0}
_AGO = re.compile(rf"(?<!\d)({_NUMBER}|两|半)(天|日|周|个?星期|个?礼拜|个?月)(?:之|以)?前")
_WEEKDAY = re.compile(r"(上上个?|上个?|这个?|本)?(?:周|星期|礼拜)([一二三四五六日天末1-6])(?![年岁月到])")
_SOME_DAYS = re.compile(r"(上上个?|上个?|这个?|本)(周|星期|礼拜|月)(?![一二三四五六日天末1-6])|(前几天|前两天|这几天|这两天)")
_FESTIVALS: dict[str, tuple[int, int]] = {
    "双十一": (11, 11), "双11": (11, 11), "双十二": (12, 12), "双12": (12, 12), "618": (6, 18), "六一八": (6, 18), "六幺八": (6, 18),
    "三八节": (3, 8), "38节": (3, 8), "女神节": (3, 8), "妇女节": (3, 8), "元旦": (1, 1), "情人节": (2, 14), "五一": (5, 1),
    "六一": (6, 1), "儿童节": (6, 1), "国庆": (10, 1), "平安夜": (12, 24), "圣诞": (12, 25),
    "double 11": (11, 11), "double eleven": (11, 11), "singles' day": (11, 11), "singles day": (11, 11), "christmas": (12, 25),
}  # fmt: skip
_FESTIVAL_NAMES = "|".join(sorted(map(re.escape, (*_FESTIVALS, *LUNAR_FESTIVALS)), key=len, reverse=True))
_FESTIVAL = re.compile(rf"({_YEAR})?的?(?<!\d)({_FESTIVAL_NAMES})(?!\d)节?(?!\s*[元块%个克斤mg])(前一?天|前夜|前夕|期间)?")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTH_NAME = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)(?:uary|ruary|ch|il|e|y|ust|t|tember|ober|ember)?\.?"
_ENGLISH_DATE = re.compile(
    rf"(?:\bon\s+)?(?:the\s+)?\b(?:(\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH_NAME}|{_MONTH_NAME}\s+(\d{{1,2}})(?:st|nd|rd|th)?)\b(?:,?\s+(20\d\d))?"
)
_ENGLISH_DAY = re.compile(
    r"(?:\bon\s+)?\b(?:(last|this)\s+(week|month|night|mon|tue|wed|thu|fri|sat|sun)(?:day|sday|nesday|rsday|urday)?\b|(yesterday|tonight|today)\b"
    r"|(\d{1,2}|a|one|two|three|four|five|six|seven|ten)\s+(day|week|month)s?\s+ago\b)(?:'s)?"
)
_ENGLISH_NUMBERS = {"a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "ten": 10}

_Named = tuple[int, int, _Days, bool]


def _days_named(plain: str) -> Iterator[_Named]:
    """(start, end, days, whether it points at a day of the past by itself), left to right, longer readings first."""
    found: list[_Named] = []
    for pattern, read, pointing in _READERS:
        for match in pattern.finditer(plain):
            days = read(match)
            if days is not None:
                found.append((*match.span(), days, pointing))
    return iter(sorted(found, key=lambda each: (each[0], -each[1])))


def _one(day: date | None) -> list[tuple[date, date]]:
    return [(day, day + timedelta(days=1))] if day else []


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _number(written: str) -> int:
    if written.isdecimal():
        return int(written)
    numeral = read_numeral(written.replace("廿", "二十"), 0)
    return int(numeral.value) if numeral and numeral.end == len(written) else 0


def _year(written: str | None, today: date) -> int | None:
    if not written:
        return None
    return today.year - {"今年": 0, "去年": 1, "前年": 2}[written] if written[:2] != "20" else int(written[:4])


def _month_day(year: str | None, month: int, day: int, today: date) -> list[tuple[date, date]]:
    """Without a year it is the last such day that has come."""
    if stated := _year(year, today):
        return _one(_date(stated, month, day))
    return _one(next((each for back in range(8) if (each := _date(today.year - back, month, day)) and each <= today), None))


def _day_of_month(month: str | None, day: int, today: date) -> list[tuple[date, date]]:
    at = today.replace(day=1)
    if month and month.startswith("上"):
        return _one(_date((at - timedelta(days=1)).year, (at - timedelta(days=1)).month, day))
    for _ in range(4):
        if (found := _date(at.year, at.month, day)) and (found <= today or month):
            return _one(found)
        at = (at - timedelta(days=1)).replace(day=1)
    return []


def _weekday(which: str | None, weekday: int, today: date) -> list[tuple[date, date]]:
    monday = today - timedelta(days=today.weekday())
    length = 2 if weekday == 7 else 1
    first = monday + timedelta(days=min(weekday, 5) if weekday == 7 else weekday)
    if which is None:
        first -= timedelta(days=7 * (first > today))
    else:
        first -= timedelta(days=7 * which.count("上"))
    return [(first, first + timedelta(days=length))]


def _ago(number: int, unit: str, today: date, half: bool) -> list[tuple[date, date]]:
    """So many days are that day; weeks and months are said roughly and take in some days around."""
    if unit in ("天", "日", "day"):
        return _one(today - timedelta(days=number)) if number else []
    days, around = (7, 1) if unit.endswith(("周", "星期", "礼拜", "week")) else (30, 5)
    middle = today - timedelta(days=days // 2 if half else days * number)
    return [(middle - timedelta(days=around), middle + timedelta(days=around + 1))]


def _stretch(which: str, unit: str, today: date) -> list[tuple[date, date]]:
    back = which.count("上")
    if unit in ("月", "month"):
        first = today.replace(day=1)
        after = (first + timedelta(days=32)).replace(day=1)
        for _ in range(back):
            first, after = (first - timedelta(days=1)).replace(day=1), first
        return [(first, after)]
    monday = today - timedelta(days=today.weekday() + 7 * back)
    return [(monday, monday + timedelta(days=7))]


def _festival(year: str | None, name: str, suffix: str | None, today: date) -> list[tuple[date, date]]:
    """The evening before belongs to it: sales begin then. 期间 is the weeks before it too."""
    before, after = {"期间": (21, 2), None: (1, 1)}.get(suffix, (1, 0))
    if name in LUNAR_FESTIVALS:
        stated = _year(year, today)
        days = _one(day_of_festival(name, stated) if stated else last_festival(name, today))
    else:
        days = _month_day(year, *_FESTIVALS[name], today)
    return [(first - timedelta(days=before), end + timedelta(days=after - 1)) for first, end in days]


def _english_date(match: re.Match[str]) -> _Days | None:
    day, month = int(match[1] or match[4]), _MONTHS.index(match[2] or match[3]) + 1
    return partial(_month_day_on, match[5] and match[5] + "年", month, day)


def _month_day_on(year: str | None, month: int, day: int, today: date) -> list[tuple[date, date]]:
    return _month_day(year, month, day, today)


def _english_day(match: re.Match[str]) -> _Days | None:
    which, unit, day, number, ago = match.groups()
    if day:
        return lambda today: _one(today - timedelta(days=day == "yesterday"))
    if number:
        return lambda today: _ago(_ENGLISH_NUMBERS.get(number) or int(number), ago, today, False)
    if unit == "night":
        return lambda today: _one(today - timedelta(days=which == "last"))
    if unit in ("week", "month"):
        return lambda today: _stretch("上" if which == "last" else "", unit, today)
    weekday = _WEEKDAYS.index(unit)
    # “last Wednesday” is the last one that was to some, that of last week to others
    return lambda today: list(
        dict.fromkeys([*_weekday(None, weekday, today), *(_weekday("上", weekday, today) if which == "last" else ())])
    )


def _read_iso(match: re.Match[str]) -> _Days | None:
    return lambda _: _one(_date(int(match[1]), int(match[2]), int(match[3])))


def _read_month_day(match: re.Match[str]) -> _Days | None:
    month, day = _number(match[2]), _number(match[3])
    return partial(_month_day_on, match[1], month, day) if 1 <= month <= 12 and 1 <= day <= 31 else None


def _read_short(match: re.Match[str]) -> _Days | None:
    return partial(_month_day_on, None, int(match[1]), int(match[2]))


def _read_day(match: re.Match[str]) -> _Days | None:
    day = _number(match[2])
    return (lambda today: _day_of_month(match[1], day, today)) if 1 <= day <= 31 else None


def _read_relative(match: re.Match[str]) -> _Days | None:
    return lambda today: _one(today - timedelta(days=_BACK.get(match[1], 1)))


def _read_ago(match: re.Match[str]) -> _Days | None:
    half = match[1] == "半"
    number = 2 if match[1] == "两" else 0 if half else _number(match[1])
    return (lambda today: _ago(number, match[2], today, half)) if number or (half and match[2].endswith("月")) else None


def _read_weekday(match: re.Match[str]) -> _Days | None:
    weekday = "一二三四五六日末".find("日" if match[2] == "天" else match[2])
    return lambda today: _weekday(match[1], weekday if weekday >= 0 else int(match[2]) - 1, today)


def _read_stretch(match: re.Match[str]) -> _Days | None:
    if match[3]:
        return lambda today: [(today - timedelta(days=7), today + timedelta(days=1))]
    return lambda today: _stretch(match[1], match[2], today)


def _read_festival(match: re.Match[str]) -> _Days | None:
    return lambda today: _festival(match[1], match[2], match[3], today)


# Which days a pattern names; the last says that it points at a past day whatever stands around it.
_READERS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], _Days | None], bool], ...] = (
    (_ISO, _read_iso, True),
    (_MONTH_DAY, _read_month_day, True),
    (_SHORT_DATE, _read_short, False),
    (_DAY, _read_day, False),
    (_RELATIVE, _read_relative, True),
    (_AGO, _read_ago, False),
    (_WEEKDAY, _read_weekday, False),
    (_SOME_DAYS, _read_stretch, False),
    (_FESTIVAL, _read_festival, False),
    (_ENGLISH_DATE, _english_date, True),
    (_ENGLISH_DAY, _english_day, True),
)

_PART_OF_DAY = {"凌晨": (0, 6), "早上": (5, 12), "早晨": (5, 12), "上午": (6, 12), "中午": (11, 14), "下午": (12, 19), "傍晚": (16, 20),
                "晚上": (17, 28), "晚间": (17, 28), "夜里": (19, 30), "夜间": (19, 30), "半夜": (22, 30), "当晚": (17, 28), "晚": (17, 28),
                "早": (5, 12)}  # fmt: skip
_HOURS = re.compile(
    rf"\s*的?({'|'.join(_PART_OF_DAY)})?\s*(?:({_NUMBER}|两|零)(?:点钟?|时)(半|一刻|三刻|{_NUMBER}分?)?|(\d{{1,2}})[:：](\d\d)(?::\d\d)?)?(?:左右|多)?"
)
_ENGLISH_HOURS = re.compile(r"\s*(?:,?\s*at)?\s*(\d{1,2})(?::(\d\d))?\s*([ap])\.?m\.?\b|\s+(evening|night|morning|afternoon)\b")
_ENGLISH_PARTS = {"evening": "晚上", "night": "晚上", "morning": "早上", "afternoon": "下午"}


def _hours_after(plain: str, at: int) -> tuple[tuple[tuple[int, int], ...], int]:
    """The time of day that follows a day, in minutes from its midnight, and where it ends; a bare hour may be of morning or evening."""
    if english := _ENGLISH_HOURS.match(plain, at):
        if english[4]:
            return _of_part(_ENGLISH_PARTS[english[4]]), english.end()
        minutes = (int(english[1]) % 12 + (12 if english[3] == "p" else 0)) * 60 + int(english[2] or 0)
        return (_around(minutes),), english.end()
    match = _HOURS.match(plain, at)
    part = match[1] if match else None
    if plain[at - 1 : at] in ("晚", "夜", "早") and part is None:
        part = {"晚": "晚上", "夜": "晚上", "早": "早上"}[plain[at - 1]]
    if not match or not (match[2] or match[4]):
        if part is None:
            return (), at
        return _of_part(part), match.end() if match and match[1] else at
    hour = int(match[4]) if match[4] else 2 if match[2] == "两" else _number(match[2]) if match[2] != "零" else 0
    minute = int(match[5]) if match[5] else {"半": 30, "一刻": 15, "三刻": 45}.get(match[3] or "", _number((match[3] or "").rstrip("分")))
    if hour > 24 or minute > 59:
        return (_of_part(part) if part else ()), at
    if part is None:
        return tuple(_around(each * 60 + minute) for each in ((hour, hour + 12) if 1 <= hour < 12 else (hour,))), match.end()
    low, high = _PART_OF_DAY[part]
    within = [each for each in (hour, hour + 12, hour + 24) if low <= each <= high]
    return (_around((within[0] if within else hour) * 60 + minute),), match.end()


def _of_part(part: str) -> tuple[tuple[int, int], ...]:
    return ((_PART_OF_DAY[part][0] * 60, _PART_OF_DAY[part][1] * 60),)


def _around(minutes: int) -> tuple[int, int]:
    return minutes - EARLY_MINUTES, minutes + LATE_MINUTES


_POINTED = re.compile(r"\s*的?(?:那天|那晚|那场|那次|当天|当晚|当场|这场)(?:晚上)?")
_SESSION_AFTER = re.compile(
    r"直播(?!间)|那场|场次|场(?=[,，\s]|$)|说|讲|承诺|答应|保证|介绍|(?<!直)播|\b(?:live|stream|show|session|broadcast)"
)
_ORDER_AFTER = re.compile(
    r"(?:下的?单|拍下|拍的|拍了|买的|买了|买过|购买|购入|付的?款|付了|付的|订的|订了|入手|抢的|抢到|抢了|成交)(?:的|了)?|\bi\s+(?:bought|ordered)"
)
_STORY_AFTER = re.compile(
    r"收到|到货|到的|发货|发的|签收|寄|送到|用|坏|退|申请|联系|检测|鉴定|洗|穿|吃|装|打开|拆|降|涨|之前|以前|前|后|\b(?:arrived|received|delivered|broke)"
)
_ORDER_BEFORE = re.compile(
    r"(?:(?:下单|付款|购买|订单|拍单|成交)(?:时间|日期)?(?:是|为|于|在)?[:：]?|\b(?:bought|ordered|purchased|paid)\b[^,.;]{0,18})\s*$"
)
_STORY_BEFORE = re.compile(
    r"(?:收到|到货|发货|签收|(?:保|用|退|等|拖|截止|有效期)?到|至|until|till|by|before|after|since|arrived|received|delivered)\s*(?:的|了|on|it|时间)?\s*$"
)
_STOP = re.compile(r"[,，。;；!！?？\n]")


def _role(plain: str, start: int, end: int, *, pointing: bool, pointed: bool) -> tuple[TimeRole | None, int]:
    """What was then, and where the words that say so end."""
    before = plain[max(0, start - 24) : start]
    if _STORY_BEFORE.search(before):
        return None, end
    if _ORDER_BEFORE.search(before):
        return TimeRole.ORDER, end
    reach = plain[end : end + ANCHOR_CHARS + 6]
    stop = _STOP.search(reach)
    reach = reach[: stop.start()] if stop else reach
    anchors = [
        (match.start(), -match.end(), kind)
        for kind, pattern in (("session", _SESSION_AFTER), ("order", _ORDER_AFTER), ("story", _STORY_AFTER))
        if (match := pattern.search(reach)) and match.start() <= ANCHOR_CHARS
    ]
    first = min(anchors, default=None)
    if first and first[2] == "order":
        return TimeRole.ORDER, end - first[1]
    if pointed or (first and first[2] == "session"):
        return TimeRole.SESSION, end
    if first and first[2] == "story":
        return None, end
    alone = not reach.strip() or reach[:1].isspace() or bool(stop and not stop.start())
    return (TimeRole.SESSION, end) if pointing and (alone or not plain[:start].strip()) else (None, end)
