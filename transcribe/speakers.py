"""Which voice said which segment, where a model that tells voices apart is on this machine (sherpa-onnx). Off unless it is set.

A voice is a number, never a name. What is short, or as near to one voice as to another, stays unsaid: None is no guess.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final, Protocol, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import structlog

from archive.digest import Json, digest_file
from transcribe.audio import SAMPLE_RATE_HZ, SAMPLES_PER_MS, Samples
from transcribe.errors import ModelMissing, ModelUnusable
from transcribe.known_models import KNOWN_VOICES, VOICES
from transcribe.models import ModelRow
from transcribe.settings import TranscribeSettings

NONE = "none"
# What sherpa-onnx looks for in a model's metadata, by the framework that it names.
_COMMON = ("sample_rate", "output_dim", "language")
METADATA: Final = {
    "3d-speaker": (*_COMMON, "normalize_samples"),
    "wespeaker": (*_COMMON, "normalize_samples"),
    "nemo": (*_COMMON, "feat_dim", "window_size_ms", "window_stride_ms", "feature_normalize_type", "window_type"),
}
# Clustered at once; what a step holds in memory does not grow with the recording.
CHUNK = 256
# Less than this in one chunk founds no voice: a cough, a jingle, a word of the sound engineer.
FOUNDS_MS = 4000
MARGIN = 0.05

log = structlog.get_logger(__name__)

Vector: TypeAlias = npt.NDArray[np.float32]


class VoiceModel(Protocol):
    """Turns speech into a vector of unit norm that is alike for one voice."""

    @property
    def name(self) -> str: ...
    @property
    def digest(self) -> str: ...

    def embed(self, samples: Samples) -> Vector | None:
        """None where there is too little sound to tell."""
        ...


@dataclass(slots=True)
class Voice:
    """A voice met so far: the sum of its vectors, each as often as it lasted in ms. `number` counts from 0 in the order met."""

    number: int
    total: Vector
    ms: int

    @property
    def centre(self) -> Vector:
        return _unit(self.total)

    def as_json(self) -> dict[str, Json]:
        return {"number": self.number, "ms": self.ms, "centre": [round(float(value), 5) for value in self.centre]}

    @classmethod
    def of(cls, kept: Json) -> "Voice":
        """What `as_json` wrote."""
        told = cast(Mapping[str, Json], kept)
        ms = cast(int, told["ms"])
        return cls(cast(int, told["number"]), np.asarray(cast(Sequence[float], told["centre"]), np.float32) * ms, ms)


@dataclass
class SpeakerTeller:
    """Tells segments apart by voice, a chunk at a time."""

    model: VoiceModel
    threshold: float
    most: int
    min_ms: int
    parameters: dict[str, Json] = field(init=False)

    def __post_init__(self) -> None:
        self.parameters = {
            "model": self.model.name,
            "digest": self.model.digest,
            "threshold": self.threshold,
            "most": self.most,
            "min_ms": self.min_ms,
        }

    def tell(self, spoken: Iterable[Samples], voices: list[Voice]) -> list[int | None]:
        """The number of each segment's voice, in order; None where nobody can say. `voices` grows by those met and learns from each.

        `spoken`: each segment's sound (float32 mono, 16 kHz), taken one at a time.
        """
        told: list[int | None] = []
        waiting = (self._heard(samples) for samples in spoken)
        while chunk := list(islice(waiting, CHUNK)):
            for total, ms in _clusters([(vector, ms) for vector, ms in chunk if vector is not None], self.threshold):
                self._meet(total, ms, voices)
            told += [None if vector is None else self._nearest(vector, voices) for vector, _ in chunk]
        return told

    def learn(self, number: int, spoken: Iterable[Samples]) -> Voice | None:
        """A voice from segments that are known to be its; None where there is too little of them."""
        heard = [(vector * ms, ms) for vector, ms in map(self._heard, spoken) if vector is not None]
        if not heard:
            return None
        total: Vector = np.sum([vector for vector, _ in heard], axis=0, dtype=np.float32)
        return Voice(number, total, sum(ms for _, ms in heard))

    def _heard(self, samples: Samples) -> tuple[Vector | None, int]:
        ms = len(samples) // SAMPLES_PER_MS
        return self.model.embed(samples) if ms >= self.min_ms else None, ms

    def _meet(self, total: Vector, ms: int, voices: list[Voice]) -> None:
        """Let a cluster of segments be a voice met before, or a new one if there is enough of it."""
        centre = _unit(total)
        best = max(voices, key=lambda voice: float(voice.centre @ centre), default=None)
        if best is not None and float(best.centre @ centre) >= self.threshold:
            best.total = best.total + total
            best.ms += ms
        elif ms >= FOUNDS_MS and len(voices) < self.most:
            voices.append(Voice(max((voice.number for voice in voices), default=-1) + 1, total, ms))

    def _nearest(self, vector: Vector, voices: Sequence[Voice]) -> int | None:
        ranked = sorted(((float(voice.centre @ vector), voice.number) for voice in voices), reverse=True)
        if not ranked or ranked[0][0] < self.threshold:
            return None
        if len(ranked) > 1 and ranked[0][0] - ranked[1][0] < MARGIN:
            return None
        return ranked[0][1]


def open_speakers(settings: TranscribeSettings, home: Path) -> SpeakerTeller | None:
    """What tells voices apart as the settings say; None where it is off.

    ModelMissing where the model or sherpa-onnx is not on this machine, ModelUnusable where the file is no such model.
    """
    path = locate_voices(settings, home)
    if path is None:
        return None
    model = load_voice_model(path, threads=settings.whisper_threads or 1)
    return SpeakerTeller(model, settings.speaker_threshold, settings.speaker_most, settings.speaker_min_ms)


def locate_voices(settings: TranscribeSettings, home: Path) -> Path | None:
    """The model file that the settings name; None where voices are not told apart. ModelMissing if it isn't there."""
    wanted = settings.speaker_model
    if wanted == NONE:
        return None
    path = Path(wanted).expanduser()
    if path.suffix == ".onnx" or len(path.parts) > 1:
        if not path.is_file():
            raise ModelMissing(f"LIVEPROOF_SPEAKER_MODEL names {path}, which does not exist: correct it, or set it to none")
        return path
    if found := find_voices(wanted, home):
        return found
    known = KNOWN_VOICES.get(wanted)
    how = f"“liveproof models add {wanted} FILE.onnx”"
    if known:
        how = f"“liveproof models fetch {wanted}” ({known.size_bytes // 1_000_000} MB)"
    raise ModelMissing(f"the model “{wanted}”, which tells voices apart, is not on this machine: {how}, or LIVEPROOF_SPEAKER_MODEL=none")


