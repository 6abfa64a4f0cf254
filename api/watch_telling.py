"""What a watcher tells people, each thing once, and which failures pass by themselves."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from api.exits import explain
from api.watch_memory import Remembered, WatchMemory
from archive.errors import GrownMeanwhile, LiveProofError
from ingest.errors import FileChanged

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Told:
    """Something that a person wants to know. `word`: admitted, held, extended, closed, late, refused, unknown_chat, late_beside, odd_name,
    copy, segments, events_left, captions_left, note or failed; `detail` is the error's or note's own text."""

    word: str
    paths: tuple[str, ...]
    recording: str | None = None
    detail: str = ""


class Teller:
    """Tells by `tell`; what is about a file once as long as the file stays as it is. `failures` are those that may pass by themselves."""

    def __init__(self, memory: WatchMemory, tell: Callable[[Told], None]) -> None:
        self._memory, self._tell = memory, tell
        self._failed_with: set[str] = set()
        self.failures: list[Exception] = []

    def tell(self, word: str, paths: tuple[str, ...], recording: str | None = None, detail: str = "") -> None:
        self._tell(Told(word, paths, recording, detail))

    def once(self, word: str, path: str, recording: str | None = None, detail: str = "") -> None:
        if self._memory.first_telling(path, word):
            self.tell(word, (path,), recording, detail)

    def refuse(self, known: Remembered, path: str, error: Exception, word: str = "refused", recording: str | None = None) -> None:
        """A file that nothing is done with until it changes."""
        known.refused = explain(error)
        self.once(word, path, recording, known.refused)
        log.warning("watch.refused", file=path, error=known.refused)

    def fail(self, error: Exception, *paths: str) -> None:
        """Tell what hindered a round and may pass by itself, once for each wording in this process."""
        self.failures.append(error)
        text = explain(error)
        if text not in self._failed_with:
            self._failed_with.add(text)
            self.tell("failed", paths, detail=text)
        log.warning("watch.failed", files=list(paths), error=text)


def lasting(error: Exception) -> bool:
    """Whether trying again without a change of the files would end the same."""
    return isinstance(error, LiveProofError) and error.status < 500 and not isinstance(error, FileChanged | GrownMeanwhile)
