"""A real S3 server with versioning and object lock for tests: Ceph's RADOS gateway over one monitor and one OSD in memory.

It enforces COMPLIANCE retention and legal holds, and refuses wrong secrets; a mock does neither. Debian's packages ceph-mon, ceph-osd,
ceph-mgr and radosgw are all it needs. One server, started by whichever test process comes first, serves all of them and ends with the last.
"""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from minio import Minio

from archive.settings import ArchiveSettings

PROGRAMS = ("ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "ceph-authtool", "monmaptool", "ceph")
START_TIMEOUT_S = 90

CONFIG = """
[global]
fsid = {fsid}
mon initial members = a
mon host = [v2:127.0.0.1:{mon_v2},v1:127.0.0.1:{mon_v1}]
public network = 127.0.0.0/8
ms bind ipv4 = true
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
mon max pg per osd = 1000
osd objectstore = memstore
memstore device bytes = 4294967296
osd max object name len = 256
run dir = {folder}/run
admin socket = {folder}/run/$name.asok
log file = {folder}/log/$name.log
pid file = {folder}/run/$name.pid
keyring = {folder}/keyring
mon data = {folder}/mon
osd data = {folder}/osd
mgr data = {folder}/mgr
rgw data = {folder}/rgw
mon data avail crit = 1
mon data avail warn = 2
setuser match path =
[client.rgw.a]
rgw frontends = beast endpoint=127.0.0.1:{rgw}
rgw dynamic resharding = false
"""
CAPS = {
    "mon.": ("mon", "allow *"),
    "client.admin": ("mon", "allow *", "osd", "allow *", "mgr", "allow *"),
    "osd.0": ("mon", "allow profile osd", "osd", "allow *", "mgr", "allow profile osd"),
    "client.rgw.a": ("mon", "allow rw", "osd", "allow rwx", "mgr", "allow rw"),
}


@dataclass(frozen=True)
class Role:
    """Somebody with keys to the server."""

    name: str
    access_key: str
    secret_key: str


OWNER = Role("owner", "OWNERACCESSKEY", "OwnerSecretKey0123456789")
STRANGER = Role("stranger", "STRANGERACCESSKEY", "StrangerSecretKey0123456789")
SYSTEM = Role("system", "SYSTEMACCESSKEY", "SystemSecretKey0123456789")
ROLES = (OWNER, STRANGER, SYSTEM)


@dataclass(frozen=True)
class Ceph:
    """A running server: its S3 address and the folder with its configuration and logs."""

    endpoint: str
    folder: Path

    def admin(self, *arguments: str) -> str:
        """Run `radosgw-admin`, the cluster operator's own tool."""
        return _run("radosgw-admin", "-c", str(self.folder / "ceph.conf"), *arguments)

    def remove_behind_the_gateway(self, bucket: str, key: str) -> None:
        """Take an object's bytes out of the storage pool itself, as root on the cluster can; no S3 request is involved."""
        with_conf = ("rados", "-c", str(self.folder / "ceph.conf"), "-p", "default.rgw.buckets.data")
        for name in _run(*with_conf, "ls").splitlines():
            if key.rpartition("/")[2] in name:
                _run(*with_conf, "rm", name)

    def client(self, role: Role = OWNER) -> Minio:
        """A plain S3 client of a role."""
        return Minio(self.endpoint.removeprefix("http://"), role.access_key, role.secret_key, secure=False, region="us-east-1")

    def new_bucket(self, lock: bool = True, role: Role = OWNER) -> str:
        """The name of a fresh bucket."""
        name = f"evidence-{uuid.uuid4().hex[:12]}"
        self.client(role).make_bucket(name, object_lock=lock)
        return name

    def settings(self, home: Path, bucket: str, role: Role = OWNER, **more: object) -> ArchiveSettings:
        """Settings of an archive whose objects are in the bucket."""
        given: dict[str, object] = {
            "home": home,
            "object_store": f"s3://{bucket}/evidence",
            "s3_endpoint": self.endpoint,
            "s3_access_key": role.access_key,
            "s3_secret_key": role.secret_key,
            "s3_part_bytes": 5 << 20,
            "free_space_margin_bytes": 0,
        }
        return ArchiveSettings.model_validate({**given, **more})


def missing_programs() -> list[str]:
    return [name for name in PROGRAMS if shutil.which(name) is None]


@contextlib.contextmanager
def shared_server() -> Iterator[Ceph]:
    """The one server of this test run, over all of its worker processes: the first starts it, the last stops it."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", f"alone-{os.getpid()}")
    place = Path(tempfile.gettempdir()) / f"lp-ceph-{run}"
    me = place / f"user-{os.getpid()}"
    with _alone():
        _sweep()
        place.mkdir(exist_ok=True)
        if not (place / "endpoint").exists():
            _start(place / "server")
            (place / "endpoint").write_text(f"http://127.0.0.1:{json.loads((place / 'server' / 'ports').read_text())['rgw']}")
        me.touch()
    try:
        yield Ceph((place / "endpoint").read_text(), place / "server")
    finally:
        with _alone():
            me.unlink()
            _sweep()


def stop(folder: Path) -> None:
    """End the server's processes by the pid files that they wrote, the gateway first."""
    pids = [int(file.read_text()) for file in sorted((folder / "run").glob("*.pid")) if file.read_text().strip()]
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + 10
    while any(_runs(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.1)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _start(folder: Path) -> None:
    """Bring up monitor, OSD, gateway and users; raises with the last lines of the logs if that fails."""
    for name in ("mon", "osd", "mgr", "run", "log", "rgw"):
        (folder / name).mkdir(parents=True)
    ports = dict(zip(("mon_v2", "mon_v1", "rgw"), _free_ports(3), strict=True))
    fsid, conf, keyring = str(uuid.uuid4()), folder / "ceph.conf", folder / "keyring"
    conf.write_text(CONFIG.format(fsid=fsid, folder=folder, **ports))
    try:
        for name, caps in CAPS.items():
            new = [] if keyring.exists() else ["--create-keyring"]
            pairs = [word for kind, cap in zip(caps[::2], caps[1::2], strict=True) for word in ("--cap", kind, cap)]
            _run("ceph-authtool", *new, str(keyring), "--gen-key", "-n", name, *pairs)
        mon = f"[v2:127.0.0.1:{ports['mon_v2']},v1:127.0.0.1:{ports['mon_v1']}]"
        _run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", mon, str(folder / "monmap"))
        _run("ceph-mon", "-c", str(conf), "-i", "a", "--mkfs", "--monmap", str(folder / "monmap"), "--keyring", str(keyring))
        _run("ceph-mon", "-c", str(conf), "-i", "a")
        osd = str(uuid.uuid4())
        for arguments in (("mon", "enable-msgr2"), ("auth", "import", "-i", str(keyring)), ("osd", "new", osd, "0")):
            _run("ceph", "-c", str(conf), *arguments)
        _run("ceph-osd", "-c", str(conf), "-i", "0", "--mkfs", "--osd-uuid", osd)
        _run("ceph-osd", "-c", str(conf), "-i", "0")
        _run("ceph", "-c", str(conf), "osd", "crush", "add", "osd.0", "1.0", "root=default", "host=localhost")
        _run("radosgw", "-c", str(conf), "-n", "client.rgw.a", "--keyring", str(keyring))
        _wait_for(ports["rgw"])
        for role in ROLES:
            keys = ("--access-key", role.access_key, "--secret-key", role.secret_key)
            more = ("--system", "--admin") if role is SYSTEM else ()
            made = ("user", "create", "--uid", role.name, "--display-name", role.name)
            _run("radosgw-admin", "-c", str(conf), *made, *keys, *more)
    except BaseException:
        for log in (folder / "log").glob("*.log"):
            print(f"--- {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-15:]), file=sys.stderr)
        stop(folder)
        shutil.rmtree(folder, ignore_errors=True)
        raise
    (folder / "ports").write_text(json.dumps(ports))


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=START_TIMEOUT_S, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"the gateway did not answer on port {port} in {START_TIMEOUT_S} s")


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """One process at a time starts or stops servers."""
    with (Path(tempfile.gettempdir()) / "lp-ceph.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _sweep() -> None:
    """Stop the servers that nobody uses any more, those of killed test runs included."""
    for place in Path(tempfile.gettempdir()).glob("lp-ceph-*"):
        if not any(_runs(int(user.name.removeprefix("user-"))) for user in place.glob("user-*")):
            stop(place / "server")
            shutil.rmtree(place, ignore_errors=True)


def _runs(pid: int) -> bool:
    """Whether a process is there and no zombie that nobody has waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
