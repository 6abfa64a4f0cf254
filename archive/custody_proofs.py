"""Proofs out of the custody log for who holds a checkpoint: that an entry is in it, and that a later one continues it."""

from dataclasses import dataclass

from archive.checkpoints import Checkpoint
from archive.custody import CustodyEntry
from archive.digest import Json
from archive.errors import NotFound, VerificationFailed
from archive.merkle import MerkleTree
from archive.opening import Archive


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """RFC 6962 §2.1.1 path from an entry's leaf (seq-1) to the root that `checkpoint` signs, each node 32 bytes."""

    entry: CustodyEntry
    checkpoint: Checkpoint
    path: tuple[bytes, ...]

    def as_json(self) -> dict[str, Json]:
        return {
            "entry": self.entry.as_json(),
            "leaf_index": self.entry.seq - 1,
            "checkpoint": self.checkpoint.as_json(),
            "path": [node.hex() for node in self.path],
        }


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    """RFC 6962 §2.1.2 path that shows the tree under `old` to be the beginning of the one under `new`."""

    old: Checkpoint
    new: Checkpoint
    path: tuple[bytes, ...]

    def as_json(self) -> dict[str, Json]:
        return {"old": self.old.as_json(), "new": self.new.as_json(), "path": [node.hex() for node in self.path]}


def prove_inclusion(archive: Archive, seq: int, size: int | None = None) -> InclusionProof:
    """Prove entry `seq` under the checkpoint over `size` entries, by default the first that covers it.

    NotFound if there is no such entry or checkpoint, or none covers it yet; VerificationFailed if the log doesn't lead to its root.
    """
    entry = archive.custody.entry(seq)
    if size is None:
        covering = next((each for each in archive.checkpoints.all() if each.size >= seq), None)
        if covering is None:
            raise NotFound(f"no checkpoint covers entry {seq} yet: make one with liveproof custody checkpoint")
    else:
        covering = archive.checkpoints.of_size(size)
        if size < seq:
            raise NotFound(f"the checkpoint over {size} entries does not cover entry {seq}: leave the size out, or give a later one")
    return InclusionProof(entry, covering, tuple(_tree_under(archive, covering).inclusion(seq - 1, covering.size)))


def prove_consistency(archive: Archive, old: int, new: int | None = None) -> ConsistencyProof:
    """Prove that the checkpoint over `new` entries, by default the latest, continues the one over `old`.

    NotFound if one of them was never made or they are in the wrong order; VerificationFailed if the log doesn't lead to their roots.
    """
    latest = archive.checkpoints.latest()
    first = archive.checkpoints.of_size(old)
    second = archive.checkpoints.of_size(new) if new is not None else latest
    if second is None or second.size < first.size:
        raise NotFound(f"the checkpoint over {old} entries is not the earlier one: give the older size first")
    tree = _tree_under(archive, second)
    if tree.root(first.size) != first.root_bytes:
        raise _rewritten(first)
    return ConsistencyProof(first, second, tuple(tree.consistency(first.size, second.size)))


def _tree_under(archive: Archive, checkpoint: Checkpoint) -> MerkleTree:
    tree = archive.checkpoints.tree()
    if len(tree) < checkpoint.size or tree.root(checkpoint.size) != checkpoint.root_bytes:
        raise _rewritten(checkpoint)
    return tree


def _rewritten(checkpoint: Checkpoint) -> VerificationFailed:
    return VerificationFailed(
        f"custody log: its first {checkpoint.size} entries do not lead to the root signed at {checkpoint.at.iso()}. "
        "Find out which entry was changed with: liveproof custody verify"
    )
