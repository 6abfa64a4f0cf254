"""Finding where people live: chains of places and numbers (省市区县, 镇乡村, 路, 小区, 栋单元室) fine enough to find a door.

A region alone (发货地浙江义乌, 五常核心产区) is no personal data and stays.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_NUMBER = r"[0-9一二三四五六七八九十百零〇两]"
_PROVINCES = (
    "北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|陕西|甘肃|青海|台湾|"
    "内蒙古|广西|西藏|宁夏|新疆|香港|澳门"
)
_ESTATES = (
    "小区|花园|公寓|大厦|广场|家园|佳园|嘉园|花苑|新苑|新村|山庄|公馆|名邸|名苑|雅苑|家属院|家属楼|宿舍|大院|国际城|新城|华府|豪庭|名城|雅居|府邸|"
    "别墅|写字楼|工业园|产业园|科技园"
)
_ALSO_WORDS = ("学院", "大学", "中学", "苑", "府", "庭", "湾", "郡", "邸", "城")
_TOKEN = re.compile(
    rf"(?P<unit>[A-Z甲乙丙丁][座栋]|(?<![A-Za-z0-9])[A-Za-z]?-?{_NUMBER}{{1,6}}(?:号楼|号院|号|弄|栋|幢|座|单元|室|楼|层|户|组|队|社|排|门(?![课])|期))"
    rf"|(?P<province>(?:{_PROVINCES})(?:省|市|自治区|特别行政区)?)"
    r"|(?P<town>街道|(?<![冰])镇(?![定痛静店])|(?<![家老故城下回])乡(?![村亲下里愁]))"
    r"|(?P<admin>自治州|自治县|地区|新区|开发区|高新区|(?<![超城上门都股夜集菜楼灯])市(?![场面民值价集])"
    r"|(?<![地社专园战街城郊片分景校学灾售禁误小时产])区(?![别分间块域])|县|旗(?!舰|下|袍)|盟)"
    r"|(?P<road>大道|大街|(?<![走上出套思线网电公带门半弯顺销跑迷退赶])路(?![过上由边线人费段演程])|(?<![逛上满])街(?![上舞拍])|巷|弄堂|胡同"
    rf"|(?<![知味频渠通赛轨跑报公])道(?={_NUMBER}))"
    rf"|(?P<estate>{_ESTATES}|{'|'.join(_ALSO_WORDS)})"
    r"|(?P<village>(?<![农乡地])村(?![上里])|屯|寨|(?<![茅])庄(?![家严重稳]))"
)
_BETWEEN = re.compile(r"[ ,，、\-－（(]?[一-鿿A-Za-z0-9·#]{0,10}[ )）]?")
_DOOR = re.compile(
    r"(?:[-–—#]?[A-Za-z]?\d{1,5}(?:室|号|户)?(?![0-9A-Za-z])){1,3}|[零〇一二三四五六七八九]{3,4}(?![零〇一二三四五六七八九])"
    r"|[一-鿿]{0,8}[A-Za-z]?\d{1,2}(?:-[A-Za-z]?\d{1,5}){1,3}(?![0-9A-Za-z])"
)
_GOODS = re.compile(
    r"(?:小?[链连]接|宝贝|商品|产品|款|色|品|机|店|货|位|口|码|球|仓|车|选手|主播|桌|电池|模特|早|晚|上午|下午|发|到|那|之|左|右|才|前|后|就)"
)
_STOPS = set("我你您他她它在到是寄送住发给去从往于址的了跟把请叫说看有要想：:，,。！!？?；;、 　\n")
_NAME_MAX = 8
_BUILDING = ("号楼", "号院", "栋", "幢", "座", "单元", "门", "排")
_INSIDE = ("单元", "室", "号", "楼", "层", "户", "门")
_VILLAGE_UNITS = ("组", "队", "社", "号", "排")
_LABEL = re.compile(
    r"(?:收货地址|收件地址|寄件地址|家庭住址|详细地址|家庭地址|邮寄地址|地址|住址|寄到|寄往|寄给|送到|家住|住在|我家在)"
    r"(?:改成|改为|填|[是为:： ]){0,3}"
)
_LABEL_END = re.compile(r"[。；;!！?？\n〔〕]|电话|手机|收货人|收件人|姓名")
_ROOM = re.compile(r"-?\d{3,4}(?!\d)(?!元|块|米|克|号)")
_ROOMS = re.compile(r"[A-Za-z]?\d{1,2}(?:-[A-Za-z]?\d{1,4}){1,2}(?![0-9A-Za-z])")
_LABELLED_MAX = 80
_CHAIN_MAX = 20


class _Token(NamedTuple):
    kind: str
    start: int
    end: int
    text: str


class _Wider(NamedTuple):
    """What stands before a token in its chain: how many regions, whether one is below a province, whether there is a road."""

    regions: int
    below_province: bool
    road: bool

    def with_token(self, kind: str) -> "_Wider":
        return _Wider(
            self.regions + (kind in ("province", "admin", "town")),
            self.below_province or kind in ("admin", "town"),
            self.road or kind == "road",
        )


def find_addresses(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of each address, in order; `text` has half-width digits."""
    tokens = [_Token(m.lastgroup or "", m.start(), m.end(), m[0]) for m in _TOKEN.finditer(text)]
    yield from _labelled(text, tokens)
    chain: list[_Token] = []
    for token in tokens:
        if chain and (len(chain) == _CHAIN_MAX or not _follows(text, chain[-1], token)):
            yield from _address(text, chain)
            chain = []
        chain.append(token)
    yield from _address(text, chain)


