"""The recognisers that this process has loaded: by what they were loaded with, the two used last."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import structlog

from transcribe.engines import Engine, load_engine
from transcribe.settings import TranscribeSettings

AT_ONCE: Final = 2

log = structlog.get_logger(__name__)


@dataclass
class Engines:
    """Engines by their settings. A first one and a second opinion fit; of a third the one used longest ago is let go."""

    _loaded: "OrderedDict[str, Engine]" = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, settings: TranscribeSettings, home: Path) -> Engine:
        """The engine that the settings name, loaded unless it is at hand. ModelMissing or ModelUnusable as `load_engine`."""
        wanted = settings.model_dump_json(include={name for name in TranscribeSettings.model_fields if name.startswith("whisper_")})
        with self._lock:
            if engine := self._loaded.get(wanted):
                self._loaded.move_to_end(wanted)
                return engine
            while len(self._loaded) >= AT_ONCE:
                _, gone = self._loaded.popitem(last=False)
                log.info("engine_let_go", engine=gone.name, model=gone.model)
            engine = self._loaded[wanted] = load_engine(settings, home)
            return engine
