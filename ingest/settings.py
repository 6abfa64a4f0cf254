"""Limits of what the gate takes in; read once from `LIVEPROOF_*`. Nothing else in the package reads the environment."""

from functools import cache
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class IngestSettings(BaseSettings):
    """Sizes in bytes, counts in entries."""

    model_config = SettingsConfigDict(env_prefix="LIVEPROOF_", frozen=True, extra="ignore")

    parts_max: int = Field(2000, ge=1, description="Most media files of one recording.")
    media_max_bytes: int = Field(1 << 40, ge=1, description="Largest media file, in bytes.")
    chat_files_max: int = Field(2000, ge=1, description="Most chat files of one recording.")
    chat_max_bytes: int = Field(512 << 20, ge=1, description="Largest chat file, in bytes.")
    chat_max_messages: int = Field(5_000_000, ge=1, description="Most messages of one recording.")
    message_max_chars: int = Field(10_000, ge=1, description="A longer message is cut to this in the catalog; the file keeps it whole.")
    chat_columns: dict[Literal["time", "date", "sender", "role", "text", "order_id", "recalled"], str] = Field(
        default_factory=dict,
        description='Columns of customer-service exports, as JSON, e.g. {"time": "发送时间"}; the rest are known by usual names.',
    )
    captions_max_bytes: int = Field(64 << 20, ge=1, description="Largest caption file, in bytes.")
    captions_max_cues: int = Field(500_000, ge=1, description="Most cues of a caption file.")
    media_check: Literal["none", "key_pictures", "every_picture"] = Field(
        "key_pictures", description="What a new part's check decodes: nothing, all sound and the key pictures, or everything."
    )
    media_check_timeout_s: int = Field(7200, ge=1, description="Longest that decoding one part for its check may take, in seconds.")
    table_max_bytes: int = Field(64 << 20, ge=1, description="Largest products or events file, in bytes.")
    table_max_rows: int = Field(200_000, ge=1, description="Most rows of a products or events file.")
    field_max_chars: int = Field(20_000, ge=1, description="Longest field of a products or events file, in characters.")
    recorder_time_zone: str = Field(
        "Asia/Shanghai", description="Zone of the times in recorders' file names and of times in chat files that name none."
    )
    watch_quiet_s: int = Field(60, ge=0, description="Seconds that a file in a watch folder must be left unchanged to count as closed.")
    watch_session_gap_s: int = Field(
        900, ge=0, description="Longest pause between two parts of one session in a watch folder, in seconds; it ends a session, too."
    )
    watch_session_max_s: int = Field(
        48 * 3600, ge=60, description="A session in a watch folder that is longer goes on as a further recording, in seconds."
    )
    watch_poll_s: int = Field(10, ge=1, le=3600, description="Seconds between two looks at a watch folder.")
    watch_depth: int = Field(4, ge=0, le=32, description="Levels of folders below a watch folder that are looked into.")
    watch_files_max: int = Field(100_000, ge=1, description="Most files and folders that one look at a watch folder takes.")
    capture_segment_s: int = Field(60, ge=5, le=600, description="Length of the parts that a live capture closes, in seconds.")
    capture_connect_s: int = Field(10, ge=1, le=300, description="Longest that a live server may take to answer, in seconds.")
    capture_stall_s: int = Field(10, ge=2, le=600, description="Seconds without a byte after which a live connection is made anew.")
    capture_retry_max_s: int = Field(30, ge=1, le=3600, description="Longest pause before a live connection is tried again, in seconds.")
    capture_room_page_s: int = Field(60, ge=5, le=600, description="Longest that streamlink may take to read a room's page, in seconds.")


@cache
def ingest_settings() -> IngestSettings:
    """The settings of this process."""
    return IngestSettings()
