"""Personal data of viewers, taken out of what leaves the archive (G9): pure functions over text, and keyed pseudonyms for names.

What is masked: mobile and land-line numbers, resident identity numbers (with the check digit of GB 11643), e-mail addresses, WeChat and QQ
ids where the text says that they are one, street addresses with a house number. Everything else stays as it was, order numbers included.
"""

import hashlib
import hmac
import os
import re
import secrets
import tempfile
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from archive.digest import Json
from archive.errors import DatabaseUnavailable

SECRET_BYTES = 32

_D = "[0-9０-９]"
_BEFORE, _AFTER = "(?<![0-9０-９A-Za-z])", "(?![0-9０-９A-Za-z])"
_SPACE = r"[ \-－—　]?"
_ID18 = re.compile(f"{_BEFORE}({_D}{{17}}[0-9０-９XxＸｘ]){_AFTER}")
_ADDRESS = re.compile(
    r"(?:[一-鿿]{1,7}?(?:省|自治区|特别行政区))?(?:[一-鿿]{1,7}?(?:市|自治州|盟))?(?:[一-鿿]{1,7}?(?:区|县|旗|镇|乡))?"
    rf"[一-鿿]{{1,8}}(?:路|街|大道|巷|弄|胡同|村|小区|花园|公寓|大厦|广场|苑){_D}{{1,5}}(?:号|弄|栋|幢|座|单元|室|楼|层)"
    rf"(?:[一-鿿]{{0,6}}[A-Za-z]?{_D}{{1,5}}(?:号楼|号|弄|栋|幢|座|单元|室|楼|层|户)?)*"
)
# In this order: what an earlier pattern took, a later one can't.
_PATTERNS: tuple[tuple[str, re.Pattern[str], int], ...] = (
    ("邮箱", re.compile(r"(?<![A-Za-z0-9.+-])[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"), 0),
    ("手机号", re.compile(rf"(?<![0-9０-９])(?:[+＋]?86{_SPACE})?[1１][3-9３-９]{_D}{_SPACE}{_D}{{4}}{_SPACE}{_D}{{4}}(?![0-9０-９])"), 0),
    ("电话", re.compile(rf"(?<![0-9０-９])[0０]{_D}{{2,3}}[ \-－—]{_D}{{7,8}}(?![0-9０-９])"), 0),
    (
        "微信号",
        re.compile(
            r"(?:微信|威信|薇信|[vV]信|(?<![A-Za-z])(?:wechat|weixin|wx|vx)(?=[^A-Za-z]))号?[是为:： ]*([A-Za-z][A-Za-z0-9_-]{5,19})", re.I
        ),
        1,
    ),
    ("QQ号", re.compile(rf"(?:(?<![A-Za-z])[qQ]{{2}}|扣扣|企鹅)号?[是为:： ]*([1-9１-９]{_D}{{4,10}})(?![0-9０-９])"), 1),
    ("地址", _ADDRESS, 0),
)


@dataclass(frozen=True, slots=True)
class Masked:
    """Text with personal data taken out. `spans` are (start, end, kind) in the original; what stands between them is unchanged."""

    text: str
    spans: tuple[tuple[int, int, str], ...]


def mask(text: str, names: Mapping[str, str] | None = None) -> Masked:
    """Replace personal data by 〔kind已隐去〕, and each of `names` after an @ by what it maps to."""
    spans: list[tuple[int, int, str]] = []
    _claim(spans, ((m.start(1), m.end(1), "身份证号") for m in _ID18.finditer(text) if is_resident_id(m[1])))
    for kind, pattern, group in _PATTERNS:
        _claim(spans, ((*m.span(group), kind) for m in pattern.finditer(text)))
    replaced = {span: f"〔{span[2]}已隐去〕" for span in spans}
    mentions = "@" in text or "＠" in text
    for name in sorted(names or (), key=len, reverse=True) if mentions else ():
        found = [(m.start(1), m.end(1), "昵称") for m in re.finditer(rf"[@＠]({re.escape(name)})", text)] if name else []
        for span in _claim(spans, found):
            replaced[span] = (names or {})[name]
    pieces, at = [], 0
    for span in sorted(spans):
        pieces += [text[at : span[0]], replaced[span]]
        at = span[1]
    return Masked("".join([*pieces, text[at:]]), tuple(sorted(spans)))


