"""Where the archive lives and how much it takes; read once from `LIVEPROOF_*`."""

from functools import cache
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ArchiveSettings(BaseSettings):
    """`home`: one folder that holds everything. The URLs default to files inside it."""

    model_config = SettingsConfigDict(env_prefix="LIVEPROOF_", frozen=True)

    home: Path = Field(Path("liveproof-home"), description="Folder that holds catalog, objects, indexes and models.")
    database_url: str | None = Field(None, description="Catalog: postgresql://user@host/name; default SQLite in the home.")
    jobs_url: str | None = Field(None, description="Durable jobs: postgresql://…; default SQLite in the home.")
    object_store: str | None = Field(None, description="Where originals are kept: a folder; default objects/ in the home.")
    actor: str = Field("operator", description="Who the custody log names for commands typed here.")
    log_level: str = Field("WARNING", description="DEBUG, INFO, WARNING or ERROR.")
    log_format: str = Field("text", description="text or json, a line an event on standard error.")
    free_space_margin_bytes: int = Field(256 << 20, description="Bytes that an admission must leave free on the disk.")
    subprocess_timeout_s: int = Field(3600, description="Longest that one ffmpeg run may take, in seconds.")

    @property
    def catalog_url(self) -> str:
        """SQLAlchemy URL of the catalog."""
        if self.database_url:
            return _with_driver(self.database_url)
        return f"sqlite:///{self.home.resolve() / 'catalog.db'}"

    @property
    def jobs_database_url(self) -> str:
        """URL that the job engine keeps its state under."""
        return self.jobs_url or f"sqlite:///{self.home.resolve() / 'jobs.db'}"

    @property
    def objects_folder(self) -> Path:
        return Path(self.object_store) if self.object_store else self.home / "objects"


def _with_driver(url: str) -> str:
    for scheme in ("postgresql://", "postgres://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url.removeprefix(scheme)
    return url


@cache
def archive_settings() -> ArchiveSettings:
    """The settings of this process."""
    return ArchiveSettings()
