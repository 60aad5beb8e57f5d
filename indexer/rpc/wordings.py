"""
How nodes and providers say no, as data: one row per wording, first match wins.

A row is a case-insensitive pattern over "<code> <message> <error data>" and what it means. Rows
that mean "ask for less" may carry named groups: `low` and `high` (a range that would work, hex or
decimal), or `blocks` (the longest span allowed; `k` behind the number multiplies by 1,000); those
that mean "fewer calls" may carry `calls` (the most allowed in one request).
Order matters where one text says two things: rate limits come before sizes, because Infura uses
code -32005 for both, and a node that is behind comes before sizes, because Reth says "block
range extends beyond current head block". What a contract reverts with comes before what is said of
batches: it may say anything.
"""

import re
from dataclasses import dataclass
from enum import Enum


class Meaning(Enum):
    """What a refusal asks the caller to do."""

    SLOW_DOWN = "send fewer requests"
    BEHIND = "ask again when the node has seen the block"
    TOO_LARGE = "ask for fewer blocks"
    FEWER_CALLS = "send fewer calls in one request"
    REVERTED = "the contract itself refused the call"
    NO_PIN = "the node does not take a block hash as a pin"
    PRUNED = "the node no longer has this part of history"
    NO_ACCESS = "the key or the plan does not allow it"
    REFUSED = "the node will not serve this request however often it is sent"
    INVALID = "the node does not understand the request"
    FAILED = "the node broke down; the same request may succeed later"


@dataclass(frozen=True)
class Wording:
    """
    One way of saying no.

    Attributes:
        said_by: nodes and providers known to use it.
        pattern: matched anywhere in "<code> <message> <error data>", ignoring case.
        means: what to do about it.
    """

    said_by: str
    pattern: str
    means: Meaning

    def match(self, text: str) -> re.Match[str] | None:
        """Return the match in `text`, or None."""
        return re.search(self.pattern, text, re.IGNORECASE | re.DOTALL)


_RANGE = r"\[\s*(?P<low>0x[0-9a-f]+)\s*,\s*(?P<high>0x[0-9a-f]+)\s*\]"
_N = r"(?P<blocks>\d[\d,._]*k?)"
_INTEGER = r"(?:0|[1-9]\d*)"
_CALLS = r"(?P<calls>\d+)"

