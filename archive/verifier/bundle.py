"""The verifier as one file: what a package carries as `verify.py`."""

import ast
import re
from functools import cache
from pathlib import Path

MODULES = (
    "outcomes",
    "ed25519",
    "log_proofs",
    "tokens",
    "package_files",
    "clips",
    "bag_checks",
    "log_checks",
    "evidence_checks",
    "checks",
    "command",
)
"""In the order in which each finds what it needs above it."""

ABOUT = '''\
"""Check a LiveProof evidence package, offline, with nothing but Python 3.8 or newer. 离线核验 LiveProof 证据包，只需 Python 3.8 以上。

    python3 verify.py                 the unpacked package that this file lies in   核验本文件所在的已解压证据包
    python3 verify.py F.zip           a package as it was handed over               核验收到的 ZIP 原件
    python3 verify.py F.zip --key K   and hold it to a signing key that you know    并核对您已知的签名密钥
    --lang zh | en                    print one language only                       只用一种语言

`ffprobe` (part of ffmpeg) is used where it is installed, to hash the clips' packets, and `openssl`, to check time-stamps' signatures;
without them those checks are reported as not made. Exit code 0: nothing is wrong; 1: something is; 2: nothing could be read.
Only the checks printed are claimed. Each step below says which standard it follows, so that it can be read and rewritten by others.
"""
'''


@cache
def standalone_verifier() -> str:
    """The modules as one Python file, the same each time; imports among them left out, all others once at the top."""
    ordinary: set[str] = set()
    for_types: set[str] = set()
    bodies = []
    for name in MODULES:
        source = Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
        body, plain, typed = _taken_apart(source)
        ordinary |= plain
        for_types |= typed
        bodies.append(f"# ---- {name} ----\n\n{body.strip()}\n")
    typed_block = "".join(f"    {line}\n" for line in sorted(for_types, key=lambda line: (" import " not in line, line)))
    head = "from __future__ import annotations\n\n" + "\n".join(sorted(ordinary, key=_import_order))
    return f"{ABOUT}\n{head}\n\nif TYPE_CHECKING:\n{typed_block}\n\n" + "\n\n".join(bodies)


def _taken_apart(source: str) -> tuple[str, set[str], set[str]]:
    """A module's own lines, its imports from elsewhere, and what it needs for types alone."""
    lines: list[str | None] = list(source.splitlines())
    tree = ast.parse(source)
    plain: set[str] = set()
    typed: set[str] = set()
    for node in tree.body:
        kept: list[str] = []
        if isinstance(node, ast.Import | ast.ImportFrom):
            plain |= _foreign(node)
        elif isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for inner in node.body:
                typed |= _foreign(inner) if isinstance(inner, ast.Import | ast.ImportFrom) else {ast.unparse(inner)}
        elif node is tree.body[0] and ast.get_docstring(tree):
            kept = ["# " + line if line else "#" for line in (ast.get_docstring(tree) or "").splitlines()]
        else:
            continue
        end = node.end_lineno or node.lineno
        lines[node.lineno - 1 : end] = [*kept, *[None] * (end - node.lineno + 1 - len(kept))]
    body = "\n".join(line for line in lines if line is not None)
    return re.sub(r"\n{4,}", "\n\n\n", body), plain, typed


def _foreign(node: ast.Import | ast.ImportFrom) -> set[str]:
    """The import, unless it is of another of these modules or of the future."""
    if isinstance(node, ast.ImportFrom) and (node.module == "__future__" or str(node.module).startswith("archive.verifier.")):
        return set()
    if isinstance(node, ast.ImportFrom):
        return {f"from {node.module} import {alias.name}" for alias in node.names}
    return {ast.unparse(node)}


def _import_order(line: str) -> tuple[bool, str]:
    return line.startswith("from "), line
