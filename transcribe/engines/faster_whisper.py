"""faster-whisper: Whisper on CTranslate2, int8 on a CPU and float16 on a GPU, a batch of windows at a time."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from archive.digest import Json, digest_file
from transcribe.audio import SAMPLES_PER_MS, Samples
from transcribe.conversion import converted
from transcribe.engines import HeardSegment
from transcribe.engines.groups import Group, cores, groups_of
from transcribe.engines.prompts import for_each, prompt_of
from transcribe.engines.tokens import AlignedWord, cut_at_timestamps, heard_segments
from transcribe.errors import ModelUnusable
from transcribe.model_description import described, fitted_ms
from transcribe.models import FoundModel, ModelFormat, device_of
from transcribe.settings import FULL_CONTEXT_MS, TranscribeSettings

if TYPE_CHECKING:
    from ctranslate2 import StorageView
    from faster_whisper.tokenizer import Tokenizer

_MS_PER_FRAME = 10
_FALLBACK_LANGUAGE = "en"


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
        description = described(model.path, settings)
        self._context_ms, self._takes_prompts = description.context_ms, description.expected_words
        device = device_of(settings)
        compute = settings.whisper_compute
        if compute == "default":
            compute = "float16" if device == "cuda" else "int8"
        is_checkpoint = model.format is ModelFormat.OPENAI
        folder = converted(model.path, self.model_digest, home / "models") if is_checkpoint else model.path
        threads = settings.whisper_threads or cores()
        self._workers = min(settings.whisper_workers or (1 if device == "cuda" else 2), threads)
        self._most_ms = max(1, settings.whisper_batch // self._workers) * FULL_CONTEXT_MS
        try:
            self._whisper = WhisperModel(
                str(folder),
                device=device,
                compute_type=compute,
                cpu_threads=threads // self._workers,
                num_workers=self._workers,
                local_files_only=True,
            )
        except (RuntimeError, ValueError) as error:
            raise ModelUnusable(f"the model in {folder} can't be loaded on {device} as {compute}: {error}") from error
        self._side_by_side = ThreadPoolExecutor(self._workers, thread_name_prefix="whisper")
        self.parameters: dict[str, Json] = {
            "language": self._language,
            "beam_size": self._beam,
            "temperature": 0,
            "condition_on_previous_text": False,
            "compute_type": compute,
            "device": device,
            "context_ms": self._context_ms,
            "expected_words": self._takes_prompts,
            "hear_again": settings.whisper_hear_again,
            "model_found_in": model.found_in,
        }
        if description.pack_ms is not None:
            self.parameters["speech_pack_ms"] = description.pack_ms
        if is_checkpoint:
            self.parameters["converted_digest"] = digest_file(folder / "model.bin")

    def transcribe(self, windows: Sequence[Samples], expected: Sequence[Sequence[str]] = ()) -> list[list[HeardSegment]]:
        """See Engine. Windows with features and prompts of one length are decoded together, groups of them side by side."""
        words = for_each(expected, len(windows), wanted=self._takes_prompts)
        encode = self._tokenizer(_FALLBACK_LANGUAGE).encode
        prompts = [prompt_of(some, encode, self._whisper.max_length) if some else [] for some in words]
        contexts_ms = [fitted_ms(len(window) // SAMPLES_PER_MS, self._context_ms) for window in windows]
        groups = groups_of(contexts_ms, [len(prompt) for prompt in prompts], workers=self._workers, most_ms=self._most_ms)
        heard: list[list[HeardSegment]] = [[] for _ in windows]
        for group, answers in zip(groups, self._side_by_side.map(lambda group: self._hear(group, windows, prompts), groups), strict=True):
            for index, answer in zip(group.indexes, answers, strict=True):
                heard[index] = answer
        return heard

    def _hear(self, group: Group, windows: Sequence[Samples], prompts: Sequence[list[int]]) -> list[list[HeardSegment]]:
        features = np.stack([self._features(windows[index], group.context_ms) for index in group.indexes])
        encoded = self._whisper.encode(features)
        by_language: dict[str, list[int]] = {}
        for place, language in enumerate(self._languages(encoded, len(group.indexes))):
            by_language.setdefault(language, []).append(place)
        heard: list[list[HeardSegment]] = [[] for _ in group.indexes]
        for language, places in by_language.items():
            whole = len(by_language) == 1
            indexes = [group.indexes[place] for place in places]
            answers = self._decode(
                encoded if whole else self._whisper.encode(features[places]),
                [len(windows[index]) // SAMPLES_PER_MS for index in indexes],
                [prompts[index] for index in indexes],
                self._tokenizer(language),
            )
            for place, answer in zip(places, answers, strict=True):
                heard[place] = answer
        return heard

    def _features(self, window: Samples, context_ms: int) -> Samples:
        """Log-mel of the window followed by silence up to the context, as the reference implementation pads it."""
        whole = np.zeros(context_ms * SAMPLES_PER_MS, np.float32)
        whole[: len(window)] = window[: len(whole)]
        features: Samples = self._whisper.feature_extractor(whole)[..., : context_ms // _MS_PER_FRAME]
        return features

    def _languages(self, encoded: "StorageView", count: int) -> list[str]:
        if not self._whisper.model.is_multilingual:
            return ["en"] * count
        if self._language != "auto":
            return [self._language] * count
        return [ranked[0][0].strip("<|>") for ranked in self._whisper.model.detect_language(encoded)]

    def _tokenizer(self, language: str) -> "Tokenizer":
        from faster_whisper.tokenizer import Tokenizer

        try:
            return Tokenizer(self._whisper.hf_tokenizer, self._whisper.model.is_multilingual, task="transcribe", language=language)
        except ValueError as error:
            raise ModelUnusable(f"Whisper knows no language “{language}”: correct LIVEPROOF_WHISPER_LANGUAGE ({error})") from error

    def _decode(
        self, encoded: "StorageView", lengths_ms: Sequence[int], prompts: Sequence[list[int]], tokenizer: "Tokenizer"
    ) -> list[list[HeardSegment]]:
        whisper = self._whisper
        begins = [[*([tokenizer.sot_prev, *prompt] if prompt else ()), *tokenizer.sot_sequence] for prompt in prompts]
        results = whisper.model.generate(
            encoded,
            begins,
            beam_size=self._beam,
            # CTranslate2 writes at most half of this; 28 s of fast Chinese take more than half of the context.
            max_length=2 * (whisper.max_length - len(begins[0])),
            sampling_temperature=0.0,
            suppress_blank=True,
            suppress_tokens=_never_written(tokenizer),
            return_scores=True,
            return_no_speech_prob=True,
        )
        cut = [
            cut_at_timestamps(
                result.sequences_ids[0], end_of_text=tokenizer.eot, timestamp_begin=tokenizer.timestamp_begin, window_ms=window_ms
            )
            for result, window_ms in zip(results, lengths_ms, strict=True)
        ]
        texts = [[token for stretch in stretches for token in stretch.tokens] for stretches in cut]
        frames = [max(2, window_ms // _MS_PER_FRAME) for window_ms in lengths_ms]
        alignments = whisper.find_alignment(tokenizer, texts, encoded, frames) if any(texts) else [[] for _ in texts]
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
