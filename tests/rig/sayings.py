"""
How providers say no, word for word, with blanks for what depends on the request.

Blanks: `low` and `high`, the range asked for; `limit`, the most blocks allowed; `fits`, the last
block of a range that would work; with an x behind the name, in hex.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Saying:
    """
    A refusal.

    Attributes:
        said_by: a node or provider that says it.
        code: JSON-RPC error code.
        message: with blanks.
        data: likewise; None for none.
        status: HTTP status it comes with.
        under: where a whole batch is refused, the ids of which calls its errors bear.
    """

    said_by: str
    code: int
    message: str
    data: str | None = None
    status: int = 200
    under: Literal["none", "first", "each"] = "none"

    def text(self, low: int, high: int, limit: int) -> str:
        """Return the message about one request."""
        fits = low + limit - 1
        hexadecimal = {"lowx": hex(low), "highx": hex(high), "fitsx": hex(fits)}
        return self.message.format(low=low, high=high, limit=limit, fits=fits, **hexadecimal)


RANGE_LIMITS = (
    Saying(
        "Alchemy",
        -32602,
        "Log response size exceeded. You can make eth_getLogs requests with up to a {limit} block "
        "range and no limit on the response size. Based on your parameters and the response size "
        "limit, this block range should work: [{lowx}, {fitsx}]",
    ),
    Saying(
        "Alchemy free", -32600, "You can make eth_getLogs requests with up to a {limit} block range"
    ),
    Saying(
        "Infura",
        -32005,
        "query returned more than 10000 results. Try with this block range [{lowx}, {fitsx}].",
    ),
    Saying("Infura span", -32602, "range 98999 exceeds limit of {limit}"),
    Saying("Reth", -32602, "query exceeds max results 20000, retry with the range {low}-{fits}"),
    Saying(
        "Reth, proposing what it refused",
        -32602,
        "query exceeds max results 20000, retry with the range {low}-{high}",
    ),
    Saying("QuickNode", -32614, "eth_getLogs is limited to a {limit} range"),
    Saying(
        "QuickNode filters",
        -32602,
        "eth_getLogs and eth_newFilter are limited to a {limit} blocks range",
    ),
    Saying("1RPC", -32602, "eth_getLogs is limited to 0 - {limit} blocks range"),
    Saying("Base", -32614, "Block range too large; currently limited to {limit} blocks"),
    Saying("dRPC", 35, "ranges over {limit} blocks are not supported on free plan"),
    Saying("publicnode", -32701, "exceed maximum block range: {limit}"),
    Saying("HyperEVM", -32602, "query exceeds max block range {limit}"),
    Saying(
        "Erigon",
        -32602,
        "query block range exceeds server limit, narrow your filter: {limit}",
    ),
    Saying(
        "Avalanche",
        -32000,
        "requested too many blocks from {low} to {high}, maximum is set to {limit}",
    ),
    Saying("Coinbase", -32602, "please limit the query to at most {limit} blocks"),
    Saying("Cloudflare", -32047, "Invalid eth_getLogs request. Max range: {limit}"),
    Saying("thirdweb", -32000, "Maximum allowed number of requested blocks is {limit}"),
    Saying(
        "Blast",
        -32000,
        "block range exceeds the range allowed for your plan (98999 > {limit})",
    ),
    Saying("Moonbeam", -32000, "block range is too wide (maximum {limit})"),
    Saying("Swell", -32000, "block range greater than {limit} max"),
    Saying("Somnia", -32000, "block range exceeds {limit}"),
    Saying("evmos", -32000, "maximum [from, to] blocks distance: {limit}"),
    Saying("Merkle", -32000, "eth_getLogs range is too large, max is {limit} blocks"),
    Saying("Harmony", -32000, "query must be smaller than size {limit}"),
    Saying("Ankr", -32600, "block range is too wide"),
    Saying("Optimism", -32062, "Block range is too large"),
    Saying("Chainstack", -32000, "Block range limit exceeded. See more details at the docs"),
    Saying("Besu", -32005, "Requested range exceeds maximum RPC range limit"),
    Saying("zkEVM", -32005, "query returned more than 10000 results"),
    Saying("LlamaRPC", -32005, "query exceeds max results 20000"),
    Saying("Erigon logs", -32602, "query returns too many logs, narrow your filter: 20000"),
    Saying("Nethermind", -32005, "Too many logs requested. Max logs per response is 20000."),
    Saying("Arbitrum", -32000, "logs matched by query exceeds limit of 10000"),
    Saying("Alchemy size", -32602, "Response size is larger than 150MB limit."),
    Saying("1RPC size", -32602, "response size should not greater than 10000000 bytes"),
    Saying("Optimism size", -32000, "backend response too large"),
    Saying("geth size", -32003, "response too large"),
    Saying("Nethermind size", -32005, "MaxBatchResponseBodySize of 32768KB exceeded"),
    Saying("Infura time", -32005, "query timeout exceeded"),
    Saying("dRPC time", 30, "Request timeout on the free tier, please upgrade your tier"),
    Saying("thirdweb", -32005, "requested 98999 blocks, maximum allowed is {limit} blocks"),
    Saying("Morph", -32000, "block range too large, max block range = {limit}"),
    Saying("Polygon", -32005, "Block range too large, range: 98999, max: {limit}"),
    Saying("BSC", -32005, "limit exceeded"),
)

# To a batch of too many calls; `limit` is the most allowed.
BATCH_LIMITS = (
    Saying(
        "dRPC",
        31,
        "Batch of more than {limit} requests are not allowed on free tier, to use this feature "
        "register paid account at drpc.org",
        status=500,
        under="each",
    ),
    Saying("geth", -32600, "batch too large", under="first"),
    Saying("Reth", -32010, "The batch request was too large", data="Exceeded max limit of {limit}"),
    Saying("Base", -32014, "maximum {limit} calls in 1 batch"),
    Saying(
        "Erigon",
        -32000,
        "batch limit {limit} exceeded (can increase by --rpc.batch.limit). Requested batch of "
        "size: 142",
    ),
    Saying("Nethermind", -32005, "Batch size limit exceeded"),
    Saying("Besu", -32005, "Number of requests exceeds max batch size"),
    Saying("Polygon Edge", -32600, "Batch request length too long"),
    Saying("Gnosis", -32600, 'Too many ["eth_getLogs"] methods in the batch'),
)

RATE_LIMITS = (
    Saying("Alchemy", 429, "Your app has exceeded its compute units per second capacity."),
    Saying("Alchemy", -32000, "exceeded its compute units per second capacity"),
    Saying("any", -32000, "Too Many Requests"),
    Saying("QuickNode", -32007, "50/second request limit reached - reduce calls per second"),
    Saying("QuickNode credits", -32012, "credits limited to 6000/sec"),
    Saying(
        "Nethermind",
        -32000,
        "Unable to start new queued requests for eth_getLogs. Too many queued requests.",
    ),
    Saying("Base", -32016, "over rate limit"),
    Saying("Infura", -32005, "project ID request rate exceeded"),
    Saying("HyperEVM", -32005, "rate limited"),
    Saying("Chainstack", -32005, "You've exceeded the RPS limit available on the plan"),
)

UNSEEN = (
    Saying("Reth", -32602, "block range extends beyond current head block"),
    Saying(
        "Erigon",
        -32000,
        "requested block range [{low}, {high}] is beyond latest executed block {low} (node is "
        "still syncing)",
    ),
    Saying("geth", -32000, "header not found"),
    Saying("geth unknown", -32000, "unknown block"),
    Saying(
        "OpenEthereum",
        -32000,
        "One of the blocks specified in filter (fromBlock, toBlock or blockHash) cannot be found.",
    ),
    Saying("Nethermind", -32001, "block {high} could not be found"),
    Saying("Besu, evmos", -32000, "block is out of range"),
    Saying("geth canonical", -32000, "hash {highx} is not currently canonical"),
    Saying("Arbitrum", -32602, "invalid block range params"),
    Saying("Avalanche", -32000, "cannot query unfinalized data: after last accepted block"),
)

BREAKDOWNS = (
    Saying("Base", -32011, "no backend is currently healthy to serve traffic"),
    Saying("Alchemy", -32000, "Unable to complete request at this time."),
    Saying("Infura", -32603, "request failed or timed out"),
    Saying("Ankr", -32055, "no nodes available"),
    Saying("dRPC", 19, "Temporary internal error. Please retry"),
    Saying("geth", -32603, "method handler crashed"),
    Saying("Reth", -32603, "internal blocking task error"),
    Saying("any", -32603, "Internal error"),
    Saying("nobody", -32099, "the moon is in the wrong house"),
)
