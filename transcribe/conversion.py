"""OpenAI's `.pt` checkpoints turned into CTranslate2 models, offline, once.

Key names: `whisper.model` on one side, `transformers.models.whisper` on the other; the vocabulary comes from openai-whisper's own
tiktoken files, so nothing is fetched. Converted models are kept in LIVEPROOF_HOME/models under the digest of the `.pt`.
"""

import json
import pickle
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from archive.digest import digest_file
from transcribe.errors import ModelUnusable

if TYPE_CHECKING:
    import torch
    from whisper.tokenizer import Tokenizer

_log = structlog.get_logger(__name__)

_AUDIO_DIMENSIONS = ("n_mels", "n_audio_ctx", "n_audio_state", "n_audio_head", "n_audio_layer")
_TEXT_DIMENSIONS = ("n_vocab", "n_text_ctx", "n_text_state", "n_text_head", "n_text_layer")
_RENAMED = (
    (r"\.blocks\.", ".layers."),
    (r"\.mlp\.0\.", ".fc1."),
    (r"\.mlp\.2\.", ".fc2."),
    (r"\.mlp_ln\.", ".final_layer_norm."),
    (r"\.cross_attn_ln\.", ".encoder_attn_layer_norm."),
    (r"\.attn_ln\.", ".self_attn_layer_norm."),
    (r"\.cross_attn\.", ".encoder_attn."),
    (r"\.attn\.", ".self_attn."),
    (r"_attn\.query\.", "_attn.q_proj."),
    (r"_attn\.key\.", "_attn.k_proj."),
    (r"_attn\.value\.", "_attn.v_proj."),
    (r"_attn\.out\.", "_attn.out_proj."),
    (r"^decoder\.ln\.", "decoder.layer_norm."),
    (r"^encoder\.ln_post\.", "encoder.layer_norm."),
    (r"\.token_embedding\.", ".embed_tokens."),
    (r"\.positional_embedding$", ".embed_positions.weight"),
)


def converted(checkpoint: Path, digest: str, models_folder: Path) -> Path:
    """Folder of the CTranslate2 form of `checkpoint` (whose digest is `digest`), made now if it isn't there.

    ModelUnusable if it is no Whisper checkpoint.
    """
    target = models_folder / f"converted-{digest.removeprefix('sha256:')[:32]}"
    if (target / "model.bin").is_file():
        return target
    models_folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".converting-", dir=models_folder) as work:
        _log.info("model_converting", checkpoint=str(checkpoint), target=str(target))
        made = _convert(checkpoint, Path(work))
        try:
            made.replace(target)
        except OSError:
            # Another process was faster; what it made from the same bytes is as good.
            if not (target / "model.bin").is_file():
                raise
    return target


def _convert(checkpoint: Path, work: Path) -> Path:
    import ctranslate2
    from transformers import GenerationConfig, WhisperConfig, WhisperForConditionalGeneration
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # type: ignore[no-untyped-call]  # seconds of work; its bars would stand between a command's own lines

    dims, weights = read_checkpoint(checkpoint)
    tokenizer = tokenizer_of(dims)
    model = WhisperForConditionalGeneration(
        WhisperConfig(
            vocab_size=dims["n_vocab"],
            num_mel_bins=dims["n_mels"],
            d_model=dims["n_audio_state"],
            max_source_positions=dims["n_audio_ctx"],
            max_target_positions=dims["n_text_ctx"],
            encoder_layers=dims["n_audio_layer"],
            encoder_attention_heads=dims["n_audio_head"],
            encoder_ffn_dim=4 * dims["n_audio_state"],
            decoder_layers=dims["n_text_layer"],
            decoder_attention_heads=dims["n_text_head"],
            decoder_ffn_dim=4 * dims["n_text_state"],
        )
    )
    renamed = {f"model.{_renamed(name)}": tensor.float() for name, tensor in weights.items()}
    outcome = model.load_state_dict(renamed, strict=False)
    lacking = set(outcome.missing_keys) - {"proj_out.weight", "model.encoder.embed_positions.weight"}
    if lacking or outcome.unexpected_keys:
        odd = ", ".join(sorted([*lacking, *outcome.unexpected_keys])[:3])
        raise ModelUnusable(f"{checkpoint} is no Whisper checkpoint: its layers don't fit ({odd})")
    model.tie_weights()
    # The converter reads alignment heads and special tokens from the generation config.
    model.generation_config = GenerationConfig(  # type: ignore[no-untyped-call]
        alignment_heads=alignment_heads(checkpoint, dims),
        is_multilingual=is_multilingual(dims),
        no_timestamps_token_id=tokenizer.no_timestamps,
        lang_to_id={f"<|{code}|>": token for code, token in zip(tokenizer.all_language_codes, tokenizer.all_language_tokens, strict=True)},
        task_to_id={"transcribe": tokenizer.transcribe, "translate": tokenizer.translate},
        suppress_tokens=list(tokenizer.non_speech_tokens),
        begin_suppress_tokens=[*tokenizer.encode(" "), tokenizer.eot],
        decoder_start_token_id=tokenizer.sot,
        eos_token_id=tokenizer.eot,
        pad_token_id=tokenizer.eot,
    )
    source = work / "transformers"
    model.save_pretrained(source)
    _write_vocabulary(tokenizer, dims, source)
    made = work / "ctranslate2"
    converter = ctranslate2.converters.TransformersConverter(str(source), copy_files=["tokenizer.json", "preprocessor_config.json"])
    converter.convert(str(made), quantization="float16")
    return made


