"""What every test may lean on."""

import os
from collections.abc import Iterator

import pytest

# Reading the screen takes longer than most tests; those that are about it ask for it.
os.environ.setdefault("LIVEPROOF_SCREEN_TEXT", "off")
# No real model is at hand, and the demo model hears only where it is named.
os.environ.setdefault("LIVEPROOF_WHISPER_MODEL", "demo-whisper")

from tests.simulators.ceph import Ceph, missing_programs, shared_server


def require_or_skip(condition: object, reason: str) -> None:
    """Skip the test where something that it needs is missing; fail it where LIVEPROOF_REQUIRE_SERVERS=1 says that nothing may be."""
    if condition:
        return
    if os.environ.get("LIVEPROOF_REQUIRE_SERVERS") == "1":
        pytest.fail(f"{reason}, and LIVEPROOF_REQUIRE_SERVERS=1 allows no skip")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def ceph() -> Iterator[Ceph]:
    """A real S3 server with object lock, one for the whole run."""
    missing = missing_programs()
    require_or_skip(
        not missing, f"Ceph is not installed ({', '.join(missing)} missing): apt-get install ceph-mon ceph-osd ceph-mgr radosgw"
    )
    with shared_server() as server:
        yield server