def is_resident_id(text: str) -> bool:
    """Whether 18 characters are a resident identity number: a date of birth and the check digit of GB 11643 (ISO 7064 MOD 11-2)."""
    number = text.translate(_HALF_WIDTH).upper()
    if not re.fullmatch(r"[1-9]\d{5}(?:18|19|20|21)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dX]", number):
        return False
    total = sum(int(digit) * (2 ** (17 - n) % 11) for n, digit in enumerate(number[:17]))
    return number[17] == "10X98765432"[total % 11]


class Pseudonyms:
    """Names for the people of one case: the same person has the same name all through the case, and another one in another case."""

    def __init__(self, secret: bytes, case_id: str) -> None:
        self._secret = secret
        self._case_id = case_id

    def viewer(self, author: str) -> str:
        """观众- and eight hexadecimal digits of a keyed hash, which cannot be turned back without the secret."""
        keyed = hmac.new(self._secret, f"{self._case_id}\0{author}".encode(), hashlib.sha256)
        return "观众-" + keyed.hexdigest()[:8].upper()

    def names(self, authors: Iterable[str | None]) -> dict[str, str]:
        """Author → pseudonym, for masking mentions."""
        return {author: self.viewer(author) for author in authors if author}


def pseudonym_secret(home: Path) -> bytes:
    """The key of this archive's pseudonyms, made on first use in `home`/secrets, readable by its owner alone."""
    place = home / "secrets" / "pseudonyms.key"
    if not place.exists():
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=place.parent)
        with os.fdopen(handle, "wb") as made:
            made.write(secrets.token_bytes(SECRET_BYTES))
            made.flush()
            os.fsync(handle)
        try:
            # A link, unlike a rename, never replaces the key that another process made meanwhile.
            os.link(name, place)
        except FileExistsError:
            pass
        finally:
            Path(name).unlink()
    secret = place.read_bytes()
    if len(secret) != SECRET_BYTES:
        raise DatabaseUnavailable(f"{place} is not a pseudonym key of {SECRET_BYTES} bytes: restore it from a backup of LIVEPROOF_HOME")
    return secret


def redact_record(record: Mapping[str, Json], pseudonyms: Pseudonyms) -> dict[str, Json]:
    """An order or listing record with the buyer's personal fields taken out and its texts masked, whatever its nesting."""
    return {key: _redact_value(key, value, pseudonyms) for key, value in record.items()}


_PERSON_KEYS = {"buyer", "buyer_name", "buyer_nick", "nickname", "user", "user_name", "username", "author", "买家", "昵称"}
_HIDDEN_KEYS = {
    "phone",
    "mobile",
    "tel",
    "telephone",
    "address",
    "receiver",
    "receiver_name",
    "recipient",
    "consignee",
    "id_number",
    "id_card",
} | {
    "email",
    "wechat",
    "qq",
    "手机",
    "电话",
    "地址",
    "收货地址",
    "收货人",
    "身份证号",
}
_HALF_WIDTH = str.maketrans("０１２３４５６７８９Ｘｘ", "0123456789Xx")


def _redact_value(key: str, value: Json, pseudonyms: Pseudonyms) -> Json:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Mapping):
        return redact_record(value, pseudonyms)
    if isinstance(value, str | int | float):
        if key.lower() in _HIDDEN_KEYS:
            return "〔已隐去〕"
        if key.lower() in _PERSON_KEYS:
            return pseudonyms.viewer(str(value))
        return mask(value).text if isinstance(value, str) else value
    return [_redact_value(key, item, pseudonyms) for item in value]


def _claim(spans: list[tuple[int, int, str]], found: Iterable[tuple[int, int, str]]) -> Collection[tuple[int, int, str]]:
    """Add those of `found` that overlap nothing yet; which they are."""
    added = []
    for span in found:
        if span[0] < span[1] and all(span[1] <= start or end <= span[0] for start, end, _ in spans):
            spans.append(span)
            added.append(span)
    return added
