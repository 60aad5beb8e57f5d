"""Which logs a filter of eth_getLogs selects, by the rules of geth."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from string import hexdigits
from typing import Any

from indexer.simulation.blocks import Block, LogKey
from indexer.simulation.refusals import TOO_MANY_TOPICS, Refused, invalid_argument

_MAX_TOPICS = 4
_DIGITS = frozenset(hexdigits)

Alternatives = frozenset[str] | None  # None takes anything


@dataclass(frozen=True)
class Filter:
    """
    What eth_getLogs selects by.

    Attributes:
        addresses: lower-case hex of which one must be the emitter.
        topics: per position the alternatives; a log with fewer topics than this never matches,
            not even where every alternative is None.
    """

    addresses: Alternatives = None
    topics: tuple[Alternatives, ...] = ()

    def takes(self, key: LogKey) -> bool:
        """Return whether a log with this key matches."""
        return (
            len(key) > len(self.topics)
            and (self.addresses is None or key[0] in self.addresses)
            and all(
                wanted is None or topic in wanted
                for wanted, topic in zip(self.topics, key[1:], strict=False)
            )
        )

    def kind(self) -> "Filter":
        """Return the part of the filter that address and topic0 decide."""
        return Filter(self.addresses, self.topics[:1])


def parsed_filter(address: object, topics: object) -> Filter:
    """
    Return the filter for the `address` and `topics` members of a request.

    Raises:
        Refused: they are not what eth_getLogs takes.
    """
    if topics is not None and not isinstance(topics, list):
        raise Refused(invalid_argument(0, "topics must be an array"))
    wanted: list[Any] = topics or []
    if len(wanted) > _MAX_TOPICS:
        raise Refused(TOO_MANY_TOPICS)
    return Filter(_alternatives(address, 20), tuple(_alternatives(one, 32) for one in wanted))


def _alternatives(value: object, size: int) -> Alternatives:
    if value is None or value == []:
        return None
    several = value if isinstance(value, list) else [value]
    # A null among the alternatives makes the whole position open, as in geth.
    return None if None in several else frozenset(_bytes_text(one, size) for one in several)


def _bytes_text(value: object, size: int) -> str:
    if not isinstance(value, str) or not value.startswith(("0x", "0X")):
        raise Refused(invalid_argument(0, "hex string without 0x prefix"))
    if len(value) != 2 + 2 * size:
        raise Refused(
            invalid_argument(0, f"hex has invalid length {len(value) - 2} after decoding")
        )
    if not set(value[2:]) <= _DIGITS:
        raise Refused(invalid_argument(0, "invalid hex string"))
    return value.lower()


def selected(blocks: Iterable[Block], wanted: Filter) -> Iterator[tuple[int, Sequence[bytes]]]:
    """
    Yield (block number, JSON of its matching logs) for blocks that have any.

    A block of which everything matches costs one look per distinct (address, topic0).
    """
    takes = lru_cache(maxsize=None)(wanted.takes)
    takes_kind = lru_cache(maxsize=None)(wanted.kind().takes)
    is_decided_by_kind = len(wanted.topics) <= 1
    for block in blocks:
        kinds = {kind for kind in block.kinds if takes_kind(kind)}
        if is_decided_by_kind and len(kinds) == len(block.kinds):
            texts: Sequence[bytes] = block.log_texts
        elif kinds:
            pairs = zip(block.log_keys, block.log_texts, strict=True)
            texts = [text for key, text in pairs if key[:2] in kinds and takes(key)]
        else:
            continue
        if texts:
            yield block.number, texts
