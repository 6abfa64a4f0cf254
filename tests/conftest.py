"""What every test may lean on."""

import os

import pytest


def require_or_skip(condition: object, reason: str) -> None:
    """Skip the test where something that it needs is missing; fail it where LIVEPROOF_REQUIRE_SERVERS=1 says that nothing may be."""
    if condition:
        return
    if os.environ.get("LIVEPROOF_REQUIRE_SERVERS") == "1":
        pytest.fail(f"{reason}, and LIVEPROOF_REQUIRE_SERVERS=1 allows no skip")
    pytest.skip(reason)
