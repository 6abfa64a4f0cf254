"""Serving the page and the HTTP API until stopped, with this process's job engine beside it."""

import socket

import structlog
import uvicorn

from api.app import create_app
from api.custody_keeping import keeping_custody
from api.messages import message
from api.processing import open_jobs
from api.settings import api_settings
from api.uploads import uploads_of
from api.warming import settle, warm
from api.workplace import Workplace
from archive.errors import LiveProofError

log = structlog.get_logger(__name__)


class AddressInUse(LiveProofError):
    """The port to serve on is taken."""

    exit_code = 12
    status = 503


def serve_forever(place: Workplace, host: str, port: int) -> None:
    """Serve until interrupted. Port 0 takes a free one; the address is printed once questions are answered at once. AddressInUse if it is
    taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise AddressInUse(f"{host}:{port} can't be served on: {error.strerror}. Choose another with --port") from error
        bound = listener.getsockname()[1]
        # Who asks first needn't wait for dictionaries and models, nor load them beside another who asks first.
        app = create_app(place, is_warm=warm(place))
        settle()
        listener.listen()
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=5, server_header=False)
        shown = f"[{host}]" if ":" in host else host
        print(message("command.serving", api_settings().language, address=f"http://{shown}:{bound}/"), flush=True)
        with open_jobs(place) as jobs, keeping_custody(place.archive, uploads_of(place).sweep):
            app.state.jobs = jobs
            uvicorn.Server(config).run(sockets=[listener])
