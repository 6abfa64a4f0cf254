"""Units of quantities: how they are written and spoken, and what they come to in the canonical unit of their kind.

Money in minor units of its currency, months or seconds, grams, millimetres, millilitres, percent, °C, GB, × for multiples. A count keeps
its own unit (件, 折, W, mAh). A character that is a unit in 三包 but not in 三包邮 says so by what must not follow it.
"""

import re
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from search.quantity_numbers import Number


class QuantityKind(StrEnum):
    MONEY = "money"
    DURATION = "duration"
    MASS = "mass"
    LENGTH = "length"
    VOLUME = "volume"
    PERCENT = "percent"
    TEMPERATURE = "temperature"
    COUNT = "count"
    MULTIPLE = "multiple"
    STORAGE = "storage"
    GRADE = "grade"
    OFFER = "offer"


class Bound(StrEnum):
    """How the amount limits: 三年以上 at least, 48小时内 at most, 三百来块 about."""

    EXACT = ""
    LEAST = "least"
    MOST = "most"
    ABOUT = "about"


class Unit(NamedTuple):
    """One written unit is `factor` of the canonical `unit`."""

    kind: QuantityKind
    unit: str
    factor: Decimal


_MICRO: Final = Decimal("0.001")
CNY: Final = "CNY"
# Minor units of ISO 4217: 2 digits but for those here.
_NO_MINOR: Final = frozenset({"JPY", "KRW", "VND"})
_CURRENCIES: Final = {
    "CNY": "元 块 块钱 元钱 圆 rmb 人民币 cny yuan 大洋",
    "USD": "美元 美金 美刀 usd dollar dollars buck bucks",
    "EUR": "欧元 eur euro euros",
    "GBP": "英镑 gbp pound_sterling quid",
    "HKD": "港币 港元 港纸 hkd 元港币",
    "TWD": "台币 新台币 twd ntd",
    "JPY": "日元 日币 円 jpy yen",
    "KRW": "韩元 韩币 krw",
    "MYR": "马币 令吉 林吉特 myr",
    "SGD": "新币 新加坡元 坡币 sgd",
    "THB": "泰铢 thb baht",
    "AUD": "澳元 澳币 aud",
    "CAD": "加元 加币 cad",
    "VND": "越南盾 vnd",
    "PHP": "比索 peso pesos",
    "IDR": "印尼盾 卢比 idr",
    "RUB": "卢布 rub",
    "MOP": "澳门币 葡币 mop",
}
SYMBOLS: Final = {
    "¥": "CNY",
    "$": "USD",
    "€": "EUR",
    "£": "GBP",
    "₩": "KRW",
    "us$": "USD",
    "hk$": "HKD",
    "nt$": "TWD",
    "s$": "SGD",
    "a$": "AUD",
    "c$": "CAD",
    "rm": "MYR",
    "rmb": "CNY",
    "cny": "CNY",
    "usd": "USD",
    "eur": "EUR",
    "gbp": "GBP",
    "hkd": "HKD",
    "jpy": "JPY",
}
_M, _D = QuantityKind.MONEY, QuantityKind.DURATION
_TABLE: Final = (
    (_M, CNY, {"10": "毛 毛钱 角", "1": "分钱"}),
    (_D, "month", {"12": "年 周年 整年 年整 years year yrs yr", "1": "个月 个整月 个多月 months month", "3": "个季度 季度"}),
    (
        _D,
        "s",
        {
            "604800": "周 个星期 个多星期 星期 礼拜 个礼拜 weeks week",
            "86400": "天 日 个工作日 工作日 整天 晚 晚上 个晚上 夜 days day nights night "
            "business_days business_day working_days working_day calendar_days",
            "3600": "小时 个小时 个多小时 个钟 个钟头 钟头 h hr hrs hours hour",
            "60": "分钟 min mins minutes minute",
            "900": "刻钟",
            "1": "秒 秒钟 seconds second secs sec",
        },
    ),
    (
        QuantityKind.MASS,
        "g",
        {
            "1000000": "吨",
            "1000": "公斤 千克 kg kgs kilo kilos",
            "500": "斤 市斤",
            "50": "两",
            "1": "克 g gram grams",
            "0.001": "毫克 mg",
            "0.000001": "微克 ug μg",
            "0.2": "克拉 ct 卡拉",
            "453.59237": "磅 lb lbs pound pounds",
            "28.349523125": "盎司 oz ounce ounces",
        },
    ),
    (
        QuantityKind.LENGTH,
        "mm",
        {
            "1000000": "公里 千米 km",
            "1000": "米 m meter meters metre metres",
            "10": "厘米 公分 cm",
            "1": "毫米 mm",
            "0.1": "丝米",
            "0.001": "微米 μm um",
            "0.000001": "纳米 nm",
            # a third of a metre: values are rounded to a micrometre
            str(Decimal(1000) / 3): "尺 市尺",
            "304.8": "英尺 ft foot feet",
        },
    ),
    (QuantityKind.VOLUME, "ml", {"1": "毫升 ml cc", "1000": "升 公升 l liter liters litre litres", "3785": "加仑"}),
    (QuantityKind.PERCENT, "%", {"1": "% 个点 个百分点 percent", "10": "成", "0.1": "‰"}),
    (QuantityKind.TEMPERATURE, "°C", {"1": "℃ °c 摄氏度 度"}),
    (QuantityKind.MULTIPLE, "×", {"1": "倍 times"}),
    (QuantityKind.STORAGE, "GB", {"1": "gb", "1024": "tb"}),
    (QuantityKind.COUNT, "W", {"1": "瓦 瓦特 w", "1000": "千瓦 kw"}),
    (QuantityKind.COUNT, "Pa", {"1": "帕 pa", "1000": "千帕 kpa"}),
    (QuantityKind.COUNT, "kcal", {"1": "大卡 千卡 kcal"}),
    (QuantityKind.COUNT, "月龄", {"1": "月龄"}),
)
_MEASURES: Final = {
    "mAh": "毫安 毫安时 mah",
    "dB": "分贝 db",
    "V": "伏 伏特",
    "Hz": "赫兹 hz",
    "ppm": "ppm",
    "lm": "流明 lm",
    "rpm": "转每分 rpm",
    "kJ": "千焦 kj",
    "m2": "平方 平方米 平米 m2",
    "寸": "寸 英寸 inch inches in",
    "码": "码",
    "折": "折",
    "蓬": "蓬 蓬松 蓬松度",
    "匹": "匹",
    "目": "目",
    "支": "支 支纱",
    "像素": "像素",
    "马力": "马力",
    "亩": "亩",
    "km2": "平方公里",
    "cm2": "平方厘米",
    "Wh": "瓦时 wh",
    "岁": "岁 周岁",
    "件": "件 pcs pieces",
}
# A classifier, and what after it makes another word of it: 九块九包邮, 三台湾客人.
_CLASSIFIERS: Final = (
    "个 件 只 条:件 包:邮退换赔修税教安装您你运 盒:子 袋:子 片:面 瓶:子 双:十击倍面 套:路餐 张:开 箱:子 罐 颗 粒:径 枚 次:日品元序 "
    "名:字牌称 单:品独身价纯号反 位:置 台:湾 人:民参 组:合 杯:子 泡:沫澡脚 层:次 芯:片 口:感味红罩袋径腔令价 把:手握关 "
    "根:本据 块 本:身来地店期场人 桶 坛 对:于不比吧应面方 株 节:日约省目 遍 回:来去收放购家头复 重:量新要 档:次口 "
    "级:别 步:骤到 贴:合身纸 份:量额 提:前供醒示升高到 "
    "卷:发 抽:奖血烟签 斗 针:对织 支芯 颗星 款 种 场 色 斤装 连包 片装 间 辆 部 头 尾 串 副 幅 排 扇 朵 座 "
    "棵 户 例 员 师 期 集 首 轮 批 勺 滴 碗 "
    "people persons person bottles bottle boxes packs pack"
)
_NOT_AFTER: Final = {
    "年": "代级轻龄货底初末终味会",
    "成": "为功本分交都长品了立员人套型熟就份",
    "度": "过假数量身",
    "日": "本元常夜用系子",
    "天": "猫然花生气津窗丝赋",
    "晚": "安",
    "夜": "宵间市",
    "米": "饭粉线其白色黄",
    "升": "级值降起舱职",
    "角": "度落色",
    "毛": "衣巾孔绒发病利重笔",
    "两": "面侧头边种",
    "尺": "码寸",
    "码": "头表",
    "目": "前的标",
    "伏": "特加",
    "克": "隆服制",
    "元": "素气旦宝",
    "圆": "形领",
    "秒": "杀拍变懂回发空光没",
    "匹": "配狼",
    "支": "持付付撑",
    "蓬": "蓬莱",
    "折": "叠扣旧腾断",
    "款": "式项",
    "种": "类草植子",
    "场": "景地合所",
    "色": "号差系彩",
    "头": "发皮层",
    "部": "分门位",
    "间": "隔距接",
    "排": "骨队毒",
    "期": "间货",
    "首": "先饰页单发",
    "批": "发次号",
    "员": "工",
    "师": "傅",
    "副": "作",
    "户": "外",
    "例": "如",
    "座": "椅位垫",
    "串": "码货",
    "集": "团合市",
    "尾": "货款单",
    "斗": "篷",
    "倍": "儿感数",
    "磅": "礴数",
}


