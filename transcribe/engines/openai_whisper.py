"""openai-whisper: the reference implementation on PyTorch, one window at a time."""

import os
from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from archive.digest import Json
from transcribe.audio import SAMPLES_PER_MS, Samples
from transcribe.conversion import alignment_heads, is_multilingual, read_checkpoint, tokenizer_of
from transcribe.engines import HeardSegment
from transcribe.engines.tokens import AlignedWord, cut_at_timestamps, heard_segments
from transcribe.errors import ModelUnusable
from transcribe.models import FoundModel
from transcribe.settings import TranscribeSettings

if TYPE_CHECKING:
    import torch
    from whisper.tokenizer import Tokenizer


class OpenAIWhisper:
    """The reference engine and second opinion. Reads OpenAI's `.pt` files only."""

    name = "openai-whisper"

    def __init__(self, model: FoundModel, settings: TranscribeSettings) -> None:
        import torch
        import whisper

        self.version = f"{version('openai-whisper')} (torch {version('torch')})"
        self.model = model.name
        self.model_digest = model.digest()
        self._language = settings.whisper_language
        self._beam = settings.whisper_beam
        device = settings.whisper_device
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        if device == "cpu":
            torch.set_num_threads(settings.whisper_threads or os.cpu_count() or 1)
        dims, weights = read_checkpoint(model.path)
        self._whisper = whisper.model.Whisper(whisper.model.ModelDimensions(**dims))
        try:
            self._whisper.load_state_dict(weights)
        except RuntimeError as error:
            raise ModelUnusable(f"{model.path} is no Whisper checkpoint: its layers don't fit") from error
        heads = torch.zeros(dims["n_text_layer"], dims["n_text_head"], dtype=torch.bool)
        for layer, head in alignment_heads(model.path, dims):
            heads[layer, head] = True
        self._whisper.register_buffer("alignment_heads", heads.to_sparse(), persistent=False)
        self._whisper.to(device).eval()
        self._dims = dims
        self.parameters: dict[str, Json] = {
            "language": self._language,
            "beam_size": self._beam,
            "temperature": 0,
            "condition_on_previous_text": False,
            "compute_type": "float32",
            "device": device,
            "model_found_in": model.found_in,
        }

    def transcribe(self, windows: Sequence[Samples]) -> list[list[HeardSegment]]:
        """See Engine."""
        return [self._one(window) for window in windows]

    def _one(self, window: Samples) -> list[HeardSegment]:
        import whisper
        from whisper.timing import find_alignment

        mel = whisper.log_mel_spectrogram(whisper.pad_or_trim(window), self._dims["n_mels"]).to(self._whisper.device)
        tokenizer = self._tokenizer(mel)
        options = whisper.DecodingOptions(
            language=tokenizer.language or "en",
            temperature=0.0,
            beam_size=self._beam if self._beam > 1 else None,
            # The default stops at half of the context, which fast Chinese can outrun in 28 s.
            sample_len=self._dims["n_text_ctx"] - len(tokenizer.sot_sequence) - 1,
            fp16=False,
        )
        result: whisper.DecodingResult = whisper.decode(self._whisper, mel, options)
        window_ms = len(window) // SAMPLES_PER_MS
        stretches = cut_at_timestamps(
            result.tokens, end_of_text=tokenizer.eot, timestamp_begin=tokenizer.timestamp_begin, window_ms=window_ms
        )
        text_tokens = [token for stretch in stretches for token in stretch.tokens]
        words = find_alignment(self._whisper, tokenizer, text_tokens, mel, max(2, window_ms // 10)) if text_tokens else []
        aligned = [AlignedWord(w.word, w.tokens, float(w.start), float(w.end), float(w.probability)) for w in words]
        no_speech = 0.0 if np.isnan(result.no_speech_prob) else float(result.no_speech_prob)
        return heard_segments(stretches, aligned, tokenizer.decode, float(result.avg_logprob), no_speech)

    def _tokenizer(self, mel: "torch.Tensor") -> "Tokenizer":
        import whisper
        from whisper.tokenizer import get_tokenizer

        plain = tokenizer_of(self._dims)
        if not is_multilingual(self._dims):
            return plain
        language = self._language
        if language == "auto":
            _, probabilities = whisper.detect_language(self._whisper, mel, plain)
            language = max(probabilities, key=probabilities.__getitem__)
        try:
            return get_tokenizer(True, num_languages=plain.num_languages, language=language, task="transcribe")
        except ValueError as error:
            raise ModelUnusable(f"Whisper knows no language “{language}”: correct LIVEPROOF_WHISPER_LANGUAGE") from error
