"""
A chain of one token's Transfer logs, rendered to the bytes a node sends.

Bloom, receipts root, hash and parent hash of every block are true, so whoever verifies can. Blocks
0 and those behind `last` are empty but for one: the block behind `last` has a log with the topic of
Transfer whose value is indexed, so that it cannot be read as one.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import msgspec

from indexer.facts.routes import abi_entries
from indexer.simulation.blocks import Block, Log, Transaction, block

CONTRACT = bytes.fromhex("70" * 20)
TRANSFER = abi_entries("erc20/Token")["Transfer"].topic0
LOGS_PER_TRANSACTION = 5
EMPTY_BLOCKS_AT_HEAD = 100  # more than any client calls not final yet
START_TIME = 1_735_000_000
BLOCK_SECONDS = 12
ACCOUNTS = 1_000

# What clients want of a transaction and nobody here looks at.
_ZEROS = (
    "nonce",
    "value",
    "gas",
    "gasPrice",
    "maxFeePerGas",
    "maxPriorityFeePerGas",
    "v",
    "r",
    "s",
)
_TRANSACTION = dict.fromkeys(_ZEROS, "0x0") | {
    "type": "0x2",
    "chainId": "0x1",
    "from": "0x" + "00" * 20,
    "to": f"0x{CONTRACT.hex()}",
    "input": "0x",
}


@dataclass(frozen=True)
class Chain:
    """
    Blocks from number 0 on, as bytes.

    Attributes:
        last: the last block that has only transfers.
        headers: JSON of each block.
        receipts: JSON of each block's receipts without their logs.
        numbers: block hash -> number.
        logs: JSON of all logs, each with a comma behind it.
        starts: where in `logs` each block starts, and where the last ends.
        totals: the sum of all values up to each block.
    """

    last: int
    headers: list[bytes]
    receipts: list[list[bytes]]
    numbers: dict[str, int]
    logs: bytearray
    starts: "array[int]"
    totals: list[int]

    @property
    def head(self) -> int:
        """Return the number of the newest block."""
        return len(self.headers) - 1

    def full_block(self, number: int) -> bytes:
        """Return a block with its transactions in place of their hashes."""
        header = msgspec.json.decode(self.headers[number])
        place = {"blockHash": header["hash"], "blockNumber": header["number"]}
        header["transactions"] = [
            {**_TRANSACTION, **place, "hash": tx_hash, "transactionIndex": hex(index)}
            for index, tx_hash in enumerate(header["transactions"])
        ]
        return msgspec.json.encode(header)

    def logs_of(self, number: int) -> list[bytes]:
        """Return the logs of a block, one by one."""
        text = bytes(self.logs[self.starts[number] : self.starts[number + 1]]).rstrip(b",")
        return list(map(bytes, msgspec.json.decode(b"[%b]" % text, type=list[msgspec.Raw])))

    def full_receipts(self, number: int) -> bytes:
        """Return the receipts of a block."""
        logs = self.logs_of(number)
        share = -(-len(logs) // max(1, len(self.receipts[number])))
        return b"[%b]" % b",".join(
            b'%b,"logs":[%b]}' % (fields[:-1], b",".join(logs[at * share : (at + 1) * share]))
            for at, fields in enumerate(self.receipts[number])
        )


def chain(logs: int, per_block: int) -> Chain:
    """Return a chain with this many transfers, the same number in each block."""
    dice, last = Random(20), logs // per_block
    made = Chain(last, [], [], {}, bytearray(), array("Q", [0]), [])
    accounts = [dice.randbytes(20).rjust(32, b"\0") for _ in range(ACCOUNTS)]
    parent = None
    for number in range(last + 2 + EMPTY_BLOCKS_AT_HEAD):
        count = per_block if 1 <= number <= last + 1 else 0
        happened = [_transfer(dice, accounts) for _ in range(count)]
        if number == last + 1:
            topics = happened[0].topics
            happened[0] = Log(CONTRACT, (*topics, happened[0].data), b"")
        values = [int.from_bytes(log.data or log.topics[3]) for log in happened]
        made.totals.append(sum(values) + (made.totals[-1] if made.totals else 0))
        parent = block(parent, number, START_TIME + BLOCK_SECONDS * number, _bundled(happened))
        _append(made, parent)
    return made


def _transfer(dice: Random, accounts: Sequence[bytes]) -> Log:
    value = dice.randrange(10**24).to_bytes(32)
    return Log(CONTRACT, (TRANSFER, dice.choice(accounts), dice.choice(accounts)), value)


def _bundled(logs: Sequence[Log]) -> list[Transaction]:
    places = range(0, len(logs), LOGS_PER_TRANSACTION)
    return [
        Transaction(bytes(20), CONTRACT, tuple(logs[at : at + LOGS_PER_TRANSACTION]))
        for at in places
    ]


def _append(made: Chain, block: Block) -> None:
    made.headers.append(msgspec.json.encode(block.header))
    made.receipts.append([receipt.fields for receipt in block.receipts])
    made.numbers[block.hash] = block.number
    for text in block.log_texts:
        made.logs.extend(text + b",")
    made.starts.append(len(made.logs))
