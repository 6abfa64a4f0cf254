"""A live server on 127.0.0.1 over a small real archive, and Debian's chromium to visit it with."""

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

from api.app import create_app
from api.workplace import open_workplace
from archive.settings import ArchiveSettings
from tests.api.conftest import NOW, fill
from tests.conftest import require_or_skip

# Nothing outside this machine is asked for anything.
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--mute-audio",
]
OpenPage = Callable[..., Page]


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the server listens."""
    folder = tmp_path_factory.mktemp("journeys")
    workplace = open_workplace(ArchiveSettings(home=folder / "home", free_space_margin_bytes=0, actor="tester"), lambda: NOW)
    fill(workplace, folder)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(workplace), log_level="warning", timeout_graceful_shutdown=3))
    running = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    running.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start in 20 s"
        time.sleep(0.05)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    running.join(timeout=10)
    workplace.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium")
    require_or_skip(program, "chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=SWITCHES, timeout=60_000)
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[OpenPage]:
    """Open a page of a fresh visitor; what goes wrong in its scripts fails the test."""
    contexts, faults = [], []

    def opened(path: str = "/?recording=live-1", **context: object) -> Page:
        settings: dict[str, object] = {
            "viewport": {"width": 1280, "height": 860},
            "locale": "en-US",
            "timezone_id": "Asia/Shanghai",
            **context,
        }
        contexts.append(browser.new_context(**settings))  # type: ignore[arg-type]
        page = contexts[-1].new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.goto(address + path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []


def until(holds: Callable[[], bool], what: str, seconds: float = 15) -> None:
    """Wait from outside the page: its policy forbids evaluated strings inside."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"{what} did not come about in {seconds} s"
        time.sleep(0.05)


def saved(folder: Path, page: Page, act: Callable[[], None]) -> Path:
    """What the browser downloads when `act` is done."""
    with page.expect_download() as awaited:
        act()
    file = folder / awaited.value.suggested_filename
    awaited.value.save_as(file)
    return file
