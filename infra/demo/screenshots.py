"""Photograph the page for the README: `python -m infra.demo.screenshots [HOME]`.

HOME is an archive that holds the demo session, as `liveproof demo` leaves it in `demo-home`. The pictures go to `docs/images`. Needs
chromium and `pip install playwright`.
"""

import shutil
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from playwright.sync_api import Browser, sync_playwright

from api.app import create_app
from api.workplace import open_workplace
from archive.settings import ArchiveSettings

IMAGES = Path(__file__).parents[2] / "docs" / "images"
QUESTION, NEVER_SAID = "主播有没有说假一赔十", "主播说过皮肤过敏包退吗"
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--mute-audio"]
DESK = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 844}
# Long enough for the player's own controls to fade.
WATCHED_S = 4.5


def main() -> None:
    home = Path(sys.argv[1] if len(sys.argv) > 1 else "demo-home")
    if not home.is_dir():
        sys.exit(f"{home} is not there: run liveproof demo --no-serve first, or name the archive that holds the demo session")
    program = shutil.which("chromium") or sys.exit("chromium is not installed: apt-get install chromium")
    IMAGES.mkdir(parents=True, exist_ok=True)
    with served(home) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=SWITCHES)
        for locale, ending in (("en-US", ""), ("zh-CN", ".zh")):
            photograph(browser, address, QUESTION, IMAGES / f"ask{ending}.png", locale, play=True)
            photograph(browser, address, NEVER_SAID, IMAGES / f"not-said{ending}.png", locale, play=False)
        photograph(browser, address, QUESTION, IMAGES / "phone.zh.png", "zh-CN", play=True, phone=True)
        browser.close()


def photograph(browser: Browser, address: str, question: str, file: Path, locale: str, *, play: bool, phone: bool = False) -> None:
    """Ask, play the best moment for a few seconds if wanted, and take what is then on the screen."""
    context = browser.new_context(
        viewport=PHONE if phone else DESK,
        device_scale_factor=1.5,
        is_mobile=phone,
        has_touch=phone,
        locale=locale,
        timezone_id="Asia/Shanghai",
        color_scheme="light",
    )
    page = context.new_page()
    page.goto(address)
    page.fill("#question", question)
    page.keyboard.press("Enter")
    page.wait_for_selector("#answer .tally")
    if play:
        page.locator(".moment [data-do=play]").first.click()
        deadline = time.monotonic() + 30
        while page.evaluate("document.querySelector('video').paused") and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(WATCHED_S)
    page.screenshot(path=file)
    print(file)
    context.close()


@contextmanager
def served(home: Path) -> Iterator[str]:
    """The archive's page on a free port of this machine."""
    workplace = open_workplace(ArchiveSettings(home=home))
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    app = create_app(workplace)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=3))
    running = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    running.start()
    while not server.started or not app.state.ready:
        time.sleep(0.05)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        server.should_exit = True
        running.join(timeout=10)
        workplace.close()


if __name__ == "__main__":
    main()
