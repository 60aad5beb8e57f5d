"""Every provider's way of saying no, as it was seen, and what is made of it."""

import json

import pytest

from indexer.errors import HistoryPruned, NodeBehind, NodeUnavailable, RangeTooLarge
from indexer.rpc import Endpoint
from indexer.rpc.failures import (
    KeyRefused,
    PinRefused,
    Refused,
    SlowDown,
    TooManyCalls,
    failure,
    fault,
)
from indexer.rpc.wordings import WORDINGS, Meaning, wording

ENDPOINT = Endpoint("http://127.0.0.1:8545")
FIRST, LAST = 1_000, 99_999  # the range every refusal below is an answer to

Seen = tuple[str, int, str, Meaning, tuple[int, int] | None]

SLOW = Meaning.SLOW_DOWN
BEHIND = Meaning.BEHIND
LARGE = Meaning.TOO_LARGE
FEWER = Meaning.FEWER_CALLS
PRUNED = Meaning.PRUNED
FAILED = Meaning.FAILED
NO_ACCESS = Meaning.NO_ACCESS

# Refusals of a hundred calls in one request, and how many they allow.
SEEN_OF_BATCHES: list[tuple[str, int, str, int | None]] = [
    (
        "dRPC",
        31,
        "Batch of more than 3 requests are not allowed on free tier, to use this feature register "
        "paid account at drpc.org",
        3,
    ),
    ("dRPC", 31, "Batch of more than 3 requests are not allowed on free plan", 3),
    ("Base", -32014, "maximum 10 calls in 1 batch", 10),
    ("Erigon", -32000, "batch limit 50 exceeded: 142 requests given", 50),
    (
        "Erigon",
        -32600,
        "batch limit 50 exceeded (can increase by --rpc.batch.limit). Requested batch of size: 100",
        50,
    ),
    ("Erigon", -32600, "batch limit 100 exceeded, which we did not", None),
    ("Reth", -32010, "The batch request was too large", None),
    ("geth", -32600, "batch too large", None),
    ("Nethermind", -32005, "Batch size limit exceeded", None),
    ("Besu", -32005, "Number of requests exceeds max batch size", None),
    ("Polygon Edge", -32600, "Batch request length too long", None),
    ("Gnosis", -32600, 'Too many ["eth_getLogs"] methods in the batch', None),
]