def find_voices(name: str, home: Path) -> Path | None:
    """The .onnx file of a model in LIVEPROOF_HOME/models."""
    files = sorted((home / "models" / name).glob("*.onnx"))
    return files[0] if len(files) == 1 else None


def list_voice_models(settings: TranscribeSettings, home: Path, *, with_digests: bool = False) -> list[ModelRow]:
    """The model in use, if any, then the others that are known or were put into LIVEPROOF_HOME/models."""
    rows: list[ModelRow] = []
    used: Path | None = None
    try:
        used = locate_voices(settings, home)
    except ModelMissing as error:
        rows.append(ModelRow(settings.speaker_model, VOICES, None, None, None, "missing", str(error)))
    names = dict.fromkeys([*KNOWN_VOICES, *(path.parent.name for path in sorted((home / "models").glob("[!.]*/*.onnx")))])
    found = {name: path for name in names if (path := find_voices(name, home))}
    if used and used not in found.values():
        found = {used.stem: used, **found}
    for name, path in sorted(found.items(), key=lambda each: each[1] != used):
        state = "in use" if path == used else "ready"
        digest = digest_file(path) if with_digests else None
        rows.append(ModelRow(name, VOICES, str(path), path.stat().st_size, digest, state, ""))
    lacking = [model for name, model in KNOWN_VOICES.items() if name not in found and name not in {row.name for row in rows}]
    return rows + [ModelRow(m.name, VOICES, None, m.size_bytes, None, "missing", f"liveproof models fetch {m.name}") for m in lacking]


def load_voice_model(path: Path, *, threads: int) -> VoiceModel:
    """A sherpa-onnx speaker embedding model. ModelMissing without sherpa-onnx, ModelUnusable if the file is no such model."""
    try:
        import sherpa_onnx
    except ImportError as error:
        raise ModelMissing(
            "telling voices apart needs sherpa-onnx: pip install sherpa-onnx, or set LIVEPROOF_SPEAKER_MODEL=none"
        ) from error
    _check(path)
    try:
        config = sherpa_onnx.SpeakerEmbeddingExtractorConfig(model=str(path), num_threads=threads, provider="cpu")
        return _SherpaVoices(path, sherpa_onnx.SpeakerEmbeddingExtractor(config))
    except RuntimeError as error:
        raise ModelUnusable(f"{path} can't be loaded to tell voices apart: {error}") from error


