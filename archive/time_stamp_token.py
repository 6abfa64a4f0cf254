"""One RFC 3161 time-stamp: the request that asks for it and the checks that an answer must pass.

A token is checked at its own time (genTime): the certificates that sign it must have been valid then, and not revoked by then. What
has ended since does not harm it, provided that it is renewed in time (`archive.timestamping`).
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

from archive.errors import VerificationFailed
from archive.settings import ArchiveSettings
from archive.timeline import WallTime

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, CertificateRevocationList
    from rfc3161_client import TimeStampResponse

_SHA256_OID = "2.16.840.1.101.3.4.2.1"
_DIGESTS = {
    "1.2.840.113549.2.5": "md5",
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.4": "sha224",
    _SHA256_OID: "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
_CHAIN_MAX = 10
# RFC 3161 §4: revoked for one of these, a key's earlier tokens stay valid; for any other reason, or none given, they don't.
_HARMLESS = {"unspecified", "affiliation_changed", "superseded", "cessation_of_operation"}


class StampRefused(VerificationFailed):
    """A time-stamping authority's answer is not a valid time-stamp of what was asked, or the trusted roots can't be read."""

    exit_code = 52
    status = 502


@dataclass(frozen=True, slots=True)
class Trust:
    """Who is believed: root certificates, and revocation lists that are consulted."""

    roots: "tuple[Certificate, ...]"
    revoked: "tuple[CertificateRevocationList, ...]"


@dataclass(frozen=True, slots=True)
class Token:
    """A valid time-stamp. `expires_at`: when the first certificate of its chain ends. `algorithms`: what it rests on, by table name."""

    gen_time: WallTime
    expires_at: WallTime
    algorithms: tuple[str, ...]
    chain: "tuple[Certificate, ...]"

    def pem(self) -> bytes:
        """The chain, the authority's own certificate first, the trusted root last."""
        from cryptography.hazmat.primitives.serialization import Encoding

        return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in self.chain)

    def ends_at(self) -> WallTime:
        """When it ceases to be strong: the first end of a certificate or an algorithm."""
        return min(self.expires_at, algorithms_end(self.algorithms))


def load_trust(settings: ArchiveSettings) -> Trust:
    """The roots and revocation lists that the settings name. StampRefused says which file can't be used."""
    from cryptography import x509

    if settings.tsa_roots is None:
        raise StampRefused("no trusted root of a time-stamping authority is set: name a PEM file of them with LIVEPROOF_TSA_ROOTS")
    try:
        roots = tuple(x509.load_pem_x509_certificates(settings.tsa_roots.read_bytes()))
    except (OSError, ValueError) as error:
        raise StampRefused(f"LIVEPROOF_TSA_ROOTS {settings.tsa_roots} holds no certificates in PEM form: {error}") from error
    if settings.tsa_crls is None:
        return Trust(roots, ())
    mark = b"-----BEGIN X509 CRL-----"
    try:
        content = settings.tsa_crls.read_bytes()
        lists = [x509.load_pem_x509_crl(mark + block) for block in content.split(mark)[1:]] or [x509.load_der_x509_crl(content)]
    except (OSError, ValueError) as error:
        raise StampRefused(f"LIVEPROOF_TSA_CRLS {settings.tsa_crls} holds no certificate revocation list: {error}") from error
    return Trust(roots, tuple(lists))


