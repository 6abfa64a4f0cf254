"""Which windows of a batch are decoded together: those whose features and prompts are of one length, in portions for each worker."""

import os
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Group:
    """Windows, by their place in the batch, that share the length of their features (ms) and of their prompts."""

    context_ms: int
    indexes: tuple[int, ...]


def groups_of(contexts_ms: Sequence[int], prompt_lengths: Sequence[int], *, workers: int, most_ms: int) -> list[Group]:
    """Each window once. No group spans more than `most_ms` of features, which bounds memory, or more than its share among `workers`.

    The longest groups come first, so that the workers end at about the same time.
    """
    alike: dict[tuple[int, int], list[int]] = {}
    for index, key in enumerate(zip(contexts_ms, prompt_lengths, strict=True)):
        alike.setdefault(key, []).append(index)
    share = -(-len(contexts_ms) // workers)
    groups = []
    for (context_ms, _), indexes in alike.items():
        size = max(1, min(share, most_ms // context_ms))
        parts = -(-len(indexes) // size)
        even = -(-len(indexes) // parts)
        groups += [Group(context_ms, tuple(indexes[at : at + even])) for at in range(0, len(indexes), even)]
    return sorted(groups, key=lambda group: (-group.context_ms * len(group.indexes), group.indexes))


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
