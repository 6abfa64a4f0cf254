"""RFC 3161 time-stamps: what a token says, read by a small DER reader; whether its signature holds, by `openssl` where it is there."""

from __future__ import annotations

import calendar
import re
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from archive.verifier.outcomes import Wrong

if TYPE_CHECKING:
    from collections.abc import Iterator

OPENSSL_TIMEOUT_S = 60
_SIGNED_DATA, _TST_INFO, _SHA256 = "2a864886f70d010702", "2a864886f70d0109100104", "608648016503040201"
_INTEGER, _OCTETS, _OID, _SEQUENCE, _TIME, _EXPLICIT = 0x02, 0x04, 0x06, 0x30, 0x18, 0xA0
_GENERALIZED = re.compile(r"^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d{1,9})?Z$")


class Token(NamedTuple):
    """What a time-stamp says: the SHA-256 it is over, and when (ISO, UTC, and seconds since 1970)."""

    imprint: str
    gen_time: str
    epoch_s: int


def read_token(response: bytes) -> Token:
    """Read a DER TimeStampResp, or the token alone. Wrong if it is neither or the authority granted nothing."""
    try:
        return _token(response)
    except (IndexError, ValueError, StopIteration) as error:
        raise Wrong("is no time-stamp that can be read", chinese="不是可读的时间戳") from error


def _token(response: bytes) -> Token:
    outer = list(_elements(_only(response, _SEQUENCE)))
    if outer[0][0] == _SEQUENCE:
        status = int.from_bytes(next(_elements(outer[0][1]))[1], "big")
        if status not in (0, 1):
            raise Wrong(f"the authority granted no time-stamp (status {status})", chinese=f"时间戳机构未签发（状态 {status}）")
        outer = list(_elements(outer[1][1]))
    if outer[0] != (_OID, bytes.fromhex(_SIGNED_DATA)):
        raise ValueError("no SignedData")
    signed = list(_elements(_only(_only_explicit(outer[1]), _SEQUENCE)))
    content = next(list(_elements(body)) for tag, body in signed if tag == _SEQUENCE)
    if content[0] != (_OID, bytes.fromhex(_TST_INFO)):
        raise ValueError("no TSTInfo")
    info = list(_elements(_only(_only(_only_explicit(content[1]), _OCTETS), _SEQUENCE)))
    imprint = list(_elements(info[2][1]))
    algorithm = next(_elements(imprint[0][1]))
    if algorithm != (_OID, bytes.fromhex(_SHA256)) or imprint[1][0] != _OCTETS:
        raise Wrong("the time-stamp is not over a SHA-256 digest", chinese="该时间戳所盖的不是 SHA-256 摘要")
    stated = next(body.decode("ascii") for tag, body in info if tag == _TIME)
    match = _GENERALIZED.match(stated)
    if not match:
        raise ValueError("no GeneralizedTime")
    fields = tuple(int(match[n]) for n in range(1, 7))
    iso = "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}".format(*fields) + (match[7] or "") + "Z"
    return Token("sha256:" + imprint[1][1].hex(), iso, calendar.timegm((*fields, 0, 0, 0)))


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(tag, content) of each DER element in a row: definite lengths, low tag numbers."""
    at = 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            count = length & 0x7F
            if not 0 < count <= 4:
                raise ValueError("no definite length")
            length, at = int.from_bytes(data[at : at + count], "big"), at + count
        if at + length > len(data):
            raise ValueError("an element reaches outside")
        yield tag, data[at : at + length]
        at += length


def _only(data: bytes, tag: int) -> bytes:
    found = list(_elements(data))
    if len(found) != 1 or found[0][0] != tag:
        raise ValueError(f"not one element of tag {tag}")
    return found[0][1]


def _only_explicit(element: tuple[int, bytes]) -> bytes:
    if element[0] != _EXPLICIT:
        raise ValueError("no [0]")
    return element[1]


def check_with_openssl(response: bytes, certificates: bytes, token: Token) -> None:
    """That the token's signature holds and leads to a root among `certificates` (PEM), at the token's own time. Wrong if it doesn't."""
    with tempfile.TemporaryDirectory() as name:
        stamp, chain = Path(name, "stamp.tsr"), Path(name, "chain.pem")
        stamp.write_bytes(response)
        chain.write_bytes(certificates)
        command = ["openssl", "ts", "-verify", "-digest", token.imprint[7:], "-in", str(stamp)]
        command += ["-CAfile", str(chain), "-untrusted", str(chain), "-attime", str(token.epoch_s)]
        done = subprocess.run(command, capture_output=True, timeout=OPENSSL_TIMEOUT_S, check=False)
    if done.returncode != 0:
        said = (done.stderr + done.stdout).decode(errors="replace").strip()[-300:]
        raise Wrong(f"openssl finds that the time-stamp's signature does not hold: {said}", chinese=f"openssl 认定时间戳签名不成立：{said}")
