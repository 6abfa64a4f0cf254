"""Search settings. Nothing else in the package reads the environment."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

BUNDLED_MODEL = Path(__file__).parent.parent / "infra" / "models" / "demo-sentences"


class SearchSettings(BaseSettings):
    """Read from LIVEPROOF_…; frozen."""

    model_config = SettingsConfigDict(env_prefix="LIVEPROOF_", frozen=True, extra="ignore")

    embedding_model: str = Field(
        default="auto",
        description="Folder or name of a sentence-transformers model. auto: BAAI/bge-small-zh-v1.5 if it is on this machine, "
        "else the bundled demo model; none: search goes without meaning.",
    )
    embedding_bundled: Path = Field(default=BUNDLED_MODEL, description="The demo model that auto falls back to.")
    embedding_batch: int = Field(default=64, ge=1, le=4096, description="passages embedded at once")
    index_busy_seconds: float = Field(default=30.0, gt=0, description="how long a reader or writer waits for the index's lock, in seconds")
