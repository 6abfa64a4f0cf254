"""Kinds of values that requests carry, with their limits, shared by the routers."""

from collections.abc import Mapping
from typing import Annotated, TypeAlias

from fastapi import Depends, Path, Query, Request
from pydantic import AfterValidator, Field

from api.messages import Language, language_of
from api.settings import api_settings
from api.workplace import Workplace
from archive.timeline import WallTime

ID_MAX_CHARS = 200
# What the settings allow is search's to say; this only bounds the request.
QUESTION_MAX_CHARS = 500
LATEST_MS = 1 << 40


def _storable(text: str) -> str:
    """Text that both databases can hold: no NUL, no half of a surrogate pair."""
    if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError("must be valid text, without NUL characters or broken surrogates")
    return text


def _wall_time(text: str) -> str:
    WallTime.parse(text)
    return text


# What a handler answers: JSON whose shape `api.answers` gives.
Reply: TypeAlias = Mapping[str, object]
Storable = AfterValidator(_storable)
Id: TypeAlias = Annotated[str, Storable, Field(min_length=1, max_length=ID_MAX_CHARS)]
Line: TypeAlias = Annotated[str, Storable, Field(max_length=500)]
LongText: TypeAlias = Annotated[str, Storable, Field(max_length=20_000)]
Milliseconds: TypeAlias = Annotated[int, Field(ge=0, le=LATEST_MS, strict=True, description="On the recording's time line, in ms.")]
IdInPath: TypeAlias = Annotated[str, Path(min_length=1, max_length=ID_MAX_CHARS), Storable]
FromMs: TypeAlias = Annotated[int | None, Query(ge=0, le=LATEST_MS, description="Leave out what ends before this, in ms.")]
ToMs: TypeAlias = Annotated[int | None, Query(ge=0, le=LATEST_MS, description="Leave out what starts after this, in ms.")]


def _workplace(request: Request) -> Workplace:
    workplace: Workplace = request.app.state.workplace
    return workplace


def asked_language(request: Request) -> Language:
    """`zh` or `en`: by `?lang=`, else by the cookie that the page's switch sets, else by Accept-Language, else the setting."""
    for wanted in (request.query_params.get("lang"), request.cookies.get("lang")):
        if wanted in ("zh", "en"):
            return "zh" if wanted == "zh" else "en"
    return language_of(request.headers.get("accept-language"), api_settings().language)


At: TypeAlias = Annotated[Workplace, Depends(_workplace)]
Lang: TypeAlias = Annotated[Language, Depends(asked_language)]


def actor(workplace: Workplace) -> str:
    """Who the custody log names for what is done over HTTP."""
    return f"{workplace.archive.settings.actor} (web)"