def _build() -> tuple[dict[str, Unit], dict[str, str]]:
    units: dict[str, Unit] = {}
    not_after: dict[str, str] = dict(_NOT_AFTER)
    for currency, names in _CURRENCIES.items():
        for name in names.split():
            units[name.replace("_", " ")] = Unit(_M, currency, minor_units(currency))
    for kind, unit, factors in _TABLE:
        for factor, names in factors.items():
            for name in names.split():
                units[name.replace("_", " ")] = Unit(kind, unit, Decimal(factor))
    for unit, names in _MEASURES.items():
        for name in names.split():
            units[name] = Unit(QuantityKind.COUNT, unit, Decimal(1))
    for entry in _CLASSIFIERS.split():
        name, _, refused = entry.partition(":")
        if refused:
            not_after.setdefault(name, refused)
        units.setdefault(name, Unit(QuantityKind.COUNT, name, Decimal(1)))
    return units, not_after


def minor_units(currency: str) -> Decimal:
    """Minor units in one unit of a currency: 100 分 in a yuan, 1 in a yen."""
    return Decimal(1) if currency in _NO_MINOR else Decimal(100)


UNITS, _REFUSED = _build()


def _pattern(name: str) -> str:
    if name == "m":
        return "m(?![a-z])"  # 1m65
    if name[-1].isascii() and name[-1].isalnum():
        # 50mlx2 is 50 ml twice, 2xl no litre
        return re.escape(name) + r"(?![a-wyz0-9]|x(?![0-9]))"
    refused = _REFUSED.get(name, "")
    return re.escape(name) + (f"(?![{refused}])" if refused else "")


