"""Whatever codec a part came in, Debian's chromium plays what is made of it."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from archive.opening import open_archive
from archive.rendition import playback_file
from archive.settings import ArchiveSettings
from tests.archive.test_rendition import SOURCES, held, made
from tests.journeys.conftest import until


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("name", SOURCES)
def test_a_browser_plays_it(browser: Browser, tmp_path: Path, name: str) -> None:
    archive = open_archive(ArchiveSettings(home=tmp_path / "home", free_space_margin_bytes=0))
    file = playback_file(archive, held(archive, made(tmp_path, name, *SOURCES[name][0])))
    (tmp_path / "page.html").write_text(f'<video autoplay muted src="{file.relative_to(tmp_path)}"></video>', "utf-8")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/page.html")
        until(lambda: page.evaluate("document.querySelector('video').currentTime") > 0.5, "playing")
        width = page.evaluate("document.querySelector('video').videoWidth")
        assert (width > 0) == (SOURCES[name][1] is not None)
        page.close()
        server.shutdown()
    archive.close()
