"""What one process works with: the archive, the search index and, once asked for, the sentence embedder and the recogniser."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Generic, Self, TypeVar, overload

from api.engines import Engines
from archive.job_board import JobBoard
from archive.logs import configure_logs
from archive.opening import Archive, open_archive
from archive.settings import ArchiveSettings, archive_settings
from archive.timeline import Clock, WallTime
from search.cross_encoder import CrossEncoder, open_cross_encoder
from search.embeddings import Embedder, open_embedder
from search.indexes import Index, open_index
from search.indexes.milvus_server import milvus_place
from search.settings import SearchSettings
from transcribe.engines import Engine
from transcribe.errors import ModelUnusable
from transcribe.ocr import Ocr, open_ocr
from transcribe.settings import TranscribeSettings, transcribe_settings
from transcribe.speakers import SpeakerTeller, open_speakers

_OPENED = ("index", "embedder", "cross_encoder", "speakers", "ocr")


_T = TypeVar("_T")


class _Once(Generic[_T]):
    """A property that is opened when first asked for, by one thread alone: others that ask meanwhile wait for it."""

    def __init__(self, opens: "Callable[[Workplace], _T]") -> None:
        self._opens, self.__doc__ = opens, opens.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, place: None, owner: type) -> Self: ...
    @overload
    def __get__(self, place: "Workplace", owner: type) -> _T: ...
    def __get__(self, place: "Workplace | None", owner: type) -> "Self | _T":
        if place is None:
            return self
        with place.opening.setdefault(self._name, threading.RLock()):
            if self._name not in place.__dict__:
                place.__dict__[self._name] = self._opens(place)
            opened: _T = place.__dict__[self._name]
            return opened


@dataclass
class Workplace:
    """Opened parts of the product. Heavy ones are opened when first asked for."""

    archive: Archive
    search_settings: SearchSettings
    transcribe_settings: TranscribeSettings
    engines: Engines = field(default_factory=Engines)
    model_digest: str | None = None
    opening: "dict[str, threading.RLock]" = field(default_factory=dict, repr=False, compare=False)

    @_Once
    def index(self) -> Index:
        chosen = self.search_settings
        return open_index(self.archive.home / "index", busy_seconds=chosen.index_busy_seconds, milvus=milvus_place(chosen))

    @_Once
    def embedder(self) -> Embedder | None:
        """None where no sentence model is held: search then goes by words, sounds, quantities and concepts."""
        return open_embedder(self.search_settings, self.archive.home)

    @_Once
    def cross_encoder(self) -> CrossEncoder | None:
        """None where none is set: the ranking then stays as words, sounds, quantities, concepts and meaning make it."""
        return open_cross_encoder(self.search_settings, self.archive.home)

    @property
    def engine(self) -> Engine:
        """The recogniser. ModelMissing, or ModelUnusable where its model is not that of `model_digest` any more."""
        engine = self.engines.of(self.transcribe_settings, self.archive.home)
        if self.model_digest not in (None, engine.model_digest):
            raise ModelUnusable(
                f"the model {engine.model} is now {engine.model_digest}, but the job began with {self.model_digest}: put that one back, or "
                "cancel the job and begin anew"
            )
        return engine

    def hearing_with(self, settings: TranscribeSettings, model_digest: str | None = None) -> "Workplace":
        """The same workplace for hearing with other settings; engines are shared, and nothing of it needs closing."""
        view = replace(self, transcribe_settings=settings, model_digest=model_digest)
        opened = {"job_board": self.job_board, **{name: self.__dict__[name] for name in _OPENED if name in self.__dict__}}
        view.__dict__.update(opened)
        return view

    @_Once
    def job_board(self) -> JobBoard:
        return JobBoard(self.archive.settings, self.archive.home)

    @_Once
    def speakers(self) -> SpeakerTeller | None:
        """None where voices are not told apart."""
        return open_speakers(self.transcribe_settings, self.archive.home)

    @_Once
    def ocr(self) -> Ocr:
        return open_ocr(self.transcribe_settings)

    def close(self) -> None:
        if "job_board" in self.__dict__:
            self.job_board.close()
        if "index" in self.__dict__:
            self.index.close()
        self.archive.close()


def open_workplace(settings: ArchiveSettings | None = None, clock: Clock = WallTime.now) -> Workplace:
    """Open the archive that the settings name; the rest follows when needed."""
    chosen = settings or archive_settings()
    configure_logs(chosen)
    archive = open_archive(chosen, clock)
    return Workplace(archive, SearchSettings(), transcribe_settings())
