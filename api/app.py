"""The HTTP application: the API under /v1 and the page at /, safe headers on everything, every error a problem."""

import ipaddress
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import structlog
from fastapi import FastAPI, Request
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import (
    admissions,
    cases,
    clocks,
    custody,
    evidence,
    extensions,
    jobs,
    pages,
    problems,
    promise_ledger,
    recordings,
    retention,
    reveal,
    screens,
    searches,
    second_opinions,
    uploads,
)
from api.fields import At, Reply
from api.settings import api_settings
from api.warming import warm
from api.workplace import Workplace
from archive.settings import archive_settings

log = structlog.get_logger(__name__)

WARM_UP_TIMEOUT_S = 60
WEB = Path(__file__).parent / "web"
_KINDS = {413: "TooLarge"}
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
}


def create_app(workplace: Workplace, *, is_warm: bool = False) -> FastAPI:
    """The application over an opened workplace, which the caller closes. `is_warm`: what questions need is loaded."""
    app = FastAPI(
        title="LiveProof",
        version="1",
        summary="Find the seconds in which a host promised something, and hand them over as evidence.",
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_warm,
    )
    app.state.workplace, app.state.ready = workplace, is_warm
    problems.install(app)
    routed = (
        recordings,
        clocks,
        searches,
        cases,
        evidence,
        custody,
        retention,
        reveal,
        screens,
        second_opinions,
        uploads,
        admissions,
        extensions,
        jobs,
        promise_ledger,
        pages,
    )
    for module in routed:
        app.include_router(module.router)
    app.add_api_route("/v1/health", health, tags=["health"], summary="Whether this process can answer")
    app.mount("/static", StaticFiles(directory=WEB / "static"), name="static")
    app.add_middleware(Guard)
    return app


@asynccontextmanager
async def _warm(app: FastAPI) -> AsyncIterator[None]:
    """Unless the caller did it, load what questions need beside the first requests."""
    warming = threading.Thread(target=_warm_up, args=(app,), name="warm-up", daemon=True)
    if not app.state.ready:
        warming.start()
    yield
    if warming.ident is not None:
        await anyio.to_thread.run_sync(warming.join, WARM_UP_TIMEOUT_S)


def _warm_up(app: FastAPI) -> None:
    warm(app.state.workplace)
    app.state.ready = True


def health(request: Request, workplace: At) -> Reply:
    """Reads the catalog: 200 where that works, 503 where it doesn't. `ready`: the models that search needs are loaded."""
    head = workplace.archive.custody.head()
    return {
        "status": "ok",
        "ready": request.app.state.ready,
        "recordings": len(workplace.archive.catalog.recordings()),
        "custody_entries": head.seq if head else 0,
    }


class Guard:
    """Safe headers on every answer; refused are names that aren't this server's (DNS rebinding), writes from other sites, long bodies."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._names = {"localhost", socket.gethostname().lower(), *api_settings().known_hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        left = self._limit(scope["path"])

        async def receive_counted() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(413, f"the request's body is longer than the {self._limit(scope['path'])} bytes that are read here")
            return message

        request = Request(scope)
        refusal = self._refusal(request)
        if refusal:
            answer = problems.problem(request, _KINDS.get(refusal[0], "NotAllowed"), *refusal)
            await answer(scope, receive, send_with_headers)
        else:
            await self._app(scope, receive_counted, send_with_headers)

    def _refusal(self, request: Request) -> tuple[int, str] | None:
        host = request.headers.get("host", "")
        if not self._is_ours(host):
            return 421, f"this server does not answer to the name {host[:100]!r}: list it in LIVEPROOF_ALLOWED_HOSTS"
        origin = request.headers.get("origin")
        if request.method not in SAFE_METHODS and origin and urlsplit(origin).netloc != host:
            return 403, f"a page of {origin[:100]!r} may not change anything here"
        announced, limit = request.headers.get("content-length", ""), self._limit(request.url.path)
        if announced.isdecimal() and int(announced[:20]) > limit:
            return 413, f"the request's body has {announced[:20]} bytes, and at most {limit} are read here"
        return None

    def _limit(self, path: str) -> int:
        """Bytes that a request to this path may bring."""
        if path == "/v1/verify":
            return api_settings().max_package_bytes
        if path == "/v1/uploads" or path.startswith("/v1/uploads/"):
            return api_settings().upload_max_bytes
        # What is sent with an attachment is its words, and the borders between fields.
        attached = path.startswith("/v1/cases/") and path.endswith("/attachments")
        return api_settings().max_request_bytes + (archive_settings().attachment_max_bytes if attached else 0)

    def _is_ours(self, host: str) -> bool:
        name = (urlsplit(f"//{host}").hostname or "") if _splits(host) else ""
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name.lower() in self._names
        return True


def _splits(host: str) -> bool:
    """Whether a Host header is a name or address, with or without a port; urlsplit raises over half an IPv6 address."""
    return bool(host) and host.count("[") == host.count("]") and "@" not in host and "/" not in host
