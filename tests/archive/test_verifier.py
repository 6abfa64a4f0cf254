"""The stand-alone verifier's own arithmetic, held to standard vectors, to other implementations and to trees of every small size."""

import base64
import hashlib
import string

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.merkle import MerkleTree, leaf_hash
from archive.signing import origin_of, public_bytes, write_note
from archive.timeline import WallTime
from archive.verifier.bundle import MODULES, standalone_verifier
from archive.verifier.ed25519 import ed25519_verifies
from archive.verifier.log_proofs import check_note, grown_from, merkle_root, read_note
from archive.verifier.outcomes import Wrong
from archive.verifier.tokens import read_token

# RFC 8032 §7.1, tests 1 to 3: public key, message, signature.
VECTORS = (
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
)
AT = WallTime.parse("2026-11-20T00:00:00Z")


@pytest.mark.parametrize("vector", VECTORS)
def test_signatures_of_the_standard_verify_and_no_changed_one_does(vector: tuple[str, str, str]) -> None:
    key, message, signature = (bytes.fromhex(each) for each in vector)
    assert ed25519_verifies(key, message, signature)
    for position in (0, 31, 32, 63):
        changed = bytearray(signature)
        changed[position] ^= 1
        assert not ed25519_verifies(key, message, bytes(changed))
    assert not ed25519_verifies(key, message + b"x", signature)


@settings(max_examples=15, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=100))
def test_signatures_of_another_implementation_verify(seed: bytes, message: bytes) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    assert ed25519_verifies(public_bytes(key), message, key.sign(message))


@pytest.mark.parametrize("key", [b"", b"\xff" * 32, bytes(31) + b"\x80", b"\x02" + bytes(31)])
def test_what_is_no_key_verifies_nothing(key: bytes) -> None:
    assert not ed25519_verifies(key, b"x", bytes(64))


def test_a_signature_with_its_scalar_beyond_the_order_is_refused() -> None:
    key, message, signature = (bytes.fromhex(each) for each in VECTORS[1])
    beyond = int.from_bytes(signature[32:], "little") + 2**252 + 27742317777372353535851937790883648493
    assert not ed25519_verifies(key, message, signature[:32] + beyond.to_bytes(32, "little"))


def test_every_entry_of_every_small_tree_is_in_it_and_every_tree_grew_from_every_smaller_one() -> None:
    data = [hashlib.sha256(bytes([n])).digest() for n in range(20)]
    tree = MerkleTree(leaf_hash(each) for each in data)
    for size in range(1, 21):
        root = tree.root(size)
        for n in range(size):
            path = tree.inclusion(n, size)
            assert merkle_root(data[n], n, size, path) == root
            assert merkle_root(data[(n + 1) % 20], n, size, path) != root
            assert merkle_root(data[n], n, size, [*path, bytes(32)]) != root
        for older in range(1, size + 1):
            path = tree.consistency(older, size)
            assert grown_from(older, tree.root(older), size, root, path)
            assert not grown_from(older, bytes(32), size, root, path)
            assert not grown_from(older, tree.root(older), size, bytes(32), path)
            assert not grown_from(older, tree.root(older), size, root, [*path, bytes(32)])
    assert not grown_from(0, bytes(32), 5, tree.root(5), [])
    assert not grown_from(6, tree.root(6), 5, tree.root(5), [])
    assert merkle_root(data[0], 5, 5, []) is None


def test_a_checkpoint_is_read_and_only_its_key_under_its_own_name_signs_it() -> None:
    key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    note = write_note(origin_of(public_bytes(key)), 7, b"\x01" * 32, AT, key)
    opened = check_note(note, public_bytes(key))
    assert (opened.size, opened.root, opened.at) == (7, b"\x01" * 32, "2026-11-20T00:00:00.000Z")
    with pytest.raises(Wrong, match="not signed by the key"):
        check_note(note, public_bytes(other))
    with pytest.raises(Wrong):
        check_note(note.replace("\n7\n", "\n8\n"), public_bytes(key))
    with pytest.raises(Wrong):
        check_note(note.replace("— liveproof", "— elsewhere"), public_bytes(key))
    twice = note + note.rsplit("\n", 2)[1].replace(origin_of(public_bytes(key)), "witness") + "\n"
    assert check_note(twice, public_bytes(key)).size == 7


@given(st.text(alphabet=string.printable + "—", max_size=300))
def test_what_is_no_checkpoint_is_refused_in_words(note: str) -> None:
    try:
        read_note(note)
    except Wrong:
        return
    assert "\n\n— " in note


@given(st.binary(max_size=300))
def test_what_is_no_time_stamp_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(Wrong):
        read_token(content)


def test_a_time_stamp_in_the_long_forms_of_der_is_no_endless_loop() -> None:
    for content in (b"\x30\x80", b"\x30\x84\xff\xff\xff\xff", b"\x30\x00" * 1000, base64.b64decode("MIAGCSqGSIb3DQEHAqCAMIACAQM=")):
        with pytest.raises(Wrong):
            read_token(content)


def test_the_one_file_holds_every_module_and_is_the_same_each_time() -> None:
    made = standalone_verifier()
    standalone_verifier.cache_clear()
    assert standalone_verifier() == made
    assert all(f"# ---- {name} ----" in made for name in MODULES)
    assert "archive.verifier" not in made and "liveproof" in made.lower()
