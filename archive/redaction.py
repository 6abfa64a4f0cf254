"""Personal data of viewers, taken out of what leaves the archive (G9): pure functions over text, documents, transcripts and records.

What is found is in `archive.personal_data`; what is left standing is unchanged. Originals are never masked, only what is derived of them.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from archive.digest import Json
from archive.personal_data import barred, find_personal_data, is_resident_id
from archive.pseudonyms import Pseudonyms, pseudonym_secret
from archive.transcript import Segment, Word

__all__ = [
    "Masked",
    "Pseudonyms",
    "buyer_key",
    "hidden_key",
    "is_resident_id",
    "mask",
    "mask_transcript",
    "person_key",
    "pseudonym_secret",
    "redact_record",
    "replaced",
]

# Segments nearer than this may share a number that was read out over a pause.
PAUSE_MS = 3_000

_MENTION = re.compile(r"(?<![A-Za-z0-9._%+-])[@＠]")
_MENTIONED = re.compile(r"[^\s@＠，。,.!！?？:：;；、()（）\[\]【】\"“”'《》<>/\\|〔〕]{1,20}")
# Roles, not people; and what masking itself writes.
_ROLES = re.compile(
    r"主播|客服|小助理|助理|助播|店长|官方|运营|管理员|房管|场控|所有人|全体|大家|店小二|小二|平台|投诉人$|观众-[0-9A-F]{8}(?![0-9A-Za-z])|\d+号?[链连]接|all\b|here\b"
)
_NAME_MAX = 64


@dataclass(frozen=True, slots=True)
class Masked:
    """Text with personal data taken out. `spans` are (start, end, kind) in the original; what stands between them is unchanged."""

    text: str
    spans: tuple[tuple[int, int, str], ...]


def mask(text: str, names: Mapping[str, str] | None = None) -> Masked:
    """Replace personal data by 〔kind已隐去〕. After an @, each of `names` becomes what it maps to, anyone else 〔昵称已隐去〕."""
    found = find_personal_data(text)
    instead = {(start, end): label(kind) for start, end, kind in found}
    spans = list(found)
    for start, end, name in _mentions(barred(text, found), names or {}):
        instead[start, end] = name
        spans.append((start, end, "昵称"))
    return replaced(text, spans, instead)


def replaced(text: str, spans: Iterable[tuple[int, int, str]], instead: Mapping[tuple[int, int], str]) -> Masked:
    """The text with each span replaced; spans must not overlap."""
    ordered = sorted(spans)
    pieces, at = [], 0
    for start, end, _ in ordered:
        pieces += [text[at:start], instead[start, end]]
        at = end
    return Masked("".join([*pieces, text[at:]]), tuple(ordered))


def label(kind: str) -> str:
    """What stands in the place of what was taken out."""
    return f"〔{kind}已隐去〕"


def _mentions(text: str, names: Mapping[str, str]) -> Iterable[tuple[int, int, str]]:
    """(start, end, what to write) of everyone mentioned with an @, the longest known name first."""
    lengths = sorted({len(name) for name in names if 0 < len(name) <= _NAME_MAX}, reverse=True)
    done = 0
    for mark in _MENTION.finditer(text):
        start = mark.end()
        if start < done:
            continue
        known = next((text[start : start + n] for n in lengths if text[start : start + n] in names), None)
        if known is not None:
            done = start + len(known)
            yield start, done, names[known]
        elif (run := _MENTIONED.match(text, start)) and not _ROLES.match(run[0]):
            done = run.end()
            yield start, done, label("昵称")


def mask_transcript(said: Sequence[Segment]) -> tuple[Segment, ...]:
    """A derived copy of segments in time order with spoken personal data taken out of texts and words; times and the rest stay.

    Numbers that were read out over several words or segments are found whole, also in what a second recogniser wrote. The transcript
    itself, which is the evidence, is untouched.
    """
    otherwise = [segment if segment.heard_otherwise is None else replace(segment, text=segment.heard_otherwise) for segment in said]
    return tuple(
        replace(
            segment,
            text=_hidden(segment.text, spans),
            words=_hidden_words(segment, spans),
            heard_otherwise=None if segment.heard_otherwise is None else _hidden(segment.heard_otherwise, others),
        )
        for segment, spans, others in zip(said, spoken_spans(said), spoken_spans(otherwise), strict=True)
    )


def spoken_spans(said: Sequence[Segment]) -> list[list[tuple[int, int, str]]]:
    """For each segment, which characters of its text are personal data; a number may go on in the next segment."""
    found: list[list[tuple[int, int, str]]] = [[] for _ in said]
    first = 0
    while first < len(said):
        last = first
        while last + 1 < len(said) and said[last + 1].start_ms - said[last].end_ms <= PAUSE_MS:
            last += 1
        starts, joined = [], ""
        for segment in said[first : last + 1]:
            starts.append(len(joined))
            joined += segment.text + " "
        at = 0
        for start, end, kind in find_personal_data(joined, spoken=True):
            while at + 1 < len(starts) and starts[at + 1] <= start:
                at += 1
            n = at
            while n < len(starts) and starts[n] < end:
                length = len(said[first + n].text)
                here = (max(start - starts[n], 0), min(end - starts[n], length))
                if here[0] < here[1]:
                    found[first + n].append((*here, kind))
                n += 1
        first = last + 1
    return found


def word_places(segment: Segment) -> list[tuple[int, int]]:
    """Where each word stands in its segment's text, in characters; an empty place for a word that isn't in it."""
    places, at = [], 0
    for word in segment.words:
        bare = word.text.strip()
        start = segment.text.find(bare, at) if bare else -1
        if start < 0:
            places.append((at, at))
        else:
            at = start + len(bare)
            places.append((start, at))
    return places


def _hidden(text: str, spans: Sequence[tuple[int, int, str]]) -> str:
    return replaced(text, spans, {(start, end): label(kind) for start, end, kind in spans}).text


def _hidden_words(segment: Segment, spans: Sequence[tuple[int, int, str]]) -> tuple[Word, ...]:
    if not spans:
        return segment.words
    shown, told = [], -1
    for word, (start, end) in zip(segment.words, word_places(segment), strict=True):
        touched = next((n for n, span in enumerate(spans) if span[0] < end and start < span[1]), None)
        if touched is None and start < end:
            shown.append(word)
        else:
            # A word that can't be placed in the text might be what was taken out of it.
            shown.append(replace(word, text="" if touched in (told, None) else label(spans[touched or 0][2])))
            told = told if touched is None else touched
    return tuple(shown)


def redact_record(record: Mapping[str, Json], pseudonyms: Pseudonyms) -> dict[str, Json]:
    """An order or listing record with the buyer's personal fields taken out and its texts masked, whatever its nesting."""
    return {key: _redact_value(key, value, pseudonyms) for key, value in record.items()}