SEEN: list[Seen] = [
    ("Alchemy", 429, "Your app has exceeded its compute units per second capacity.", SLOW, None),
    ("Alchemy", -32000, "exceeded its compute units per second capacity", SLOW, None),
    ("any", -32000, "Too Many Requests", SLOW, None),
    ("QuickNode", -32007, "50/second request limit reached - reduce calls per second", SLOW, None),
    ("Base", -32016, "over rate limit", SLOW, None),
    ("Infura", -32005, "project ID request rate exceeded", SLOW, None),
    ("Infura", -32005, "daily request count exceeded, request rate limited", SLOW, None),
    ("HyperEVM", -32005, "rate limited", SLOW, None),
    ("Chainstack", -32005, "You've exceeded the RPS limit available on the plan", SLOW, None),
    ("QuickNode", -32012, "credits limited to 6000/sec", SLOW, None),
    (
        "dRPC",
        15,
        "You reached Public endpoint rate limit, please upgrade to paid plan",
        SLOW,
        None,
    ),
    (
        "Ankr",
        -32090,
        "Too many requests, reason: call rate limit exhausted, retry in 10s",
        SLOW,
        None,
    ),
    (
        "Nethermind",
        -32005,
        "Unable to start new queued requests for eth_getLogs. Too many queued requests.",
        SLOW,
        None,
    ),
    ("Reth", -32602, "block range extends beyond current head block", BEHIND, None),
    ("Arbitrum", -32602, "invalid block range params", BEHIND, None),
    ("Base", -32019, "block is out of range", BEHIND, None),
    (
        "Erigon",
        -32000,
        "requested block range [4096, 8192] is beyond latest executed block 4000 (node is still "
        "syncing)",
        BEHIND,
        None,
    ),
    ("geth", -32000, "header not found", BEHIND, None),
    ("geth", -32000, "unknown block", BEHIND, None),
    ("geth", -39001, "Unknown block", BEHIND, None),
    ("geth", -32000, "finalized block not found", BEHIND, None),
    ("geth", -32000, "safe block not found", BEHIND, None),
    (
        "OpenEthereum",
        -32000,
        "One of the blocks specified in filter (fromBlock, toBlock or blockHash) cannot be found.",
        BEHIND,
        None,
    ),
    ("Nethermind", -32001, "block 99999 could not be found", BEHIND, None),
    ("evmos", -32000, "block is out of range", BEHIND, None),
    ("geth", -32000, "hash 0x12ab is not currently canonical", BEHIND, None),
    ("Avalanche", -32000, "cannot query unfinalized data: after last accepted block", BEHIND, None),
    (
        "Alchemy",
        -32602,
        "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range "
        "and no limit on the response size, or you can request any block range with a cap of 10K "
        "logs in the response. Based on your parameters and the response size limit, this block "
        "range should work: [0x3e8, 0x7d0]",
        LARGE,
        (1_000, 2_000),
    ),
    (
        "Alchemy",
        -32600,
        "Under the Free tier plan, you can make eth_getLogs requests with up to a 10 block range. "
        "Based on your parameters, this block range should work: [0x3e8, 0x3f1]. Upgrade to PAYG "
        "for expanded block range.",
        LARGE,
        (1_000, 1_009),
    ),
    (
        "Alchemy",
        -32602,
        "You can make eth_getLogs requests with up to a 2K block range and no limit",
        LARGE,
        (1_000, 2_999),
    ),
    (
        "Infura",
        -32005,
        "query returned more than 10000 results. Try with this block range [0x3E8, 0x7D0].",
        LARGE,
        (1_000, 2_000),
    ),
    ("Infura", -32602, "range 98999 exceeds limit of 10000", LARGE, (1_000, 10_999)),
    (
        "Reth",
        -32602,
        "query exceeds max results 20000, retry with the range 1000-5000",
        LARGE,
        (1_000, 5_000),
    ),
    (
        "Reth, or who claims to be it",
        -32602,
        "query exceeds max results 20000, retry with the range 01000-05000",
        LARGE,
        None,
    ),
    (
        "Reth, proposing what it refused",
        -32602,
        "query exceeds max results 20000, retry with the range 1000-99999",
        LARGE,
        None,
    ),
    ("QuickNode", -32614, "eth_getLogs is limited to a 10,000 range", LARGE, (1_000, 10_999)),
    (
        "QuickNode",
        -32602,
        "eth_getLogs and eth_newFilter are limited to a 10,000 blocks range",
        LARGE,
        (1_000, 10_999),
    ),
    ("1RPC", -32602, "eth_getLogs is limited to 0 - 50 blocks range", LARGE, (1_000, 1_049)),
    (
        "Base",
        -32614,
        "Block range too large; currently limited to 100 blocks",
        LARGE,
        (1_000, 1_099),
    ),
    (
        "dRPC",
        35,
        "ranges over 10000 blocks are not supported on free plan",
        LARGE,
        (1_000, 10_999),
    ),
    ("Aurora", -32000, "up to a 2,000 block range", LARGE, (1_000, 2_999)),
    ("publicnode", -32701, "exceed maximum block range: 50000", LARGE, (1_000, 50_999)),
    ("Reth", -32602, "query exceeds max block range 1000", LARGE, (1_000, 1_999)),
    (
        "Erigon",
        -32602,
        "query block range exceeds server limit, narrow your filter: 500",
        LARGE,
        (1_000, 1_499),
    ),
    (
        "Avalanche",
        -32000,
        "requested too many blocks from 1000 to 99999, maximum is set to 2048",
        LARGE,
        (1_000, 3_047),
    ),
    ("Coinbase", -32602, "please limit the query to at most 1000 blocks", LARGE, (1_000, 1_999)),
    ("Cloudflare", -32047, "Invalid eth_getLogs request. Max range: 800", LARGE, (1_000, 1_799)),
    (
        "thirdweb",
        -32000,
        "Maximum allowed number of requested blocks is 3500",
        LARGE,
        (1_000, 4_499),
    ),
    (
        "Blast",
        -32000,
        "block range exceeds the range allowed for your plan (98999 > 500)",
        LARGE,
        (1_000, 1_499),
    ),
    ("Moonbeam", -32000, "block range is too wide (maximum 1024)", LARGE, (1_000, 2_023)),
    ("Swell", -32000, "block range greater than 20000 max", LARGE, (1_000, 20_999)),
    ("Somnia", -32000, "block range exceeds 1000", LARGE, (1_000, 1_999)),
    ("evmos", -32000, "maximum [from, to] blocks distance: 10000", LARGE, (1_000, 10_999)),
    (
        "Merkle",
        -32000,
        "eth_getLogs range is too large, max is 1k blocks",
        LARGE,
        (1_000, 1_999),
    ),
    (
        "HyperEVM",
        -32602,
        "query exceeds max block range 50",
        LARGE,
        (1_000, 1_049),
    ),
    (
        "thirdweb",
        -32000,
        "requested 98999 blocks, maximum allowed is 2000 blocks",
        LARGE,
        (1_000, 2_999),
    ),
    (
        "Morph",
        -32000,
        "block range is larger than max block range, block range = 98999, max block range = 5000",
        LARGE,
        (1_000, 5_999),
    ),
    (
        "Polygon",
        -32005,
        "eth_getLogs block range too large, range: 98999, max: 3500",
        LARGE,
        (1_000, 4_499),
    ),
    ("Candle", -32600, "block range too high", LARGE, None),
    ("HyperEVM", -32008, "Response is too big", LARGE, None),
    ("Harmony", -32000, "query must be smaller than size 1024", LARGE, (1_000, 2_023)),
    ("Ankr", -32600, "block range is too wide", LARGE, None),
    ("Ankr", -32062, "Block range is too large", LARGE, None),
    ("Chainstack", -32000, "Block range limit exceeded. See more details at the docs", LARGE, None),
    ("Besu", -32005, "Requested range exceeds maximum RPC range limit", LARGE, None),
    ("zkEVM", -32005, "query returned more than 10000 results", LARGE, None),
    ("LlamaRPC", -32005, "query exceeds max results 20000", LARGE, None),
    ("Erigon", -32602, "query returns too many logs, narrow your filter: 20000", LARGE, None),
    ("Nethermind", -32005, "Too many logs requested. Max logs per response is 20000.", LARGE, None),
    ("Arbitrum", -32000, "logs matched by query exceeds limit of 10000", LARGE, None),
    ("Alchemy", -32602, "Response size is larger than 150MB limit.", LARGE, None),
    ("1RPC", -32602, "response size should not greater than 10000000 bytes", LARGE, None),
    ("Optimism", -32000, "backend response too large", LARGE, None),
    ("geth", -32003, "response too large", LARGE, None),
    ("Reth", -32000, "length limit exceeded", LARGE, None),
    ("Infura", -32005, "query timeout exceeded", LARGE, None),
    ("dRPC", 30, "Request timeout on the free tier, please upgrade your tier", LARGE, None),
    ("BSC", -32005, "limit exceeded", LARGE, None),
    ("geth", 3, "execution reverted: no", Meaning.REVERTED, None),
    ("Nethermind", -32015, "VM execution error.", Meaning.REVERTED, None),
    ("geth", -32000, "out of gas", Meaning.REVERTED, None),
    (
        "geth",
        -32602,
        "invalid argument 1: json: cannot unmarshal object into Go value of type rpc.BlockNumber",
        Meaning.NO_PIN,
        None,
    ),
    ("geth", -32000, "missing trie node 12ab (path )", PRUNED, None),
    ("geth", -32000, "required historical state unavailable (reexec=128)", PRUNED, None),
    ("geth", 4444, "pruned history unavailable", PRUNED, None),
    ("geth", -32000, "historical state 12ab is not available", PRUNED, None),
    ("Reth", -32000, "state at block #99 is pruned", PRUNED, None),
    ("Nethermind", -32002, "No state available for block 99", PRUNED, None),
    ("Nethermind", -32000, "Receipt not available for From block 14319330.", PRUNED, None),
    ("Nethermind", 4444, "Pruned history unavailable", PRUNED, None),
    (
        "Erigon",
        -32000,
        "old data not available due to pruning: requested block 0, history is available from block "
        "25247999",
        PRUNED,
        None,
    ),
    (
        "Erigon",
        -32000,
        "seek with txNum=1962853355 but data before txNum=2662500000 is not available",
        PRUNED,
        None,
    ),
    ("Infura", -32002, "project ID does not have access to archive state", PRUNED, None),
    ("Infura", -32002, "project ID is required to access archive state", PRUNED, None),
    ("Ankr", -32061, "No archive nodes available", PRUNED, None),
    ("Cloudflare", -32047, "Requested data is older than 128 blocks.", PRUNED, None),
    (
        "OpenEthereum",
        -32000,
        "This request is not supported because your node is running with state pruning.",
        PRUNED,
        None,
    ),
    ("Cronos", -32000, "height 5 is not available, lowest height is 99", PRUNED, None),
    ("Moonbeam", -32603, "State already discarded for 0x12ab", PRUNED, None),
    (
        "Optimism",
        -32000,
        "no historical RPC is available for this historical (pre-bedrock) execution request",
        PRUNED,
        None,
    ),
    ("BSC", -32000, "pebble: not found", PRUNED, None),
    (
        "any",
        -32601,
        "the method eth_getLogs does not exist/is not available",
        Meaning.REFUSED,
        None,
    ),
    ("Ankr", -32075, "Method disabled", Meaning.REFUSED, None),
    ("Ankr", -32000, "Unauthorized: You must authenticate your request", NO_ACCESS, None),
    ("Ankr", -32052, "API key is not allowed to access blockchain", NO_ACCESS, None),
    ("Alchemy", -32000, "Monthly capacity limit exceeded. Visit the dashboard", NO_ACCESS, None),
    (
        "publicnode",
        -32701,
        "Please specify an address in your request or order a dedicated full node",
        Meaning.REFUSED,
        None,
    ),
    ("Base", -32011, "no backend is currently healthy to serve traffic", FAILED, None),
    ("Alchemy", -32000, "Unable to complete request at this time.", FAILED, None),
    ("Infura", -32603, "request failed or timed out", FAILED, None),
    ("Ankr", -32055, "No nodes available", FAILED, None),
    ("dRPC", 19, "Temporary internal error. Please retry", FAILED, None),
    ("dRPC", 12, "Can't route your request to suitable provider", FAILED, None),
    ("geth", -32603, "method handler crashed", FAILED, None),
    ("Erigon", -32000, "method handler crashed", FAILED, None),
    ("Reth", -32603, "internal blocking task error", FAILED, None),
    ("any", -32603, "Internal error", FAILED, None),
    (
        "Arbitrum",
        -32602,
        "invalid params: 1001 addresses specified in query, but only 1000 are allowed",
        Meaning.INVALID,
        None,
    ),
    ("nobody", -32099, "the moon is in the wrong house", FAILED, None),
    ("Reth", -32011, "The batch response was too large", LARGE, None),
    ("Nethermind", -32005, "MaxBatchResponseBodySize of 32768KB exceeded", LARGE, None),
    *((said_by, code, message, FEWER, None) for said_by, code, message, _ in SEEN_OF_BATCHES),
]


