"""What eth_call answers after a block: recorded answers, Multicall3, and the block's own time."""

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from indexer.simulation import refusals
from indexer.simulation.blocks import Block
from indexer.simulation.refusals import Refused
from indexer.simulation.served import ServedChain

MULTICALL3 = "0xca11bde05977b3631167028862be2a173976ca11"
_AGGREGATE3 = "0x82ad56cb"
_BLOCK_TIME = "0x0f28c97d"
# Code that returns the time of the block it is deployed in: `TIMESTAMP` and a return, no more.
_TIME_CODE = "0x42600052602060" + "00f3"


def executed(chain: ServedChain, block: Block, to: str | None, sent: str) -> str:
    """
    Return what a contract answers, as lower-case hex.

    Args:
        chain: with its recorded answers.
        block: after which the call is executed.
        to: the contract, lower case; None deploys `sent`, of which one code is known.
        sent: call data, lower case.

    Raises:
        Refused: the contract reverts, which everything does that is not known.
    """
    if to is None and sent == _TIME_CODE:
        return _time(block)
    if to == MULTICALL3 and chain.multicall_from is not None:
        return _multicall(chain, block, sent) if block.number >= chain.multicall_from else "0x"
    for number in (block.number, None):
        if (number, str(to), sent) in chain.calls:
            return chain.calls[number, str(to), sent]
    raise Refused(refusals.REVERTED)


def _time(block: Block) -> str:
    return f"0x{int(str(block.header['timestamp']), 16):064x}"


def _multicall(chain: ServedChain, block: Block, sent: str) -> str:
    if sent == _BLOCK_TIME:
        return _time(block)
    if not sent.startswith(_AGGREGATE3):
        raise Refused(refusals.REVERTED)
    try:
        (calls,) = decode(["(address,bool,bytes)[]"], bytes.fromhex(sent[10:]))
    except DecodingError as error:
        raise Refused(refusals.REVERTED) from error
    told = [_allowed(chain, block, to, f"0x{inner.hex()}") for to, _, inner in calls]
    return "0x" + encode(["(bool,bytes)[]"], [told]).hex()


def _allowed(chain: ServedChain, block: Block, to: str, sent: str) -> tuple[bool, bytes]:
    try:
        return True, bytes.fromhex(executed(chain, block, to, sent)[2:])
    except Refused:
        return False, b""
