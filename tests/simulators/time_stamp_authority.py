"""A real RFC 3161 authority for tests: `openssl ts -reply` behind HTTP, with a CA and a signing certificate made on the spot.

`behaviour` says how it answers from now on: normal, garbage, wrong_nonce, wrong_imprint, hangs, drips, error_500, redirects, huge, rejects.
"""

import contextlib
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from rfc3161_client._rust import parse_timestamp_request

from archive.time_stamp_token import write_request

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

CONFIG = """
[tsa]
default_tsa = it
[it]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
certs = {folder}/chain.pem
signer_key = {folder}/tsa.key
signer_digest = {signer_digest}
default_policy = 1.3.6.1.4.1.99999.1
digests = {digests}
accuracy = secs:1
ordering = no
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


@dataclass
class Authority:
    """Where it listens, what it did, and the certificates that it answers with."""

    folder: Path
    behaviour: str = "normal"
    url: str = ""
    asked: int = 0
    root: x509.Certificate = field(init=False)
    certificate: x509.Certificate = field(init=False)
    root_key: Key = field(init=False)
    counting: threading.Lock = field(default_factory=threading.Lock)

    @property
    def root_pem(self) -> Path:
        return self.folder / "root.pem"

    def certify(self, lasts: timedelta = timedelta(days=3650), since: timedelta = timedelta(days=1), rsa_bits: int | None = None) -> None:
        """Make a new signing certificate under the same root, valid from `since` ago until `lasts` from now."""
        now = datetime.now(UTC)
        key = rsa.generate_private_key(65537, rsa_bits) if rsa_bits else ec.generate_private_key(ec.SECP256R1())
        middle_key = ec.generate_private_key(ec.SECP256R1())
        middle = issued(
            "Test TSA intermediate", middle_key, self.root, self.root_key, now - timedelta(days=900), now + timedelta(days=9000)
        )
        self.certificate = issued("Test TSA", key, middle, middle_key, now - since, now + lasts, signs_stamps=True)
        (self.folder / "tsa.pem").write_bytes(self.certificate.public_bytes(Encoding.PEM))
        (self.folder / "chain.pem").write_bytes(middle.public_bytes(Encoding.PEM))
        (self.folder / "tsa.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        (self.folder / "serial").write_text("01\n")
        self.middle, self.middle_key = middle, middle_key

    def reply(self, query: bytes, digests: str = "sha256, sha512", signer_digest: str = "sha256") -> bytes:
        """What `openssl ts -reply` says to the query."""
        config, asked, answer = (self.folder / f"{threading.get_ident()}.{ending}" for ending in ("cnf", "tsq", "tsr"))
        config.write_text(CONFIG.format(folder=self.folder, digests=digests, signer_digest=signer_digest))
        asked.write_bytes(query)
        command = ["openssl", "ts", "-reply", "-config", str(config), "-queryfile", str(asked), "-out", str(answer)]
        with self.counting:  # openssl's serial number file takes one writer at a time
            done = subprocess.run(command, capture_output=True, timeout=30)
        assert done.returncode == 0, done.stderr.decode()
        return answer.read_bytes()

    def revocation_list(self, reason: x509.ReasonFlags | None, on: datetime) -> bytes:
        """A list on which the intermediate revoked the signing certificate, as PEM."""
        entry = x509.RevokedCertificateBuilder().serial_number(self.certificate.serial_number).revocation_date(on)
        if reason is not None:
            entry = entry.add_extension(x509.CRLReason(reason), critical=False)
        now = datetime.now(UTC)
        listed = x509.CertificateRevocationListBuilder().issuer_name(self.middle.subject).last_update(now - timedelta(days=1))
        made = listed.next_update(now + timedelta(days=30)).add_revoked_certificate(entry.build()).sign(self.middle_key, hashes.SHA256())
        return made.public_bytes(Encoding.PEM)


def issued(
    name: str,
    key: Key,
    issuer: x509.Certificate | None,
    issuer_key: Key,
    start: datetime,
    end: datetime,
    signs_stamps: bool = False,
) -> x509.Certificate:
    """A certificate; of a CA unless it `signs_stamps`."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(not signs_stamps, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if signs_stamps:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    return builder.sign(issuer_key, hashes.SHA256())


@contextlib.contextmanager
def authority(folder: Path, behaviour: str = "normal") -> Iterator[Authority]:
    """A running authority with a root of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Authority(folder, behaviour)
    made.root_key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    made.root = issued("Test root", made.root_key, None, made.root_key, now - timedelta(days=1000), now + timedelta(days=9500))
    made.root_pem.write_bytes(made.root.public_bytes(Encoding.PEM))
    made.certify()
    stopped = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            made.asked += 1
            query = self.rfile.read(int(self.headers["Content-Length"]))
            if made.behaviour == "hangs":
                stopped.wait(60)
                return
            if made.behaviour == "drips":
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                while not stopped.wait(0.1):
                    try:
                        self.wfile.write(b"X: 1\r\n")
                    except OSError:
                        return
                return
            status = {"error_500": 500, "redirects": 302}.get(made.behaviour, 200)
            answer = self.answer(query)
            self.send_response(status)
            self.send_header("Content-Type", "application/timestamp-reply")
            if status == 302:
                self.send_header("Location", made.url)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(answer)

        def answer(self, query: bytes) -> bytes:
            asked = parse_timestamp_request(query)
            digest, nonce = "sha256:" + asked.message_imprint.message.hex(), asked.nonce or 0
            match made.behaviour:
                case "garbage":
                    return b"\x30\x82this is no time-stamp"
                case "huge":
                    return b"\x30" * (4 << 20)
                case "wrong_nonce":
                    return made.reply(write_request(digest, nonce ^ 1))
                case "wrong_imprint":
                    return made.reply(write_request("sha256:" + "11" * 32, nonce))
                case "rejects":
                    return made.reply(query, digests="sha512")
                case "sha1":
                    return made.reply(query, signer_digest="sha1")
            return made.reply(query)

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.url = f"http://127.0.0.1:{server.server_port}/tsr"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        stopped.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


def wait_until(condition: object, timeout_s: float = 10) -> None:
    """Poll a callable until it is true."""
    deadline = time.monotonic() + timeout_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.02)