def labels_of(voices: Sequence[Voice], known: Mapping[int, str], taken: Iterable[str] = ()) -> dict[int, str]:
    """The label of each voice's number: `known` ones as they are, the others counted on behind all that are `taken`, by talk time."""
    used = [int(label) for label in (*known.values(), *taken) if label.isdigit()]
    new = sorted((voice for voice in voices if voice.number not in known), key=lambda voice: (-voice.ms, voice.number))
    return {**known, **{voice.number: str(place) for place, voice in enumerate(new, max(used, default=0) + 1)}}


class _Stream(Protocol):
    def accept_waveform(self, sample_rate: int, waveform: Samples) -> None: ...
    def input_finished(self) -> None: ...


class _Extractor(Protocol):
    """What is used of sherpa-onnx's SpeakerEmbeddingExtractor."""

    def create_stream(self) -> _Stream: ...
    def is_ready(self, stream: _Stream) -> bool: ...
    def compute(self, stream: _Stream) -> Sequence[float]: ...


class _SherpaVoices:
    def __init__(self, path: Path, extractor: _Extractor) -> None:
        self.name = path.stem
        self.digest = digest_file(path)
        self._extractor = extractor

    def embed(self, samples: Samples) -> Vector | None:
        stream = self._extractor.create_stream()
        stream.accept_waveform(SAMPLE_RATE_HZ, samples)
        stream.input_finished()
        if not self._extractor.is_ready(stream):
            return None
        vector = np.asarray(self._extractor.compute(stream), np.float32)
        return _unit(vector) if np.isfinite(vector).all() and vector.any() else None


def _check(path: Path) -> None:
    """sherpa-onnx ends the whole process where a model's metadata lack what it looks for, so they are read first."""
    import onnxruntime  # type: ignore[import-untyped]

    try:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        told = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]).get_modelmeta().custom_metadata_map
    except Exception as error:
        # onnxruntime has no error type of its own.
        raise ModelUnusable(f"{path} is no ONNX model that can be read: {' '.join(str(error).split())[:200]}") from error
    wanted = METADATA.get(told.get("framework", ""))
    if wanted is None:
        raise ModelUnusable(
            f"{path} is no speaker embedding model for sherpa-onnx: its metadata name no framework of {', '.join(METADATA)}"
        )
    lacking = [key for key in wanted if key not in told]
    if lacking or told["sample_rate"] != str(SAMPLE_RATE_HZ):
        why = f"they lack {', '.join(lacking)}" if lacking else f"they name {told['sample_rate']} samples a second, not {SAMPLE_RATE_HZ}"
        raise ModelUnusable(f"{path} can't be used to tell voices apart by its metadata: {why}")


def _unit(vector: Vector) -> Vector:
    norm = float(np.linalg.norm(vector))
    unit: Vector = vector / norm if norm else vector
    return unit


def _clusters(heard: Sequence[tuple[Vector, int]], threshold: float) -> list[tuple[Vector, int]]:
    """(sum of vectors weighted by ms, ms) of each cluster: the two nearest are joined as long as they are at least `threshold` alike."""
    totals = [vector * ms for vector, ms in heard]
    lengths = [ms for _, ms in heard]
    if not totals:
        return []
    centres = np.stack([_unit(total) for total in totals])
    alike = centres @ centres.T
    np.fill_diagonal(alike, -2)
    while True:
        first, second = divmod(int(alike.argmax()), len(totals))
        if len(totals) == 1 or alike[first, second] < threshold:
            return sorted(zip(totals, lengths, strict=True), key=lambda cluster: -cluster[1])
        first, second = min(first, second), max(first, second)
        totals[first] = totals[first] + totals.pop(second)
        lengths[first] += lengths.pop(second)
        centres = np.delete(centres, second, axis=0)
        alike = np.delete(np.delete(alike, second, axis=0), second, axis=1)
        centres[first] = _unit(totals[first])
        alike[first] = alike[:, first] = centres @ centres[first]
        alike[first, first] = -2
