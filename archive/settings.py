"""Where the archive lives and how much it takes; read once from `LIVEPROOF_*`."""

from functools import cache
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ArchiveSettings(BaseSettings):
    """`home`: one folder that holds everything. The URLs default to files inside it."""

    model_config = SettingsConfigDict(env_prefix="LIVEPROOF_", frozen=True)

    home: Path = Field(Path("liveproof-home"), description="Folder that holds catalog, objects, indexes and models.")
    database_url: str | None = Field(None, description="Catalog: postgresql://user@host/name; default SQLite in the home.")
    jobs_url: str | None = Field(None, description="Durable jobs: postgresql://…; default SQLite in the home.")
    object_store: str | None = Field(
        None,
        description="Where originals are kept: a folder, or s3://bucket/prefix (a bucket with object lock); default objects/ in the home.",
    )
    s3_endpoint: str | None = Field(None, description="S3 server, e.g. https://s3.example.com:9000; needed with an s3:// object store.")
    s3_access_key: SecretStr | None = Field(None, description="Access key of the S3 user that LiveProof acts as.")
    s3_secret_key: SecretStr | None = Field(None, description="Secret key of that user.")
    s3_region: str = Field("us-east-1", description="Region that requests are signed for.")
    s3_part_bytes: int = Field(64 << 20, ge=5 << 20, le=5 << 30, description="Size of one piece of a multipart upload, in bytes.")
    s3_cache_bytes: int = Field(20 << 30, ge=0, description="Local copies of S3 objects kept in the home, in bytes; the oldest go first.")
    s3_timeout_s: int = Field(60, ge=1, description="Longest that the S3 server may be silent, in seconds.")
    retention_rules: Path | None = Field(None, description="TOML file of further retention rules; they can only lengthen a retention.")
    retention_years: int = Field(3, ge=3, le=100, description="Years that everything is kept at least, after stream end or linked order.")
    actor: str = Field("operator", description="Who the custody log names for commands typed here.")
    revealers: str = Field("", description="Actors who may be shown a complainant's name, parted by commas; empty: any who names themself.")
    log_level: str = Field("WARNING", description="DEBUG, INFO, WARNING or ERROR.")
    log_format: str = Field("text", description="text or json, a line an event on standard error.")
    free_space_margin_bytes: int = Field(256 << 20, description="Bytes that an admission must leave free on the disk.")
    signing_key: Path | None = Field(None, description="PEM file of the Ed25519 key that checkpoints are signed with; default in the home.")
    checkpoint_every_s: int = Field(3600, ge=1, description="Seconds after which a custody log that grew is given a checkpoint by itself.")
    witnesses: SecretStr = Field(
        SecretStr(""),
        description="Where checkpoints are copied, parted by spaces or commas: folders, file:///…, s3://bucket/prefix, https://…",
    )
    witness_timeout_s: int = Field(20, ge=1, description="Longest that a witness may take for one copy, in seconds.")
    tsa_urls: SecretStr = Field(
        SecretStr(""), description="RFC 3161 time-stamping authorities, parted by spaces or commas; none: stamps stay pending."
    )
    tsa_all: bool = Field(False, description="Have everything stamped by every authority, instead of the first that answers.")
    tsa_roots: Path | None = Field(None, description="PEM file of the root certificates that time-stamps must lead to.")
    tsa_crls: Path | None = Field(None, description="PEM or DER file of revocation lists to check authorities' certificates against.")
    tsa_timeout_s: int = Field(10, ge=1, description="Longest that an authority may take for one answer, in seconds.")
    tsa_answer_max_bytes: int = Field(128 << 10, ge=1024, description="Largest answer of an authority that is read, in bytes.")
    tsa_renewal_margin_days: int = Field(
        90, ge=1, description="Days before a certificate's or algorithm's end at which a stamp is renewed."
    )
    custody_budget_s: int = Field(30, ge=1, description="Seconds that one round of stamping and copying to witnesses may take.")
    attachment_max_bytes: int = Field(200 << 20, ge=1, description="Longest file that may be attached to a case, in bytes.")
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
    def on_s3(self) -> bool:
        """Whether objects are kept by an S3 server."""
        return bool(self.object_store and self.object_store.startswith("s3://"))

    @property
    def may_reveal(self) -> tuple[str, ...]:
        """`revealers` one by one; none means anybody."""
        return tuple(name.strip() for name in self.revealers.split(",") if name.strip())

    @property
    def objects_folder(self) -> Path:
        """Folder of the objects; of their local copies where an S3 server keeps them."""
        if self.on_s3:
            return self.home / "object-cache"
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
