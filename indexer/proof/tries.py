"""
The root of a Merkle Patricia trie that is built once: every node is hashed once.

`trie.HexaryTrie` hashes the path from leaf to root again at each insertion, so it takes five to
ten times as long; tests hold both to the same roots.
"""

from collections.abc import Sequence

from eth_hash.auto import keccak

from indexer.proof.headers import listed, number, octets

EMPTY_ROOT = keccak(b"\x80")


def indexed_root(leaves: Sequence[str]) -> bytes:
    """
    Return the 32-byte root of the trie that holds leaves under the RLP of 0, 1, 2, ...

    Args:
        leaves: what is stored, as hex digits.
    """
    if not leaves:
        return EMPTY_ROOT
    items = sorted((number(hex(index)), leaf) for index, leaf in enumerate(leaves))
    return keccak(bytes.fromhex(_node(items, 0)))


def _node(items: Sequence[tuple[str, str]], depth: int) -> str:
    # The keys have no key of another as their beginning, so values lie in leaves only.
    if len(items) == 1:
        path, leaf = items[0]
        return listed(_path(path[depth:], 2) + octets(leaf))
    shared = _shared(items[0][0][depth:], items[-1][0][depth:])
    if shared:
        return listed(_path(shared, 0) + _reference(_node(items, depth + len(shared))))
    branches = []
    start = 0
    for digit in "0123456789abcdef":
        stop = start
        while stop < len(items) and items[stop][0][depth] == digit:
            stop += 1
        found = items[start:stop]
        branches.append(_reference(_node(found, depth + 1)) if found else "80")
        start = stop
    return listed("".join(branches) + "80")


def _shared(first: str, last: str) -> str:
    # Sorted, so what the first and the last begin with, all do.
    pairs = enumerate(zip(first, last, strict=False))
    return first[: next((place for place, (left, right) in pairs if left != right), len(first))]


def _path(nibbles: str, flag: int) -> str:
    # The flag says whether the path ends in a leaf (2) and whether its length is odd (1).
    is_odd = len(nibbles) % 2
    return octets(f"{flag + is_odd:x}{'' if is_odd else '0'}{nibbles}")


def _reference(node: str) -> str:
    return node if len(node) < 64 else "a0" + keccak(bytes.fromhex(node)).hex()
