"""Festivals of the lunar calendar as days of the common one, for the years in which this program may be asked about them.

A table, because the calendar follows the moon as computed in Nanjing: rules would be longer than sixteen years of days.
"""

from datetime import date, timedelta
from typing import Final

FIRST_YEAR: Final = 2020
# Month and day, a year each from FIRST_YEAR on.
_DAYS: Final = {
    "春节": "0125 0212 0201 0122 0210 0129 0217 0206 0126 0213 0203 0123 0211 0131 0219 0208",
    "端午": "0625 0614 0603 0622 0610 0531 0619 0609 0528 0616 0605 0624 0612 0601 0620 0610",
    "七夕": "0825 0814 0804 0822 0810 0829 0819 0808 0826 0816 0805 0824 0812 0801 0820 0810",
    "中秋": "1001 0921 0910 0929 0917 1006 0925 0915 1003 0922 0912 1001 0919 0908 0927 0916",
    "重阳": "1025 1014 1004 1023 1011 1029 1018 1008 1026 1016 1005 1024 1012 1001 1020 1009",
}
# Others by their distance in days from one of these.
_FROM: Final = {
    **{name: (name, 0) for name in _DAYS},
    "除夕": ("春节", -1),
    "大年三十": ("春节", -1),
    "年三十": ("春节", -1),
    "小年": ("春节", -7),
    "大年初一": ("春节", 0),
    "大年初二": ("春节", 1),
    "大年初三": ("春节", 2),
    "大年初五": ("春节", 4),
    "大年初七": ("春节", 6),
    "元宵": ("春节", 14),
    "mid-autumn": ("中秋", 0),
    "chinese new year": ("春节", 0),
    "lunar new year": ("春节", 0),
    "spring festival": ("春节", 0),
    "dragon boat": ("端午", 0),
}
LUNAR_FESTIVALS: Final = tuple(_FROM)


def day_of_festival(name: str, year: int) -> date | None:
    """The day of one of LUNAR_FESTIVALS in a year of the common calendar; None for years that the table lacks."""
    counted_from, days = _FROM[name]
    written = _DAYS[counted_from].split()
    if not 0 <= year - FIRST_YEAR < len(written):
        return None
    month_day = written[year - FIRST_YEAR]
    return date(year, int(month_day[:2]), int(month_day[2:])) + timedelta(days=days)


def last_festival(name: str, today: date) -> date | None:
    """The last one that has come."""
    days = (day_of_festival(name, today.year - back) for back in range(2))
    return next((day for day in days if day and day <= today), None)
