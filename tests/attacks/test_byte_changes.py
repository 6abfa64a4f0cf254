"""G2: of everything held and handed over, no single changed byte goes unnoticed. tests/benchmarks/byte_changes.py tries 10,000."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.opening import open_archive
from archive.settings import ArchiveSettings
from archive.verification import verify_archive, verify_package
from tests.benchmarks.byte_changes import Attack
from tests.simulators.tampering import fill, tally

TRIES = {"package": 80, "object": 80, "row": 80, "log": 80}


@pytest.fixture(scope="session")
def everything(media: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[ArchiveSettings, Path]:
    """Settings of a home with something of everything in it, and a package of it."""
    folder = tmp_path_factory.mktemp("everything")
    return fill(folder / "home", media, folder), folder / "package.zip"


@pytest.fixture
def attack(everything: tuple[ArchiveSettings, Path], tmp_path: Path) -> Iterator[Attack]:
    settings, package = everything
    shutil.copytree(settings.home, tmp_path / "home")
    archive = open_archive(settings.model_copy(update={"home": tmp_path / "home"}))
    assert verify_archive(archive).passed
    assert verify_package(package).passed
    attack = Attack(archive, Path(shutil.copy(package, tmp_path)), random.Random(20261122))
    yield attack
    attack.close()
    assert verify_archive(archive).passed, "what was changed was not put back"
    archive.close()


@pytest.mark.parametrize("kind", TRIES)
def test_every_random_single_byte_change_is_found(attack: Attack, kind: str) -> None:
    assert tally(TRIES[kind], attack.kinds()[kind]).missed == []
