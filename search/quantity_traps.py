"""What looks like a quantity and is none: dates, clock times, link and order numbers, ordinals, versions, models, idioms."""

import re
from typing import Final

_N: Final = "零〇一二两三四五六七八九"
_NUMBER: Final = rf"(?:\d+|[{_N}十百千万]{{1,9}})"
_MONTH: Final = r"(?:1[0-2]|0?[1-9]|十[一二]?|[一二三四五六七八九])"
_DAY: Final = r"(?:[12]\d|3[01]|0?[1-9]|[二三]?十[一二三四五六七八九]?|[一二三四五六七八九])"
_DATE: Final = (
    rf"(?:(?:19|20)\d\d|[一二][零〇九][{_N}]{{2}})年(?:{_MONTH}月(?:{_DAY}[日号]?)?)?",
    r"(?:19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2}(?!\d)",
    rf"{_MONTH}月(?:份|底|初|[上中下]旬|{_DAY}[日号]?)?",
    rf"(?:2[0-9]|二[{_N}])年(?=新|秋|冬|春|夏|款|的[货新]|产|双|末|初|底|{_MONTH}月)",
    r"[1-9]\d年代|[一二三四五六七八九]十年代",
    r"(?<=双)(?:十[一二]|1[12](?!\d)|旦)",
    r"(?<![一二两三四五六七八九十每半\d]周)(?<=周)[一二三四五六]",
    r"(?<=每周)[一二三四五六](?![次回天场])",
    r"(?<=星期)[一二三四五六]|(?<=礼拜)[一二三四五六]",
    r"(?<!\d)[68]18(?=大促|活动|期间|价|那天|的时候|狂欢|前|后|预售|同价|当天)",
)
_CLOCK: Final = (
    r"(?<!\d)(?:[01]?\d|2[0-4])[:：][0-5]\d(?:[:：][0-5]\d)?(?!\d)",
    r"\d+[:：]\d+",
    rf"[{_N}十]比[{_N}](?![{_N}十百千万点])|[{_N}十]比[{_N}](?=[{_N}][^{_N}十百千万点])",
    rf"(?<![{_N}十百千万点])(?:二十[一二三四]?|十[一二三四五六七八九]?|[{_N}]|[01]?\d|2[0-4])点"
    rf"(?:钟|整|半(?!折)|[一三]刻钟?|(?:(?<!零点)过?[零〇][一二三四五六七八九]分?(?![a-z%升斤克米厘毫度折倍万元块个千公]))|[二三四五]?十[一二三四五六七八九]?分?(?![块元折倍米斤万])|[0-5]\d分?(?!\d)|(?![0-9{_N}十多几来]))",
)
_IDIOMS: Final = (
    "万一|千万(?=别|不|要|记|注|得|小)|七八糟|(?<=[统唯同单之专另归])一|(?<=独)一无二|一五一十|一清二楚|(?<=[二三四五六八])合一|"
    "[一二三四五]对一|[二三四五六]选[一二]|一比一|一口价|一次性|一度(?=[以为想])|一步到位|一把手|一层不变|一级棒|一手|半斤八两|一门心思|一个劲|"
    "十分(?![钟之钱])|十足|三无(?=产品)|三八节|五一(?=假|节|放|期|劳)|十一(?=假|黄金周|长假)|六一(?=儿童|节)|[一二三]线|一点(?=儿|都|也)|"
    "九牛一毛|千里迢迢|万元户|百里挑一|一言为定|二话|二维码|二手|三七二十一|五花八门|五颜六色|四面八方|七上八下|十有八九|一日三餐|一块儿|"
    "(?<=[不别])(?:一块|二价)|两口子|两件事|一件事|一回事|一条龙|一条心|一对一|一本正经|一面(?=之词)|一套一套|三分钟热度|三天两头|一天到晚"
)
_NETWORK: Final = r"(?<![\d.])[2-6]g ?(?:全?网|手机|信号|版|流量|套餐|双|芯片|时代|通|cpe|wifi|基站)"
TRAP: Final = re.compile("|".join((*_DATE, *_CLOCK, _IDIOMS, rf"{_NUMBER}号(?!\d)", _NETWORK, r"\d+(?:\.\d+){2,}")), re.ASCII)
ORDINAL: Final = re.compile(rf"第 ?{_NUMBER}")
NAMED_BY_NUMBER: Final = re.compile(
    r"(?:[单编货型款尾工批账卡]号|条形?码|电话|手机|微信|扣扣|qq|房间|链接|口令|验证码|邀请码|航班|车次|"
    r"no\.?|top|ver?\.?)(?:号码?)?(?:[是为:：#] ?| )?$"
)
# Bare numbers behind another Latin word name a model (iphone 15, mate 60), but not behind these.
ENGLISH_BEFORE: Final = re.compile(
    r"(?<![a-z])(?:only|just|for|is|was|at|pays?|paid|price|costs?|buy|get|gets|got|about|under|over|than|the|and|or|of|to|from|by|in|with|"
    r"least|most|up|all|are|be|rmb|save|off|says?|said|these|those|first|next|per) ?$"
)
MODEL_AFTER: Final = re.compile(r" ?(?:pro|max|plus|ultra|mini|air|se|promax)(?![a-z])")