# Who passes on the words of the nodes behind, answers with a bare HTTP status, or has no such case.
PASSES_ON = "passes on the words of the nodes behind"
BARE = "answers with an HTTP status and no words of its own"
NULLS = "answers null or an empty list; rpc.member and `perpscope doctor` see that"
NEVER = "has no such limit"
STANDARD = "says -32603 Internal error, as JSON-RPC has it"
NOTHING_OF_THEIR_OWN: dict[tuple[str, Meaning], str] = {
    ("Alchemy", BEHIND): PASSES_ON,
    ("Alchemy", PRUNED): "serves archives only",
    ("Infura", BEHIND): PASSES_ON,
    ("QuickNode", BEHIND): PASSES_ON,
    ("QuickNode", PRUNED): PASSES_ON,
    ("QuickNode", FAILED): BARE,
    ("Ankr", BEHIND): PASSES_ON,
    ("dRPC", BEHIND): PASSES_ON,
    ("dRPC", PRUNED): PASSES_ON,
    ("Arbitrum", SLOW): BARE,
    ("Arbitrum", PRUNED): PASSES_ON,
    ("Arbitrum", FAILED): PASSES_ON,
    ("Base", PRUNED): PASSES_ON,
    ("HyperEVM", BEHIND): NULLS,
    ("HyperEVM", PRUNED): NULLS,
    ("HyperEVM", FAILED): STANDARD,
    ("geth", SLOW): NEVER,
    ("Erigon", SLOW): NEVER,
    ("Nethermind", FAILED): STANDARD,
    ("Reth", SLOW): NEVER,
}
PROVIDERS = [
    *("Alchemy", "Infura", "QuickNode", "Ankr", "dRPC", "Arbitrum", "Base", "HyperEVM"),
    *("geth", "Erigon", "Nethermind", "Reth"),
]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("meaning", [LARGE, BEHIND, PRUNED, SLOW, FAILED], ids=str)
def test_every_providers_way_of_saying_it_is_known(provider: str, meaning: Meaning) -> None:
    """Each has a row above for each meaning, or a reason why it has none; never both."""
    has_row = any(said_by == provider and means is meaning for said_by, _, _, means, _ in SEEN)

    assert has_row is ((provider, meaning) not in NOTHING_OF_THEIR_OWN)