def write_request(digest: str, nonce: int) -> bytes:
    """TimeStampReq (RFC 3161 §2.4.1) in DER: version 1, the SHA-256 digest as imprint, the nonce, certificates wanted."""
    imprint = _der(0x30, _der(0x30, _der(0x06, bytes.fromhex("608648016503040201")) + b"\x05\x00") + _der(0x04, _raw(digest)))
    number = nonce.to_bytes(nonce.bit_length() // 8 + 1, "big")
    return _der(0x30, _der(0x02, b"\x01") + imprint + _der(0x02, number) + b"\x01\x01\xff")


def read_token(response: bytes, digest: str, nonce: int | None, trust: Trust) -> Token:
    """Check a TimeStampResp (DER) over `digest`: granted, imprint, nonce if given, signature, chain to a root, revocation, algorithms.

    StampRefused says which of these fails.
    """
    from rfc3161_client import VerificationError, VerifierBuilder

    parsed = _parsed(response)
    info = parsed.tst_info
    if info.message_imprint.hash_algorithm.dotted_string != _SHA256_OID or info.message_imprint.message != _raw(digest):
        raise StampRefused("it is over something else than what was asked to be stamped")
    if nonce is not None and info.nonce != nonce:
        raise StampRefused("it does not carry the nonce of the request: it may be an old answer")
    try:
        VerifierBuilder(roots=list(trust.roots), nonce=nonce).build().verify(parsed, _raw(digest))
    except (VerificationError, ValueError) as error:
        raise StampRefused(f"its signature does not hold against the roots in LIVEPROOF_TSA_ROOTS: {_reason(error)}") from error
    gen_time = WallTime.of(info.gen_time)
    chain = _chain(parsed, trust)
    for certificate, issuer in zip(chain, [*chain[1:], chain[-1]], strict=True):
        _must_not_be_revoked(certificate, issuer, gen_time, trust)
    expires_at = min(WallTime.of(certificate.not_valid_after_utc) for certificate in chain)
    digests = {_DIGESTS.get(oid.dotted_string, oid.dotted_string) for oid in parsed.signed_data.digest_algorithms}
    token = Token(gen_time, expires_at, tuple(sorted({"sha256", *digests, _key_kind(chain[0])})), chain)
    ended = algorithms_end(token.algorithms)
    if gen_time > ended:
        raise StampRefused(f"it rests on {', '.join(token.algorithms)}, of which one has not counted as strong since {ended.iso()[:10]}")
    return token


def embedded_pem(response: bytes) -> bytes:
    """The certificates inside a response, unchecked, as PEM. StampRefused if it is no granted response."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    certificates = (x509.load_der_x509_certificate(der) for der in sorted(_parsed(response).signed_data.certificates))
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def algorithms_end(names: Sequence[str]) -> WallTime:
    """When the first of them ceases to count as strong (archive/algorithm_ends.toml); the year 9999 if none has an end."""
    ends = _ends()
    last = min((ends[name] for name in names if name in ends), default=date(9999, 12, 30))
    return WallTime.of(datetime.combine(last + timedelta(days=1), time_of_day(), UTC))


@cache
def _ends() -> dict[str, date]:
    """Last day on which each kind counts as strong."""
    content = tomllib.loads(Path(__file__).with_name("algorithm_ends.toml").read_text("utf-8"))
    return {end["name"]: end["on"] for end in content["end"]}


def _parsed(response: bytes) -> "TimeStampResponse":
    from rfc3161_client import PKIStatus, decode_timestamp_response

    try:
        parsed = decode_timestamp_response(_with_sorted_certificates(response))
        status = parsed.status
        if status in (PKIStatus.GRANTED, PKIStatus.GRANTED_WITH_MODS):
            _ = parsed.tst_info
            return parsed
        said = "; ".join(parsed.status_string)
    except (ValueError, IndexError) as error:
        raise StampRefused(f"it is no time-stamp response: {_reason(error)}") from error
    raise StampRefused(f"the authority refused (status {status}{': ' + said[:200] if said else ''})")


def _chain(parsed: "TimeStampResponse", trust: Trust) -> "tuple[Certificate, ...]":
    """From the signer's certificate up to a trusted root. The signature was checked before, so that one exists."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature

    embedded = [x509.load_der_x509_certificate(der) for der in parsed.signed_data.certificates]
    (signer,) = parsed.signed_data.signer_infos
    chain = [each for each in embedded if each.issuer == signer.issuer and each.serial_number == signer.serial_number][:1]
    while chain and len(chain) < _CHAIN_MAX:
        for issuer in (*trust.roots, *embedded):
            if issuer.subject != chain[-1].issuer or issuer in chain:
                continue
            try:
                chain[-1].verify_directly_issued_by(issuer)
            except (ValueError, TypeError, InvalidSignature):
                continue
            chain.append(issuer)
            break
        else:
            break
        if chain[-1] in trust.roots:
            return tuple(chain)
    raise StampRefused("it doesn't carry the certificates that lead from its signature to a root in LIVEPROOF_TSA_ROOTS")


def _must_not_be_revoked(certificate: "Certificate", issuer: "Certificate", at: WallTime, trust: Trust) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes

    for revoked in trust.revoked:
        if revoked.issuer != certificate.issuer:
            continue
        if not revoked.is_signature_valid(cast(CertificateIssuerPublicKeyTypes, issuer.public_key())):
            continue
        entry = revoked.get_revoked_certificate_by_serial_number(certificate.serial_number)
        if entry is None:
            continue
        try:
            reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.name
        except x509.ExtensionNotFound:
            reason = "not given"
        when = WallTime.of(entry.revocation_date_utc)
        if reason not in _HARMLESS or at >= when:
            raise StampRefused(f"the certificate {certificate.subject.rfc4514_string()} was revoked on {when.iso()} (reason: {reason})")


def _key_kind(certificate: "Certificate") -> str:
    """The signer's key by the name of the strength it belongs to: rsa-1024, -2048, -3072, -7680, ecdsa-224, -256, -384, ed25519, dsa."""
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa

    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return f"rsa-{max((size for size in (1024, 2048, 3072, 7680) if size <= key.key_size), default=1024)}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"ecdsa-{max((size for size in (224, 256, 384) if size <= key.key_size), default=224)}"
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "ed25519"
    return "dsa" if isinstance(key, dsa.DSAPublicKey) else type(key).__name__


def _raw(digest: str) -> bytes:
    return bytes.fromhex(digest.removeprefix("sha256:"))


def _reason(error: Exception) -> str:
    """What the library says, without its dump of the error stack."""
    text = str(error)
    _, found, told = text.partition("Verify error:")
    if found:
        return told.split('"')[0]
    return text[:200]


def _der(tag: int, content: bytes) -> bytes:
    """One DER element of at most 127 bytes, which a request's all are."""
    if len(content) > 127:
        raise ValueError("a time-stamp request's element is longer than it can be")
    return bytes((tag, len(content))) + content


def _with_sorted_certificates(response: bytes) -> bytes:
    """The response with SignedData.certificates in DER's order: authorities write them in any, and the parser takes only that one.

    They are not part of what is signed. ValueError or IndexError where the bytes are no such structure.
    """
    _, at, _ = _element(response, 0)
    _, _, after_status = _element(response, at)
    if after_status >= len(response):
        return response
    _, at, _ = _element(response, after_status)
    _, _, at = _element(response, at)
    _, at, _ = _element(response, at)
    _, at, _ = _element(response, at)
    for _ in range(3):
        _, _, at = _element(response, at)
    tag, start, end = _element(response, at)
    if tag != 0xA0:
        return response
    certificates = []
    at = start
    while at < end:
        _, _, after = _element(response, at)
        certificates.append(response[at:after])
        at = after
    return response[:start] + b"".join(sorted(certificates)) + response[end:]


def _element(content: bytes, at: int) -> tuple[int, int, int]:
    """Tag, start of the value and end of the DER element at `at`."""
    tag, length, start = content[at], content[at + 1], at + 2
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4:
            raise ValueError("a length is not in DER")
        length = int.from_bytes(content[start : start + count], "big")
        start += count
    if start + length > len(content):
        raise ValueError("it ends too early")
    return tag, start, start + length
