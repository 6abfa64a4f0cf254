"""Finding personal data in text: phones, identity and card numbers, accounts, parcels, plates, names that a label announces (G9).

Each finder reads a copy of the text of the same length, in which full-width and circled digits are plain ones, and one more in which
幺三八… are digits too; so a span found in a copy is the span in the text. Time is linear in the text: patterns only repeat within bounds.
Numbers of orders, prices, sizes, shelves, service lines (400, 95…, 12345) and a shop's labelled land line are no personal data.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from archive.addresses import find_addresses

ROUNDS_MAX = 8

Span: TypeAlias = tuple[int, int, str]
"""(start, end, kind), in characters."""


def find_personal_data(text: str, spoken: bool = False) -> list[Span]:
    """Spans in order, none overlapping. `spoken`: as a recogniser writes speech, where pauses part numbers anywhere."""
    taken = bytearray(len(text))
    plain = text
    found: list[Span] = []
    # Again over what is left, because what was taken parts what stood beside it; one more round settles all but contrived texts.
    for _ in range(ROUNDS_MAX):
        added = [span for span in _candidates(plain, spoken) if _claim(taken, span)]
        if not added:
            break
        found += added
        plain = barred(plain, added)
    return sorted(found)


def is_resident_id(text: str) -> bool:
    """Whether 18 characters are a resident identity number: a date of birth and the check digit of GB 11643 (ISO 7064 MOD 11-2)."""
    number = half_width(text).upper()
    if not re.fullmatch(r"[1-9]\d{5}(?:18|19|20|21)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dX]", number, re.A):
        return False
    total = sum(int(digit) * (2 ** (17 - n) % 11) for n, digit in enumerate(number[:17]))
    return number[17] == "10X98765432"[total % 11]


def is_card_number(digits: str) -> bool:
    """Whether digits can be a bank card's: a known issuer's beginning and length, and the check digit of ISO/IEC 7812 (Luhn)."""
    total = 0
    for place, digit in enumerate(map(int, reversed(digits))):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0 and any(len(digits) in lengths and re.match(start, digits) for start, lengths in _ISSUERS)


def half_width(text: str) -> str:
    """The text with full-width and circled digits, letters and signs as ASCII; as long as it was."""
    return text.translate(_HALF_WIDTH)


class _HalfWidth(dict[int, str]):
    """What NFKC makes of a character, where that is one ASCII character."""

    def __missing__(self, code: int) -> str:
        plain = unicodedata.normalize("NFKC", chr(code))
        shown = plain if len(plain) == 1 and plain.isascii() else chr(code)
        if code < 0x10000:
            self[code] = shown
        return shown


_HALF_WIDTH = _HalfWidth()
_NUMERALS = str.maketrans("零〇洞一壹幺二贰两三叁四肆五伍六陆七柒拐八捌九玖勾", "0001112223344556677788999")
_NO_NUMERAL = re.compile(r"一(?=[下起个直定样会边点次些般共遍块家件条])|(?<=[唯统万第])一")

_GAP = r"[ \t\-\u2010-\u2015.·_~\u200b-\u200f\u2060\ufeff]"
_PAUSE = r"[ \t\-\u2010-\u2015.·_~\u200b-\u200f\u2060\ufeff,、/|*…]"
_MOBILE_START = r"(?<!\d)(?:\(?(?:\+|00)?86\)?[ \-]{0,2})?"
_MOBILE = re.compile(
    rf"{_MOBILE_START}(?:1[3-9]\d{_GAP}{{0,3}}\d{{4}}{_GAP}{{0,3}}\d{{4}}|1[3-9]\d\d[ \-]\d{{4}}[ \-]\d{{3}}"
    rf"|1[3-9]\d[ \-]\d{{3}}[ \-]\d{{5}}|1[3-9]\d{{3}}[ \-]\d{{6}}|1[3-9]\d(?:[ \-]\d\d){{4}}"
    rf"|1{_PAUSE}{{1,2}}[3-9](?:{_PAUSE}{{1,2}}\d){{9}})(?!\d)",
    re.A,
)
_MOBILE_SPOKEN = re.compile(rf"{_MOBILE_START}1{_PAUSE}{{0,2}}[3-9](?:{_PAUSE}{{0,2}}\d){{9}}(?!\d)", re.A)
_LAND_LINE = re.compile(r"(?<!\d)\(?0(?:10|2\d|[3-9]\d\d)\)?[ \-]{0,2}[2-8]\d{2,3}[ \-]?\d{4}(?:(?:-|转|转分机|分机)\d{1,6})?(?!\d)", re.A)
_LOCAL_LINE = re.compile(r"(?:座机|固话|固定电话|家里电话|电话|[Tt][Ee][Ll])(?:号码?)?[是为:. ]{0,4}([2-8]\d{2,3}[ \-]?\d{4})(?!\d)", re.A)
_ABROAD = re.compile(r"(?<!\+)\+(?!86)\d{1,3}[ \-]?(?:\(\d{1,4}\)[ \-]?)?\d(?:[ \-]?\d){6,11}(?!\d)", re.A)
_SHOPS_LINE = re.compile(
    r"(?:客服|售后|售前|门店|店铺|店里|官方|公司|投诉|商家|厂家|热线|咨询)(?:部|固定)?(?:电话|热线|座机|专线)?(?:号码?)?[是为:： ]{0,3}\(?$"
)
_ORDER_NUMBER = re.compile(
    r"(?:订单|订单编|单|货|款|编|批次|流水|券|房间|型|条形|条)(?:号|码|编号|编码)?(?:码|是|为|[:=#： ]){0,4}$"
    r"|(?:SKU|sku|编码)[:=#： ]{0,3}$"
)

_ID18 = re.compile(r"(?<![0-9A-Za-z])\d{6}[ \-]?\d{8}[ \-]?\d{3}[\dXx](?![0-9A-Za-z])", re.A)
_ID15 = re.compile(
    r"(?<![0-9A-Za-z])(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5])\d{4}\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}(?![0-9A-Za-z])",
    re.A,
)
_ID_LABELLED = re.compile(r"身份证(?:号码?|证?件号码?)?[是为: ]{0,4}(\d{17}[\dXx]|\d{15})(?![0-9A-Za-z])", re.A)
_DOCUMENT = re.compile(
    r"(?:香港|港澳|澳门|台湾|台胞|回乡|护照|通行证|证件|身份证|居住证|[Pp]assport|PASSPORT)(?:身份证|居民|通行证|证|号码|号|[是为: ]){0,8}"
    r"([A-Za-z]{1,2}\d{6,10}(?:\([0-9Aa]\))?|\d{8})(?![0-9A-Za-z])",
    re.A,
)
_CARD = re.compile(r"(?<![0-9A-Za-z])(?:\d{16,19}|\d{4}([ \-])\d{4}\1\d{4}\1\d{4}(?:\1\d{1,3})?|\d{6}[ \-]\d{13})(?![0-9A-Za-z])", re.A)
_CARD_LABELLED = re.compile(
    r"(?:银行卡|储蓄卡|信用卡|[建农工中招]行|银行|卡号|账号|账户)(?:卡|号|账|[是为: ]){0,6}(\d(?:[ \-]?\d){11,18})(?!\d)", re.A
)
_ISSUERS: tuple[tuple[str, range], ...] = (
    (r"62", range(16, 20)),
    (r"9558", range(19, 20)),
    (r"4", range(16, 17)),
    (r"5[1-5]", range(16, 17)),
    (r"2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)", range(16, 17)),
    (r"35", range(16, 17)),
    (r"60", range(16, 17)),
)

_EMAIL = re.compile(r"(?<![A-Za-z0-9.+%_-])[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")
_EMAIL_EVADED = re.compile(
    r"(?<![A-Za-z0-9.+%_-])[A-Za-z0-9._-]{2,64} ?(?:@|#|艾特|\(at\)|\[at\]| at ) ?"
    r"[A-Za-z0-9-]{2,30} ?(?:\.|。|点|dot| dot ) ?(?:com|cn|net|org)(?![A-Za-z])",
    re.I,
)
_IS = r"(?:账?号码?|id|ID|的?是|为|叫|搜|[呗吧哈]?[,，]|[:：=→ 　+-]){0,6}"
_WECHAT_WORD = (
    r"微信|wei信|微x|威信|薇信|維信|维信|徽信|葳信|v信|V信|微[ .]信|绿泡泡|绿色软件|绿泡|小绿书?|加v|加V|➕[vV]|\+ ?[vV]"
    r"|加薇|加微|加威|加葳|我v|➕薇|➕微|薇❤️?|[vV]❤️?|卫星|薇"
    r"|(?<![A-Za-z])(?:we ?chat|weixin|wx|vx|v x|w x)(?![A-Za-z])"
)
_HANDLE = r"([A-Za-z][A-Za-z0-9_-]{5,19}|(?<!\d)[1-9]\d{4,11}(?!\d))(?![A-Za-z0-9_-])"
_WECHAT = re.compile(rf"(?:{_WECHAT_WORD}){_IS}{_HANDLE}", re.I)
_WECHAT_AFTER = re.compile(rf"(?<![A-Za-z0-9_-])([A-Za-z][A-Za-z0-9_-]{{5,19}}) ?(?:这?个?是)?(?:我|本人|俺)?的?(?:{_WECHAT_WORD})", re.I)
_WXID = re.compile(r"(?<![A-Za-z0-9])(wxid_[A-Za-z0-9]{6,24})")
_QQ = re.compile(
    rf"(?:(?<![A-Za-z])q ?q(?![A-Za-z])|扣扣|抠抠|蔻蔻|秋秋|球球|企鹅|加q|我q|[qQ]号){_IS}(?<!\d)([1-9]\d{{4,10}})(?!\d)", re.I | re.A
)
_PLATFORM = re.compile(rf"(?:抖音|快手|小红书|支付宝|微博|陌陌|淘宝|旺旺){_IS}([A-Za-z0-9][A-Za-z0-9_.-]{{4,29}})(?![A-Za-z0-9_-])")

_CARRIER = "顺丰|中通|圆通|韵达|申通|极兔|邮政|德邦|百世|EMS|ems|京东物流"
_PARCEL = re.compile(
    rf"(?:(?:{_CARRIER})(?:快递|单|运单|编|号|号码|码|[是为:： ]){{0,8}}([A-Za-z]{{0,4}}\d[\d-]{{9,24}})"
    r"|(?:快递|物流|运|面|包裹|取件|寄件)(?:快递|单|运单|编|号|号码|码|[是为:： ]){1,8}([A-Za-z]{0,4}\d[\d-]{6,24}))(?![0-9A-Za-z])",
    re.A,
)
_PARCEL_BARE = re.compile(r"(?<![0-9A-Za-z])(SF\d{12,15}|YT\d{13}|JT\d{13}|JDV[A-Z0-9]\d{10,13})(?![0-9A-Za-z])", re.A)
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z][ ·•]?(?=[A-Z]{0,5}\d)[A-HJ-NP-Z0-9]{5,6}(?![0-9A-Za-z])",
    re.A,
)

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖萧田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付傅方白邹孟熊秦邱江尹薛闫段雷侯"
    "龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤常温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆"
    "蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查"
    "麻苑迟邝"
)
_COMPOUND = "欧阳|上官|司马|诸葛|司徒|东方|皇甫|尉迟|公孙|慕容|令狐|夏侯|长孙|端木|宇文|南宫"
_GIVEN = r"[一-鿿]"
_NAME_LABEL = (
    r"(?:收货人|收件人|收货姓名|收件姓名|真实姓名|姓名|联系人|签收人|寄件人|发件人|买家姓名|本人姓名|收货人姓名|开户名|户名)"
    r"(?:姓名|名字|是|为|叫|[:：= 　]){0,4}"
)
_NAME_END = r"(?=电话|手机|地址|身份证|住址|联系|号码|先生|女士|小姐|的|收|[^一-鿿]|$)"
_NAME = re.compile(
    rf"(?:{_NAME_LABEL}|我叫|本人叫|名字叫)((?:{_COMPOUND}){_GIVEN}{{1,2}}?{_NAME_END}|[{_SURNAMES}]{_GIVEN}{{1,2}}?{_NAME_END}|(?:{_COMPOUND}){_GIVEN}{{2}}|[{_SURNAMES}]{_GIVEN}{{2}})"
)
_NAME_ANY = re.compile(
    rf"{_NAME_LABEL}(?<=[:：=])[ 　]?(?!不详|未填|保密|没有|无|匿名|同上|错|已|未|请)"
    r"([一-鿿]{1,8}(?:[·•][一-鿿]{1,8}){1,3}|[一-鿿]{2,4}(?![一-鿿])|[A-Z][a-z]{1,20}(?: [A-Z][a-z]{1,20}){1,3})"
)
_NAME_BEFORE_PHONE = re.compile(rf"(?<![一-鿿])((?:{_COMPOUND}){_GIVEN}{{1,2}}|[{_SURNAMES}]{_GIVEN}{{1,2}})[,、 :：;；/]{{1,3}}$")


def _candidates(text: str, spoken: bool) -> Iterator[Span]:
    """In the order of their claims: what an earlier one took, a later one can't."""
    half = half_width(text)
    heard = _NO_NUMERAL.sub("壱", half).translate(_NUMERALS)
    views = (half, heard) if heard != half else (half,)

    yield from _spans(_EMAIL, half, "邮箱")
    yield from _spans(_EMAIL_EVADED, half, "邮箱")
    yield from ((*m.span(m.lastindex or 0), "快递单号") for m in _PARCEL.finditer(half))
    yield from _spans(_PARCEL_BARE, half, "快递单号", 1)
    for view in views:
        yield from _spans(_ID_LABELLED, view, "身份证号", 1)
        yield from ((m.start(), m.end(), "身份证号") for m in _ID18.finditer(view) if is_resident_id(re.sub("[ -]", "", m[0])))
    yield from ((m.start(), m.end(), "身份证号") for m in _ID15.finditer(half) if not _ORDER_NUMBER.search(_before(half, m)))
    yield from _spans(_DOCUMENT, half, "证件号", 1)
    yield from _spans(_CARD_LABELLED, half, "银行卡号", 1)
    yield from (span for m in _CARD.finditer(half) for span in _card(half, m))
    mobiles: list[Span] = []
    for view in views:
        patterns = (_MOBILE, _MOBILE_SPOKEN) if spoken else (_MOBILE,)
        mobiles += [
            (*m.span(), "手机号") for pattern in patterns for m in pattern.finditer(view) if not _ORDER_NUMBER.search(_before(half, m))
        ]
    yield from mobiles
    yield from _names_before(half, mobiles)
    for view in views:
        yield from ((*m.span(), "电话") for m in _LAND_LINE.finditer(view) if not _not_a_viewers(half, m))
    yield from ((*m.span(1), "电话") for m in _LOCAL_LINE.finditer(half) if not _not_a_viewers(half, m))
    yield from _spans(_ABROAD, half, "电话")
    yield from _spans(_WXID, half, "微信号", 1)
    yield from ((*m.span(1), "微信号") for m in _WECHAT.finditer(half) if m[1].lower() not in _NO_HANDLE)
    yield from _spans(_WECHAT_AFTER, half, "微信号", 1)
    for view in views:
        yield from _spans(_QQ, view, "QQ号", 1)
    yield from ((*m.span(1), "平台账号") for m in _PLATFORM.finditer(half) if m[1].lower() not in _NO_HANDLE)
    yield from ((start, end, "地址") for start, end in find_addresses(half))
    yield from _spans(_NAME, half, "姓名", 1)
    yield from _spans(_NAME_ANY, half, "姓名", 1)
    yield from _spans(_PLATE, half, "车牌号")