@pytest.mark.parametrize(
    ("said_by", "code", "message", "meaning", "suggested"), SEEN, ids=lambda part: str(part)[:40]
)
def test_a_refusal_is_understood(
    said_by: str, code: int, message: str, meaning: Meaning, suggested: tuple[int, int] | None
) -> None:
    """Its meaning is known, and the range it proposes, where it proposes a smaller one."""
    refusal = fault(json.dumps({"code": code, "message": message}).encode(), ENDPOINT)

    error = failure(refusal, ENDPOINT, (FIRST, LAST))

    assert refusal.meaning is meaning, said_by
    assert getattr(error, "suggested", None) == suggested


@pytest.mark.parametrize("row", WORDINGS, ids=lambda row: row.pattern[:40])
def test_every_row_is_needed(row: object) -> None:
    """For each row there is a refusal above that no earlier row recognises."""
    recognised = [wording(f"{code} {message} null")[0] for _, code, message, *_ in SEEN]

    assert row in recognised


@pytest.mark.parametrize(
    ("meaning", "kind"),
    [
        (Meaning.SLOW_DOWN, SlowDown),
        (Meaning.BEHIND, NodeBehind),
        (Meaning.TOO_LARGE, RangeTooLarge),
        (Meaning.FEWER_CALLS, Refused),
        (Meaning.PRUNED, HistoryPruned),
        (Meaning.NO_PIN, PinRefused),
        (Meaning.NO_ACCESS, KeyRefused),
        (Meaning.REFUSED, Refused),
        (Meaning.INVALID, Refused),
        (Meaning.FAILED, NodeUnavailable),
        (Meaning.REVERTED, NodeUnavailable),
    ],
)
def test_each_meaning_has_its_exception(meaning: Meaning, kind: type[Exception]) -> None:
    """Retrying, splitting and giving up are told apart by class."""
    code, message = next((code, message) for _, code, message, of, _ in SEEN if of is meaning)
    refusal = fault(json.dumps({"code": code, "message": message}).encode(), ENDPOINT)

    error = failure(refusal, ENDPOINT, (FIRST, LAST))

    assert type(error) is kind


