"""Search settings. Nothing else in the package reads the environment."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class SearchSettings(BaseSettings):
    """Read from LIVEPROOF_…; frozen."""

    model_config = SettingsConfigDict(env_prefix="LIVEPROOF_", frozen=True, extra="ignore")

    embedding_model: str | None = Field(
        default=None, description="folder or name of a sentence-transformers model; none: search works without meaning"
    )
    embedding_batch: int = Field(default=64, ge=1, le=4096, description="passages embedded at once")
    question_max_chars: int = Field(default=500, ge=10, le=10_000, description="a longer question is refused")
    candidate_passages: int = Field(default=80, ge=10, le=2000, description="passages of each length that are looked at closely")
    index_busy_seconds: float = Field(default=30.0, gt=0, description="how long a reader or writer waits for the index's lock, in seconds")
