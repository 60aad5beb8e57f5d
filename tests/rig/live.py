"""
A chain that is mined and reorganised while it is served.

Its story: a price feed that answers in two blocks of three, a factory that announces two pools,
deposits into them, and one log that cannot be decoded. No block holds two logs of one contract
and event, so that a header's bloom shows every log that is missing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from eth_abi.abi import encode
from sync_rig import (
    DECIMALS,
    FIRST,
    LATE_POOL,
    POOL,
    START_TIME,
    SYMBOL,
    TRADER,
    answer,
    birth,
    deposit,
    word,
)

from indexer.simulation.blocks import Block, Log, Transaction, block
from indexer.simulation.served import ServedChain

Story = Callable[[int, bytes], tuple[Log, ...]]

BLOCKS = 160
SAFE_LAG, FINALIZED_LAG = 20, 40
BIRTH, LATE_BIRTH, UNREADABLE = FIRST + 40, FIRST + 100, FIRST + 77
_BLOCK_SECONDS = 12
CLIENT = "Geth/v1.16.4-rig/linux-amd64"


def story(number: int, branch: bytes) -> tuple[Log, ...]:
    """Return what happens in a block; on a branch of a fork a quarter of the blocks is empty."""
    if branch and (number * 7 + sum(branch)) % 4 == 0:
        return ()
    logs = [answer(number)] if number % 3 else []
    if number in {BIRTH, LATE_BIRTH}:
        pool = POOL if number == BIRTH else LATE_POOL
        logs += [birth(pool), deposit(pool, 5_000_000)]
    elif number > BIRTH and number % 5 == 0:
        logs += [deposit(POOL, number)]
    if number > LATE_BIRTH and number % 7 == 0:
        logs += [deposit(LATE_POOL, number)]
    if number == UNREADABLE:
        logs += [replace(deposit(POOL, 1), data=b"\x01")]
    return tuple(logs)


def token_answers() -> dict[tuple[int | None, str, str], str]:
    """Return what the two pools answer when asked for decimals and symbol, at any block."""
    return {
        (None, "0x" + pool.hex(), question): "0x" + told.hex()
        for pool, decimals in ((POOL, 6), (LATE_POOL, 18))
        for question, told in (
            (DECIMALS, word(decimals)),
            (SYMBOL, encode(["string"], ["POOL"])),
        )
    }


@dataclass
class LiveChain:
    """
    A chain and what can happen to it.

    Attributes:
        state: the chain as a sound node serves it now; replaced whole with every change.
        story: (block number, branch) -> the logs of the block.
        most: how long the chain may grow, blocks; None for any length.
        branches: how many forks there were; each is told from all others by its blocks' data.
        common: how many blocks all branches have in common.
    """

    state: ServedChain
    story: Story = story
    most: int | None = None
    branches: int = 0
    common: int = field(init=False)

    def __post_init__(self) -> None:
        self.common = len(self.blocks)

    @property
    def blocks(self) -> Sequence[Block]:
        """The blocks of the chain as it is now."""
        return self.state.blocks

    def mine(self, count: int = 1) -> None:
        """Add blocks on top."""
        count = count if self.most is None else min(count, self.most - len(self.blocks))
        self.become(extended(self.blocks, count, self.story, self._branch()))

    def reorg(self, depth: int, growth: int = 0) -> None:
        """Replace the last `depth` blocks by as many others and `growth` more."""
        self.branches += 1
        length = len(self.blocks)
        kept = self.blocks[: max(1, length - depth)]
        self.common = min(self.common, len(kept))
        self.become(kept)
        self.mine(length - len(kept) + growth)

    def become(self, blocks: Sequence[Block]) -> None:
        """Be another chain from now on, with the same settings."""
        self.state = replace(self.state, blocks=tuple(blocks))

    def _branch(self) -> bytes:
        return b"branch %d" % self.branches if self.branches else b""


def extended(
    below: Sequence[Block], count: int, story: Story = story, branch: bytes = b""
) -> list[Block]:
    """Return a chain with `count` blocks more; of a fork where a branch is named."""
    chain = list(below)
    for number in range(FIRST + len(chain), FIRST + len(chain) + count):
        sent = [Transaction(TRADER, log.address, (log,)) for log in story(number, branch)]
        stamp = START_TIME + _BLOCK_SECONDS * (number - FIRST)
        parent = chain[-1] if chain else None
        chain.append(block(parent, number, stamp, sent, extra_data=branch or b"main"))
    return chain


@cache
def _main_branch() -> tuple[Block, ...]:
    return tuple(extended((), BLOCKS))


def live(
    blocks: Sequence[Block] | None = None, *, most: int | None = None, **settings: object
) -> LiveChain:
    """Return a chain to play with; by default the main branch with all its blocks."""
    plain = ServedChain(
        1,
        "ethereum",
        CLIENT,
        _main_branch() if blocks is None else tuple(blocks),
        token_answers(),
        safe_lag=SAFE_LAG,
        finalized_lag=FINALIZED_LAG,
    )
    return LiveChain(replace(plain, **settings), most=most)  # type: ignore[arg-type]