def read_checkpoint(checkpoint: Path) -> "tuple[dict[str, int], Mapping[str, torch.Tensor]]":
    """Dimensions and weights of an OpenAI-format file. ModelUnusable if it is anything else; no code in the file is run."""
    import torch

    try:
        content = torch.load(checkpoint, map_location="cpu", weights_only=True)
        dims, weights = {name: int(content["dims"][name]) for name in (*_AUDIO_DIMENSIONS, *_TEXT_DIMENSIONS)}, content["model_state_dict"]
    except (pickle.UnpicklingError, RuntimeError, EOFError, KeyError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelUnusable(f"{checkpoint} is no OpenAI Whisper checkpoint, or is damaged ({reason[:120]}): copy it again") from error
    return dims, weights


def _renamed(name: str) -> str:
    for pattern, replacement in _RENAMED:
        name = re.sub(pattern, replacement, name)
    return name


def is_multilingual(dims: Mapping[str, int]) -> bool:
    """Whether a checkpoint knows more than English, told by its vocabulary as `whisper.model.Whisper.is_multilingual` does."""
    return dims["n_vocab"] >= 51865


def tokenizer_of(dims: Mapping[str, int]) -> "Tokenizer":
    """The tokenizer that a checkpoint of these dimensions was trained with (rule: `whisper.model.Whisper.num_languages`)."""
    from whisper.tokenizer import get_tokenizer

    multilingual = is_multilingual(dims)
    return get_tokenizer(multilingual, num_languages=dims["n_vocab"] - 51765 - int(multilingual))


def alignment_heads(checkpoint: Path, dims: Mapping[str, int]) -> list[list[int]]:
    """[layer, head] pairs whose cross-attention follows time: OpenAI's list for its own files, else all of the decoder's upper half."""
    import whisper

    digest = digest_file(checkpoint).removeprefix("sha256:")
    name = next((name for name, url in whisper._MODELS.items() if digest in url), None)
    if name:
        import base64
        import gzip

        import numpy as np

        heads = np.frombuffer(gzip.decompress(base64.b85decode(whisper._ALIGNMENT_HEADS[name])), dtype=bool)
        return [[int(layer), int(head)] for layer, head in np.argwhere(heads.reshape(dims["n_text_layer"], dims["n_text_head"]))]
    layers = dims["n_text_layer"]
    return [[layer, head] for layer in range(layers // 2, layers) for head in range(dims["n_text_head"])]


def _write_vocabulary(tokenizer: "Tokenizer", dims: Mapping[str, int], folder: Path) -> None:
    import whisper
    from transformers.convert_slow_tokenizer import TikTokenConverter

    name = "multilingual" if is_multilingual(dims) else "gpt2"
    ranks = Path(whisper.__file__).parent / "assets" / f"{name}.tiktoken"
    special = tokenizer.encoding._special_tokens
    fast = TikTokenConverter(  # type: ignore[no-untyped-call]
        vocab_file=str(ranks), pattern=tokenizer.encoding._pat_str, extra_special_tokens=sorted(special, key=special.__getitem__)
    ).converted()
    fast.save(str(folder / "tokenizer.json"))
    end = "<|endoftext|>"
    names = {"bos_token": end, "eos_token": end, "unk_token": end, "pad_token": end}
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "WhisperTokenizer", "model_max_length": 448, **names}))
    (folder / "preprocessor_config.json").write_text(
        json.dumps(
            {
                "feature_extractor_type": "WhisperFeatureExtractor",
                "feature_size": dims["n_mels"],
                "sampling_rate": 16000,
                "hop_length": 160,
                "n_fft": 400,
                "chunk_length": 30,
                "n_samples": 480000,
                "nb_max_frames": 3000,
                "padding_value": 0.0,
                "processor_class": "WhisperProcessor",
            }
        )
    )
