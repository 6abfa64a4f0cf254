"""An open archive: database, objects, catalog, transcripts, cases and custody log of one LIVEPROOF_HOME."""

from dataclasses import dataclass
from pathlib import Path

from archive.cases import CaseFile
from archive.catalog import Catalog
from archive.checkpoints import Checkpoints
from archive.clocks import ClockCatalog
from archive.custody import CustodyLog
from archive.database import Database, open_database
from archive.errors import DatabaseUnavailable
from archive.lock_check import check_lock_if_due
from archive.media_checks import MediaChecks
from archive.object_store import ObjectStore, open_store
from archive.record_readings import RecordReadings
from archive.retention import Retention
from archive.retention_rules import load_rules
from archive.screen_readings import ScreenCatalog
from archive.settings import ArchiveSettings
from archive.timeline import Clock, WallTime
from archive.timestamping import Stamps
from archive.transcripts import TranscriptCatalog
from archive.witnesses import Witnesses


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
    witnesses: Witnesses
    catalog: Catalog
    clocks: ClockCatalog
    transcripts: TranscriptCatalog
    screens: ScreenCatalog
    media_checks: MediaChecks
    cases: CaseFile
    records: RecordReadings
    retention: Retention

    def close(self) -> None:
        self.database.close()


def open_archive(settings: ArchiveSettings, clock: Clock = WallTime.now) -> Archive:
    """Open the archive, making the home and bringing the catalog up to date. DatabaseUnavailable if it can't be opened.

    Where an S3 server keeps the objects, its lock is tried once a day; StoreUnavailable names a setting of it that is missing.
    """
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseUnavailable(
            f"LIVEPROOF_HOME {settings.home} can't be made: {error.strerror}. Set it to a folder you may write"
        ) from error
    rules = load_rules(settings.retention_years, settings.retention_rules)
    store = open_store(settings, clock)
    database = open_database(settings.catalog_url)
    home, custody = settings.home.resolve(), CustodyLog(database, clock)
    catalog = Catalog(database, custody)
    archive = Archive(
        home=home,
        settings=settings,
        clock=clock,
        database=database,
        store=store,
        custody=custody,
        checkpoints=Checkpoints(database, custody, settings, home, clock),
        stamps=Stamps(database, settings, clock),
        witnesses=Witnesses(database, settings, clock),
        catalog=catalog,
        clocks=ClockCatalog(database, custody, clock),
        transcripts=TranscriptCatalog(database, custody),
        screens=ScreenCatalog(database, custody),
        media_checks=MediaChecks(database, custody, clock),
        cases=CaseFile(database, custody, clock),
        records=RecordReadings(database, custody),
        retention=Retention(database, custody, catalog, store, rules, home, clock),
    )
    check_lock_if_due(archive)
    return archive
