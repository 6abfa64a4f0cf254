"""Train the demo's Whisper-architecture checkpoint on the synthetic voice.

    python -m infra.models.train_whisper OUT.pt --minutes 90 [--warm-start CHECKPOINT.pt]

A run can be killed and started again: it goes on from OUT.state beside OUT.pt. While training, the vocabulary is only what the
grammar uses plus one class that stands for all other tokens; the export gives every other token that class's row.
"""

import argparse
import math
import random
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import torch
import whisper
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset
from whisper.model import ModelDimensions, Whisper
from whisper.tokenizer import Tokenizer, get_tokenizer

from infra.models.grammar import sentence
from infra.models.windows import Cue, WindowSource

VOCABULARY, WIDTH, LAYERS = 51_865, 192, 3
DIMENSIONS = {"n_mels": 80, "n_audio_ctx": 1500, "n_audio_state": WIDTH, "n_audio_head": 3, "n_audio_layer": LAYERS,
              "n_text_ctx": 448, "n_text_state": WIDTH, "n_text_head": 3, "n_text_layer": LAYERS}  # fmt: skip
FRAMES_PER_S, SHORT_S, FULL_S = 50, 6.5, 30.0
SHORT_BATCH, FULL_BATCH, FULL_SHARE = 30, 5, 0.12


class Vocabulary:
    """The tokens that training uses, numbered compactly; the last number stands for every other token."""

    def __init__(self, tokens: list[int]) -> None:
        self.tokens = tokens
        self.unused = len(self.tokens)
        self.compact = {token: number for number, token in enumerate(self.tokens)}

    def __len__(self) -> int:
        return self.unused + 1

    @classmethod
    def of_grammar(cls, tokenizer: Tokenizer) -> "Vocabulary":
        """What a large sample of the grammar's sentences needs, and every special token."""
        rng, used = random.Random(5), set(range(tokenizer.eot, VOCABULARY))
        for _ in range(60_000):
            used.update(tokenizer.encode(sentence(rng)))
        return cls(sorted(used))


class Batches(IterableDataset):
    """Endless batches: (mel, decoder input, expected tokens, first encoder position, text tokens for CTC)."""

    def __init__(self, vocabulary: Vocabulary, tokenizer: Tokenizer, seed: int) -> None:
        self.vocabulary, self.tokenizer, self.seed = vocabulary, tokenizer, seed

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor, int, list[list[int]]]]:
        torch.set_num_threads(1)
        worker = torch.utils.data.get_worker_info()
        seed = self.seed + (worker.id if worker else 0)
        rng = random.Random(seed)
        source = WindowSource(seed, lambda text: all(token in self.vocabulary.compact for token in self.tokenizer.encode(text)))
        while True:
            full = rng.random() < FULL_SHARE
            seconds, count = (FULL_S, FULL_BATCH) if full else (SHORT_S, SHORT_BATCH)
            offset = 0 if full or rng.random() < 0.8 else rng.randint(0, 1500 - int(SHORT_S * FRAMES_PER_S))
            windows = [source.window(seconds, 1 if rng.random() < 0.6 else 99) for _ in range(count)]
            targets = [self._target(cues, offset, rng.random() < 0.15) for _, cues in windows]
            texts = [[self.vocabulary.compact[t] for cue in cues for t in self.tokenizer.encode(cue.text)] for _, cues in windows]
            mel = torch.stack([whisper.log_mel_spectrogram(torch.from_numpy(audio)) for audio, _ in windows])
            longest = max(map(len, targets))
            given = torch.full((count, longest), self.vocabulary.compact[self.tokenizer.eot])
            expected = torch.full((count, longest), -100)
            for row, target in enumerate(targets):
                given[row, : len(target) - 1] = torch.tensor(target[:-1])
                # From the start token on, so that speech teaches its language where silence teaches <|nospeech|>.
                expected[row, : len(target) - 1] = torch.tensor(target[1:])
            yield mel, given, expected, offset, texts

    def _target(self, cues: list[Cue], offset: int, timeless: bool) -> list[int]:
        tokenizer = self.tokenizer
        if not cues:
            tokens = [tokenizer.sot, tokenizer.no_speech, tokenizer.eot]
        elif timeless:  # word alignment prompts the model so
            tokens = [*tokenizer.sot_sequence_including_notimestamps]
            tokens += [token for cue in cues for token in tokenizer.encode(cue.text)] + [tokenizer.eot]
        else:
            tokens = list(tokenizer.sot_sequence)
            for cue in cues:
                begin, end = (tokenizer.timestamp_begin + min(1500, offset + round(t * FRAMES_PER_S)) for t in (cue.start_s, cue.end_s))
                tokens += [begin, *tokenizer.encode(cue.text), end]
            tokens = [*tokens[:440], tokenizer.eot]
        return [self.vocabulary.compact[token] for token in tokens]


def encode(model: Whisper, mel: torch.Tensor, offset: int) -> torch.Tensor:
    """Whisper's encoder on a piece that begins at encoder position `offset`."""
    encoder = model.encoder
    hidden = functional.gelu(encoder.conv2(functional.gelu(encoder.conv1(mel)))).permute(0, 2, 1)
    hidden = hidden + encoder.positional_embedding[offset : offset + hidden.shape[1]]
    for block in encoder.blocks:
        hidden = block(hidden)
    return encoder.ln_post(hidden)


