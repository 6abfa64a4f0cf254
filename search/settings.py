"""Search settings. Nothing else in the package reads the environment."""

from datetime import timedelta, timezone, tzinfo
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, field_validator
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
    cross_encoder: str = Field(
        default="none", description="Folder or name of a sentence-transformers cross-encoder that reads the head of a ranking again."
    )
    cross_encoder_weight: float = Field(default=0.3, ge=0, le=2, description="how much its reading (0…1) counts beside a score (0…1)")
    index_busy_seconds: float = Field(default=30.0, gt=0, description="how long a reader or writer waits for the index's lock, in seconds")
    question_time_zone: str = Field(default="Asia/Shanghai", description="Zone of the times that questions name: 昨晚, 11月18号晚上九点.")
    search_index: str = Field(
        default="embedded",
        description="embedded: the index lies in LIVEPROOF_HOME; or the address of a Milvus server, http(s)://host:19530.",
    )
    milvus_token: SecretStr = Field(
        default=SecretStr(""), description="user:password or API key of the Milvus server; empty: none asked for"
    )
    milvus_database: str = Field(default="default", min_length=1, max_length=255, description="database on the Milvus server")
    milvus_prefix: str = Field(
        default="liveproof",
        pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$",
        description="what the names of its collections begin with; archives that share a server need one each",
    )
    milvus_call_seconds: float = Field(
        default=10.0, gt=0, le=600, description="how long one call to the Milvus server may take, in seconds"
    )
    milvus_fresh_seconds: float = Field(
        default=1.0, ge=0, le=60, description="how old what a process knows of other processes' writes may be, in seconds"
    )
    milvus_vector_index: Literal["AUTOINDEX", "FLAT", "HNSW", "IVF_FLAT", "IVF_SQ8"] = Field(
        default="AUTOINDEX", description="the kind of index that the Milvus server makes over sentence vectors"
    )

    @field_validator("question_time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        _zone(value)
        return value

    @property
    def question_zone(self) -> tzinfo:
        """`question_time_zone` to reckon with."""
        return _zone(self.question_time_zone)


def _zone(name: str) -> tzinfo:
    """China's zone also where the machine has no zone data."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        if name == "Asia/Shanghai":
            return timezone(timedelta(hours=8))
        raise ValueError(f"{name} is no time zone: write for example Asia/Shanghai") from error
