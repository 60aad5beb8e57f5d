"""
The node of the index benchmarks: `python ten_words.py EVENT LOGS PER_BLOCK`.

It builds a chain whose every log is one declared event with ten words of data, prints where it
serves it as a line of JSON (see `Offer`), and serves until it is told to stop.

    LiquidatePosition   GMX v1 on Arbitrum: one topic, a row in each of three fact tables
    OrderSettled        Synthetix v3 on Base: four topics, a row in each of three fact tables
    WithdrawProfit      MUX on Arbitrum: three topics, one row, a fee
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from random import Random

import msgspec

from indexer.facts.routes import abi_entries
from indexer.protocols import PROTOCOLS
from indexer.simulation.blocks import Block, Log, Transaction, block
from indexer.simulation.node import run_forever
from indexer.simulation.served import SIMULATED_CLIENT, ServedChain
from indexer.spec import Contract

_LOGS_PER_TRANSACTION = 5
_START_TIME = 1_735_000_000
_PRICE_SCALE, _SIZE_SCALE = 10**30, 10**18


class Offer(msgspec.Struct, frozen=True):
    """
    What the node serves.

    Attributes:
        protocol: slug of the protocol whose event it is.
        chain: slug of the chain.
        contract: the emitter, 0x text.
        topic0: of the event, 0x text.
        first: first block.
        last: last block.
        logs: how many there are, `logs / (last - first + 1)` in every block.
        url: where the node answers.
    """

    protocol: str
    chain: str
    contract: str
    topic0: str
    first: int
    last: int
    logs: int
    url: str = ""


@dataclass(frozen=True)
class Kind:
    """
    An event to fill a chain with.

    Attributes:
        protocol: its slug.
        abi: of the emitter.
        name: of the event.
        arguments: makes the indexed arguments and the ten words of data of one log.
    """

    protocol: str
    abi: str
    name: str
    arguments: Callable[[Random], tuple[tuple[bytes, ...], bytes]]

    def contract(self) -> Contract:
        """Return the first contract that emits the event."""
        return next(c for c in PROTOCOLS[self.protocol].contracts if c.abi == self.abi)


def words(values: Iterable[int | bytes]) -> bytes:
    """Return integers, addresses and hashes as 32 bytes each."""
    return b"".join(
        value.rjust(32, b"\0") if isinstance(value, bytes) else (value % 2**256).to_bytes(32)
        for value in values
    )


def _liquidation(source: Random) -> tuple[tuple[bytes, ...], bytes]:
    tokens = [token for token in PROTOCOLS["gmx_v1"].tokens if token.chain.slug == "arbitrum"][:4]
    collateral, index = (bytes.fromhex(source.choice(tokens).address[2:]) for _ in range(2))
    size, margin, reserve = (source.randrange(10**7) * _PRICE_SCALE // 13 for _ in range(3))
    profit, price = source.randrange(10**6), source.randrange(10**5)
    happened = (collateral, index, source.random() < 0.5, size, margin, reserve)
    rest = (-profit * _PRICE_SCALE // 17, price * _PRICE_SCALE // 19)
    return (), words([source.randbytes(32), source.randbytes(20), *happened, *rest])


def _settlement(source: Random) -> tuple[tuple[bytes, ...], bytes]:
    market, account = source.randrange(1, 100), source.getrandbits(64)
    indexed = (words([market]), words([account]), bytes(32))
    price, change = source.randrange(10**5) * _SIZE_SCALE // 7, source.randrange(1, 10**22)
    pnl, funding = (source.randrange(-(10**22), 10**22) for _ in range(2))
    fees = [source.randrange(10**19) for _ in range(4)]
    return indexed, words([price, pnl, funding, change, change, *fees, source.randbytes(20)])


def _withdrawal(source: Random) -> tuple[tuple[bytes, ...], bytes]:
    indexed = (source.randbytes(20).rjust(32, b"\0"), words([source.randrange(1, 20)]))
    prices = [source.randrange(1, 10**5) * _SIZE_SCALE // 7 for _ in range(4)]
    happened = (source.randrange(5), source.randrange(5), source.random() < 0.5)
    rest = (source.randrange(10**20), *prices, source.randrange(10**19))
    return indexed, words([source.randbytes(32), *happened, *rest])


KINDS = {
    "LiquidatePosition": Kind("gmx_v1", "gmx_v1/Vault", "LiquidatePosition", _liquidation),
    "OrderSettled": Kind(
        "synthetix_v3", "synthetix_v3/PerpsMarketProxy", "OrderSettled", _settlement
    ),
    "WithdrawProfit": Kind("mux", "mux/LiquidityPool", "WithdrawProfit", _withdrawal),
}


def served(kind: Kind, logs: int, per_block: int) -> tuple[ServedChain, Offer]:
    """Return a chain with this many logs of one kind, and what it offers."""
    contract = kind.contract()
    topic0 = abi_entries(kind.abi)[kind.name].topic0
    chain = list(_blocks(contract, _logs(kind, contract, topic0), logs // per_block, per_block))
    offer = Offer(
        kind.protocol,
        contract.chain.slug,
        contract.address.lower(),
        f"0x{topic0.hex()}",
        chain[0].number,
        chain[-1].number,
        len(chain) * per_block,
    )
    # A range of the past: all of it is final.
    return (
        ServedChain(
            contract.chain.chain_id,
            contract.chain.slug,
            SIMULATED_CLIENT,
            chain,
            safe_lag=0,
            finalized_lag=0,
        ),
        offer,
    )


def _logs(kind: Kind, contract: Contract, topic0: bytes) -> Iterator[Log]:
    source, emitter = Random(10), bytes.fromhex(contract.address[2:])
    while True:
        indexed, data = kind.arguments(source)
        yield Log(emitter, (topic0, *indexed), data)


def _blocks(contract: Contract, logs: Iterator[Log], count: int, per_block: int) -> Iterator[Block]:
    parent = None
    for number in range(contract.from_block, contract.from_block + count):
        happened = tuple(islice(logs, per_block))
        transactions = [
            Transaction(bytes(20), happened[0].address, happened[at : at + _LOGS_PER_TRANSACTION])
            for at in range(0, per_block, _LOGS_PER_TRANSACTION)
        ]
        stamp = _START_TIME + number - contract.from_block
        parent = block(parent, number, stamp, transactions)
        yield parent


def _main(event: str, logs: str, per_block: str) -> None:
    chain, offer = served(KINDS[event], int(logs), int(per_block))

    def announce(line: str) -> None:
        told = msgspec.structs.replace(offer, url=line.partition(" ")[2])
        print(msgspec.json.encode(told).decode(), flush=True)

    run_forever([chain], 0, announce)


if __name__ == "__main__":
    _main(*sys.argv[1:])