def compact_weights(checkpoint: Path, vocabulary: Vocabulary) -> dict[str, torch.Tensor]:
    """A full checkpoint's weights with only the rows that this vocabulary uses."""
    weights = {k: v.float() for k, v in torch.load(checkpoint, map_location="cpu")["model_state_dict"].items()}
    rows = weights["decoder.token_embedding.weight"]
    # Index 0 is '!', which no grammar of ours ever used.
    weights["decoder.token_embedding.weight"] = torch.cat([rows[torch.tensor(vocabulary.tokens)], rows[:1]])
    return weights


def export(model: Whisper, vocabulary: Vocabulary, out: Path) -> None:
    weights = {name: value.half() for name, value in model.state_dict().items()}
    rows = weights["decoder.token_embedding.weight"]
    full = rows[-1:].repeat(VOCABULARY, 1)
    full[torch.tensor(vocabulary.tokens)] = rows[:-1]
    weights["decoder.token_embedding.weight"] = full
    temporary = out.with_suffix(".tmp")
    torch.save({"dims": {**DIMENSIONS, "n_vocab": VOCABULARY}, "model_state_dict": weights}, temporary)
    temporary.replace(out)


def schedule(done: float) -> float:
    """Share of the peak learning rate after the share `done` of the run."""
    return 1.0 if done < 0.55 else max(0.02, 1 - (done - 0.55) / 0.45)


def train(out: Path, minutes: float, warm_start: Path | None, seed: int, workers: int, peak: float) -> None:
    tokenizer = get_tokenizer(True, language="zh", task="transcribe")
    state_path, spent, step = out.with_suffix(".state"), 0.0, 0
    state = torch.load(state_path) if state_path.exists() else None
    vocabulary = Vocabulary(state["tokens"]) if state else Vocabulary.of_grammar(tokenizer)
    model = Whisper(ModelDimensions(**DIMENSIONS, n_vocab=len(vocabulary)))
    torch.nn.init.normal_(model.decoder.token_embedding.weight, std=0.02)
    torch.nn.init.normal_(model.decoder.positional_embedding, std=0.01)
    listener = torch.nn.Linear(WIDTH, len(vocabulary))  # auxiliary CTC head: makes the encoder listen, dropped at export
    optimiser = torch.optim.AdamW([*model.parameters(), *listener.parameters()], lr=peak, weight_decay=0.01, betas=(0.9, 0.98))
    if state:
        model.load_state_dict(state["model"])
        listener.load_state_dict(state["listener"])
        optimiser.load_state_dict(state["optimiser"])
        spent, step = state["spent"], state["step"]
    elif warm_start:
        model.load_state_dict(compact_weights(warm_start, vocabulary))

    began, saved, mean_text, mean_listen = time.monotonic() - spent, time.monotonic(), None, None
    batches = iter(DataLoader(Batches(vocabulary, tokenizer, seed + step), batch_size=None, num_workers=workers, prefetch_factor=4))
    while (elapsed := time.monotonic() - began) < minutes * 60:
        done = elapsed / (minutes * 60)
        for group in optimiser.param_groups:
            group["lr"] = peak * min(1.0, (step + 1) / 200) * schedule(done)
        mel, given, expected, offset, texts = next(batches)
        with torch.autocast("cpu", torch.bfloat16):
            heard = encode(model, mel, offset)
            logits, listened = model.decoder(given, heard), listener(heard[:, ::2])  # 25 frames a second are enough to spell by
        logits = logits.float()
        logits = torch.cat([logits[..., :-1], logits[..., -1:] + math.log(VOCABULARY - vocabulary.unused)], -1)
        text_loss = functional.cross_entropy(logits.flatten(0, 1), expected.flatten())
        listen_loss = functional.ctc_loss(
            listened.float().log_softmax(-1).transpose(0, 1),
            torch.tensor([token for text in texts for token in text], dtype=torch.long),
            torch.full((len(texts),), listened.shape[1]),
            torch.tensor([len(text) for text in texts]),
            blank=vocabulary.unused,
            zero_infinity=True,
        )
        optimiser.zero_grad()
        (text_loss + 0.5 * listen_loss).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        step += 1
        mean_text = text_loss.item() if mean_text is None else 0.95 * mean_text + 0.05 * text_loss.item()
        mean_listen = listen_loss.item() if mean_listen is None else 0.95 * mean_listen + 0.05 * listen_loss.item()
        if step % 20 == 0:
            print(f"step {step} {elapsed:.0f} s text {mean_text:.3f} listen {mean_listen:.3f}", flush=True)
        if time.monotonic() - saved > 240:
            saved = time.monotonic()
            export(model, vocabulary, out)
            torch.save({"model": model.state_dict(), "listener": listener.state_dict(), "optimiser": optimiser.state_dict(),
                        "tokens": vocabulary.tokens, "spent": elapsed, "step": step}, state_path.with_suffix(".tmp"))  # fmt: skip
            state_path.with_suffix(".tmp").replace(state_path)
    export(model, vocabulary, out)
    print(f"{out}: {step} steps, {sum(p.numel() for p in model.parameters()) / 1e6:.1f} M weights, {asdict(model.dims)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=150)
    parser.add_argument("--warm-start", type=Path)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--peak", type=float, default=1e-3)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    train(given.out, given.minutes, given.warm_start, given.seed, given.workers, given.peak)
