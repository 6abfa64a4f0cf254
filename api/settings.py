"""How people are served: language, address, port; read once from `LIVEPROOF_*`."""

import os
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ApiSettings(BaseSettings):
    """Defaults serve this machine only."""

    model_config = SettingsConfigDict(env_prefix="LIVEPROOF_", frozen=True)

    bind: str = Field("127.0.0.1", description="Address that `serve` listens on.")
    port: int = Field(8700, description="Port that `serve` listens on.", ge=0, le=65535)
    interface_language: str | None = Field(None, description="zh or en for what people read; default by LANG.")
    max_request_bytes: int = Field(1 << 20, description="Largest JSON request, in bytes.")
    max_package_bytes: int = Field(4 << 30, description="Largest evidence package that may be uploaded to be verified, in bytes.")
    allowed_hosts: str = Field("", description="Host names the server answers to besides localhost and addresses, parted by commas.")
    upload_max_bytes: int = Field(256 << 30, ge=1, description="Largest file that may be uploaded to be admitted, in bytes.")
    upload_keep_hours: int = Field(72, ge=1, description="Hours that an upload waits to be gone on with or admitted before it is removed.")
    upload_idle_s: int = Field(60, ge=1, description="Longest that a client may be silent while it sends an upload's bytes, in seconds.")
    upload_open_max: int = Field(500, ge=1, description="Most uploads that wait at a time.")
    upload_chunk_bytes: int = Field(
        16 << 20, ge=64 << 10, le=1 << 30, description="Most bytes that `upload` sends in one request; fewer on a line that breaks."
    )
    upload_timeout_s: int = Field(60, ge=1, description="Longest that `upload` waits for one answer of the server, in seconds.")
    upload_patience_s: int = Field(900, ge=1, description="Longest that `upload` tries again while no byte gets through, in seconds.")
    upload_admit_timeout_s: int = Field(
        4 * 3600, ge=1, description="Longest that `upload` waits until the server has read and admitted everything, in seconds."
    )
    upload_state: Path | None = Field(
        None, description="Folder in which `upload` remembers files under way; default `liveproof` in the user's state folder."
    )
    rendition_at_ingest: Literal["none", "copy", "all"] = Field(
        "none",
        description="Which parts a recording's job makes ready to play, as its last step: none, those whose picture is copied, or all; "
        "each takes about its part's size on the disk.",
    )
    house_words: Path | None = Field(
        None,
        description="File of names that any host may say (brands, shops, people), one a line: the recogniser is told them. None: no file.",
    )
    search_timeout_s: int = Field(30, description="Longest that one question may take, in seconds.")

    @property
    def upload_state_folder(self) -> Path:
        """`upload_state`, else by the XDG base directory specification."""
        if self.upload_state:
            return self.upload_state
        state = os.environ.get("XDG_STATE_HOME", "")
        return (Path(state) if state.startswith("/") else Path.home() / ".local" / "state") / "liveproof"

    @property
    def known_hosts(self) -> tuple[str, ...]:
        """`allowed_hosts` in lower case, one by one."""
        return tuple(name.strip().lower() for name in self.allowed_hosts.split(",") if name.strip())

    @property
    def language(self) -> str:
        """`zh` or `en`."""
        wanted = self.interface_language or os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG", "")
        return "zh" if wanted.lower().startswith("zh") else "en"


@cache
def api_settings() -> ApiSettings:
    """The settings of this process."""
    return ApiSettings()