_NO_HANDLE = {"iphone", "android", "windows", "official", "wechat", "weixin", "taobao", "douyin", "kuaishou", "alipay", "success", "itamin"}


def _spans(pattern: re.Pattern[str], text: str, kind: str, group: int = 0) -> Iterator[Span]:
    return ((*m.span(group), kind) for m in pattern.finditer(text))


def _before(text: str, match: re.Match[str], length: int = 16) -> str:
    return text[max(0, match.start() - length) : match.start()]


def _not_a_viewers(half: str, match: re.Match[str]) -> bool:
    before = _before(half, match)
    return bool(_SHOPS_LINE.search(before) or _ORDER_NUMBER.search(before))


def _card(half: str, match: re.Match[str]) -> Iterable[Span]:
    if _ORDER_NUMBER.search(_before(half, match)):
        return
    digits = re.sub(r"\D", "", match[0])
    if is_card_number(digits):
        yield (*match.span(), "银行卡号")
    elif match[1] and len(match[0]) > 19 and is_card_number(digits[:16]):
        yield match.start(), match.start() + 19, "银行卡号"


def _names_before(half: str, phones: Iterable[Span]) -> Iterator[Span]:
    """A name written right before its owner's number."""
    for start, _, _ in phones:
        at = max(0, start - 12)
        if found := _NAME_BEFORE_PHONE.search(half[at:start]):
            yield at + found.start(1), at + found.end(1), "姓名"


def _claim(taken: bytearray, span: Span) -> bool:
    """Take a span unless some of it is taken."""
    start, end, _ = span
    if start >= end or any(taken[start:end]):
        return False
    taken[start:end] = b"\1" * (end - start)
    return True


def barred(text: str, spans: Iterable[Span]) -> str:
    """The text with spans closed off by a sign that belongs to nothing, as long as it was."""
    pieces, at = [], 0
    for start, end, _ in sorted(spans):
        pieces += [text[at:start], "〔" * (end - start)]
        at = end
    return "".join([*pieces, text[at:]])
