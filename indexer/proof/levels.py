"""How far a range is proven: what was asked for, as far as the chain lets anybody prove it."""

from collections.abc import Sequence

from indexer.proof.quirks import Part, Quirk

PROOFS = ("fetched", "waived", "bloom", "receipts")
"""From the least to the most proven; no quirk, no waiver."""


def reached(level: str, quirks: Sequence[Quirk]) -> tuple[str, str | None]:
    """
    Return the proof that blocks under these quirks have reached, and why it is not more.

    Args:
        level: what was checked and held: fetched, bloom or receipts.
        quirks: of the chain, at these blocks.

    Returns:
        A word of `PROOFS`, and the reasons of the quirks that forbid more, or None.
    """
    if level == "fetched":
        return level, None
    limits = [quirk for quirk in quirks if _limits(quirk, level)]
    waiver = "; ".join(quirk.reason for quirk in limits) or None
    if any(Part.BLOOM in quirk.waives or quirk.left_out for quirk in limits):
        return "waived", waiver
    has_no_root = any(Part.ROOT in quirk.waives for quirk in limits)
    return ("bloom" if has_no_root else level), waiver


def _limits(quirk: Quirk, level: str) -> bool:
    needed = {Part.HASH, Part.BLOOM} | ({Part.ROOT} if level == "receipts" else set())
    return bool(quirk.left_out or quirk.waives & needed)
