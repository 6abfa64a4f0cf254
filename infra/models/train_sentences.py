"""Train the demo's sentence-transformers model on pairs of host statement and buyer's question.

    python -m infra.models.train_sentences OUT_DIR

Static embeddings: a sentence is the mean of its pieces' vectors, of unit length. Two narrow transformer layers learn the same data
a hundred times more slowly on a CPU core.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

from infra.models.sentence_pairs import PairSource, frequent_characters

SEED, WIDTH, PIECES, STEPS, BATCH, PEAK = 20261122, 256, 6000, 2500, 98, 0.02
UNKNOWN = "[UNK]"
DIGITS = dict(zip("0123456789两俩", "零一二三四五六七八九二二", strict=True))


def tokenizer(pieces: int, seed: int) -> Tokenizer:
    """Characters and, up to `pieces` tokens, frequent runs of two or three. Punctuation and spaces vanish; digits are said."""
    built = Tokenizer(models.BPE(unk_token=UNKNOWN))
    steps = [
        normalizers.NFKC(),
        normalizers.Lowercase(),
        normalizers.Replace("%", "百分之"),
        normalizers.Replace(Regex(r"[\p{P}\p{S}\s]+"), ""),
    ]
    built.normalizer = normalizers.Sequence([*steps, *(normalizers.Replace(written, said) for written, said in DIGITS.items())])
    source = PairSource(seed)
    texts = [text for _ in range(250) for pair in source.batch(96) for text in (pair.query, pair.statement)]
    alphabet = [*frequent_characters(), *"abcdefghijklmnopqrstuvwxyz"]
    trainer = trainers.BpeTrainer(vocab_size=pieces, min_frequency=20, special_tokens=[UNKNOWN], initial_alphabet=alphabet,
                                  limit_alphabet=len(alphabet) + 600, max_token_length=3, show_progress=False)  # fmt: skip
    built.pre_tokenizer = pre_tokenizers.Split(Regex("\n"), "removed")
    built.train_from_iterator(texts, trainer)
    return built


def train(model: SentenceTransformer, steps: int, seed: int) -> None:
    """In-batch contrastive loss with one near miss a pair; the rate rises over 50 steps and falls to the end."""
    loss = MultipleNegativesRankingLoss(model, scale=20.0)
    optimiser = torch.optim.AdamW(model.parameters(), lr=PEAK, weight_decay=0.0)
    source, began, mean = PairSource(seed), time.monotonic(), 0.0
    model.train()
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = PEAK * min(1.0, (step + 1) / 50) * max(0.02, 1 - step / steps)
        pairs = source.batch(BATCH)
        columns = ([pair.query for pair in pairs], [pair.statement for pair in pairs], [pair.wrong for pair in pairs])
        value = loss([model.preprocess(column) for column in columns], torch.zeros(len(pairs)))
        optimiser.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        mean = value.item() if step == 0 else 0.98 * mean + 0.02 * value.item()
        if (step + 1) % 100 == 0:
            print(f"step {step + 1} {time.monotonic() - began:.0f} s loss {mean:.3f}", flush=True)
    model.eval()


def make(out: Path, *, width: int = WIDTH, pieces: int = PIECES, steps: int = STEPS, seed: int = SEED) -> None:
    """Train a model from nothing and save it in `out` in the ordinary format. One thread, so that a seed gives the same weights."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    bag = StaticEmbedding(tokenizer(pieces, seed), embedding_dim=width)
    model = SentenceTransformer(modules=[bag, Normalize()], device="cpu")
    train(model, steps, seed)
    model.save(str(out), create_model_card=False)
    (out / "model.safetensors").chmod(0o644)  # written for its owner alone


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args()
    make(given.out, steps=given.steps, seed=given.seed)
