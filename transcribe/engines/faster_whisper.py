"""faster-whisper: Whisper on CTranslate2, int8 on a CPU and float16 on a GPU, a batch of windows at a time."""

import os
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from archive.digest import Json, digest_file
from transcribe.audio import SAMPLE_RATE_HZ, SAMPLES_PER_MS, Samples
from transcribe.conversion import converted
from transcribe.engines import HeardSegment
from transcribe.engines.tokens import AlignedWord, cut_at_timestamps, heard_segments
from transcribe.errors import ModelUnusable
from transcribe.models import FoundModel, ModelFormat, device_of
from transcribe.settings import TranscribeSettings

if TYPE_CHECKING:
    from faster_whisper.tokenizer import Tokenizer

_WINDOW_S = 30


class FasterWhisper:
    """The default engine. `model` is converted first if it is in OpenAI's format."""

    name = "faster-whisper"

    def __init__(self, model: FoundModel, settings: TranscribeSettings, home: Path) -> None:
        from faster_whisper import WhisperModel

        self.version = f"{version('faster-whisper')} (ctranslate2 {version('ctranslate2')})"
        self.model = model.name
        self.model_digest = model.digest()
        self._language = settings.whisper_language
        self._beam = settings.whisper_beam
        device = device_of(settings)
        compute = settings.whisper_compute
        if compute == "default":
            compute = "float16" if device == "cuda" else "int8"
        is_checkpoint = model.format is ModelFormat.OPENAI
        folder = converted(model.path, self.model_digest, home / "models") if is_checkpoint else model.path
        try:
            threads = settings.whisper_threads or os.cpu_count() or 1
            self._whisper = WhisperModel(str(folder), device=device, compute_type=compute, cpu_threads=threads, local_files_only=True)
        except (RuntimeError, ValueError) as error:
            raise ModelUnusable(f"the model in {folder} can't be loaded on {device} as {compute}: {error}") from error
        self.parameters: dict[str, Json] = {
            "language": self._language,
            "beam_size": self._beam,
            "temperature": 0,
            "condition_on_previous_text": False,
            "compute_type": compute,
            "device": device,
            "model_found_in": model.found_in,
        }
        if is_checkpoint:
            self.parameters["converted_digest"] = digest_file(folder / "model.bin")

    def transcribe(self, windows: Sequence[Samples]) -> list[list[HeardSegment]]:
        """See Engine. The windows are decoded as one batch, one for each language where that is `auto`."""
        if not windows:
            return []
        features = np.stack([self._features(window) for window in windows])
        heard: list[list[HeardSegment]] = [[] for _ in windows]
        for language, indexes in self._by_language(features).items():
            answers = self._decode(features[indexes], [windows[index] for index in indexes], self._tokenizer(language))
            for index, answer in zip(indexes, answers, strict=True):
                heard[index] = answer
        return heard

    def _features(self, window: Samples) -> Samples:
        """Log-mel of 30 s: the window followed by silence, as the reference implementation pads it."""
        whole = np.zeros(_WINDOW_S * SAMPLE_RATE_HZ, np.float32)
        whole[: len(window)] = window[: len(whole)]
        features: Samples = self._whisper.feature_extractor(whole)[..., : _WINDOW_S * 100]
        return features

    def _by_language(self, features: Samples) -> dict[str, list[int]]:
        if not self._whisper.model.is_multilingual:
            return {"en": list(range(len(features)))}
        if self._language != "auto":
            return {self._language: list(range(len(features)))}
        groups: dict[str, list[int]] = {}
        for index, ranked in enumerate(self._whisper.model.detect_language(self._whisper.encode(features))):
            groups.setdefault(ranked[0][0].strip("<|>"), []).append(index)
        return groups

    def _tokenizer(self, language: str) -> "Tokenizer":
        from faster_whisper.tokenizer import Tokenizer

        try:
            return Tokenizer(self._whisper.hf_tokenizer, self._whisper.model.is_multilingual, task="transcribe", language=language)
        except ValueError as error:
            raise ModelUnusable(f"Whisper knows no language “{language}”: correct LIVEPROOF_WHISPER_LANGUAGE ({error})") from error

    def _decode(self, features: Samples, windows: Sequence[Samples], tokenizer: "Tokenizer") -> list[list[HeardSegment]]:
        whisper = self._whisper
        encoded = whisper.encode(features)
        results = whisper.model.generate(
            encoded,
            [list(tokenizer.sot_sequence) for _ in windows],
            beam_size=self._beam,
            max_length=whisper.max_length,
            sampling_temperature=0.0,
            suppress_blank=True,
            suppress_tokens=_never_written(tokenizer),
            return_scores=True,
            return_no_speech_prob=True,
        )
        lengths_ms = [len(window) // SAMPLES_PER_MS for window in windows]
        cut = [
            cut_at_timestamps(
                result.sequences_ids[0], end_of_text=tokenizer.eot, timestamp_begin=tokenizer.timestamp_begin, window_ms=window_ms
            )
            for result, window_ms in zip(results, lengths_ms, strict=True)
        ]
        texts = [[token for stretch in stretches for token in stretch.tokens] for stretches in cut]
        frames = [max(2, window_ms // 10) for window_ms in lengths_ms]
        alignments = whisper.find_alignment(tokenizer, texts, encoded, frames) if any(texts) else [[] for _ in windows]
        heard = []
        for result, stretches, words in zip(results, cut, alignments, strict=True):
            aligned = [AlignedWord(w["word"], w["tokens"], float(w["start"]), float(w["end"]), float(w["probability"])) for w in words]
            count = len(result.sequences_ids[0])
            log_prob = float(result.scores[0]) * count / (count + 1)
            heard.append(heard_segments(stretches, aligned, tokenizer.decode, log_prob, float(result.no_speech_prob)))
        return heard


def _never_written(tokenizer: "Tokenizer") -> list[int]:
    special = (tokenizer.transcribe, tokenizer.translate, tokenizer.sot, tokenizer.sot_prev, tokenizer.sot_lm, tokenizer.no_speech)
    return sorted({*tokenizer.non_speech_tokens, *special})
