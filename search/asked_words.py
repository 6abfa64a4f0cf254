"""What of a question is asked: its words without the talk around them, without the asker's own data, and which clauses hold the promise.

A complaint tells what was said (说好…, the host promised …) and what happened (结果…, 现在…). Both are looked for; what was said weighs
more. Everything here is pure, never empties a question and, done again, changes nothing.
"""

import re
from dataclasses import dataclass

from archive.personal_data import find_personal_data, half_width

HAPPENED_WEIGHT = 0.6
ROUNDS = 12

_TALK = re.compile(
    r"请问|麻烦|帮我(?:查|找|看)(?:一?下)?|(?:当时|那天|上次)?(?:主播|直播间?里?|他|她|你们?|店家|商家|客服|卖家)?(?:本人|亲口)?(?:当时|到底|究竟)?(?:是不是|有没有|有无|是否)?(?:明明)?(?:亲口)?"
    r"(?:承诺过?|保证过?|答应过?|说过|说的是?|讲过|提过|提到过?|宣称过?|说好的?|说是)(?:是|的|要|会)?|是不是|有没有|是否|不是说好?|直播间?里?|主播|哪个|明明|当时|现在|结果|我要投诉|这不是|骗人吗?"
)
_WHO = r"(?:主播|带货的?人?|直播间|卖家|商家|店家|店铺|老板娘?|小助理|助播|博主|达人|他们?|她们?|你们?|您|人家|那个?[男女]的)"
_PLEA = re.compile(
    r"(?:我(?:现在)?(?:想|要|来|得)?|请求?|跪)?(?:求助|求证|请教|咨询一?下|想问一?下|问一?下|问问|想知道|投诉你们?|要?投诉|维权|讨个?说法)"
    r"|(?:请|麻烦|拜托|劳烦|谁|哪位|有没有人)?(?:您|你们?|大家|各位)?(?:能不能|可以|能)?(?:帮忙|帮我|帮我们|给我|给)(?:核实|核查|核对|查证|查询|查找|确认|看看|看一?下|查一?下|找一?下|翻一?下|调)(?:一?下)?(?:录像|回放|录播)?"
    r"|(?:^|(?<=[\s,，。;；!！?？]))(?:亲们?|宝子们?|家人们|姐妹们?|兄弟们?|老铁们?|各位|大家好?|你好|您好|在吗|在不在|小二|平台)(?=[\s,，。;；!！?？]|$)"
    rf"|(?:当时|那天|上次|之前|直播时|直播的时候|开播时)?(?:在|你们?|这个?|那个?|某)?(?:家|个)?的?{_WHO}(?:自己|本人|亲口)?(?:当时|那天|上次|之前|在直播间里?|在直播里?|在镜头前)?"
    r"(?:可是|明明|不是|也|都|还)?(?:亲口|一直|反复|一再|口口声声|信誓旦旦地?|拍着?胸脯地?|红口白牙地?|吹嘘?)?(?:承诺|保证|打包票|宣传|宣称|声称|吹|讲|说)(?:过|了|的|好的?|得)(?:是|很?好听)?"
    r"|(?:口口声声|信誓旦旦|拍着?胸脯|红口白牙)(?:地?(?:说|讲|保证|承诺))?"
    r"|凭什么|凭啥|怎么能这样|怎么可以这样|这样合理吗|还有王法吗|太?(?:坑人|坑爹|骗人|气人|过分|离谱|恶心|无语|黑心)了?|气死(?:我|人)了?|(?:很|太|好|非常|特别|真的?)*(?:生气|愤怒|失望|郁闷|伤心)了?"
    r"|骗子|大?忽悠|说话不算(?:话|数)|出尔反尔|翻脸不认(?:人|账)|自己去?看回放|看回放|回放里?|录播里?|可不是这么讲的|不是这么说的"
)
_SAYING = r"(?:say|said|saying|promised?|claim(?:ed)?|mention(?:ed)?|guaranteed?|stated?|tell|told|swore|swear|announced?|offer(?:ed)?)"
_SPEAKER = (
    r"(?:the\s+|your\s+|that\s+|this\s+)?(?:live\s*)?(?:host|hostess|streamer|anchor|seller|presenter|influencer|shop|store|vendor|broadcaster"
    r"|he|she|they|you|anyone|anybody|someone)"
)
_TALK_IN_ENGLISH = re.compile(
    rf"\b(?:(?:was|is)\s+it\s+(?:really\s+|ever\s+)*(?:said|true|promised|claimed|mentioned|stated)"
    rf"|(?:did|does|do|has|have|had|is|was)\s+{_SPEAKER}\s+(?:really\s+|ever\s+|actually\s+|clearly\s+)*{_SAYING}(?:\s+(?:us|me|viewers|everyone|people|anything\s+about))?"
    rf"|{_SPEAKER}\s+(?:had\s+|has\s+|have\s+|clearly\s+|definitely\s+|ever\s+|also\s+|really\s+)*(?:said|promised|claimed|mentioned|guaranteed|stated|told|swore|announced)(?:\s+(?:us|me|viewers|everyone|people))?"
    r"|(?:can|could|would|will)\s+(?:you|someone|anyone)\s+(?:please\s+|kindly\s+)?(?:check|find|tell\s+me|look\s+up|confirm|verify|show\s+me)"
    r"|please(?:\s+(?:check|confirm|help|verify|find|advise))?|i\s*(?:want|would\s+like|'d\s+like|need|wish)\s+to\s+(?:complain|know|check|ask|find\s+out|report)(?:\s+about)?"
    r"|(?:in|on|during)\s+(?:the\s+|your\s+|that\s+|this\s+|last\s+)?(?:live\s*stream(?:ing)?|live\s+(?:show|broadcast|session)|stream|broadcast|live|show)(?:ing)?\b"
    r"|(?:when|where)\s+(?:exactly\s+)?(?:did|does)|help\s+me|hello|hi|dear\s+\w+|scam(?:med)?|ridiculous|unacceptable)\b(?:\s+(?:that|if|whether)\b)?",
    re.IGNORECASE,
)
_TAIL = re.compile(r"(?:吗|呢|吧|嘛|么|啊|不|呀|哦|啦)?[?？!！。.~～…\s]*$")

