"""openai-whisper: the reference implementation on PyTorch, one window at a time."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from archive.digest import Json
from transcribe.audio import SAMPLES_PER_MS, Samples
from transcribe.conversion import alignment_heads, is_multilingual, read_checkpoint, tokenizer_of
from transcribe.engines import HeardSegment
from transcribe.engines.groups import cores
from transcribe.engines.prompts import for_each, prompt_of
from transcribe.engines.tokens import AlignedWord, cut_at_timestamps, heard_segments
from transcribe.errors import ModelUnusable
from transcribe.model_description import described, fitted_ms
from transcribe.models import FoundModel
from transcribe.settings import TranscribeSettings

if TYPE_CHECKING:
    import torch
    from whisper.tokenizer import Tokenizer

_MS_PER_POSITION = 20


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
        description = described(model.path, settings)
        self._context_ms, self._takes_prompts = description.context_ms, description.expected_words
        device = settings.whisper_device
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        if device == "cpu":
            torch.set_num_threads(settings.whisper_threads or cores())
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
            "context_ms": self._context_ms,
            "expected_words": self._takes_prompts,
            "hear_again": settings.whisper_hear_again,
            "model_found_in": model.found_in,
        }
        if description.pack_ms is not None:
            self.parameters["speech_pack_ms"] = description.pack_ms

    def transcribe(self, windows: Sequence[Samples], expected: Sequence[Sequence[str]] = ()) -> list[list[HeardSegment]]:
        """See Engine."""
        words = for_each(expected, len(windows), wanted=self._takes_prompts)
        heard = []
        for window, some in zip(windows, words, strict=True):
            context_ms = fitted_ms(len(window) // SAMPLES_PER_MS, self._context_ms)
            with self._spanning(context_ms):
                heard.append(self._one(window, some, context_ms))
        return heard

    @contextmanager
    def _spanning(self, context_ms: int) -> Iterator[None]:
        """The encoder takes features of exactly its own length: it is given as many positions as this window has."""
        encoder = self._whisper.encoder
        whole = encoder.positional_embedding
        encoder.positional_embedding = whole[: context_ms // _MS_PER_POSITION]
        try:
            yield
        finally:
            encoder.positional_embedding = whole

    def _one(self, window: Samples, names: Sequence[str], context_ms: int) -> list[HeardSegment]:
        import whisper
        from whisper.timing import find_alignment

        sound = whisper.pad_or_trim(window, context_ms * SAMPLES_PER_MS)
        mel = whisper.log_mel_spectrogram(sound, self._dims["n_mels"]).to(self._whisper.device)
        tokenizer = self._tokenizer(mel)
        prompt = prompt_of(names, tokenizer.encode, self._dims["n_text_ctx"]) if names else []
        begin = len(tokenizer.sot_sequence) + (1 + len(prompt) if prompt else 0)
        options = whisper.DecodingOptions(
            language=tokenizer.language or "en",
            temperature=0.0,
            beam_size=self._beam if self._beam > 1 else None,
            prompt=prompt or None,
            # The default stops at half of the context, which fast Chinese can outrun in 28 s.
            sample_len=self._dims["n_text_ctx"] - begin,
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
