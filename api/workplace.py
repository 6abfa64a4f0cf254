"""What one process works with: the archive, the search index and, once asked for, the sentence embedder and the recogniser."""

from dataclasses import dataclass, field, replace
from functools import cached_property

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


@dataclass
class Workplace:
    """Opened parts of the product. Heavy ones are opened when first asked for."""

    archive: Archive
    search_settings: SearchSettings
    transcribe_settings: TranscribeSettings
    engines: Engines = field(default_factory=Engines)
    model_digest: str | None = None

    @cached_property
    def index(self) -> Index:
        chosen = self.search_settings
        return open_index(self.archive.home / "index", busy_seconds=chosen.index_busy_seconds, milvus=milvus_place(chosen))

    @cached_property
    def embedder(self) -> Embedder | None:
        """None where no sentence model is held: search then goes by words, sounds, quantities and concepts."""
        return open_embedder(self.search_settings, self.archive.home)

    @cached_property
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

    @cached_property
    def job_board(self) -> JobBoard:
        return JobBoard(self.archive.settings, self.archive.home)

    @cached_property
    def speakers(self) -> SpeakerTeller | None:
        """None where voices are not told apart."""
        return open_speakers(self.transcribe_settings, self.archive.home)

    @cached_property
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