def person_key(key: str) -> bool:
    """Whether a field of this name holds a viewer's or buyer's name or id."""
    return _plain(key) in _PERSON_KEYS


def buyer_key(key: str) -> bool:
    """Whether a field of an order names its buyer, by name or id."""
    return _plain(key) in _BUYER_KEYS


def hidden_key(key: str) -> bool:
    """Whether a field of this name holds personal data whatever it looks like."""
    return _plain(key) in _HIDDEN_KEYS


def _plain(key: str) -> str:
    return re.sub(r"[\s_\-]", "", key).lower()


_BUYER_KEYS = {
    *("buyer", "buyername", "buyernick", "buyerid", "customer", "customername", "nickname", "username", "userid", "openid"),
    *("买家", "买家昵称", "买家旺旺", "买家会员名", "会员名", "昵称", "客户"),
}
_PERSON_KEYS = {
    *("buyer", "buyername", "buyernick", "buyerid", "nickname", "nick", "user", "userid", "username", "author", "uid", "openid"),
    *(
        "customer",
        "customername",
        "sender",
        "from",
        "买家",
        "买家昵称",
        "买家旺旺",
        "买家会员名",
        "会员名",
        "昵称",
        "用户",
        "用户名",
        "用户id",
        "发送人",
        "发送者",
        "发言人",
        "客户",
    ),
}
_HIDDEN_KEYS = {
    *(
        "phone",
        "mobile",
        "tel",
        "telephone",
        "cellphone",
        "phonenumber",
        "address",
        "shippingaddress",
        "receiveraddress",
        "street",
        "postcode",
    ),
    *(
        "receiver",
        "receivername",
        "receiverphone",
        "receivermobile",
        "recipient",
        "consignee",
        "idnumber",
        "idcard",
        "realname",
        "bankcard",
    ),
    *("email", "wechat", "weixin", "qq", "alipay", "trackingnumber", "expressno", "waybill", "birthday"),
    *(
        "手机",
        "手机号",
        "手机号码",
        "电话",
        "联系电话",
        "联系方式",
        "联系手机",
        "收货人手机",
        "收货人电话",
        "地址",
        "收货地址",
        "详细地址",
        "收件地址",
        "住址",
    ),
    *(
        "收货人",
        "收货人姓名",
        "收件人",
        "姓名",
        "真实姓名",
        "身份证",
        "身份证号",
        "银行卡号",
        "邮箱",
        "微信",
        "微信号",
        "qq号",
        "支付宝账号",
        "快递单号",
        "运单号",
        "物流单号",
    ),
}


def _redact_value(key: str, value: Json, pseudonyms: Pseudonyms) -> Json:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Mapping):
        return redact_record(value, pseudonyms)
    if isinstance(value, str | int | float):
        if hidden_key(key):
            return "〔已隐去〕"
        if person_key(key):
            return pseudonyms.viewer(str(value))
        return mask(value).text if isinstance(value, str) else value
    return [_redact_value(key, item, pseudonyms) for item in value]
