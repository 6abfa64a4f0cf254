"""An open archive: database, objects, catalog, transcripts, cases and custody log of one LIVEPROOF_HOME."""

from dataclasses import dataclass
from pathlib import Path

from archive.cases import CaseFile
from archive.catalog import Catalog
from archive.checkpoints import Checkpoints
from archive.custody import CustodyLog
from archive.database import Database, open_database
from archive.errors import DatabaseUnavailable
from archive.object_store import ObjectStore, open_store
from archive.settings import ArchiveSettings
from archive.timeline import Clock, WallTime
from archive.timestamping import Stamps
from archive.transcripts import TranscriptCatalog


@dataclass(frozen=True, slots=True)
class Archive:
    """What the other packages are handed. `clock` tells the present; `home` is the folder everything lives in."""

    home: Path
    settings: ArchiveSettings
    clock: Clock
    database: Database
    store: ObjectStore
    custody: CustodyLog
    checkpoints: Checkpoints
    stamps: Stamps
    catalog: Catalog
    transcripts: TranscriptCatalog
    cases: CaseFile

    def close(self) -> None:
        self.database.close()


def open_archive(settings: ArchiveSettings, clock: Clock = WallTime.now) -> Archive:
    """Open the archive, making the home and bringing the catalog up to date. DatabaseUnavailable if it can't be opened."""
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseUnavailable(
            f"LIVEPROOF_HOME {settings.home} can't be made: {error.strerror}. Set it to a folder you may write"
        ) from error
    database = open_database(settings.catalog_url)
    custody = CustodyLog(database, clock)
    return Archive(
        home=settings.home.resolve(),
        settings=settings,
        clock=clock,
        database=database,
        store=open_store(settings),
        custody=custody,
        checkpoints=Checkpoints(database, custody, settings, settings.home.resolve(), clock),
        stamps=Stamps(database, settings, clock),
        catalog=Catalog(database, custody),
        transcripts=TranscriptCatalog(database, custody),
        cases=CaseFile(database, custody, clock),
    )
