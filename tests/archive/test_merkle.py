"""Merkle trees against RFC 6962's published vectors and its recursive definition."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.merkle import Frontier, MerkleTree, inclusion_proof, leaf_hash, tree_hash, verify_consistency, verify_inclusion

# The eight leaves and the roots that Certificate Transparency's reference implementation tests itself with.
LEAVES = [
    bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def recursive_root(leaves: Sequence[bytes]) -> bytes:
    """MTH as the RFC writes it, kept apart from the one-pass form under test."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + recursive_root(leaves[:split]) + recursive_root(leaves[split:])).digest()


def test_the_empty_tree_is_the_hash_of_nothing() -> None:
    assert tree_hash([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_reference_implementation(size: int) -> None:
    assert tree_hash([leaf_hash(leaf) for leaf in LEAVES[:size]]).hex() == ROOTS[size - 1]


def test_an_inclusion_path_is_that_of_the_reference_implementation() -> None:
    hashes = [leaf_hash(leaf) for leaf in LEAVES]
    assert [node.hex() for node in inclusion_proof(hashes, 5)] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


@given(st.lists(st.binary(max_size=8), max_size=70))
def test_the_one_pass_root_is_the_recursive_one(data: list[bytes]) -> None:
    hashes = [leaf_hash(leaf) for leaf in data]
    assert tree_hash(hashes) == recursive_root(hashes)


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=70, unique=True), st.data())
def test_every_leaf_is_shown_to_be_in_and_nowhere_else(data: list[bytes], draw: st.DataObject) -> None:
    hashes = [leaf_hash(leaf) for leaf in data]
    index = draw.draw(st.integers(0, len(hashes) - 1))
    elsewhere = draw.draw(st.integers(-1, len(hashes)).filter(lambda other: other != index))
    root, proof = tree_hash(hashes), inclusion_proof(hashes, index)
    assert verify_inclusion(hashes[index], index, len(hashes), proof, root)
    assert not verify_inclusion(hashes[index], elsewhere, len(hashes), proof, root)
    assert not verify_inclusion(leaf_hash(b"something else"), index, len(hashes), proof, root)
    assert not verify_inclusion(hashes[index], index, len(hashes), [*proof, root], root)
    if proof:
        assert not verify_inclusion(hashes[index], index, len(hashes), proof[:-1], root)


def test_a_leaf_that_is_not_there_has_no_proof() -> None:
    with pytest.raises(IndexError):
        inclusion_proof([leaf_hash(b"a")], 1)


def naive_consistency(old: int, leaves: Sequence[bytes], whole: bool = True) -> list[bytes]:
    """SUBPROOF(m, D[n], b) as RFC 6962 §2.1.2 writes it."""
    if old == len(leaves):
        return [] if whole else [recursive_root(leaves)]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if old <= split:
        return [*naive_consistency(old, leaves[:split], whole), recursive_root(leaves[split:])]
    return [*naive_consistency(old - split, leaves[split:], False), recursive_root(leaves[:split])]


HASHES = [leaf_hash(number.to_bytes(2, "big")) for number in range(64)]
TREE = MerkleTree(HASHES)
SIZES = [(old, new) for new in range(1, 65) for old in range(1, new + 1)]


def test_a_held_tree_gives_the_root_of_every_earlier_size() -> None:
    assert [TREE.root(size) for size in range(65)] == [recursive_root(HASHES[:size]) for size in range(65)]


def test_a_held_tree_gives_the_same_inclusion_paths_as_the_definition_at_every_size() -> None:
    for size in range(1, 65):
        for index in range(size):
            path = TREE.inclusion(index, size)
            assert path == inclusion_proof(HASHES[:size], index)
            assert verify_inclusion(HASHES[index], index, size, path, TREE.root(size))


def test_consistency_paths_are_those_of_the_definition_and_hold_for_all_sizes() -> None:
    for old, new in SIZES:
        path = TREE.consistency(old, new)
        assert path == naive_consistency(old, HASHES[:new])
        assert verify_consistency(old, new, TREE.root(old), TREE.root(new), path)


def test_a_consistency_path_is_that_of_the_reference_implementation() -> None:
    tree = MerkleTree(leaf_hash(leaf) for leaf in LEAVES)
    assert [node.hex() for node in tree.consistency(6, 8)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


@given(st.sampled_from(SIZES), st.data())
def test_a_consistency_path_changed_in_any_way_does_not_hold(sizes: tuple[int, int], draw: st.DataObject) -> None:
    old, new = sizes
    path, old_root, new_root = TREE.consistency(old, new), TREE.root(old), TREE.root(new)
    other = leaf_hash(b"something else")
    assert not verify_consistency(old, new, other, new_root, path)
    assert not verify_consistency(old, new, old_root, other, path)
    assert not verify_consistency(old, new, old_root, new_root, [*path, other])
    if path:
        at = draw.draw(st.integers(0, len(path) - 1))
        assert not verify_consistency(old, new, old_root, new_root, [*path[:at], other, *path[at + 1 :]])
        assert not verify_consistency(old, new, old_root, new_root, path[:at] + path[at + 1 :])


@given(st.sampled_from(SIZES), st.data())
def test_a_rewritten_leaf_is_consistent_with_no_earlier_head_that_held_it(sizes: tuple[int, int], draw: st.DataObject) -> None:
    old, new = sizes
    changed = draw.draw(st.integers(0, old - 1))
    forged = MerkleTree([*HASHES[:changed], leaf_hash(b"forged"), *HASHES[changed + 1 :]])
    assert not verify_consistency(old, new, TREE.root(old), forged.root(new), forged.consistency(old, new))


def test_sizes_that_make_no_sense_have_no_consistency() -> None:
    for old, new in ((0, 5), (6, 5), (-1, 5)):
        with pytest.raises(IndexError):
            TREE.consistency(old, new)
        assert not verify_consistency(old, new, TREE.root(5), TREE.root(5), [])
    with pytest.raises(IndexError):
        TREE.root(65)


@given(st.integers(0, 64), st.integers(0, 64))
def test_a_frontier_extends_to_the_root_of_the_whole(first: int, second: int) -> None:
    frontier = Frontier(0, ()).extended(HASHES[:first])
    whole = frontier.extended(HASHES[first : first + second])
    assert whole.size == min(64, first + second)
    assert whole.root() == recursive_root(HASHES[: whole.size])


def test_a_frontier_with_a_root_too_few_is_refused() -> None:
    with pytest.raises(ValueError, match="3 perfect subtrees"):
        Frontier(7, (HASHES[0], HASHES[1]))
