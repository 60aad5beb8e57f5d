"""The registry of chain quirks, and how far it lets a range be proven."""

import pytest

from indexer.chains import ARBITRUM, AVALANCHE, CRONOS, ETHEREUM, HYPEREVM, POLYGON, ZKSYNC, Chain
from indexer.proof import QUIRKS, border_after, reached
from indexer.proof.quirks import quirks_at
from indexer.protocols import PROTOCOLS


@pytest.mark.parametrize(
    ("chain", "block", "level", "proof"),
    [
        (ETHEREUM, 5, "fetched", "fetched"),
        (ETHEREUM, 5, "bloom", "bloom"),
        (ETHEREUM, 5, "receipts", "receipts"),
        (ARBITRUM, 22_207_816, "bloom", "bloom"),
        (ARBITRUM, 22_207_816, "receipts", "bloom"),
        (ARBITRUM, 22_207_817, "receipts", "receipts"),
        (CRONOS, 68_216, "bloom", "waived"),
        (CRONOS, 20_000_000, "receipts", "bloom"),
        (POLYGON, 60_000_000, "receipts", "waived"),
        (POLYGON, 90_000_000, "receipts", "bloom"),
        (HYPEREVM, 1, "bloom", "waived"),
        (ZKSYNC, 1, "receipts", "waived"),
        (ZKSYNC, 1, "fetched", "fetched"),
    ],
)
def test_a_level_is_reached_as_far_as_the_chain_allows(
    chain: Chain, block: int, level: str, proof: str
) -> None:
    """What a quirk forbids is waived; what falls short of the level asked for says why."""
    found, waiver = reached(level, quirks_at(chain, block))

    assert found == proof
    assert waiver or found == level


def test_only_what_forbids_more_is_a_reason() -> None:
    """A root matters to receipts alone; a quirk that waives nothing is in nobody's way."""
    assert reached("receipts", quirks_at(ETHEREUM, 5)) == ("receipts", None)
    assert reached("bloom", quirks_at(ARBITRUM, 5)) == ("bloom", None)
    proof, waiver = reached("bloom", quirks_at(AVALANCHE, 5))
    assert (proof, waiver) == ("bloom", "headers of Avalanche's C-Chain hash fields of their own")


def test_a_range_ends_where_a_quirk_does() -> None:
    """Blocks on both sides of a border are never checked together."""
    assert border_after(ARBITRUM, 5) == 22_207_816
    assert border_after(ARBITRUM, 22_207_817) is None
    assert border_after(POLYGON, 80_084_799) == 80_084_799
    assert border_after(ETHEREUM, 0) is None


def test_every_quirk_says_where_why_and_whence() -> None:
    """A row without a reason or a source is not allowed; reasons are unlike each other."""
    assert all(quirk.chains and quirk.source and len(quirk.reason) > 20 for quirk in QUIRKS)
    assert len({quirk.reason for quirk in QUIRKS}) == len(QUIRKS)


def test_nothing_is_declared_where_log_indexes_restart() -> None:
    """`place` of metrics orders events of a block by log index alone, as it may on other chains."""
    (quirk,) = (quirk for quirk in QUIRKS if quirk.name == "log indexes that do not count")
    declared = {of.chain for each in PROTOCOLS.values() for of in each.contracts}

    assert declared.isdisjoint(quirk.chains)