_UNIT: Final = re.compile("|".join(_pattern(name) for name in sorted(UNITS, key=lambda name: (-len(name), name))))
CLASSIFIED: Final = frozenset(entry.partition(":")[0] for entry in _CLASSIFIERS.split())


def unit_at(text: str, at: int) -> str | None:
    """The longest unit that is written at `at` of folded text."""
    match = _UNIT.match(text, at)
    return match[0] if match else None


class Reading(NamedTuple):
    """A quantity at `start:end` of folded text."""

    kind: QuantityKind
    value: Decimal
    unit: str
    number: Decimal
    start: int
    end: int
    upper: Decimal | None = None
    bound: Bound = Bound.EXACT
    per: str = ""


def reading_of(unit: Unit, number: Number, start: int, end: int) -> Reading:
    upper = None if number.upper is None else rounded(number.upper * unit.factor, unit)
    bound = Bound.ABOUT if number.about else Bound.EXACT
    return Reading(unit.kind, rounded(number.value * unit.factor, unit), unit.unit, number.value, start, end, upper, bound)


def rounded(value: Decimal, unit: Unit) -> Decimal:
    """A third of a metre has no end in decimals: lengths are kept to the micrometre."""
    return value.quantize(_MICRO) if unit.unit == "mm" and value < 10**12 and unit.factor != Decimal("0.000001") else value