def test_one_call_without_a_range_cannot_be_too_large() -> None:
    """A single header has nothing to make smaller: its failure is the node's."""
    refusal = fault(b'{"code":-32000,"message":"response too large"}', ENDPOINT)

    error = failure(refusal, ENDPOINT, None)

    assert type(error) is NodeUnavailable


@pytest.mark.parametrize(("said_by", "code", "message", "most"), SEEN_OF_BATCHES)
def test_how_many_calls_are_allowed_is_understood(
    said_by: str, code: int, message: str, most: int | None
) -> None:
    """A number below what was sent is taken, half of that where none is named."""
    raw = json.dumps({"code": code, "message": message}).encode()

    error = failure(fault(raw, ENDPOINT), ENDPOINT, None, 100)

    assert isinstance(error, TooManyCalls), said_by
    assert (error.calls, error.most, error.fewer) == (100, most, most or 50)


def test_the_number_of_calls_is_found_in_the_error_data() -> None:
    """Reth and whoever else uses jsonrpsee name it there."""
    message = '"The batch request was too large","data":"Exceeded max limit of 20"'
    raw = b'{"code":-32010,"message":%b}' % message.encode()

    error = failure(fault(raw, ENDPOINT), ENDPOINT, None, 100)

    assert isinstance(error, TooManyCalls)
    assert error.most == 20


