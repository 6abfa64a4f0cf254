"""How firmly words commit: a host talks for hours, and a ledger is for what somebody could hold them to.

Points are added up: what the category says by itself (a material named is a promise, a size named is not yet one), an amount of the kind
that such promises have, words that commit, a condition, a denial; taken away for tales and for what is said of others. Weights are
round numbers, set by reading, not fitted.
"""

import re

from archive.simplified import simplified_throughout
from search.promised_amounts import EXPECTED_AMOUNTS
from search.promises import Promise

FIRM = 1.0
_OF_ITSELF = {
    "material": 0.8,
    "origin": 0.8,
    "authenticity": 0.7,
    "effect": 0.5,
    "warranty": 0.6,
    "compensation": 0.6,
    "return": 0.5,
    "gift": 0.5,
    "shipping": 0.4,
    "service": 0.4,
}
_LEAST = 0.2
_AMOUNT, _ANY_AMOUNT, _COMMITS, _CONDITION, _DENIES, _TALE, _PERHAPS = 0.6, 0.3, 0.5, 0.3, 0.3, -0.8, -0.5
_COMMITTING = re.compile(
    "保证|承诺|负责|放心|绝对|肯定|一定|百分之?百|百分百|必须|一律|统统|全部都|支持|免费|不收|不要钱|不花钱|不额外"
    "|算我的|我出|我们出|我来出"
    "|给(?:你|您|大家|咱|各位|家人|姐妹|换|退|补|送|赔|修|发|开|装)|包(?:退|换|赔|邮|修|运|安装|教|会|上门)|保(?:修|换"
    "|真|价|三|两|二|一|五|十|终身)|质保|送(?:你|您|一|两|二|三|同|正|小|个|到家|货上门)"
    "|赔|退(?:钱|款|货|差|一)|都(?:能|可以|给|是|有|管|包|退|换)|随时|直接|到手|只要|一口价|绝不|永不|从不|没有任何"
    "|零(?:添加|甲醛|首付|利息)|无(?:添加|条件|理由)|不(?:含|掉|起|褪|缩|变形|生锈|会)|纯|正品|真正的|现货|当天发"
    "|小时(?:内|之内)?发"
    r"|\b(?:guarantee[ds]?|promise[ds]?|swear|free|refund(?:ed|s)?|replace(?:d|s|ment)?|fix it|full(?:y)?|always|never"
    r"|won'?t|definitely|absolutely|certified"
    r"|genuine|included|covered|covers?|on us|100 ?(?:%|percent)|hundred percent|money back|no (?:questions|extra|hidden"
    r"|charge|cost|added)|we(?:'ll| will| pay| cover)"
    r"|you (?:get|can return|have \w+ days)|every single|comes with|(?:my|our) word|real|authentic|lifetime|ships? (?:in"
    r"|within|same|today|tomorrow))\b",
    re.IGNORECASE,
)
_TELLING = re.compile(
    "我(?:妈|爸|媳妇|老婆|老公|闺蜜|朋友|同事|邻居|儿子|女儿|闺女|奶奶|婆婆|姐|哥|弟|妹|有个|以前|小时候|当年|上次|昨天|前两天|跟你讲个)"
    "|有(?:的|些|一个)(?:店|家|人|商家|客户|大哥|大姐)|别(?:家|人家|的家|的店|的直播间)|人家|外面(?:卖|那)|市面上|听说"
    "|据说|那年|小时候|有一次|同行"
    "|扣(?:个)?[一1]|公屏|点(?:个|点|一下)?(?:关注|赞|红心)"
    r"|\bmy (?:mom|mum|mother|dad|father|friend|wife|husband|neighbou?r|sister|brother|son|daughter|grandma|aunt|cousin"
    r"|boss|kids?)\b|\bother (?:shops?|sellers?|stores?|people|places)"
    r"|\blast (?:week|year|night|time)|\bwhen i was\b|\bi (?:remember|used to|went|saw|was at)\b|\bpeople say"
    r"|\bsome (?:stores?|sellers?|people|brands?)\b|\b(?:drop|type) (?:a|an|one) \b",
    re.IGNORECASE,
)
# What is said to hold only perhaps holds nobody to it.
_HEDGING = re.compile(
    r"\b(?:might|maybe|probably|possibly|i think|i guess|i believe|not sure|should be|could be|supposed to|may vary"
    r"|depends|can'?t (?:promise|guarantee)|no guarantees?)\b"
    "|可能|也许|大概|应该(?:是|会|能|可以)|估计|不一定|说不准|不敢(?:保证|说)|不能保证|尽量|争取|看情况|我猜|好像|不太清楚|不清楚|不确定",
    re.IGNORECASE,
)


def firmness(text: str, promise: Promise) -> float:
    """0…about 2: from FIRM on it is something that a host can be held to. `text`: the words that make the promise."""
    plain = simplified_throughout(text)
    points = _OF_ITSELF.get(promise.category, _LEAST)
    if promise.quantity is not None and promise.quantity.unit:
        points += _AMOUNT if promise.quantity.kind in EXPECTED_AMOUNTS.get(promise.category, ()) else _ANY_AMOUNT
    points += _COMMITS * min(len(set(_COMMITTING.findall(plain))), 2)
    points += _CONDITION if promise.condition else 0.0
    points += _DENIES if promise.polarity != "affirmed" else 0.0
    points += _TALE if _TELLING.search(plain) else 0.0
    points += _PERHAPS if _HEDGING.search(plain) else 0.0
    # What takes something back matters however plainly it is said.
    return max(points, FIRM) if promise.is_correction else max(points, 0.0)