_ORDER_NUMBER = re.compile(
    r"(?:订单|单号|运单|快递单|物流单|工单|流水|order|parcel|tracking|ticket)\s*(?:编?号码?|no\.?|number|id|#)?\s*(?:是|为|is)?\s*[:：#]?\s*(?=[a-z0-9-]*\d)[a-z0-9][a-z0-9-]{5,31}"
    r"|(?<![\d.])\d{11,24}(?![\d.])",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"(?:联系电话|电话|手机号?码?|联系方式|微信号?|收货地址|地址|收件人|phone|mobile|address)\s*(?:是|为|is)?\s*[:：]?\s*$", re.IGNORECASE
)
_PICTURES = re.compile(
    "[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\ufe0e\ufe0f\u200d\u20e3\U000e0020-\U000e007f]+|\\[[\u4e00-\u9fff]{1,3}\\]"
)
_NUMERALS = "0-9零〇一二两三四五六七八九十百千万亿半"
_SAID_AGAIN = re.compile(rf"([^\W_a-zA-Z{_NUMERALS}]{{2,6}})\1+|([^\W_a-zA-Z{_NUMERALS}])\2{{2,}}")
_MARKS = re.compile(r"([!！?？。,，~～…])[!！?？。,，~～…]+")

_CLAUSE = re.compile(r"[^,，。;；!！?？\n]+")
_SAID = re.compile(
    r"说好|说过|说的?是|说可以|说能|说会|说了|说|承诺|保证|答应|宣称|宣传|声称|写着|标着|讲过|讲的|打包票|号称|不是讲|吹"
    r"|\b(?:said|says?|promised?|claim(?:s|ed)?|guaranteed?|advertised|supposed|told)\b",
    re.IGNORECASE,
)
_HAPPENED = re.compile(
    r"^\s*(?:结果|现在|实际上?|收到|到手|拿到|回来|回家|打开|拆开|用了|穿了|洗了|才用?|客服|店家|商家|他们|卖家|售后|检测|鉴定|我|却|反而|可是|但是?|然后|后来|一直|到现在)"
    r"|客服(?:说|让|要|不|一口)|售后(?:说|让|要|不)|(?:收到|到手|拿到)(?:的|就|后|时|货)|检测(?:出来)?(?:是|为|结果)|鉴定(?:出来)?(?:是|为|结果)|不认账|不承认|才发现|发现是"
    r"|^\s*(?:but|now|however|it\s+(?:arrived|broke|came|turned)|i\s+(?:got|received|bought|found)|customer\s+service)\b",
    re.IGNORECASE,
)
_SERVICE_SAYS = re.compile(r"(?:客服|售后|现在|物流|快递|平台)[^,，。]{0,4}(?:说|讲)")
_WANTS_CORRECTION = re.compile(
    r"改口|改了?口|更正|纠正|后来(?:又|却|再)?(?:说|讲|改)|又说|前后(?:说法)?不一|反悔|收回(?:了)?(?:说法|承诺)|\b(?:correct(?:ed|ion)|took?\s+(?:it\s+)?back|changed\s+(?:his|her|their)\s+(?:mind|story|words))\b",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"什么条件|有(?:没有|什么)?(?:条件|前提|限制|要求)|前提是|条件是|是不是(?:要|得|必须|只有)|只有.{1,8}才|要不要(?:是|先|满)|会员才|满多少|\b(?:condition(?:s|al)?|as\s+long\s+as|only\s+if|provided\s+that|unless)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Clause:
    """`start:end` of the stripped question, and what it weighs: 1, or less where it tells what happened beside what was said."""

    start: int
    end: int
    weight: float


def without_the_asker(text: str) -> str:
    """Without phone numbers, addresses, order numbers, emoji and what is only said again. What is left keeps its order."""
    left = text
    if any(char.isdigit() for char in text) or len(text) > 30:
        plain = half_width(text)
        spans = [(start, end) for start, end, _ in find_personal_data(text)]
        spans += [match.span() for match in _ORDER_NUMBER.finditer(plain)] if len(plain) == len(text) else []
        for start, end in sorted(spans, reverse=True):
            left = _LABEL.sub("", left[:start]) + " " + left[end:]
    left = _MARKS.sub(r"\1", _SAID_AGAIN.sub(lambda match: match[1] or match[2], _PICTURES.sub(" ", left)))
    return left if _says_something(left) else text


def what_is_asked(plain: str) -> str:
    """The question without the talk around it, in simplified script as it was given; itself where nothing else would be left."""
    asked = plain.strip()
    for _ in range(ROUNDS):
        shorter = _TAIL.sub("", _TALK.sub(" ", _PLEA.sub(" ", _TALK_IN_ENGLISH.sub(" ", asked)))).strip()
        if shorter == asked or not _says_something(shorter):
            break
        asked = shorter
    return asked


def clauses_of(plain: str, stripped: str) -> list[Clause]:
    """The clauses of the stripped question that tell what happened, where `plain`, the question before stripping, also tells what was said.

    A clause is known again by its words; one that was stripped away is nowhere.
    """
    told = [match[0] for match in _CLAUSE.finditer(plain)]
    said = [bool(_SAID.search(clause)) and not _SERVICE_SAYS.search(clause) for clause in told]
    happened = [bool(_HAPPENED.search(clause)) and not fact for clause, fact in zip(told, said, strict=True)]
    if not any(happened) or all(happened):
        return []
    lesser = "\n".join(clause for clause, fact in zip(told, happened, strict=True) if fact)
    greater = "\n".join(clause for clause, fact in zip(told, happened, strict=True) if not fact)
    return [
        Clause(*match.span(), HAPPENED_WEIGHT)
        for match in _CLAUSE.finditer(stripped)
        if (words := [word for word in match[0].split() if word])
        and all(word in lesser for word in words)
        and not any(word in greater for word in words)
    ]


def wants_correction(plain: str) -> bool:
    """Whether it asks for what was said later against what was said first."""
    return bool(_WANTS_CORRECTION.search(plain))


def asks_condition(plain: str) -> bool:
    """Whether it asks under which condition something holds."""
    return bool(_CONDITION.search(plain))


def _says_something(text: str) -> bool:
    return any(char.isalnum() for char in text)
