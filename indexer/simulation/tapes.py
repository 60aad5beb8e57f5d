"""What was recorded of one chain, gathered object by object, in the spelling of a node."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from indexer.chains import Chain
from indexer.simulation.blocks import LogKey
from indexer.simulation.captures import Item
from indexer.simulation.served import CallKey

_QUANTITY = re.compile(r"0x[0-9a-fA-F]+|[0-9]{1,78}")
_BYTES = re.compile(r"0[xX](?:[0-9a-fA-F]{2})*")
_ADDRESSES = frozenset({"from", "to", "contractAddress"})
_QUANTITIES = frozenset({"gasUsed", "cumulativeGasUsed", "effectiveGasPrice"})


@dataclass(frozen=True, slots=True, order=True)
class RecordedLog:
    """One log; compares in the order a node serves them. Hex is lower-case."""

    block_number: int
    tx_index: int
    tx_hash: str
    log_index: int
    block_hash: str
    address: str
    topics: tuple[str, ...]
    data: str

    @property
    def key(self) -> LogKey:
        """What filters look at."""
        return (self.address, *self.topics)

    def text(self, timestamp: object) -> bytes:
        """Return the log as JSON, with a `blockTimestamp` unless that is None."""
        stamp = {} if timestamp is None else {"blockTimestamp": timestamp}
        return msgspec.json.encode(
            {
                "address": self.address,
                "topics": self.topics,
                "data": self.data,
                "blockNumber": hex(self.block_number),
                "transactionHash": self.tx_hash,
                "transactionIndex": hex(self.tx_index),
                "blockHash": self.block_hash,
                **stamp,
                "logIndex": hex(self.log_index),
                "removed": False,
            }
        )


@dataclass(frozen=True, slots=True)
class Tape:
    """
    Everything recorded of one chain so far.

    Attributes:
        chain: the chain.
        logs: by transaction hash and log index.
        headers: of complete blocks, by number.
        receipts: by block number, then by transaction hash; logs taken out.
        hashes: of every block anything is known of.
        timestamps: as logs told them, hex seconds.
        calls: answers of eth_call.
    """

    chain: Chain
    logs: dict[tuple[str, int], RecordedLog] = field(default_factory=dict)
    headers: dict[int, Item] = field(default_factory=dict)
    receipts: dict[int, dict[str, Item]] = field(default_factory=dict)
    hashes: dict[int, str] = field(default_factory=dict)
    timestamps: dict[int, str] = field(default_factory=dict)
    calls: dict[CallKey, str] = field(default_factory=dict)

    def take(self, item: Item) -> None:
        """
        Add one recorded object.

        Raises:
            KeyError: a field is missing.
            ValueError: a field is not what a node sends, or contradicts what is recorded.
        """
        if "header" in item and "receipts" in item:
            self._take_block(_members(item["header"]), item["receipts"])
        elif "topics" in item:
            self._take_log(item)
        elif "logs" in item:
            self._take_receipt(item)
        elif "result" in item and "data" in item:
            self._take_call(item)
        else:
            raise ValueError(f"neither log, receipt, block nor call: fields {sorted(item)}")

    def _take_block(self, header: Item, receipts: object) -> None:
        number = _block_number(header["number"])
        self._take_hash(number, header["hash"])
        said = {name: value for name, value in header.items() if not name.startswith("_")}
        listed = header.get("transactions")
        if isinstance(listed, list):
            # With full transactions asked for, nodes list objects; we serve hashes alone.
            said["transactions"] = [one["hash"] if isinstance(one, dict) else one for one in listed]
        self.headers[number] = said | {"number": hex(number), "hash": self.hashes[number]}
        self.receipts.setdefault(number, {})
        for receipt in receipts if isinstance(receipts, list) else ():
            self._take_receipt(_members(receipt))

    def _take_receipt(self, receipt: Item) -> None:
        number = _block_number(receipt["blockNumber"])
        self._take_hash(number, receipt["blockHash"])
        tx_hash = _hexadecimal(receipt["transactionHash"])
        integer(receipt["transactionIndex"])
        self.receipts.setdefault(number, {})[tx_hash] = _receipt_fields(receipt)
        places = ("blockNumber", "blockHash", "transactionHash", "transactionIndex")
        place = {name: receipt[name] for name in places}
        logs = receipt["logs"]
        for log in logs if isinstance(logs, list) else ():
            self._take_log(place | dict(_members(log)))

    def _take_log(self, item: Item) -> None:
        if item.get("removed") is True:  # a reorg took it back: no node serves it any more
            return
        topics = item["topics"]
        if not isinstance(topics, list):
            raise ValueError(f"expected a list of topics, saw {topics!r}")
        log = RecordedLog(
            _block_number(item["blockNumber"]),
            integer(item["transactionIndex"]),
            _hexadecimal(item["transactionHash"]),
            integer(item["logIndex"]),
            _hexadecimal(item["blockHash"]),
            _hexadecimal(item["address"]),
            tuple(_hexadecimal(topic) for topic in topics),
            _hexadecimal(item["data"]),
        )
        self._take_hash(log.block_number, log.block_hash)
        if self.logs.setdefault((log.tx_hash, log.log_index), log) != log:
            raise ValueError(
                f"log {log.log_index} of {log.tx_hash} was recorded differently before"
            )
        if item.get("blockTimestamp") is not None:
            self.timestamps[log.block_number] = hex(integer(item["blockTimestamp"]))

    def _take_call(self, item: Item) -> None:
        block = item.get("block")
        number = None if block is None else _block_number(block)
        to, sent = _hexadecimal(item["to"]), _hexadecimal(item["data"])
        self.calls[number, to, sent] = _hexadecimal(item["result"])

    def _take_hash(self, number: int, value: object) -> None:
        said = _hexadecimal(value)
        known = self.hashes.setdefault(number, said)
        if known != said:
            raise ValueError(
                f"block {number} has hash {said} here and {known} before: "
                "recordings of two forks cannot be served together"
            )


def integer(value: object) -> int:
    """
    Return a quantity that was recorded as hex, as decimal digits or as a number.

    Raises:
        ValueError: it is none of these.
    """
    text = "" if isinstance(value, bool) else str(value)
    if not _QUANTITY.fullmatch(text):
        raise ValueError(f"expected a quantity like '0x1b4', saw {value!r}")
    return int(text, 16 if text.startswith("0x") else 10)


def _block_number(value: object) -> int:
    number = integer(value)
    if number >= 1 << 64:  # the stand-in's hash has eight bytes for it, as nodes have
        raise ValueError(f"expected a block's number, saw {value!r}")
    return number


def _hexadecimal(value: object) -> str:
    """Return bytes as a node writes them."""
    if not isinstance(value, str) or not _BYTES.fullmatch(value):
        raise ValueError(f"expected bytes like '0x1b40', saw {value!r}")
    return value.lower()


def _members(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ValueError(f"expected an object, saw {str(value)[:60]!r}")
    return value


def _receipt_fields(receipt: Item) -> dict[str, object]:
    return {
        name: _spelled(name, value)
        for name, value in receipt.items()
        if not name.startswith("_") and name != "logs"
    }


def _spelled(name: str, value: object) -> object:
    """Return a field as a node writes it; libraries record decimals and checksummed addresses."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) or name in _QUANTITIES:
        return hex(integer(value))
    return str(value).lower() if name in _ADDRESSES else value
