"""English words without their inflection, by rule: refunds, refunded and refunding are refund; batteries are battery, replaced is replace.

Applied to index and question alike, so that a form costs nothing. A rule that errs errs on both sides. Words of grammar stay as they are.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from search.sounds import read_pinyin

_GRAMMAR_WORDS: Final = (
    "my your his her its our their what when where which who whom how why would could should can will have has had having with "
    "from but not "
    "no so if then than as at by about there here me us them been being just only also very really please still now any all too or "
    "out up "
    "am im ive while after before again more most other into over under and do did does doing was were is are the a an of to in on "
    "for it i "
    "you he she we they this that these those be don doesn didn isn aren wasn weren won wouldn couldn shouldn can cannot t s d ll "
    "ve re m "
    "because each both such off own same nor until during between through above below down may might must shall let"
)
GRAMMAR: Final = frozenset(_GRAMMAR_WORDS.split())
# What ends like an inflection and is none, or is inflected by no rule.
_NO_INFLECTION: Final = (
    "adidas christmas gas canvas atlas bias lens plus bus yes thus series species news means always perhaps less unless us swiss levis "
    "sales sas sos asics kudos asos chaos cosmos lotus focus bonus virus status campus genius minus versus minutes "
    "thing things something anything nothing everything string king ring wing spring bring sing during ceiling morning evening pudding "
    "bed red shed led need speed seed feed indeed exceed proceed succeed hundred sacred naked embed wed fed bred shred "
    "wedding sterling lining coating stocking earring bedding clothing filling seasoning painting building packing king herring "
    "darling duckling dumpling beijing sling swing cling fling sting bling ping ding "
)
_AS_IT_IS: Final = frozenset(_NO_INFLECTION.split())
_IRREGULAR_FORMS: Final = (
    "worn/wear wore/wear broke/break broken/break sent/send bought/buy made/make gave/give given/give paid/pay shrunk/shrink "
    "shrank/shrink torn/tear tore/tear sold/sell kept/keep got/get gotten/get took/take taken/take wrote/write written/write "
    "showed/show shown/show told/tell held/hold felt/feel came/come went/go gone/go stuck/stick knew/know known/know grew/grow "
    "grown/grow wove/weave woven/weave sewn/sew drove/drive driven/drive fell/fall fallen/fall began/begin begun/begin "
    "chose/choose "
    "chosen/choose froze/freeze frozen/freeze stole/steal stolen/steal rang/ring swore/swear sworn/swear threw/throw thrown/throw "
    "children/child women/woman men/man feet/foot teeth/tooth knives/knife leaves/leaf halves/half lives/life shelves/shelf "
    "wolves/wolf "
    "scarves/scarf loaves/loaf shoes/shoe toes/toe lies/lie dies/die died/die dying/die ties/tie tied/tie used/use using/use "
    "uses/use "
    "sizes/size sized/size sizing/size prizes/prize minutes/minute sales/sale inches/inch labelled/label labelling/label "
    "travelled/travel travelling/travel cancelled/cancel cancelling/cancel created/create creating/create inviting/invite "
    "invited/invite excited/excite quoted/quote quoting/quote noted/note voted/vote promoted/promote developed/develop "
    "developing/develop changed/change changing/change exchanged/exchange exchanging/exchange arranged/arrange arranging/arrange "
    "shedding/shed shipping/ship shipped/ship fitting/fit fitted/fit wrapping/wrap wrapped/wrap clothes/clothes glasses/glasses "
    "things/thing strings/string rings/ring kings/king springs/spring wings/wing needed/need needs/need needing/need "
    "seeds/seed beds/bed added/add adding/add adds/add included/include owed/owe owing/owe dyed/dye dyeing/dye dyes/dye aged/age "
    "aging/age ageing/age based/base basing/base "
    "cases/case vases/vase bases/base phases/phase purchases/purchase caches/cache axes/axe goes/go does/does"
)
_IRREGULAR: Final = dict(pair.split("/") for pair in _IRREGULAR_FORMS.split())
# A stem that lost its e with the inflection: replac, remov, charg, packag, requir, measur, combin, provid, smok, stor.
_LOST_E: Final = re.compile(
    r"(?:[cvzu]|[^aeiou]g(?<!ng)|[^aeiou]ag|[^s]s|(?<![eo])at|[bcdgkptz]l|[^a]ir|[^o]ur|(?:st|sc|pl|gn|b)or|[^eo]ar|[^aoe]in|[^aoe]il"
    r"|[^ao]id|u[td]|[^eo]am|[^a]im|[^oe]om|um|[^eo]ak|[^o]ok|[^eo]ap|[^aeio]ip|[^o]ad(?<!ead)|[^o]od|(?<![oe])op(?<!elop)|ul|[^aeiou]ir|dg|[aeiou]dg)$"
)
_PINYIN: Final = re.compile(r"(?:zh|x|q[^u]).*ing$|.*[jqxy]ing$")
_WORD: Final = re.compile(r"(?<![a-z0-9])[a-z]{4,}(?![a-z0-9])")
_DOUBLED: Final = re.compile(r"([bdgkmnprt])\1$")
LONGEST: Final = 24


def base_forms(text: str) -> Iterator[tuple[int, int, str]]:
    """Where lower-case text has words in another form than the base one: start, end and the base form, left to right."""
    for match in _WORD.finditer(text):
        base = base_form(match[0])
        if base != match[0]:
            yield *match.span(), base


@lru_cache(maxsize=50_000)
def base_form(word: str) -> str:
    """Of one lower-case word; itself where no rule holds. Done again it changes nothing."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if not 4 <= len(word) <= LONGEST or word in GRAMMAR or word in _AS_IT_IS:
        return word
    if word.endswith("s"):
        return _without_s(word)
    if _PINYIN.match(word) and read_pinyin(word):
        return word
    for ending in ("ing", "ed"):
        bare = word[: -len(ending)]
        if word.endswith(ending) and len(bare) >= 3 and re.search("[aeiouy]", bare):
            return _stem(word, bare, ending)
    return word


def _without_s(word: str) -> str:
    if word.endswith(("ss", "us", "is", "ous")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y" if len(word) > 5 else word[:-1]
    if word.endswith(("sses", "shes", "ches", "xes", "zzes", "oes")):
        return word[:-2]
    return word[:-1]


def _stem(word: str, bare: str, ending: str) -> str:
    if ending == "ed" and word.endswith("eed"):
        return word[:-1] if len(word) > 6 else word
    if ending == "ed" and bare.endswith("i"):
        return bare[:-1] + "y"
    if _DOUBLED.search(bare):
        return bare[:-1]
    if re.search("[aeiouy].*", bare) and _LOST_E.search(bare):
        return bare + "e"
    return bare