def _follows(text: str, before: _Token, token: _Token) -> bool:
    return token.start - before.end <= 12 and _BETWEEN.fullmatch(text, before.end, token.start) is not None


def _address(text: str, chain: list[_Token]) -> Iterator[tuple[int, int]]:
    hits, wider = [], _Wider(0, False, False)
    for n, token in enumerate(chain):
        if _is_door(text, chain, n, wider):
            hits.append(n)
        wider = wider.with_token(token.kind)
    if not hits:
        return
    last = max(hits)
    while last + 1 < len(chain) and chain[last + 1].kind in ("unit", "estate"):
        last += 1
    first = min(hits)
    if chain[first].kind == "unit":
        first = max(0, first - 1)
    while first > 0 and chain[first - 1].kind != "unit":
        first -= 1
    # A unit's own number is its beginning; a place's name stands before it.
    start = _name_start(text, chain[first].start, chain[first - 1].end if first else 0)
    yield start, _door_end(text, chain[last].end)


def _is_door(text: str, chain: list[_Token], n: int, wider: "_Wider") -> bool:
    """Whether the chain is fine enough for a door at token `n`."""
    token = chain[n]
    if token.kind == "unit":
        if n == 0:
            return _bare_number(text, token) and text[max(0, token.start - 1) : token.start] != "第"
        previous, gap = chain[n - 1], chain[n].start - chain[n - 1].end
        if previous.kind == "road":
            return gap <= 1 and token.text.endswith((*_BUILDING, "号", "弄", "室", "楼")) and not _is_goods(text, token)
        if previous.kind == "estate":
            loose = previous.text not in _ALSO_WORDS
            return (
                gap <= 4 * loose and token.text.endswith((*_BUILDING, "室", *(("期", "楼", "号") * loose))) and not _is_goods(text, token)
            )
        if previous.kind in ("village", "town"):
            return gap <= 4 and token.text.endswith((*_VILLAGE_UNITS, *_BUILDING)) and not _is_goods(text, token)
        if _bare_number(text, token):
            return True
        if previous.kind == "unit":
            return gap <= 1 and previous.text.endswith(_BUILDING) and token.text.endswith((*_INSIDE, "座"))
        return False
    if token.kind == "village":
        return wider.below_province
    if token.kind == "estate":
        if token.text not in _ALSO_WORDS and _ROOMS.match(text, token.end):
            return True
        return len(token.text) > 1 and (wider.regions >= 2 or (wider.regions >= 1 and wider.road))
    return token.kind == "road" and wider.regions >= 2


def _is_goods(text: str, unit: _Token) -> bool:
    """Whether 3号 is of a shelf, a colour or a calendar rather than of a house."""
    return unit.text.endswith(("号", "楼", "期")) and _GOODS.match(text, unit.end) is not None


def _bare_number(text: str, unit: _Token) -> bool:
    """3栋502: a building and, right after it, a room."""
    return (
        unit.text.endswith(("号楼", "栋", "幢", "座"))
        and re.compile(r"-?\d{3,4}(?!\d)(?!元|块|米|克|号)").match(text, unit.end) is not None
    )


def _name_start(text: str, at: int, limit: int) -> int:
    start = at
    while start > max(limit, at - _NAME_MAX) and text[start - 1] not in _STOPS and _is_name(text[start - 1]):
        start -= 1
    return start


def _is_name(char: str) -> bool:
    return "一" <= char <= "鿿" or (char.isascii() and char.isalnum()) or char == "·"


def _door_end(text: str, at: int) -> int:
    found = _DOOR.match(text, at)
    return found.end() if found else at


def _labelled(text: str, tokens: list[_Token]) -> Iterator[tuple[int, int]]:
    """After 收货地址 and the like, less is needed: a place and one thing more."""
    place = 0
    for label in _LABEL.finditer(text):
        stop = _LABEL_END.search(text, label.end(), label.end() + _LABELLED_MAX)
        end = stop.start() if stop else min(len(text), label.end() + _LABELLED_MAX)
        while place < len(tokens) and tokens[place].start < label.end():
            place += 1
        inside: list[_Token] = []
        for token in tokens[place : place + _CHAIN_MAX]:
            if token.end > end or (inside and not _follows(text, inside[-1], token)):
                break
            inside.append(token)
        regions = {t.kind for t in inside}
        if len(inside) >= 2 and regions - {"province", "admin"} and regions - {"unit"}:
            yield label.end(), _door_end(text, inside[-1].end)