WORDINGS: tuple[Wording, ...] = (
    # Never, with this key or plan; said with HTTP 429 as well.
    Wording("Alchemy", r"monthly capacity limit exceeded", Meaning.NO_ACCESS),
    # Slow down.
    Wording("any HTTP balancer", r"^429 |too many requests", Meaning.SLOW_DOWN),
    Wording("Alchemy", r"compute units per second|exceeded its throughput", Meaning.SLOW_DOWN),
    Wording("QuickNode", r"-32007 |request limit reached", Meaning.SLOW_DOWN),
    Wording("QuickNode", r"credits limited to", Meaning.SLOW_DOWN),
    Wording("Nethermind", r"too many queued requests", Meaning.SLOW_DOWN),
    Wording("Base", r"-32016 |over rate limit", Meaning.SLOW_DOWN),
    Wording("Infura", r"request rate exceeded|daily request count exceeded", Meaning.SLOW_DOWN),
    Wording(
        "HyperEVM, dRPC, Ankr, Chainstack, publicnode",
        r"rate.?limit|rps limit|requests per second",
        Meaning.SLOW_DOWN,
    ),
    # The node has not seen it yet.
    Wording("Reth, Nimbus", r"extends beyond current head", Meaning.BEHIND),
    Wording("Erigon", r"beyond latest executed block|node is still syncing", Meaning.BEHIND),
    Wording("geth, Arbitrum", r"header not found|header for hash not found", Meaning.BEHIND),
    Wording("geth, Erigon, Parity", r"-39001 |unknown block|block not found", Meaning.BEHIND),
    Wording(
        "Nethermind, OpenEthereum",
        r"blocks specified in filter .* cannot be found|block .* could not be found",
        Meaning.BEHIND,
    ),
    Wording("Besu, evmos", r"block is out of range|beyond the head", Meaning.BEHIND),
    Wording("geth", r"hash \S+ is not currently canonical", Meaning.BEHIND),
    Wording("Avalanche, geth", r"after last accepted block|future block", Meaning.BEHIND),
    # We never ask for a range whose end comes first: the node cut it at its own head.
    Wording("Arbitrum, geth", r"invalid block range params", Meaning.BEHIND),
    # Never, not from this node. Before sizes: both speak of blocks and limits.
    Wording("geth, Erigon, HyperEVM", r"missing trie node|required historical", Meaning.PRUNED),
    Wording("geth, Reth, Nethermind", r"^4444 |pruned", Meaning.PRUNED),
    Wording("geth", r"historical state .*(not available|unavailable)", Meaning.PRUNED),
    Wording("Nethermind", r"no state available for block|receipt not available", Meaning.PRUNED),
    Wording("Erigon", r"due to pruning|data before txnum=\d+ is not available", Meaning.PRUNED),
    Wording("Infura", r"access (to )?archive state", Meaning.PRUNED),
    Wording("Ankr", r"-32061 |no archive nodes", Meaning.PRUNED),
    Wording("Cloudflare", r"requested data is older than", Meaning.PRUNED),
    Wording("OpenEthereum", r"running with state pruning", Meaning.PRUNED),
    Wording("Cronos", r"lowest height is", Meaning.PRUNED),
    Wording("Moonbeam", r"state already discarded", Meaning.PRUNED),
    Wording("Optimism", r"no historical rpc is available|historical backend", Meaning.PRUNED),
    Wording("BSC", r"(pebble|leveldb): not found", Meaning.PRUNED),
    # Ask for less, with a range that would work.
    Wording("Alchemy", rf"this block range should work: {_RANGE}", Meaning.TOO_LARGE),
    Wording("Infura, zkSync", rf"try with this block range {_RANGE}", Meaning.TOO_LARGE),
    Wording(
        "Reth", rf"retry with the range (?P<low>{_INTEGER})-(?P<high>{_INTEGER})", Meaning.TOO_LARGE
    ),
    # Ask for less, with the longest span.
    Wording("QuickNode, 1RPC, Blast", rf"is limited to (?:a )?(?:0 - )?{_N}", Meaning.TOO_LARGE),
    Wording("QuickNode", rf"are limited to a {_N}", Meaning.TOO_LARGE),
    Wording("Base", rf"currently limited to {_N} blocks", Meaning.TOO_LARGE),
    Wording("Infura", rf"range \d+ exceeds limit of {_N}", Meaning.TOO_LARGE),
    Wording("dRPC", rf"ranges over {_N} blocks are not supported", Meaning.TOO_LARGE),
    Wording("Alchemy, Aurora", rf"up to a {_N} block range", Meaning.TOO_LARGE),
    Wording("geth, BSC, publicnode", rf"exceed maximum block range: {_N}", Meaning.TOO_LARGE),
    Wording("Reth, HyperEVM", rf"exceeds max block range {_N}", Meaning.TOO_LARGE),
    Wording("Erigon", rf"block range exceeds server limit\D*{_N}", Meaning.TOO_LARGE),
    Wording("Avalanche", rf"too many blocks from \d+ to \d+, maximum.*? {_N}", Meaning.TOO_LARGE),
    Wording("Coinbase", rf"at most {_N} blocks", Meaning.TOO_LARGE),
    Wording("Cloudflare", rf"max range: {_N}", Meaning.TOO_LARGE),
    Wording("thirdweb", rf"number of requested blocks is {_N}", Meaning.TOO_LARGE),
    Wording("Blast", rf"range allowed for your plan \(\d+ > {_N}\)", Meaning.TOO_LARGE),
    Wording("Moonbeam", rf"too wide \(maximum {_N}\)", Meaning.TOO_LARGE),
    Wording("Swell", rf"block range greater than {_N}", Meaning.TOO_LARGE),
    Wording("Somnia", rf"block range exceeds {_N}", Meaning.TOO_LARGE),
    Wording("evmos, Ankr", rf"blocks distance: {_N}", Meaning.TOO_LARGE),
    Wording("Merkle", rf"range is too large, max is {_N}", Meaning.TOO_LARGE),
    Wording("thirdweb", rf"maximum allowed is {_N}", Meaning.TOO_LARGE),
    Wording("Morph", rf"max block range = {_N}", Meaning.TOO_LARGE),
    Wording("Polygon", rf"block range too large, range: \d+, max: {_N}", Meaning.TOO_LARGE),
    Wording("Harmony", rf"smaller than size {_N}", Meaning.TOO_LARGE),
    # Ask for less, with no hint how much less.
    Wording(
        "Ankr, Base, Optimism, Candle",
        r"-32062 |block range (is )?too (wide|large|high)",
        Meaning.TOO_LARGE,
    ),
    Wording("Chainstack", r"block range limit exceeded", Meaning.TOO_LARGE),
    Wording("Besu", r"requested range exceeds maximum", Meaning.TOO_LARGE),
    Wording("Infura, zkEVM", r"query returned more than \d+ results", Meaning.TOO_LARGE),
    Wording("Reth, LlamaRPC", r"exceeds max results", Meaning.TOO_LARGE),
    Wording("Erigon", r"query returns too many logs", Meaning.TOO_LARGE),
    Wording("Nethermind", r"too many logs requested", Meaning.TOO_LARGE),
    Wording("Arbitrum", r"logs matched by query exceeds limit", Meaning.TOO_LARGE),
    Wording("Alchemy", r"response size (exceeded|is larger)", Meaning.TOO_LARGE),
    Wording("1RPC", r"response size should not", Meaning.TOO_LARGE),
    Wording(
        "Optimism, Reth, geth",
        r"response (is |was )?too (large|big)|length limit exceeded",
        Meaning.TOO_LARGE,
    ),
    Wording("Nethermind", r"MaxBatchResponseBodySize of \d+KB exceeded", Meaning.TOO_LARGE),
    Wording("Infura, geth, Alchemy", r"query timeout|query duration", Meaning.TOO_LARGE),
    Wording("dRPC, Arbitrum", r"request timed? ?out|request timeout", Meaning.TOO_LARGE),
    # eth_call.
    Wording("geth, Reth, Erigon", r"^3 |execution reverted", Meaning.REVERTED),
    Wording(
        "Nethermind, Parity, Hardhat", r"vm execution error|reverted|revert\b", Meaning.REVERTED
    ),
    Wording(
        "geth, Reth",
        r"out of gas|invalid opcode|stack underflow|invalid jump|stack limit reached",
        Meaning.REVERTED,
    ),
    Wording(
        "geth before 1.9.6, Ganache",
        r"cannot unmarshal object into go value|expected a string, got object|invalid block tag",
        Meaning.NO_PIN,
    ),
    # Fewer calls, with how many.
    Wording("dRPC, 1RPC", rf"batch of more than {_CALLS} requests", Meaning.FEWER_CALLS),
    Wording("Base", rf"maximum {_CALLS} calls in 1 batch", Meaning.FEWER_CALLS),
    Wording("Erigon", rf"batch limit {_CALLS} exceeded", Meaning.FEWER_CALLS),
    Wording(
        "Reth, HyperEVM",
        rf"batch request was too large(.*exceeded max limit of {_CALLS})?",
        Meaning.FEWER_CALLS,
    ),
    # Fewer calls, with no hint how many.
    Wording("geth", r"batch too large", Meaning.FEWER_CALLS),
    Wording("Nethermind", r"batch size limit exceeded", Meaning.FEWER_CALLS),
    Wording("Besu", r"exceeds max batch size", Meaning.FEWER_CALLS),
    Wording("Polygon Edge", r"batch request length too long", Meaning.FEWER_CALLS),
    Wording("Gnosis", r"too many \S+ methods in the batch", Meaning.FEWER_CALLS),
    # Never, not from this node.
    Wording(
        "any",
        r"-32601 |method disabled|method (not found|not supported|is not available|does not exist)",
        Meaning.REFUSED,
    ),
    Wording(
        "Ankr, Infura, QuickNode",
        r"unauthorized|api key|invalid project|must be authenticated|forbidden|access denied",
        Meaning.NO_ACCESS,
    ),
    Wording("publicnode", r"specify an address in your request", Meaning.REFUSED),
    # Broken for now.
    Wording("Base", r"no backend is currently healthy", Meaning.FAILED),
    Wording("Alchemy", r"unable to complete request", Meaning.FAILED),
    Wording("Infura", r"request failed or timed out", Meaning.FAILED),
    Wording("Ankr", r"-32055 |no nodes available", Meaning.FAILED),
    Wording("dRPC", r"temporary internal error|can't route your request", Meaning.FAILED),
    Wording("geth, Erigon", r"method handler crashed", Meaning.FAILED),
    Wording("Reth", r"internal blocking task", Meaning.FAILED),
    Wording("any", r"-32603 |internal (server )?error|service unavailable", Meaning.FAILED),
    Wording("any", r"-32602 |-32600 |invalid (params|argument|request)", Meaning.INVALID),
    # BSC's public nodes answer every eth_getLogs with it, and others mean a result limit.
    Wording("BSC", r"limit exceeded", Meaning.TOO_LARGE),
)