def test_an_answer_too_large_for_several_calls_asks_for_fewer() -> None:
    """Headers, receipts and calls have no range, but they need not travel together."""
    refusal = fault(b'{"code":-32003,"message":"response too large"}', ENDPOINT)

    error = failure(refusal, ENDPOINT, None, 7)

    assert isinstance(error, TooManyCalls)
    assert error.fewer == 3


def test_a_contract_that_speaks_of_batches_has_reverted() -> None:
    """What a contract says is no refusal of the request."""
    refusal = fault(b'{"code":3,"message":"execution reverted: batch too large"}', ENDPOINT)

    assert refusal.meaning is Meaning.REVERTED


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("retry in 10s", 10),
        ("retry in 1m30s", 90),
        ("retry in 10m", 600),
        ("retry in 500ms", None),
        ("retry in 1.2.3s", None),
        ("retry later", None),
    ],
)
def test_a_pause_in_words_is_understood(words: str, seconds: float | None) -> None:
    """Ankr says how long to wait in the message itself."""
    raw = json.dumps({"code": -32090, "message": f"Too many requests, {words}"}).encode()

    error = failure(fault(raw, ENDPOINT), ENDPOINT, None)

    assert isinstance(error, SlowDown)
    assert error.wait_seconds == seconds


@pytest.mark.parametrize(
    "raw",
    [
        b'"some text"',
        b"[1]",
        b"5",
        b"{}",
        b'{"message":null}',
        b"true",
        b'{"code":1e999}',
        b"[" * 5_000 + b"]" * 5_000,
    ],
)
def test_an_error_of_any_shape_is_read(raw: bytes) -> None:
    """Nodes have sent plain text where JSON-RPC wants an object."""
    refusal = fault(raw, ENDPOINT)

    assert refusal.meaning is Meaning.FAILED


def test_a_contract_reverts_with_any_bytes() -> None:
    """Some nodes repeat them as they are, and so a JSON reader refuses the whole error."""
    refusal = fault(b'{"code":3,"message":"\xff\xfe"}', ENDPOINT)

    assert refusal.meaning is Meaning.REVERTED


def test_a_long_refusal_is_quoted_in_one_short_line() -> None:
    """Stack traces and pages inside an error stay out of ours."""
    raw = json.dumps({"code": -32000, "message": "boom\n" * 10_000}).encode()

    error = failure(fault(raw, ENDPOINT), ENDPOINT, None)

    assert "\n" not in str(error)
    assert len(str(error)) < 500
