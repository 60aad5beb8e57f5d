"""
State at one block: calls that are pinned by the block's hash, and shown to be executed there.

A node that ignores the pin answers from its newest block, and the answer looks like any other. So
a witness travels with every request: a call for the time of the block it is executed in, which
must be the time in the pinned header. Ordinary contracts are asked through Multicall3, where it
is deployed: one call, so one state. Precompiles, and everything where it is not, are asked in
batches of eth_call.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC
from functools import partial
from itertools import chain

from indexer.errors import NodeAnswerWrong
from indexer.rpc.answers import Call, Part
from indexer.rpc.asking import block_call
from indexer.rpc.batches import Batches
from indexer.rpc.endpoint import Endpoint
from indexer.rpc.failures import PinRefused
from indexer.rpc.frames import Header
from indexer.rpc.readings import header, returned, value

Request = tuple[bytes, bytes]
Answers = list[bytes | None]
Ask = Callable[[Sequence[Call], Callable[[list[Part], Endpoint], Answers]], Awaitable[Answers]]

# https://github.com/mds1/multicall3: the same address on every chain it is deployed on.
MULTICALL3 = bytes.fromhex("ca11bde05977b3631167028862be2a173976ca11")
AGGREGATE3 = bytes.fromhex("82ad56cb")  # aggregate3((address,bool,bytes)[])
BLOCK_TIME = bytes.fromhex("0f28c97d")  # getCurrentBlockTimestamp()
# TIMESTAMP PUSH1 0 MSTORE PUSH1 32 PUSH1 0 RETURN, run as if it were being deployed: the block's
# time from a node alone, on chains without Multicall3.
TIME_CODE = bytes.fromhex("42600052602060" + "00f3")

_WITNESSES: tuple[Request, ...] = ((MULTICALL3, BLOCK_TIME), (b"", TIME_CODE))
_MOST_IN_ONE = 50  # share prices may cost some 400,000 gas each, and nodes stop at 50 million
_MOST_ALONE = 100  # calls in one request
_BESIDE = len(_WITNESSES) + 1  # the last is a header, where a pin is a number
_LAST_PRECOMPILE = 0xFFFF
_ASKED, _TOLD = "(address,bool,bytes)[]", "(bool,bytes)[]"


async def state(ask: Ask, requests: Sequence[Request], block: Header, batches: Batches) -> Answers:
    """
    Return what contracts answer after one block, in the order of `requests`.

    Args:
        ask: sends calls in one request; see `pool.Pool.ask`.
        requests: (contract address, call data) each.
        block: header of the block.
        batches: how many calls travel in one request.

    Returns:
        The returned bytes, none of them where no contract is; None where the contract reverted.

    Raises:
        NodeBehind: the node does not know the block.
        NodeAnswerWrong: the node executed the calls in another block, or does not show in which.
        NodeUnavailable: no endpoint answered; `Refused` when none serves the call, `TooManyCalls`
            when none serves it together with its witnesses.
        HistoryPruned: none has the block's state any more.
    """
    told: dict[int, bytes | None] = {}
    alone = [place for place, (to, _) in enumerate(requests) if _is_precompile(to)]
    bundled = [place for place in range(len(requests)) if place not in set(alone)]
    for places in _cut(bundled, _MOST_IN_ONE):
        answers = await _bundled(ask, [requests[place] for place in places], block)
        told.update(zip(places, answers, strict=False))
        alone += [] if answers else places
    asked = [requests[place] for place in alone]
    parts = await batches.asked(
        asked, partial(_one_by_one, ask, block), spare=_BESIDE, most=_MOST_ALONE
    )
    told.update(zip(alone, chain.from_iterable(parts), strict=True))
    return [told[place] for place in range(len(requests))]


async def calls(ask: Ask, requests: Sequence[Request], block: Header, batches: Batches) -> Answers:
    """Do what `state` does, one by one and believing a node that shows no witness."""
    parts = await batches.asked(requests, partial(_pinned, ask, block, list), spare=1)
    return list(chain.from_iterable(parts))


def calls_sent(requests: Sequence[Request]) -> int:
    """
    Return how many calls `state` sends for these requests where Multicall3 is deployed.

    Of a node that takes fewer calls in one request, precompiles are asked with more witnesses.
    """
    alone = sum(_is_precompile(to) for to, _ in requests)
    bundles = -(-(len(requests) - alone) // _MOST_IN_ONE)
    batches = -(-alone // (_MOST_ALONE - _BESIDE))
    return bundles + alone + batches * len(_WITNESSES)


def _is_precompile(to: bytes) -> bool:
    return int.from_bytes(to) <= _LAST_PRECOMPILE


def _cut(places: Sequence[int], size: int) -> list[Sequence[int]]:
    return [places[start : start + size] for start in range(0, len(places), size)]


async def _bundled(ask: Ask, requests: Sequence[Request], block: Header) -> Answers:
    """Ask through Multicall3; return nothing where it cannot be used."""
    from eth_abi.abi import encode

    parts = [(MULTICALL3, True, BLOCK_TIME), *((to, True, sent) for to, sent in requests)]
    whole = AGGREGATE3 + encode([_ASKED], [parts])

    def opened(answers: Answers) -> Answers:
        inner = _opened(answers[0])
        if len(inner) != len(parts):
            return []
        _check_time(inner[:1], block)
        return inner[1:]

    return await _pinned(ask, block, opened, [(MULTICALL3, whole)])


def _opened(answer: bytes | None) -> Answers:
    from eth_abi.abi import decode
    from eth_abi.exceptions import DecodingError

    if not answer:  # it reverted, or it is not there
        return []
    try:
        (inner,) = decode([_TOLD], answer)
    except (DecodingError, OverflowError):
        return []
    return [content if is_good else None for is_good, content in inner]


async def _one_by_one(ask: Ask, block: Header, requests: Sequence[Request]) -> Answers:
    def checked(answers: Answers) -> Answers:
        _check_time(answers[: len(_WITNESSES)], block)
        return answers[len(_WITNESSES) :]

    return await _pinned(ask, block, checked, [*_WITNESSES, *requests])


async def _pinned(
    ask: Ask, block: Header, check: Callable[[Answers], Answers], requests: Sequence[Request]
) -> Answers:
    def read(parts: list[Part], endpoint: Endpoint) -> Answers:
        for part in parts[len(requests) :]:
            _check_hash(header(value(part, endpoint), str(block.number)), block)
        return check(
            [
                None if request in _WITNESSES and part.is_error else returned(part, endpoint)
                for request, part in zip(requests, parts, strict=False)
            ]
        )

    try:
        return await ask(_calls(requests, {"blockHash": f"0x{block.hash.hex()}"}), read)
    except PinRefused:
        number = hex(block.number)
        return await ask([*_calls(requests, number), block_call(number)], read)


def _calls(requests: Sequence[Request], pin: str | dict[str, str]) -> list[Call]:
    return [("eth_call", [_message(to, sent), pin]) for to, sent in requests]


def _message(to: bytes, sent: bytes) -> dict[str, str]:
    return ({"to": f"0x{to.hex()}"} if to else {}) | {"data": f"0x{sent.hex()}"}


def _check_hash(found: Header, block: Header) -> None:
    if found.hash != block.hash:
        raise NodeAnswerWrong(
            f"answered for block {found.number} with hash 0x{found.hash.hex()}, which is not the "
            "one the calls are pinned to; the chain was reorganised, index again"
        )


def _check_time(witnesses: Answers, block: Header) -> None:
    if block.timestamp is None:
        return
    time = int(block.timestamp.replace(tzinfo=UTC).timestamp())
    told = {int.from_bytes(answer) for answer in witnesses if answer and len(answer) == 32}
    if not told:
        raise NodeAnswerWrong(
            f"does not say in which block it executes calls: expected the time of block "
            f"{block.number} from eth_call; use another endpoint"
        )
    if told != {time}:
        raise NodeAnswerWrong(
            f"executed calls in a block of time {max(told)} that were pinned to block "
            f"{block.number} of time {time}: it ignores which block it is asked about, so what it "
            "says of past state cannot be used; use another endpoint"
        )