UNKNOWN = Wording("unknown", "", Meaning.FAILED)


def wording(text: str) -> tuple[Wording, re.Match[str] | None]:
    """Return the first row that recognises `text` with its match, or `UNKNOWN`."""
    for row in WORDINGS:
        if found := row.match(text):
            return row, found
    return UNKNOWN, None


def suggestion(found: re.Match[str], from_block: int, to_block: int) -> tuple[int, int] | None:
    """
    Return the smaller range a refusal proposes for a request of (from_block, to_block).

    None where it names none, and where what it names is of no use: Reth has answered with the
    very range it refused, and Infura's may start elsewhere when a balancer mixes requests.
    """
    groups = found.groupdict()
    if groups.get("low") and groups.get("high"):
        low, high = int(groups["low"], 0), int(groups["high"], 0)
    elif groups.get("blocks"):
        low, high = from_block, from_block + _count(groups["blocks"]) - 1
    else:
        return None
    is_smaller = low == from_block and low <= high < to_block
    return (low, high) if is_smaller else None


def calls_allowed(found: re.Match[str], calls: int) -> int | None:
    """Return how many calls a refusal of so many allows; None where it names no smaller number."""
    told = found.groupdict().get("calls")
    return int(told) if told and 0 < int(told) < calls else None


def _count(text: str) -> int:
    thousands = 1_000 if text[-1] in "kK" else 1
    return int(re.sub(r"\D", "", text)) * thousands
