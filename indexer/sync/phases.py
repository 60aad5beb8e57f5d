"""Who stood behind a contract before others took the place: it is asked, for no log tells."""

from collections.abc import Sequence
from dataclasses import dataclass

from indexer.chains import Chain
from indexer.facts.questions import abi_functions
from indexer.facts.routes import contracts_on, octets
from indexer.rpc import Header
from indexer.settings import Phase
from indexer.spec import Phases, Protocol
from indexer.sync.heads import newest
from indexer.sync.source import Source

_WORD = 32
_MOST = 100  # Feeds are in their tenth at most; who says more counts something else.


@dataclass(frozen=True)
class Told:
    """
    What contracts said of those behind them.

    Attributes:
        phases: one each, in order of protocol, contract and phase.
        asked: how many contracts were asked.
        silent: how many of them told none.
        block_number: at which block.
    """

    phases: tuple[Phase, ...]
    asked: int
    silent: int
    block_number: int


async def ask_phases(node: Source, chain: Chain, protocols: Sequence[Protocol]) -> Told:
    """
    Return every phase that the declared contracts of these protocols had, at the chain's head.

    Raises:
        NodeBehind: the node has no block yet.
        NodeAnswerWrong: it executes calls in another block than it is asked to.
        RetryableError: it did not answer.
    """
    head = await newest(node, chain)
    found: list[Phase] = []
    asked: set[tuple[str, str]] = set()
    for protocol in protocols:
        for kind in protocol.phases:
            contracts = [c for c in contracts_on(protocol, chain) if c.abi == kind.abi]
            addresses = sorted({contract.address.lower() for contract in contracts})
            asked |= {(protocol.slug, address) for address in addresses}
            found += await _told(node, head, (protocol.slug, chain.slug), kind, addresses)
    heard = {(phase.protocol, phase.contract) for phase in found}
    return Told(tuple(found), len(asked), len(asked - heard), head.number)


async def _told(
    node: Source, head: Header, place: tuple[str, str], kind: Phases, addresses: Sequence[str]
) -> list[Phase]:
    functions = abi_functions(kind.abi)
    count, member = functions[kind.count].selector, functions[kind.member].selector
    counts = await node.state([(octets(address), count) for address in addresses], head)
    wanted = [
        (address, phase)
        for address, answer in zip(addresses, counts, strict=True)
        for phase in range(1, _counted(answer) + 1)
    ]
    questions = [
        (octets(address), member + phase.to_bytes(_WORD, "big")) for address, phase in wanted
    ]
    answers = await node.state(questions, head)
    protocol, chain = place
    return [
        Phase(
            protocol=protocol,
            chain=chain,
            contract=contract,
            phase=phase,
            address=f"0x{answer[-20:].hex()}",
            block_number=head.number,
        )
        for (contract, phase), answer in zip(wanted, answers, strict=True)
        if answer is not None and _is_address(answer)
    ]


def _counted(answer: bytes | None) -> int:
    number = int.from_bytes(answer, "big") if answer and len(answer) == _WORD else 0
    return number if number <= _MOST else 0


def _is_address(answer: bytes) -> bool:
    return len(answer) == _WORD and not any(answer[:12]) and any(answer[12:])
