"""How people are served: language, address, port; read once from `LIVEPROOF_*`."""

import os
from functools import cache

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
    search_timeout_s: int = Field(30, description="Longest that one question may take, in seconds.")

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
