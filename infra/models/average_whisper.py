"""Average checkpoints of one training, so that what one last step learnt too well evens out.

    python -m infra.models.average_whisper OUT.pt CHECKPOINT=WEIGHT CHECKPOINT=WEIGHT …

All in OpenAI's format and of one shape; the weights sum to 1.
"""

import argparse
import math
from pathlib import Path

import torch


def average(out: Path, shares: list[tuple[Path, float]]) -> None:
    """Write the weighted mean of the checkpoints' weights, in 16 bit."""
    loaded = [(torch.load(path, map_location="cpu", weights_only=True), share) for path, share in shares]
    first = loaded[0][0]
    weights = {
        name: sum(share * each["model_state_dict"][name].float() for each, share in loaded).half() for name in first["model_state_dict"]
    }
    temporary = out.with_suffix(".tmp")
    torch.save({**first, "model_state_dict": weights}, temporary)
    temporary.replace(out)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("out", type=Path)
    arguments.add_argument("shares", nargs="+", metavar="CHECKPOINT=WEIGHT")
    given = arguments.parse_args()
    shares = [(Path(path), float(share)) for path, share in (each.rsplit("=", 1) for each in given.shares)]
    if not math.isclose(sum(share for _, share in shares), 1, abs_tol=1e-6):
        arguments.error("the weights don't sum to 1")
    average(given.out, shares)


if __name__ == "__main__":
    main()
